/* Reload, step 3: what the body made becomes the live module's.
 *
 * Runs no Python code. Needs the GIL.
 */
#include "lazycore/reload.h"

/* Set *SLOT to a new reference to VALUE; the old one goes to the grave. */
static int
set_slot(struct lz_publish *publish, PyObject **slot, PyObject *value)
{
    PyObject *old = *slot;

    if (old == value) {
        return 0;
    }
    if (reload_bury(publish, old) < 0) {
        return -1;
    }
    *slot = Py_XNewRef(value);
    Py_XDECREF(old); /* the graveyard has it */
    return 0;
}

int
reload_adopt_functions(struct lz_publish *publish)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(publish->functions); i++) {
        PyFunctionObject *function =
            (PyFunctionObject *)PyList_GET_ITEM(publish->functions, i);
        if (set_slot(publish, &function->func_globals, publish->reload->live) <
            0) {
            return -1;
        }
    }
    return 0;
}

int
reload_adopt_instances(struct lz_publish *publish)
{
    PyObject *attribute = PyUnicode_InternFromString("__class__");
    int status = attribute == NULL ? -1 : 0;

    for (Py_ssize_t i = 0;
         status == 0 && i < PyList_GET_SIZE(publish->instances); i++) {
        PyObject *object = PyList_GET_ITEM(publish->instances, i);
        PyObject *class = ptrmap_get(&publish->classes, Py_TYPE(object));
        status = class == NULL
                     ? 0
                     : PyObject_GenericSetAttr(object, attribute, class);
        if (status < 0 && !PyErr_ExceptionMatches(PyExc_MemoryError)) {
            lz_forgive(); /* a type of its own kind: it stays as it is */
            status = 0;
        }
    }
    Py_XDECREF(attribute);
    return status;
}
