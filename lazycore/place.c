/* Where an import was asked for, and what to call it in plain C.
 *
 * Walks frames past importlib's own. Needs the GIL.
 */
#include "lazycore/engine.h"
#include "lazycore/standard.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Places */

static bool
is_importlib(PyObject *file)
{
    return PyUnicode_Check(file) && PyUnicode_GET_LENGTH(file) > 18 &&
           PyUnicode_READ_CHAR(file, 0) == '<' &&
           (PyUnicode_CompareWithASCIIString(
                file, "<frozen importlib._bootstrap>") == 0 ||
            PyUnicode_CompareWithASCIIString(
                file, "<frozen importlib._bootstrap_external>") == 0);
}

/* importlib.import_module() and reload(): whoever calls them asks. */
static bool
is_import_call(PyCodeObject *code)
{
    static const char file[] = "/importlib/__init__.py";
    if (PyUnicode_CompareWithASCIIString(code->co_name, "import_module") != 0)
        return false;
    const char *path = place_text(code->co_filename);
    size_t size = path == NULL ? 0 : strlen(path);
    return size >= sizeof(file) &&
           strcmp(path + size - (sizeof(file) - 1), file) == 0;
}

/* The line that FRAME is at. Modules are long, and their imports follow each
 * other: one walk over the lines does for all of them. */
static int
line_of(struct lz_engine *engine, PyFrameObject *frame, PyCodeObject *code,
        PyObject *globals)
{
    int offset = PyFrame_GetLasti(frame);
    struct lz_namespace *ns = namespace_find(engine, globals);
    if (ns == NULL || ns->code != code || offset < 0)
        return PyFrame_GetLineNumber(frame);
    return bytecode_line(code, offset, &ns->lines);
}

static void
find_frame(struct lz_engine *engine, struct lz_caller *caller)
{
    PyFrameObject *frame = PyEval_GetFrame();
    Py_XINCREF(frame);
    while (frame != NULL) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        bool skip = is_importlib(code->co_filename) || is_import_call(code);
        if (!skip) {
            caller->globals = PyFrame_GetGlobals(frame);
            caller->file = Py_NewRef(code->co_filename);
            caller->function = Py_NewRef(code->co_name);
            caller->line = line_of(engine, frame, code, caller->globals);
        }
        Py_DECREF(code);
        PyFrameObject *back = skip ? PyFrame_GetBack(frame) : NULL;
        Py_DECREF(frame);
        frame = back;
    }
}

/* This thread's name as it was when it asked for a module's lock. */
static _Thread_local struct {
    bool noted;
    char text[LZ_THREAD_NAME_SIZE];
} own_name;

void
place_caller(struct lz_engine *engine, struct lz_caller *ret_caller)
{
    *ret_caller = (struct lz_caller){0};
    find_frame(engine, ret_caller);
    if (!own_name.noted)
        (void)place_thread_note(engine);
    own_name.noted = false;
    memcpy(ret_caller->thread, own_name.text, sizeof(own_name.text));
}

void
place_caller_done(struct lz_caller *caller)
{
    Py_CLEAR(caller->file);
    Py_CLEAR(caller->function);
    Py_CLEAR(caller->globals);
}

/* Who imports what importlib is about to look for. Searching imports, too:
 * then who asked first is looked up again. */
static _Thread_local struct {
    PyObject *name; /* strong, or NULL: nothing is kept */
    struct lz_caller caller;
} kept;

void
place_caller_keep(PyObject *name, struct lz_caller *caller)
{
    PyObject *old = kept.name;
    struct lz_caller unused = kept.caller;
    kept.name = Py_NewRef(name);
    kept.caller = *caller;
    *caller = (struct lz_caller){0};
    if (old == NULL)
        return;
    Py_DECREF(old);
    place_caller_done(&unused);
}

void
place_caller_of(struct lz_engine *engine, PyObject *name,
                struct lz_caller *ret_caller)
{
    if (kept.name == NULL || PyUnicode_Compare(kept.name, name) != 0) {
        place_caller(engine, ret_caller);
        return;
    }
    *ret_caller = kept.caller;
    Py_CLEAR(kept.name);
}

void
place_caller_forget(PyObject *name)
{
    if (kept.name == NULL || PyUnicode_Compare(kept.name, name) != 0)
        return;
    struct lz_caller unused = kept.caller;
    Py_CLEAR(kept.name);
    place_caller_done(&unused);
}

/* Text of a str for plain C, or NULL; borrowed. */
const char *
place_text(PyObject *string)
{
    if (string == NULL || !PyUnicode_Check(string))
        return NULL;
    const char *text = PyUnicode_AsUTF8(string);
    if (text == NULL)
        lz_forgive();
    return text;
}

PyObject *
place_threads(struct lz_engine *engine)
{
    const struct lz_names *names = &engine->names;
    PyObject *threading =
        PyDict_GetItemWithError(PyImport_GetModuleDict(), names->threading);
    PyObject *active =
        threading != NULL && PyModule_CheckExact(threading)
            ? PyDict_GetItemWithError(PyModule_GetDict(threading),
                                      names->threading_active)
            : NULL;
    if (active == NULL)
        lz_forgive();
    return active != NULL && PyDict_CheckExact(active) ? active : NULL;
}

/* What threading calls this thread: a new reference, or NULL. */
static PyObject *
threading_name(struct lz_engine *engine)
{
    const struct lz_names *names = &engine->names;
    PyObject *active = place_threads(engine);
    PyObject *ident =
        active != NULL ? PyLong_FromUnsignedLong(PyThread_get_thread_ident())
                       : NULL;
    PyObject *thread =
        ident == NULL ? NULL
                      : Py_XNewRef(PyDict_GetItemWithError(active, ident));
    PyObject *name =
        thread == NULL ? NULL : PyObject_GetAttr(thread, names->private_name);
    lz_forgive();
    Py_XDECREF(thread);
    Py_XDECREF(ident);
    return name;
}

void
place_thread_name(struct lz_engine *engine, char *ret_name, size_t size)
{
    PyObject *name = threading_name(engine);
    const char *text = place_text(name);
    if (text != NULL) {
        size_t length = strnlen(text, size - 1);
        memcpy(ret_name, text, length);
        ret_name[length] = '\0';
    } else if (lz_in_main_thread()) { /* threading is not there yet */
        (void)snprintf(ret_name, size, "MainThread");
    } else if (pthread_getname_np(pthread_self(), ret_name, size) != 0) {
        ret_name[0] = '\0';
    }
    Py_XDECREF(name);
}

const char *
place_thread_note(struct lz_engine *engine)
{
    place_thread_name(engine, own_name.text, sizeof(own_name.text));
    own_name.noted = true;
    return own_name.text;
}

static int
line_attribute(PyObject *object, const char *name)
{
    PyObject *value = PyObject_GetAttrString(object, name);
    long line =
        value != NULL && PyLong_Check(value) ? PyLong_AsLong(value) : 0;
    lz_forgive();
    Py_XDECREF(value);
    return line > 0 && line < INT32_MAX ? (int)line : 0;
}

/* The file and line of the innermost frame of TRACEBACK outside importlib. */
static PyObject *
place_in_traceback(PyObject *traceback, int *ret_line)
{
    PyObject *file = NULL;
    for (PyTracebackObject *at = (PyTracebackObject *)traceback; at != NULL;
         at = at->tb_next) {
        PyCodeObject *code = PyFrame_GetCode(at->tb_frame);
        if (!is_importlib(code->co_filename)) {
            Py_XSETREF(file, Py_NewRef(code->co_filename));
            *ret_line = line_attribute((PyObject *)at, "tb_lineno");
        }
        Py_DECREF(code);
    }
    return file;
}

void
place_of_error(char **ret_file, int *ret_line)
{
    PyObject *error = lz_take_error();
    PyObject *traceback =
        error == NULL ? NULL : PyException_GetTraceback(error);
    PyObject *file = NULL;
    *ret_file = NULL;
    *ret_line = 0;
    if (error != NULL &&
        PyObject_TypeCheck(error, (PyTypeObject *)PyExc_SyntaxError)) {
        file = PyObject_GetAttrString(error, "filename");
        *ret_line = line_attribute(error, "lineno");
    } else if (traceback != NULL && PyTraceBack_Check(traceback)) {
        file = place_in_traceback(traceback, ret_line);
    }
    lz_forgive();
    const char *text = place_text(file);
    if (text != NULL)
        *ret_file = strdup(text);
    Py_XDECREF(file);
    Py_XDECREF(traceback);
    lz_raise(error);
}

/* "Type: message" of the pending exception, which stays. */
void
place_error_text(char *ret_text, size_t size)
{
    PyObject *error = lz_take_error();
    PyObject *text = error == NULL ? NULL : PyObject_Str(error);
    const char *message = place_text(text);
    (void)snprintf(ret_text, size, "%s: %s",
                   error == NULL ? "?" : Py_TYPE(error)->tp_name,
                   message == NULL ? "" : message);
    lz_forgive();
    Py_XDECREF(text);
    lz_raise(error);
}

/* Whether the code that FRAME runs puts something into sys.modules, or takes
 * it out: it names `modules`, and stores or deletes a subscript. */
static bool
edits_modules(PyFrameObject *frame)
{
    bool names = false, edits = false;
    PyCodeObject *code = PyFrame_GetCode(frame);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_names); i++) {
        PyObject *name = PyTuple_GET_ITEM(code->co_names, i);
        names =
            names || PyUnicode_CompareWithASCIIString(name, "modules") == 0;
    }
    PyObject *bytes = names ? lz_code_bytes(code) : NULL;
    const char *at = bytes == NULL ? NULL : PyBytes_AS_STRING(bytes);
    Py_ssize_t size = bytes == NULL ? 0 : PyBytes_GET_SIZE(bytes);
    for (Py_ssize_t i = 0; i < size; i += 2) {
        unsigned char opcode = (unsigned char)at[i];
        edits = edits || opcode == STORE_SUBSCR || opcode == DELETE_SUBSCR;
    }
    lz_forgive();
    Py_XDECREF(bytes);
    Py_DECREF(code);
    return edits;
}

/* Whether FRAME is that of the standard library's search for a codec. */
static bool
searches_codec(struct lz_engine *engine, PyFrameObject *frame)
{
    PyCodeObject *code = PyFrame_GetCode(frame);
    const char *path = place_text(code->co_filename);
    const char *rest = path == NULL ? NULL : standard_below(engine, path);
    bool result = rest != NULL && strcmp(rest, "encodings/__init__.py") == 0;
    Py_DECREF(code);
    return result;
}

enum lz_asker
place_asker(struct lz_engine *engine)
{
    enum lz_asker result = LZ_ASKER_OTHER;
    PyFrameObject *frame = PyEval_GetFrame();
    Py_XINCREF(frame);
    while (frame != NULL) {
        PyObject *globals = PyFrame_GetGlobals(frame);
        PyObject *name =
            namespace_peek_borrowed(engine, globals, engine->names.name, NULL);
        const char *text = place_text(name);
        bool skip =
            text != NULL && (strncmp(text, "importlib", 9) == 0 ||
                             strncmp(text, "_frozen_importlib", 17) == 0);
        if (!skip && text != NULL &&
            ignore_covers_package(engine->core->ignore, text))
            result = searches_codec(engine, frame) ? LZ_ASKER_CODECS
                     : edits_modules(frame)        ? LZ_ASKER_EDITS_MODULES
                                                   : LZ_ASKER_IGNORED;
        Py_DECREF(globals);
        PyFrameObject *back = skip ? PyFrame_GetBack(frame) : NULL;
        Py_DECREF(frame);
        frame = back;
    }
    return result;
}

bool
place_in_import(void)
{
    PyFrameObject *frame = PyEval_GetFrame(); /* borrowed */
    if (frame == NULL)
        return false;
    PyCodeObject *code = PyFrame_GetCode(frame);
    int offset = PyFrame_GetLasti(frame);
    bool result = is_importlib(code->co_filename) ||
                  (offset >= 0 && LZ_CODE_UNITS(code)[offset] == IMPORT_FROM);
    Py_DECREF(code);
    return result;
}
