/* See alias.h. */
#include "lazycore/alias.h"
#include "lazycore/foresee.h"
#include "lazycore/parents.h"
#include "lazycore/taken.h"

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

/* Whether PACKAGE, whose first name is OWN, is one of the modules that were
 * given second names, or a package of such. */
static bool
was_given_second_name(struct lz_engine *engine, PyObject *package,
                      PyObject *own)
{
    if (taken_copied(engine, package) || has_second_names(package, own))
        return true;
    PyObject *outer = dotted_parent(package), *outer_own = dotted_parent(own);
    PyObject *module = outer == NULL ? NULL : load_peek_module(outer);
    PyObject *first = outer_own == NULL ? NULL : load_peek_module(outer_own);
    bool result = module != NULL && module == first &&
                  PyUnicode_Compare(outer, outer_own) != 0;
    Py_XDECREF(first);
    Py_XDECREF(module);
    Py_XDECREF(outer_own);
    Py_XDECREF(outer);
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
        if (there == module && was_given_second_name(engine, package, own))
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

/* The module called FIRST, where eager code has loaded it: 1 with it, now
 * loaded, 0, or -1 with an exception. */
static int
load_first(struct lz_engine *engine, PyObject *first, PyObject **ret_module)
{
    struct lz_target *target = target_get(engine, first);
    if (target != NULL) {
        *ret_module = target_import(engine, target);
        Py_DECREF(target);
        return *ret_module == NULL ? -1 : 1;
    }
    *ret_module = load_peek_module(first);
    int result = *ret_module != NULL     ? 1
                 : PyErr_Occurred() != 0 ? -1
                                         : foresee_submodule(engine, first);
    if (result == 1 && *ret_module == NULL)
        *ret_module = import_settled(engine, first);
    return result == 1 && *ret_module == NULL ? -1 : result;
}

bool
alias_find(struct lz_engine *engine, PyObject *name, PyObject **ret_module)
{
    PyObject *module = NULL, *first = first_name(engine, name);
    int found = first == NULL ? 0 : load_first(engine, first, &module);
    *ret_module = found == 1 ? PyImport_GetModule(name) : NULL;
    if (found == 1 && *ret_module == NULL && !PyErr_Occurred() &&
        PyObject_SetItem(PyImport_GetModuleDict(), name, module) == 0)
        *ret_module = Py_NewRef(module);
    Py_XDECREF(module);
    Py_XDECREF(first);
    return found != 0;
}
