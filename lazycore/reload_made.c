/* Reload: what a body has made, wherever it is.
 *
 * Its functions and classes, their instances, and what holds one of these.
 * Runs no Python code. Needs the GIL.
 */
#include "lazycore/reload_containers.h"

/* Whether DICT is the namespace that is asked for. */
static bool
is_namespace(const struct lz_made *made, PyObject *dict)
{
    for (size_t i = 0; i < made->count; i++) {
        const struct lz_reload *reload = &made->items[i];
        if (dict != NULL &&
            dict == (made->live ? reload->live : reload->fresh)) {
            return true;
        }
    }
    return false;
}

static bool
is_made_function(const struct lz_made *made, PyObject *object)
{
    return PyFunction_Check(object) &&
           is_namespace(made, ((PyFunctionObject *)object)->func_globals);
}

/* Leaves no exception. */
static void
forgive(struct lz_made *made)
{
    made->lacking |=
        PyErr_Occurred() != NULL && PyErr_ExceptionMatches(PyExc_MemoryError);
    lz_forgive();
}

/* NAME of DICT, a class's: borrowed, or NULL. Leaves no exception. */
static PyObject *
attribute_borrowed(struct lz_made *made, PyObject *dict, const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    PyObject *value = key == NULL ? NULL : PyDict_GetItemWithError(dict, key);

    forgive(made);
    Py_XDECREF(key);
    return value;
}

/* What NAME, a dotted one, is in the module MODULE: borrowed, or NULL. Leaves
 * no exception. */
static PyObject *
named_borrowed(struct lz_made *made, PyObject *module, PyObject *name)
{
    struct lz_engine *engine = made->items[0].engine;
    PyObject *loaded = load_peek_module(module), *found = loaded;
    Py_ssize_t begin = 0, length = PyUnicode_GET_LENGTH(name);

    while (found != NULL && begin < length) {
        Py_ssize_t end = PyUnicode_FindChar(name, '.', begin, length, 1);
        PyObject *part =
            PyUnicode_Substring(name, begin, end < 0 ? length : end);
        PyObject *dict = PyModule_Check(found) ? PyModule_GetDict(found)
                         : PyType_Check(found)
                             ? ((PyTypeObject *)found)->tp_dict
                             : NULL;
        found = part == NULL || dict == NULL
                    ? NULL
                    : namespace_peek_borrowed(engine, dict, part, NULL);
        begin = end < 0 ? length : end + 1;
        Py_XDECREF(part);
    }
    forgive(made);
    Py_XDECREF(loaded); /* sys.modules has it */
    return found;
}

/* Whether a loaded module has TYPE under the name that TYPE says it has. Such
 * a class was not made by a body that failed, which may have patched it. */
static bool
is_of_module(struct lz_made *made, PyTypeObject *type)
{
    PyObject *module = attribute_borrowed(made, type->tp_dict, "__module__");
    PyObject *name = ((PyHeapTypeObject *)type)->ht_qualname;

    return module != NULL && PyUnicode_CheckExact(module) && name != NULL &&
           named_borrowed(made, module, name) == (PyObject *)type;
}

/* A class that has functions of the body's, or that its namespace has. */
static bool
decide_class(struct lz_made *made, PyTypeObject *type)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;

    if (ptrmap_has(&made->bound, type)) {
        return true;
    }
    while (type->tp_dict != NULL &&
           PyDict_Next(type->tp_dict, &at, &key, &value)) {
        if (is_made_function(made, value)) {
            return made->live || !is_of_module(made, type);
        }
    }
    return false;
}

static bool
is_made_class(struct lz_made *made, PyTypeObject *type)
{
    if ((type->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0) {
        return false;
    }
    void *decided = ptrmap_get(&made->decided, type);
    if (decided == NULL) {
        decided = decide_class(made, type) ? (void *)type : (void *)made;
        (void)ptrmap_put(&made->decided, type, decided);
    }
    return decided == (void *)type;
}

static bool
is_made(struct lz_made *made, PyObject *object)
{
    return is_made_function(made, object) ||
           is_made_class(made, PyType_Check(object) ? (PyTypeObject *)object
                                                    : Py_TYPE(object));
}

struct glance {
    struct lz_made *made;
    bool found;
};

static int
visit(PyObject *object, void *arg)
{
    struct glance *glance = arg;

    glance->found |= is_made(glance->made, object);
    return glance->found;
}

static bool
encloses_made(struct lz_made *made, PyObject *function)
{
    PyObject *closure = ((PyFunctionObject *)function)->func_closure;

    for (Py_ssize_t i = 0; closure != NULL && i < PyTuple_GET_SIZE(closure);
         i++) {
        PyObject *object = PyCell_GET(PyTuple_GET_ITEM(closure, i));
        if (object != NULL && is_made(made, object)) {
            return true;
        }
    }
    return false;
}

/* Whether OBJECT refers to something that the body made: a tuple that has it,
 * a method, an instance of another module's class with it as an attribute. */
static bool
holds_made(struct lz_made *made, PyObject *object)
{
    struct glance glance = {.made = made};
    PyObject *key, *value;
    Py_ssize_t at = 0;

    if (PyFunction_Check(object)) {
        return encloses_made(made, object);
    }
    if (!PyObject_IS_GC(object) || !PyObject_GC_IsTracked(object) ||
        PyType_Check(object) || PyModule_Check(object)) {
        return false;
    }
    (void)Py_TYPE(object)->tp_traverse(object, visit, &glance);
    PyObject *dict = glance.found || !made->attributes ||
                             Py_TYPE(object)->tp_dictoffset == 0
                         ? NULL
                         : PyObject_GenericGetDict(object, NULL);
    while (dict != NULL && PyDict_CheckExact(dict) && !glance.found &&
           PyDict_Next(dict, &at, &key, &value)) {
        glance.found = is_made(made, value);
    }
    forgive(made);
    Py_XDECREF(dict);
    return glance.found;
}

bool
made_has(struct lz_made *made, PyObject *object)
{
    return !proxy_check(made->items[0].engine, object) &&
           (is_made(made, object) || holds_made(made, object));
}

static bool
is_live_value(struct lz_reload *reload, PyObject *object)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;

    while (PyDict_Next(reload->live, &at, &key, &value)) {
        if (value == object) {
            return true;
        }
    }
    return false;
}

/* Classes that say they are of the module; of a fresh namespace, those that
 * are not the live ones. */
static void
note_bound(struct lz_made *made, struct lz_reload *reload)
{
    PyObject *dict = made->live ? reload->live : reload->fresh, *key, *value;
    Py_ssize_t at = 0;

    while (dict != NULL && PyDict_Next(dict, &at, &key, &value)) {
        PyTypeObject *type = (PyTypeObject *)value;
        if (!PyType_Check(value) ||
            (type->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0 ||
            (!made->live && is_live_value(reload, value))) {
            continue;
        }
        PyObject *module =
            attribute_borrowed(made, type->tp_dict, "__module__");
        if (module != NULL && PyUnicode_CheckExact(module) &&
            PyUnicode_Compare(module, reload->name) == 0) {
            made->lacking |= ptrmap_put(&made->bound, value, value) != 0;
        }
    }
}

void
made_begin(struct lz_made *made, struct lz_reload *items, size_t count,
           bool live)
{
    *made = (struct lz_made){.items = items, .count = count, .live = live};
    for (size_t i = 0; i < count; i++) {
        note_bound(made, &items[i]);
    }
}

void
made_done(struct lz_made *made)
{
    ptrmap_done(&made->bound);
    ptrmap_done(&made->decided);
}
