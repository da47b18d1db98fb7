/* The scanner of instructions and exception tables, and the reader of bodies,
 * over code objects real and mutated.
 *
 * Reads must stay within the code, and what is found must be of its names. The
 * reader follows it as a module, a class and a function, and comes to an end.
 * Nothing of the code is run: the frame that an import hook is called from is
 * said to stand in it. Input: which module's code, where in it the frame is,
 * length of the instructions, instructions, exception table. Where either is
 * empty the module's own is taken.
 */
#include <Python.h>

#include <frameobject.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "lazycore/body_private.h"
#include "tests/fuzz/targets/target.h"

enum { PAD_UNITS = 16, PLACES_MAX = 64 };

static const char *const modules[] = {
    "json",        "os",          "asyncio",   "xml.dom.minidom",
    "dataclasses", "logging",     "ctypes",    "collections",
    "http.client", "email",       "importlib", "typing",
    "tempfile",    "subprocess",  "unittest",  "concurrent.futures",
    "decimal",     "test_nested", "threading", "multiprocessing"};

enum { MODULES = sizeof(modules) / sizeof(modules[0]) };

static PyCodeObject *codes[MODULES];

/* --- the frame that the hook sees --------------------------------------- */

static struct lz_engine *engine;
static PyFrameObject *frame;
static PyCodeObject *frame_code;
static int frame_lasti;

PyCodeObject *__wrap_PyFrame_GetCode(PyFrameObject *of);
int __wrap_PyFrame_GetLasti(PyFrameObject *of);
PyCodeObject *__real_PyFrame_GetCode(PyFrameObject *of);
int __real_PyFrame_GetLasti(PyFrameObject *of);

PyCodeObject *
__wrap_PyFrame_GetCode(PyFrameObject *of)
{
    if (of != frame) /* of the finders that the reader asks */
        return __real_PyFrame_GetCode(of);
    Py_INCREF(frame_code);
    return frame_code;
}

int
__wrap_PyFrame_GetLasti(PyFrameObject *of)
{
    return of == frame ? frame_lasti : __real_PyFrame_GetLasti(of);
}

/* --- code objects ------------------------------------------------------- */

/* A body with all shapes of statements, and names beyond one byte. */
static const char nested_text[] =
    "def read(name):\n"
    "    import importlib.util\n"
    "    if name == 'test_nested':\n"
    "        lines = [f'import n{i} as m{i}' for i in range(300)]\n"
    "        lines += ['import a.b.c as d', 'from . import (e, f as g)',\n"
    "                  'from h import *', 'import i.j', 'k: int = 1',\n"
    "                  '__all__ = [\"l\"]', '__all__.append(\"o\")',\n"
    "                  'from p import ' + ', '.join(\n"
    "                      f'q{i}' for i in range(270)),\n"
    "                  'try:', '    import r', 'finally:', '    pass',\n"
    "                  'with s: import t', 'u[0] = 1', 'v.w = 2',\n"
    "                  'def x():', '    global y', '    import y',\n"
    "                  '    return lambda: z', 'big = 10 ** 40, -1, b\"\"']\n"
    "        return compile('\\n'.join(lines), name, 'exec')\n"
    "    spec = importlib.util.find_spec(name)\n"
    "    return spec.loader.get_code(name)\n";

static void
start_python(void)
{
    PyPreConfig before;
    PyConfig config;

    PyPreConfig_InitIsolatedConfig(&before);
    before.allocator = PYMEM_ALLOCATOR_MALLOC; /* each block is watched */
    target_check(!PyStatus_Exception(Py_PreInitialize(&before)));
    PyConfig_InitIsolatedConfig(&config);
    config.install_signal_handlers = 0;
    config.write_bytecode = 0;
    target_check(PyImport_AppendInittab("lazycore", PyInit_lazycore) == 0);
    target_check(!PyStatus_Exception(
        PyConfig_SetBytesString(&config, &config.program_name, FUZZ_PYTHON)));
    target_check(!PyStatus_Exception(Py_InitializeFromConfig(&config)));
    PyConfig_Clear(&config);
    PyObject *space = PyDict_New();
    PyObject *done = PyRun_String(nested_text, Py_file_input, space, space);
    target_check(done != NULL);
    Py_DECREF(done);
    PyObject *read = PyDict_GetItemString(space, "read");
    for (size_t i = 0; i < MODULES; i++) {
        PyObject *code = PyObject_CallFunction(read, "s", modules[i]);
        if (code == NULL)
            PyErr_Print();
        target_check(code != NULL && PyCode_Check(code));
        codes[i] = (PyCodeObject *)code;
    }
    PyObject *lazycore = PyImport_ImportModule("lazycore");
    target_check(lazycore != NULL);
    engine = engine_of_module(lazycore);
    target_check(engine != NULL && engine_install(engine) == 0);
    frame = PyFrame_New(PyThreadState_Get(), codes[0], space, NULL);
    target_check(frame != NULL);
}

/* BASE with these instructions and this table; NULL where CPython itself
 * refuses them. Its own reader of instructions takes an instruction at the
 * very end for one that has all its inline caches: room is left for them. */
static PyCodeObject *
mutate(PyCodeObject *base, const uint8_t *code, size_t code_size,
       const uint8_t *table, size_t table_size)
{
    PyObject *replace = PyObject_GetAttrString((PyObject *)base, "replace");
    PyObject *none = PyTuple_New(0);
    PyObject *how = PyDict_New();
    target_check(replace != NULL && none != NULL && how != NULL);
    if (code_size > 0) {
        PyObject *bytes = PyBytes_FromStringAndSize(
            NULL, (Py_ssize_t)(code_size + PAD_UNITS * UNIT));
        target_check(bytes != NULL);
        char *to = PyBytes_AS_STRING(bytes);
        memcpy(to, code, code_size);
        for (size_t at = code_size; at < code_size + PAD_UNITS * UNIT;
             at += UNIT) {
            to[at] = NOP;
            to[at + 1] = 0;
        }
        target_check(PyDict_SetItemString(how, "co_code", bytes) == 0);
        Py_DECREF(bytes);
    }
    if (table_size > 0) {
        PyObject *bytes = PyBytes_FromStringAndSize((const char *)table,
                                                    (Py_ssize_t)table_size);
        target_check(bytes != NULL);
        target_check(PyDict_SetItemString(how, "co_exceptiontable", bytes) ==
                     0);
        Py_DECREF(bytes);
    }
    PyObject *result = PyObject_Call(replace, none, how);
    PyErr_Clear();
    Py_DECREF(how);
    Py_DECREF(none);
    Py_DECREF(replace);
    return (PyCodeObject *)result;
}

/* --- what is looked at -------------------------------------------------- */

static bool
is_name_of(const PyCodeObject *code, PyObject *name)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_names); i++) {
        if (PyTuple_GET_ITEM(code->co_names, i) == name)
            return true;
    }
    return false;
}

static void
check_statement(const struct lz_statement *statement, size_t size)
{
    target_check(statement->code == frame_code);
    target_check(statement->offset == frame_lasti);
    target_check(statement->end > statement->offset);
    target_check((size_t)statement->end <= size);
    target_check(statement->count >= 0 &&
                 statement->count <= LZ_STATEMENT_NAMES_MAX);
    if (statement->shape == LZ_SHAPE_UNKNOWN)
        return;
    for (int i = 0; i < statement->count; i++) {
        target_check(is_name_of(statement->code, statement->stored[i]));
        if (statement->shape == LZ_SHAPE_FROM)
            target_check(is_name_of(statement->code, statement->attrs[i]));
    }
}

/* With the frame at the byte OFFSET; *LAST_END is where the statement before
 * this one ended. */
static void
look_at(int offset, size_t size, int *last_end)
{
    static struct lz_statement statement;
    bool star, attribute;
    PyObject *names = frame_code->co_names;

    frame_lasti = offset;
    PyObject *stored = bytecode_stored_name(frame, &star, &attribute);
    target_check(!PyErr_Occurred());
    target_check(stored == NULL || is_name_of(frame_code, stored));
    target_check(stored == NULL || !star);
    bool imports = LZ_CODE_UNITS(frame_code)[offset] == IMPORT_NAME;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        int found = bytecode_statement(frame, name, i % 2 == 0, &statement);
        target_check(found >= 0 && !PyErr_Occurred());
        if (found == 0) {
            target_check(statement.shape == LZ_SHAPE_UNKNOWN);
            if (!imports)
                break;
            continue;
        }
        target_check(imports);
        check_statement(&statement, size);
        (void)bytecode_follows(&statement, *last_end);
        (void)bytecode_follows(&statement, offset - UNIT);
        *last_end = statement.end;
        break;
    }
}

static void
look_at_table(const PyCodeObject *code, unsigned offset)
{
    size_t size = (size_t)PyBytes_GET_SIZE(code->co_exceptiontable);
    unsigned char *exact = malloc(size > 0 ? size : 1);

    target_check(exact != NULL);
    memcpy(exact, PyBytes_AS_STRING(code->co_exceptiontable), size);
    bool guarded = bytecode_guarded(exact, size, (int)offset);
    /* More entries take no guard away. */
    if (bytecode_guarded(exact, size / 2, (int)offset))
        target_check(guarded);
    (void)bytecode_guarded(exact, size, 0);
    free(exact);
}

static int
visit(void *arg, PyObject *name, PyObject *fromlist, int level)
{
    unsigned *left = arg;

    target_check(!PyErr_Occurred());
    target_check(is_name_of(frame_code, name));
    (void)fromlist;
    (void)level;
    return --*left == 0;
}

static void
look_at_all(PyCodeObject *code)
{
    unsigned left = 200;
    PyObject *bytes = lz_code_bytes(code);

    target_check(bytes != NULL);
    size_t size = (size_t)PyBytes_GET_SIZE(bytes);
    unsigned char *exact = malloc(size);
    target_check(exact != NULL);
    memcpy(exact, PyBytes_AS_STRING(bytes), size);
    int effect = -2;
    while (effect < INT_MAX) {
        int next =
            bytecode_next_effect(exact, size, code->co_names, effect + 2);
        target_check(next > effect);
        target_check(next == INT_MAX || (size_t)next < size);
        effect = next;
    }
    free(exact);
    PyObject *used = bytecode_used_names(code, bytes);
    target_check(used != NULL || PyErr_Occurred());
    PyErr_Clear();
    Py_XDECREF(used);
    (void)bytecode_imports(code, bytes, visit, &left);
    target_check(!PyErr_Occurred());
    Py_DECREF(bytes);
}

/* As the code of a module that is found nowhere, and with what is made in it.
 */
static void
follow(PyCodeObject *code, enum frame_kind kind)
{
    struct lz_reader *reader = body_reader_new(engine, "");
    PyObject *name = PyUnicode_FromString("mutated");
    struct unit *unit = reader == NULL ? NULL : unit_get(reader, name);
    target_check(unit != NULL);
    unit->code = (PyCodeObject *)Py_NewRef((PyObject *)code);
    unit->package = PyUnicode_FromString("");
    unit->state = UNIT_CODE;
    target_check(unit->package != NULL && unit_read(reader, unit) == 0);
    target_check(unit->body.free == (unit->body.why[0] == '\0'));
    if (kind != FRAME_MODULE) {
        struct frame inner = {
            .reader = reader, .unit = unit, .kind = kind, .code = code};
        reader->subject = unit;
        target_check(frame_run(&inner, NULL, 0) == 0);
        target_check(inner.depth >= 0 && inner.depth <= inner.room);
        frame_done(&inner);
    }
    target_check(!PyErr_Occurred());
    body_reader_free(reader);
    Py_DECREF(name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target_input input = {data, size};
    PyCodeObject *base;
    int last_end = 0;

    if (frame == NULL)
        start_python();
    base = codes[target_byte(&input) % MODULES];
    unsigned offset = target_u16(&input) * UNIT;
    size_t code_size = target_u16(&input) & ~1u;
    code_size = code_size > input.size ? input.size & ~(size_t)1 : code_size;
    frame_code = mutate(base, input.data, code_size, input.data + code_size,
                        input.size - code_size);
    if (frame_code == NULL)
        return 0;
    size_t bytes = (size_t)Py_SIZE(frame_code) * UNIT;
    for (int i = 0; i < PLACES_MAX && offset < bytes; i++, offset += UNIT)
        look_at((int)offset, bytes, &last_end);
    look_at_table(frame_code, offset);
    look_at_all(frame_code);
    follow(frame_code, FRAME_CLASS);
    follow(frame_code, FRAME_FUNCTION);
    Py_CLEAR(frame_code);
    return 0;
}
