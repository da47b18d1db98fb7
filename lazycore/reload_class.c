/* Reload, step 4: classes that refer to classes that moved or were replaced.
 *
 * Responsible for the bases of what derives from them and for saying which
 * could not keep their identity. Runs no Python code. Needs the GIL.
 */
#include "lazycore/reload.h"

#include <stdio.h>

/* A class of the body that has not moved but derives from one that has. */
int
reload_rebase(struct lz_publish *publish, PyObject *child)
{
    PyTypeObject *type = (PyTypeObject *)child;
    Py_ssize_t count = PyTuple_GET_SIZE(type->tp_bases);
    PyObject *bases = PyTuple_New(count);
    PyObject *key = PyUnicode_InternFromString("__bases__");
    int status = bases == NULL || key == NULL ? -1 : 0;

    for (Py_ssize_t i = 0; status == 0 && i < count; i++) {
        PyObject *base = PyTuple_GET_ITEM(type->tp_bases, i);
        PyTuple_SET_ITEM(bases, i,
                         Py_NewRef(reload_mapped_borrowed(publish, base)));
    }
    if (status == 0) {
        status = reload_bury(publish, type->tp_bases);
    }
    if (status == 0 && PyType_Type.tp_setattro(child, key, bases) < 0) {
        status = -1;
        if (!PyErr_ExceptionMatches(PyExc_MemoryError)) {
            lz_forgive();
            status = reload_unrepaired(
                publish, "class %s: its bases cannot be set", type->tp_name);
        }
    }
    Py_XDECREF(key);
    Py_XDECREF(bases);
    return status;
}

int
reload_repair_type(struct lz_publish *publish, PyTypeObject *type)
{
    if (ptrmap_has(&publish->replaced, type)) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(type->tp_bases); i++) {
        PyObject *base = PyTuple_GET_ITEM(type->tp_bases, i);
        if (ptrmap_has(&publish->replaced, base)) {
            return reload_unrepaired(publish, "class %s: its base %s",
                                     type->tp_name,
                                     reload_name_of(publish, base));
        }
    }
    return 0;
}

/* The methods of a replaced class know it by their '__class__': that is
 * right, and nobody's name to repair. */
static int
disown_cells(struct lz_publish *publish, PyTypeObject *type)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;

    while (PyDict_Next(type->tp_dict, &at, &key, &value)) {
        PyObject *closure = PyFunction_Check(value)
                                ? ((PyFunctionObject *)value)->func_closure
                                : NULL;
        for (Py_ssize_t i = 0;
             closure != NULL && i < PyTuple_GET_SIZE(closure); i++) {
            PyObject *cell = PyTuple_GET_ITEM(closure, i);
            if (PyCell_GET(cell) == (PyObject *)type &&
                ptrmap_put(&publish->ours, cell, publish) != 0) {
                (void)PyErr_NoMemory();
                return -1;
            }
        }
    }
    return 0;
}

int
reload_count_replaced(struct lz_publish *publish)
{
    struct lz_reload_result *result = publish->reload->result;
    size_t classes = 0;

    for (size_t i = 0; i < publish->replaced.room; i++) {
        const struct lz_ptrmap_slot *slot = &publish->replaced.slots[i];
        PyObject *old = (PyObject *)(uintptr_t)slot->key;
        if (old != NULL && PyType_Check(old) && PyType_Check(slot->value)) {
            classes++;
            if (disown_cells(publish, (PyTypeObject *)old) < 0) {
                return -1;
            }
        }
    }
    if (classes != 0) {
        (void)snprintf(result->text, sizeof(result->text),
                       "; %zu classes could not keep their identity (bases, "
                       "metaclass or slots changed), %zu old instances stay "
                       "as they are",
                       classes, publish->old_instances);
    }
    return 0;
}
