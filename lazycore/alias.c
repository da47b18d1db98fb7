/* See alias.h. */
#include "lazycore/alias.h"

/* Whether a module of the package OWN has a second name in sys.modules, where
 * PACKAGE stands for OWN. */
static bool
has_second_names(PyObject *package, PyObject *own)
{
    PyObject *modules = PyImport_GetModuleDict(), *key, *value;
    Py_ssize_t at = 0, length = PyUnicode_GET_LENGTH(package);
    bool result = false;
    while (!result && PyDict_Next(modules, &at, &key, &value)) {
        if (!PyModule_Check(value) || !PyUnicode_CheckExact(key) ||
            PyUnicode_GET_LENGTH(key) == length ||
            !dotted_begins_with(key, package))
            continue;
        PyObject *rest = PyUnicode_Substring(key, length, PY_SSIZE_T_MAX);
        PyObject *first = rest == NULL ? NULL : PyUnicode_Concat(own, rest);
        result =
            first != NULL && PyDict_GetItemWithError(modules, first) == value;
        Py_XDECREF(first);
        Py_XDECREF(rest);
    }
    lz_forgive();
    return result;
}

/* The first name of the submodule NAME, where its package and modules of it go
 * by two: a new reference, or NULL (no exception). */
static PyObject *
first_name(struct lz_engine *engine, PyObject *name)
{
    PyObject *result = NULL, *own = NULL, *tail = NULL;
    PyObject *package = dotted_parent(name);
    PyObject *module = package == NULL ? NULL : load_peek_module(package);
    if (module != NULL && PyModule_Check(module))
        own = namespace_peek_borrowed(engine, PyModule_GetDict(module),
                                      engine->names.name, NULL);
    if (own != NULL && PyUnicode_CheckExact(own) &&
        PyUnicode_Compare(own, package) != 0) {
        PyObject *there = load_peek_module(own);
        if (there == module && has_second_names(package, own))
            tail = dotted_tail(name);
        result = tail == NULL ? NULL : dotted_join(own, '.', tail);
        Py_XDECREF(there);
    }
    lz_forgive();
    Py_XDECREF(tail);
    Py_XDECREF(module);
    Py_XDECREF(package);
    return result;
}

bool
alias_find(struct lz_engine *engine, PyObject *name, PyObject **ret_module)
{
    PyObject *first = first_name(engine, name);
    struct lz_target *target =
        first == NULL ? NULL : target_get(engine, first);
    PyObject *module = target == NULL ? NULL : target_import(engine, target);
    *ret_module = module == NULL ? NULL : PyImport_GetModule(name);
    if (module != NULL && *ret_module == NULL && !PyErr_Occurred() &&
        PyObject_SetItem(PyImport_GetModuleDict(), name, module) == 0)
        *ret_module = Py_NewRef(module);
    bool result = target != NULL;
    Py_XDECREF(module);
    Py_XDECREF(target);
    Py_XDECREF(first);
    return result;
}
