/* Which names the code of a module loads, and what it imports, by bytecode.
 *
 * See bytecode.h. Needs the GIL; runs no Python code.
 */
#include "lazycore/bytecode_private.h"
#include "lazycore/compat_op.h"

#include <string.h>

/* uses */

int
bytecode_add_strings(PyObject *set, PyObject *item)
{
    if (PyUnicode_CheckExact(item))
        return PySet_Add(set, item);
    if (!PyTuple_Check(item))
        return 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(item); i++) {
        if (bytecode_add_strings(set, PyTuple_GET_ITEM(item, i)) < 0)
            return -1;
    }
    return 0;
}

/* The names that BYTES loads; of LISTED, the constants of a module that has
 * __all__ (else NULL), every string that is loaded, as what __all__ may list,
 * but for the names that an import statement says. */
static int
add_loaded_names(PyObject *set, PyObject *bytes, PyObject *names,
                 PyObject *listed)
{
    struct cursor cursor = {(const unsigned char *)PyBytes_AS_STRING(bytes),
                            (size_t)PyBytes_GET_SIZE(bytes), 0, 0, 0};
    PyObject *last = NULL; /* the constant loaded just before */
    while (cursor_step_real(&cursor)) {
        int index = lz_op_loaded_name(cursor.opcode, cursor.oparg);
        PyObject *name = index < 0 ? NULL : name_at(names, index);
        if (name != NULL && PySet_Add(set, name) < 0)
            return -1;
        if (last != NULL && cursor.opcode != IMPORT_NAME &&
            bytecode_add_strings(set, last) < 0)
            return -1;
        last = listed != NULL && cursor.opcode == LOAD_CONST
                   ? name_at(listed, cursor.oparg)
                   : NULL;
    }
    return 0;
}

static int
add_nested_names(PyObject *set, PyCodeObject *code, int nesting)
{
    if (nesting > BYTECODE_NESTING_MAX) {
        PyErr_SetString(PyExc_RecursionError, "code is nested too deep");
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_consts); i++) {
        PyObject *item = PyTuple_GET_ITEM(code->co_consts, i);
        if (!PyCode_Check(item))
            continue;
        PyCodeObject *inner = (PyCodeObject *)item;
        int result = 0;
        if (PyTuple_GET_SIZE(inner->co_names) > 0) {
            PyObject *bytes = lz_code_bytes(inner);
            result = bytes == NULL
                         ? -1
                         : add_loaded_names(set, bytes, inner->co_names, NULL);
            Py_XDECREF(bytes);
        }
        if (result < 0 || add_nested_names(set, inner, nesting + 1) < 0)
            return -1;
    }
    return 0;
}

static bool
has_all(PyObject *names)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, i),
                                             "__all__") == 0)
            return true;
    }
    return false;
}

PyObject *
bytecode_body_names(PyCodeObject *code, PyObject *bytes)
{
    PyObject *set = PySet_New(NULL);
    if (set == NULL)
        return NULL;
    PyObject *listed = has_all(code->co_names) ? code->co_consts : NULL;
    if (add_loaded_names(set, bytes, code->co_names, listed) < 0)
        Py_CLEAR(set);
    return set;
}

PyObject *
bytecode_used_names(PyCodeObject *code, PyObject *bytes)
{
    PyObject *set = bytecode_body_names(code, bytes);
    if (set != NULL && add_nested_names(set, code, 0) < 0)
        Py_CLEAR(set);
    return set;
}

/* Whether IN loads or stores __all__. */
static bool
is_about_all(PyObject *names, struct lz_instruction in)
{
    bool named = in.op == LZ_OP_NAME || in.op == LZ_OP_GLOBAL ||
                 in.op == LZ_OP_STORE_NAME || in.op == LZ_OP_STORE_GLOBAL;
    return named && is_called(name_at(names, in.arg), "__all__");
}

static int
add_all(PyObject *set, PyObject *others)
{
    PyObject *same = PyNumber_InPlaceOr(set, others);
    Py_XDECREF(same);
    return same == NULL ? -1 : 0;
}

PyObject *
bytecode_listed_names(PyCodeObject *code, PyObject *bytes)
{
    struct cursor cursor = {(const unsigned char *)PyBytes_AS_STRING(bytes),
                            (size_t)PyBytes_GET_SIZE(bytes), 0, 0, 0};
    PyObject *set = PySet_New(NULL), *strings = PySet_New(NULL);
    bool about = false; /* this statement is, whose constants STRINGS are */
    int result = set == NULL || strings == NULL ? -1 : 0;
    while (result == 0 && cursor_step_real(&cursor)) {
        struct lz_instruction in = lz_op_read(cursor.opcode, cursor.oparg);
        PyObject *value =
            in.op == LZ_OP_CONST ? name_at(code->co_consts, in.arg) : NULL;
        about |= is_about_all(code->co_names, in);
        if (value != NULL)
            result = bytecode_add_strings(strings, value);
        if (in.op != LZ_OP_STORE_NAME && in.op != LZ_OP_POP)
            continue;
        if (about && result == 0)
            result = add_all(set, strings);
        about = false;
        (void)PySet_Clear(strings);
    }
    if (result < 0)
        Py_CLEAR(set);
    Py_XDECREF(strings);
    return set;
}

/* Whether the next instruction takes an attribute of what the one at CURSOR
 * has loaded. */
static bool
takes_attribute(struct cursor cursor)
{
    return cursor_step_real(&cursor) &&
           lz_op_read(cursor.opcode, cursor.oparg).op == LZ_OP_ATTR;
}

/* Whether CODE loads the module's name that is item INDEX of co_names; WHOLE:
 * other than to take an attribute. */
static int
loads_name(PyCodeObject *code, Py_ssize_t index, bool whole)
{
    struct cursor cursor = {LZ_CODE_UNITS(code), (size_t)Py_SIZE(code) * UNIT,
                            0, 0, 0};
    PyObject *bytes = NULL;
    if (!lz_code_is_clean(code)) {
        bytes = lz_code_bytes(code);
        if (bytes == NULL)
            return -1;
        cursor.code = (const unsigned char *)PyBytes_AS_STRING(bytes);
        cursor.size = (size_t)PyBytes_GET_SIZE(bytes);
    }
    bool loads = false;
    while (!loads && cursor_step_real(&cursor))
        loads = lz_op_loaded_name(cursor.opcode, cursor.oparg) == index &&
                !(whole && takes_attribute(cursor));
    Py_XDECREF(bytes);
    return loads;
}

static int
nested_uses(PyCodeObject *code, PyObject *name, int nesting)
{
    if (nesting > BYTECODE_NESTING_MAX) {
        PyErr_SetString(PyExc_RecursionError, "code is nested too deep");
        return -1;
    }
    int result = 0;
    for (Py_ssize_t i = 0;
         result == 0 && i < PyTuple_GET_SIZE(code->co_consts); i++) {
        PyObject *item = PyTuple_GET_ITEM(code->co_consts, i);
        if (!PyCode_Check(item))
            continue;
        PyCodeObject *inner = (PyCodeObject *)item;
        Py_ssize_t count = PyTuple_GET_SIZE(inner->co_names), at = 0;
        while (at < count && PyTuple_GET_ITEM(inner->co_names, at) != name)
            at++;
        if (at < count)
            result = loads_name(inner, at, false);
        if (result == 0)
            result = nested_uses(inner, name, nesting + 1);
    }
    return result;
}

int
bytecode_nested_uses(PyCodeObject *code, PyObject *name)
{
    return nested_uses(code, name, 0);
}

static int
may_use(PyCodeObject *code, PyObject *top, PyObject *tail, int nesting)
{
    int result = 0;
    if (nesting > BYTECODE_NESTING_MAX) {
        PyErr_SetString(PyExc_RecursionError, "code is nested too deep");
        return -1;
    }
    PyObject *names = code->co_names, *consts = code->co_consts;
    for (Py_ssize_t i = 0; result == 0 && i < PyTuple_GET_SIZE(names); i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        result = name == tail  ? 1
                 : name == top ? loads_name(code, i, true)
                               : 0;
    }
    for (Py_ssize_t i = 0; result == 0 && i < PyTuple_GET_SIZE(consts); i++) {
        PyObject *item = PyTuple_GET_ITEM(consts, i);
        if (PyCode_Check(item))
            result = may_use((PyCodeObject *)item, top, tail, nesting + 1);
    }
    return result;
}

int
bytecode_may_use(PyCodeObject *code, PyObject *top, PyObject *tail)
{
    return may_use(code, top, tail, 0);
}

/* imports of a body */

static PyObject *
const_at(PyCodeObject *code, int index)
{
    return index < 0 ? NULL : name_at(code->co_consts, index);
}

int
bytecode_imports(PyCodeObject *code, PyObject *bytes,
                 int (*visit)(void *, PyObject *, PyObject *, int), void *arg)
{
    struct cursor cursor = {(const unsigned char *)PyBytes_AS_STRING(bytes),
                            (size_t)PyBytes_GET_SIZE(bytes), 0, 0, 0};
    int before_last = -1, last = -1; /* constants loaded just before */
    while (cursor_step_real(&cursor)) {
        if (cursor.opcode == IMPORT_NAME) {
            PyObject *level = const_at(code, before_last);
            PyObject *fromlist = const_at(code, last);
            PyObject *name = name_at(code->co_names, cursor.oparg);
            int result = 0;
            if (level != NULL && PyLong_Check(level) && name != NULL)
                result =
                    visit(arg, name, fromlist == Py_None ? NULL : fromlist,
                          (int)PyLong_AsLong(level));
            if (result != 0)
                return result;
        }
        before_last = last;
        last = cursor.opcode == LOAD_CONST ? cursor.oparg : -1;
    }
    return 0;
}

/* The name that a call in CODE may import, an absolute one or relative: its
 * parts are identifiers, so that it is not searched for in vain. */
static bool
is_dotted(PyObject *text)
{
    enum { LENGTH_MAX = 200 };
    Py_ssize_t length = 0;
    const char *name = text == NULL || !PyUnicode_CheckExact(text)
                           ? NULL
                           : PyUnicode_AsUTF8AndSize(text, &length);
    if (name == NULL)
        PyErr_Clear();
    if (name == NULL || length > LENGTH_MAX || strchr(name, '.') == NULL ||
        strstr(name + strspn(name, "."), "..") != NULL ||
        name[length - 1] == '.')
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789."
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == (size_t)length;
}

/* Whether IN loads a function that imports; ALIAS is what the code calls
 * import_module, or NULL. */
static bool
loads_importer(PyObject *names, struct lz_instruction in, PyObject *alias)
{
    bool loaded = in.op == LZ_OP_NAME || in.op == LZ_OP_GLOBAL;
    PyObject *name =
        loaded || in.op == LZ_OP_ATTR ? name_at(names, in.arg) : NULL;
    return is_called(name, "import_module") ||
           (loaded && name != NULL &&
            (name == alias || is_called(name, "__import__")));
}

int
bytecode_import_calls(PyCodeObject *code, PyObject *bytes,
                      int (*visit)(void *, PyObject *, PyObject *, int),
                      void *arg)
{
    struct cursor cursor = {(const unsigned char *)PyBytes_AS_STRING(bytes),
                            (size_t)PyBytes_GET_SIZE(bytes), 0, 0, 0};
    struct lz_instruction last = {.op = LZ_OP_UNKNOWN};
    PyObject *alias = NULL;
    int result = 0;
    while (result == 0 && cursor_step_real(&cursor)) {
        struct lz_instruction in = lz_op_read(cursor.opcode, cursor.oparg);
        if (in.op == LZ_OP_NOTHING || in.op == LZ_OP_NULL)
            continue;
        PyObject *text =
            in.op == LZ_OP_CONST ? name_at(code->co_consts, in.arg) : NULL;
        if (last.op == LZ_OP_IMPORT_FROM && in.op == LZ_OP_STORE_NAME &&
            is_called(name_at(code->co_names, last.arg), "import_module"))
            alias = name_at(code->co_names, in.arg);
        if (text != NULL && loads_importer(code->co_names, last, alias) &&
            is_dotted(text)) {
            int level = (int)strspn(PyUnicode_AsUTF8(text), ".");
            PyObject *name = PyUnicode_Substring(text, level, PY_SSIZE_T_MAX);
            result = name == NULL ? -1 : visit(arg, name, NULL, level);
            Py_XDECREF(name);
        }
        last = in;
    }
    return result;
}
