/* Whether what is read from a module's code is what the module has when it is
 * used: code that runs later, or elsewhere, may rebind its names. See
 * body_private.h. Needs the GIL; runs no Python code.
 */
#include "lazycore/body_private.h"

#include <string.h>

/* Names by which code gets at namespaces in ways that are not seen. */
static const char *const hiding[] = {
    "globals", "locals",     "vars",        "exec",      "eval",
    "setattr", "__dict__",   "__setattr__", "_getframe", "modules",
    "delattr", "__import__", "currentframe"};

/* What CODE itself does to the names of UNIT. What its functions do to
 * sys.modules is seen where it is loaded. 0 or -1. */
static int
scan(struct unit *unit, PyCodeObject *code, PyObject *bytes)
{
    bool modules = false, body = code == unit->code;
    struct cursor cursor = {(const unsigned char *)PyBytes_AS_STRING(bytes),
                            (size_t)PyBytes_GET_SIZE(bytes), 0, 0, 0};
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_names); i++) {
        PyObject *name = PyTuple_GET_ITEM(code->co_names, i);
        for (size_t n = 0; n < sizeof(hiding) / sizeof(hiding[0]); n++) {
            if (PyUnicode_CompareWithASCIIString(name, hiding[n]) == 0)
                unit->dynamic = true;
        }
        if (PyUnicode_CompareWithASCIIString(name, "modules") == 0)
            modules = body;
    }
    while (cursor_step_real(&cursor)) {
        PyObject *name = name_at(code->co_names, cursor.oparg);
        enum lz_op op = lz_op_read(cursor.opcode, cursor.oparg).op;
        if (modules && (op == LZ_OP_STORE_SUBSCR || op == LZ_OP_DELETE_SUBSCR))
            unit->replaced = true;
        if ((cursor.opcode == STORE_GLOBAL ||
             cursor.opcode == DELETE_GLOBAL) &&
            name != NULL && PySet_Add(unit->rebound, name) < 0)
            return -1;
    }
    return 0;
}

static int
scan_all(struct unit *unit, PyCodeObject *code, int depth)
{
    PyObject *bytes = lz_code_bytes(code);
    int result = bytes == NULL ? -1 : scan(unit, code, bytes);
    Py_XDECREF(bytes);
    for (Py_ssize_t i = 0;
         result == 0 && i < PyTuple_GET_SIZE(code->co_consts); i++) {
        PyObject *inner = PyTuple_GET_ITEM(code->co_consts, i);
        if (!PyCode_Check(inner))
            continue;
        if (depth >= BODY_DEPTH_MAX)
            unit->dynamic = unit->replaced = true;
        else
            result = scan_all(unit, (PyCodeObject *)inner, depth + 1);
    }
    return result;
}

int
unit_scan(struct unit *unit)
{
    unit->rebound = PySet_New(NULL);
    return unit->rebound == NULL ? -1 : scan_all(unit, unit->code, 0);
}

bool
unit_is_opaque(const struct unit *unit)
{
    return unit->dynamic && (unit->state != UNIT_READ || !unit->body.free);
}

bool
unit_is_replaced(const struct unit *unit)
{
    return unit->replaced && (unit->state != UNIT_READ || !unit->body.free);
}

/* Of a loaded module */

static bool
is_function(PyObject *object, PyObject *code)
{
    if (!PyFunction_Check(object))
        return false;
    int same =
        PyObject_RichCompareBool(PyFunction_GetCode(object), code, Py_EQ);
    lz_forgive();
    return same == 1;
}

static bool
is_class(PyObject *object, const struct klass *klass)
{
    return PyType_Check(object) &&
           PyType_HasFeature((PyTypeObject *)object, Py_TPFLAGS_HEAPTYPE) &&
           PyUnicode_Compare(((PyHeapTypeObject *)object)->ht_name,
                             klass->code->co_name) == 0;
}

bool
unit_value_holds(struct lz_reader *reader, struct unit *unit, PyObject *name,
                 const struct value *value)
{
    if (unit->rebound != NULL && PySet_Contains(unit->rebound, name) != 0)
        return false;
    PyObject *module = load_peek_module(unit->name);
    PyObject *object =
        module != NULL && PyModule_Check(module) &&
                !load_initializing(reader->engine, module)
            ? namespace_peek_borrowed(reader->engine, PyModule_GetDict(module),
                                      name, NULL)
            : NULL;
    bool holds = true;
    if (object != NULL && value->kind == V_PLAIN)
        holds = value_is_constant(object);
    else if (object != NULL && value->kind == V_FUNCTION)
        holds = is_function(object, value->object);
    else if (object != NULL && value->kind == V_CLASS)
        holds = is_class(object, value->klass);
    Py_XDECREF(module);
    return holds;
}

/* Of the standard library */

/* Whether OBJECT, a function or class, is the standard library's own, not put
 * there in its place. */
static bool
is_of_stdlib(struct lz_engine *engine, PyObject *object)
{
    PyObject *module = NULL;
    if (PyCFunction_Check(object))
        return true;
    if (PyFunction_Check(object))
        module =
            PyDict_GetItemString(PyFunction_GetGlobals(object), "__name__");
    else if (!PyType_Check(object))
        return false;
    else if (!PyType_HasFeature((PyTypeObject *)object, Py_TPFLAGS_HEAPTYPE))
        return true;
    else if (((PyTypeObject *)object)->tp_dict != NULL)
        module = PyDict_GetItemString(((PyTypeObject *)object)->tp_dict,
                                      "__module__");
    const char *text =
        module == NULL || !PyUnicode_Check(module) ? NULL : place_text(module);
    /* C types need not say. */
    return module == NULL ||
           (text != NULL && levels_is_stdlib(engine->core->levels, text));
}

bool
known_is_genuine(struct lz_reader *reader, const char *name)
{
    const char *dot = strchr(name, '.');
    bool genuine = true;
    for (; genuine && dot != NULL; dot = strchr(dot + 1, '.')) {
        PyObject *module_name = PyUnicode_FromStringAndSize(name, dot - name);
        PyObject *module =
            module_name == NULL ? NULL : load_peek_module(module_name);
        PyObject *attr = PyUnicode_FromStringAndSize(
            dot + 1, (Py_ssize_t)strcspn(dot + 1, ".("));
        PyObject *object =
            module != NULL && attr != NULL && PyModule_Check(module) &&
                    !load_initializing(reader->engine, module)
                ? namespace_peek_borrowed(reader->engine,
                                          PyModule_GetDict(module), attr, NULL)
                : NULL;
        if (object != NULL && !PyModule_Check(object) &&
            dot[1 + strcspn(dot + 1, ".(")] != '.')
            genuine = is_of_stdlib(reader->engine, object);
        Py_XDECREF(module_name);
        Py_XDECREF(module);
        Py_XDECREF(attr);
        lz_forgive();
    }
    return genuine;
}
