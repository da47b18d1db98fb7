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
    const struct lz_transaction *transaction = publish->reload->transaction;

    for (size_t i = 0; i < transaction->count; i++) {
        const struct lz_publish *other = transaction->items[i].publish;
        if (other != NULL && ptrmap_has(&other->replaced, type)) {
            return 0; /* it is on its way out */
        }
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

/* --- identity ----------------------------------------------------------- */

static PyObject *
slots_borrowed(PyTypeObject *type)
{
    PyObject *slots = PyDict_GetItemString(type->tp_dict, "__slots__");

    lz_forgive();
    return slots;
}

/* Why OLD, a class, could not become NEW. */
static const char *
class_difference(struct lz_publish *publish, PyTypeObject *old, PyObject *new)
{
    if (!PyType_Check(new)) {
        return "it is no class any more";
    }
    PyTypeObject *type = (PyTypeObject *)new;
    if (reload_mapped_borrowed(publish, (PyObject *)Py_TYPE(type)) !=
        (PyObject *)Py_TYPE(old)) {
        return "its metaclass changed";
    }
    Py_ssize_t count = PyTuple_GET_SIZE(old->tp_bases);
    bool same = count == PyTuple_GET_SIZE(type->tp_bases);
    for (Py_ssize_t i = 0; same && i < count; i++) {
        PyObject *base = PyTuple_GET_ITEM(type->tp_bases, i);
        same = reload_mapped_borrowed(publish, base) ==
               PyTuple_GET_ITEM(old->tp_bases, i);
    }
    if (!same) {
        return "its bases changed";
    }
    return slots_borrowed(old) != NULL || slots_borrowed(type) != NULL
               ? "its slots changed"
               : "its layout or its name changed";
}

/* List OLD, which NEW took the place of. */
static int
list_replaced(struct lz_publish *publish, PyObject *old, PyObject *new)
{
    const char *name = reload_name_of(publish, old);

    if (PyType_Check(old)) {
        return reload_replaced(
            publish, "class %s: %s", name,
            class_difference(publish, (PyTypeObject *)old, new));
    }
    return reload_replaced(publish, "function %s: %s", name,
                           PyFunction_Check(new)
                               ? "what made it changed"
                               : "it is no function any more");
}

static int
list_all_replaced(struct lz_publish *publish, size_t *ret_classes)
{
    size_t classes = 0;

    for (size_t i = 0; i < publish->replaced.room; i++) {
        const struct lz_ptrmap_slot *slot = &publish->replaced.slots[i];
        PyObject *old = (PyObject *)(uintptr_t)slot->key;
        if (old == NULL || slot->value == NULL ||
            !reload_is_own(publish, old)) {
            continue;
        }
        classes += PyType_Check(old) && PyType_Check(slot->value);
        if (list_replaced(publish, old, slot->value) < 0) {
            return -1;
        }
    }
    *ret_classes = classes;
    return 0;
}

int
reload_is_strict(struct lz_publish *publish)
{
    size_t classes;

    if (list_all_replaced(publish, &classes) < 0) {
        return -1;
    }
    if (publish->reload->result->replaced_count == 0) {
        return 1;
    }
    (void)reload_verdict(publish->reload, LZ_VERDICT_REFUSED,
                         "'%.200s' has %zu classes or functions that could "
                         "not keep their identity; without --strict they are "
                         "replaced",
                         reload_text(publish->reload->name, "?"),
                         publish->reload->result->replaced_count);
    return 0;
}

int
reload_count_replaced(struct lz_publish *publish)
{
    struct lz_reload_result *result = publish->reload->result;
    size_t classes = 0;

    result->text[0] = '\0';
    if (list_all_replaced(publish, &classes) < 0) {
        return -1;
    }
    for (size_t i = 0; i < publish->replaced.room; i++) {
        PyObject *old = (PyObject *)(uintptr_t)publish->replaced.slots[i].key;
        if (old != NULL && PyType_Check(old) &&
            disown_cells(publish, (PyTypeObject *)old) < 0) {
            return -1;
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
