/* Reload, step 3: what a new object is moves into the old one.
 *
 * Functions change places with their contents, classes get the attributes,
 * members of enums the fields. Runs no Python code. Needs the GIL.
 */
#include "lazycore/reload.h"

/* --- functions
 * ------------------------------------------------------------------ */

/* Their cells and tuples are dead with them: nobody's reference to repair. */
static void
disown(struct lz_publish *publish, PyObject *tuple)
{
    if (tuple == NULL || !PyTuple_Check(tuple)) {
        return;
    }
    /* Not known as ours for lack of memory: reported as a holder. */
    (void)ptrmap_put(&publish->ours, tuple, tuple);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, i);
        if (PyCell_Check(item) && Py_REFCNT(item) == 1) {
            (void)ptrmap_put(&publish->ours, item, item);
        }
    }
}

void
reload_disown(struct lz_publish *publish, PyObject *function)
{
    PyFunctionObject *f = (PyFunctionObject *)function;
    PyObject *const parts[] = {f->func_kwdefaults, f->func_dict,
                               f->func_annotations};

    disown(publish, f->func_closure);
    disown(publish, f->func_defaults);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i] != NULL) {
            (void)ptrmap_put(&publish->ours, parts[i], publish);
        }
    }
}

static void
swap_slot(PyObject **a, PyObject **b)
{
    PyObject *other = *a;

    *a = *b;
    *b = other;
}

/* Its setter tells the interpreter that what it knew of FUNCTION is void. */
static int
set_defaults(PyObject *function, PyObject *defaults)
{
    return PyFunction_SetDefaults(function,
                                  defaults != NULL ? defaults : Py_None);
}

/* The old function goes on with all that the new one has but its identity,
 * and the new one keeps what the old one had. The setters of Python would
 * raise audit events, which may run code. */
static int
move_function(struct lz_publish *publish, PyObject *old, PyObject *new)
{
    PyFunctionObject *a = (PyFunctionObject *)old;
    PyFunctionObject *b = (PyFunctionObject *)new;

    reload_disown(publish, old);
    swap_slot(&a->func_code, &b->func_code);
    swap_slot(&a->func_closure, &b->func_closure);
    swap_slot(&a->func_kwdefaults, &b->func_kwdefaults);
    swap_slot(&a->func_doc, &b->func_doc);
    swap_slot(&a->func_dict, &b->func_dict);
    swap_slot(&a->func_annotations, &b->func_annotations);
#if PY_VERSION_HEX >= 0x030C0000
    swap_slot(&a->func_typeparams, &b->func_typeparams);
#endif
    PyObject *before = Py_XNewRef(a->func_defaults);
    int status = set_defaults(old, b->func_defaults) < 0 ||
                         set_defaults(new, before) < 0
                     ? -1
                     : 0;
    Py_XDECREF(before);
    return status;
}

/* --- classes
 * ---------------------------------------------------------------------- */

/* Past a __setattr__ of the metaclass, which could run code. An attribute
 * that a class does not let be set is reported: half a class is worse. */
int
reload_set_class_attribute(struct lz_publish *publish, PyTypeObject *type,
                           PyObject *key, PyObject *value)
{
    PyObject *old = PyDict_GetItemWithError(type->tp_dict, key);

    if (old == value || (old == NULL && PyErr_Occurred())) {
        return old == value ? 0 : -1;
    }
    if (reload_bury(publish, old) < 0) {
        return -1;
    }
    if (PyType_Type.tp_setattro((PyObject *)type, key, value) == 0) {
        return 0;
    }
    if (PyErr_ExceptionMatches(PyExc_MemoryError)) {
        return -1;
    }
    lz_forgive();
    const char *name = PyUnicode_Check(key) ? PyUnicode_AsUTF8(key) : NULL;
    lz_forgive();
    return reload_unrepaired(publish, "class %s: %s cannot be set",
                             type->tp_name, name == NULL ? "?" : name);
}

static int
remove_attributes(struct lz_publish *publish, PyTypeObject *old,
                  PyObject *attributes)
{
    PyObject *keys = PyDict_Keys(old->tp_dict);
    int status = keys == NULL ? -1 : 0;

    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(keys); i++) {
        PyObject *key = PyList_GET_ITEM(keys, i);
        PyObject *value = PyDict_GetItemWithError(old->tp_dict, key);
        if (value == NULL || PyDict_Contains(attributes, key) != 0 ||
            reload_class_keeps(old, key, value)) {
            continue;
        }
        status = reload_set_class_attribute(publish, old, key, NULL);
    }
    Py_XDECREF(keys);
    return status;
}

/* NEW is a class, or the attributes that a generation has. */
static int
move_class(struct lz_publish *publish, PyTypeObject *old, PyObject *new)
{
    PyObject *attributes =
        PyType_Check(new) ? ((PyTypeObject *)new)->tp_dict : new;
    PyObject *items = PyDict_Items(attributes);
    int status = items == NULL ? -1 : 0;

    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(items); i++) {
        PyObject *key = PyTuple_GET_ITEM(PyList_GET_ITEM(items, i), 0);
        PyObject *value = PyTuple_GET_ITEM(PyList_GET_ITEM(items, i), 1);
        if (PyType_Check(new) &&
            reload_class_keeps((PyTypeObject *)new, key, value)) {
            continue;
        }
        status = reload_set_class_attribute(
            publish, old, key, reload_mapped_borrowed(publish, value));
    }
    Py_XDECREF(items);
    return status < 0 ? -1 : remove_attributes(publish, old, attributes);
}

/* An enum's member keeps being the object it is, with the fields of NEW: the
 * new member, or the fields that a generation has. */
static int
move_member(struct lz_publish *publish, PyObject *old, PyObject *new)
{
    PyObject *before = PyObject_GenericGetDict(old, NULL);
    PyObject *after = PyDict_CheckExact(new)
                          ? Py_NewRef(new)
                          : PyObject_GenericGetDict(new, NULL);
    int status = before == NULL || after == NULL ? -1 : 0;

    if (status == 0) {
        PyObject *values = PyDict_Values(before);
        status = reload_bury(publish, values);
        Py_XDECREF(values);
    }
    if (status == 0) {
        status = PyDict_Update(before, after);
    }
    Py_XDECREF(before);
    Py_XDECREF(after);
    return status;
}

static int
move_one(struct lz_publish *publish, PyObject *old, PyObject *new)
{
    struct lz_reload_result *result = publish->reload->result;

    if (PyFunction_Check(old)) {
        result->functions_kept++;
        return move_function(publish, old, new);
    }
    if (PyType_Check(old)) {
        result->classes_kept++;
        return move_class(publish, (PyTypeObject *)old, new);
    }
    return PyDict_CheckExact(new) ||
                   ptrmap_has(&publish->classes, Py_TYPE(new))
               ? move_member(publish, old, new)
               : 0;
}

int
reload_move_all(struct lz_publish *publish)
{
    /* Once each: functions change places with their contents. */
    for (; publish->moved_at < publish->moved.room; publish->moved_at++) {
        const struct lz_ptrmap_slot *slot =
            &publish->moved.slots[publish->moved_at];
        if (slot->key != NULL &&
            move_one(publish, slot->value,
                     ptrmap_get(&publish->taken, slot->value)) < 0) {
            return -1;
        }
    }
    return 0;
}
