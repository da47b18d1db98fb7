/* Reload, step 3: what stood under a name and goes, for who else has it.
 *
 * Decides and changes nothing; runs no Python code. Needs the GIL.
 */
#include "lazycore/reload.h"

/* An object that anyone may share says nothing about who holds it. */
static bool
is_common(PyObject *object)
{
    return object == Py_NotImplemented || PyModule_Check(object) ||
           reload_is_constant(object);
}

/* Whether others have OLD from elsewhere: it only passed through here. */
static bool
is_foreign(const struct lz_publish *publish, PyObject *old)
{
    PyObject *foreign = publish->reload->foreign;

    if (PyFunction_Check(old) || PyType_Check(old)) {
        return !reload_is_own(publish, old);
    }
    for (Py_ssize_t i = 0; foreign != NULL && i < PyList_GET_SIZE(foreign);
         i++) {
        if (PyList_GET_ITEM(foreign, i) == old) {
            return true;
        }
    }
    return false;
}

/* OLD stood under NAME, where NEW is now, or nothing (NULL); who else has
 * it? */
int
reload_replace(struct lz_publish *publish, PyObject *name, PyObject *old,
               PyObject *new)
{
    if (old == new || is_common(old) || ptrmap_has(&publish->taken, old) ||
        ptrmap_has(&publish->replaced, old) || is_foreign(publish, old)) {
        return 0;
    }
    if (PyList_Append(publish->keep, old) < 0 ||
        PyList_Append(publish->keep, name) < 0 ||
        (new != NULL &&PyList_Append(publish->keep, new) < 0)) {
        return -1;
    }
    return reload_put(&publish->replaced, old, new) < 0 ||
                   reload_put(&publish->names, old, name) < 0
               ? -1
               : 0;
}

PyObject *
reload_live_value_borrowed(struct lz_publish *publish, PyObject *key)
{
    return PyUnicode_CheckExact(key)
               ? namespace_peek_borrowed(publish->reload->engine,
                                         publish->reload->live, key, NULL)
               : NULL;
}

static int
replace_names(struct lz_publish *publish)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;

    while (PyDict_Next(publish->reload->fresh, &at, &key, &value)) {
        PyObject *old = reload_live_value_borrowed(publish, key);
        if (old != NULL &&
            reload_replace(publish, key, old,
                           reload_mapped_borrowed(publish, value)) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Functions and classes whose names are gone from the source. */
static int
replace_gone(struct lz_publish *publish)
{
    PyObject *key, *unused;
    Py_ssize_t at = 0;

    while (PyDict_Next(publish->reload->live, &at, &key, &unused)) {
        PyObject *old = reload_live_value_borrowed(publish, key);
        if (old == NULL || reload_keeps_name(key) ||
            !reload_is_own(publish, old) ||
            PyDict_Contains(publish->reload->fresh, key) != 0) {
            continue;
        }
        if (reload_replace(publish, key, old, NULL) < 0) {
            return -1;
        }
    }
    return 0;
}

int
reload_replace_all(struct lz_publish *publish)
{
    return replace_names(publish) < 0 ? -1 : replace_gone(publish);
}
