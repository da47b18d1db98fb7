/* Reload, step 3: the fresh namespace takes the live one's place.
 *
 * Between the first change and the last no Python code runs and the GIL is
 * not released, so no thread sees a mix: the collector is off, keys of
 * pending names compare plainly, and what is replaced is kept in a graveyard
 * until all is done, because its end may run code. Needs the GIL.
 */
#include "lazycore/reload.h"

#include <stdio.h>
#include <string.h>

int
reload_bury(struct lz_publish *publish, PyObject *object)
{
    return object == NULL ? 0 : PyList_Append(publish->graveyard, object);
}

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

/* The old function goes on with all that the new one has but its identity.
 * The setters of Python would raise audit events, which may run code. */
static int
move_function(struct lz_publish *publish, PyObject *old, PyObject *new)
{
    PyFunctionObject *a = (PyFunctionObject *)old;
    PyFunctionObject *b = (PyFunctionObject *)new;

    disown(publish, a->func_closure);
    disown(publish, a->func_defaults);
    if (set_slot(publish, &a->func_code, b->func_code) < 0 ||
        set_slot(publish, &a->func_closure, b->func_closure) < 0 ||
        set_slot(publish, &a->func_kwdefaults, b->func_kwdefaults) < 0 ||
        set_slot(publish, &a->func_doc, b->func_doc) < 0 ||
        set_slot(publish, &a->func_dict, b->func_dict) < 0 ||
        set_slot(publish, &a->func_annotations, b->func_annotations) < 0 ||
        reload_bury(publish, a->func_defaults) < 0) {
        return -1;
    }
#if PY_VERSION_HEX >= 0x030C0000
    if (set_slot(publish, &a->func_typeparams, b->func_typeparams) < 0) {
        return -1;
    }
#endif
    /* Last, by its setter: it tells the interpreter that what it knew of the
     * function is void. */
    return PyFunction_SetDefaults(
        old, b->func_defaults != NULL ? b->func_defaults : Py_None);
}

/* Functions of the fresh body read the live namespace from now on. */
static int
adopt_functions(struct lz_publish *publish)
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
                  PyTypeObject *new)
{
    PyObject *keys = PyDict_Keys(old->tp_dict);
    int status = keys == NULL ? -1 : 0;

    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(keys); i++) {
        PyObject *key = PyList_GET_ITEM(keys, i);
        PyObject *value = PyDict_GetItemWithError(old->tp_dict, key);
        if (value == NULL || PyDict_Contains(new->tp_dict, key) != 0 ||
            reload_class_keeps(old, key, value)) {
            continue;
        }
        status = reload_set_class_attribute(publish, old, key, NULL);
    }
    Py_XDECREF(keys);
    return status;
}

static int
move_class(struct lz_publish *publish, PyTypeObject *old, PyTypeObject *new)
{
    PyObject *items = PyDict_Items(new->tp_dict);
    int status = items == NULL ? -1 : 0;

    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(items); i++) {
        PyObject *key = PyTuple_GET_ITEM(PyList_GET_ITEM(items, i), 0);
        PyObject *value = PyTuple_GET_ITEM(PyList_GET_ITEM(items, i), 1);
        if (reload_class_keeps(new, key, value)) {
            continue;
        }
        status = reload_set_class_attribute(
            publish, old, key, reload_mapped_borrowed(publish, value));
    }
    Py_XDECREF(items);
    return status < 0 ? -1 : remove_attributes(publish, old, new);
}

/* An enum's member keeps being the object it is, with the new one's fields. */
static int
move_member(struct lz_publish *publish, PyObject *old, PyObject *new)
{
    PyObject *before = PyObject_GenericGetDict(old, NULL);
    PyObject *after = PyObject_GenericGetDict(new, NULL);
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
move_all(struct lz_publish *publish)
{
    for (size_t i = 0; i < publish->moved.room; i++) {
        const struct lz_ptrmap_slot *slot = &publish->moved.slots[i];
        if (slot->key == NULL) {
            continue;
        }
        PyObject *old = slot->value;
        PyObject *new = ptrmap_get(&publish->taken, old);
        int status = 0;
        if (PyFunction_Check(old)) {
            status = move_function(publish, old, new);
            publish->reload->result->functions_kept++;
        } else if (PyType_Check(old)) {
            status =
                move_class(publish, (PyTypeObject *)old, (PyTypeObject *)new);
            publish->reload->result->classes_kept++;
        } else if (ptrmap_has(&publish->classes, Py_TYPE(new))) {
            status = move_member(publish, old, new);
        }
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}

/* What the body made of a class that moved is of the old class now. */
static int
adopt_instances(struct lz_publish *publish)
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

/* --- the namespace
 * ------------------------------------------------------------------ */

/* The body does not say what the import system put there. */
static bool
is_kept_name(PyObject *key)
{
    static const char *const gone[] = {"__all__", "__getattr__", "__dir__",
                                       "__annotations__"};
    Py_ssize_t length = PyUnicode_GET_LENGTH(key);

    if (length < 5 || PyUnicode_READ_CHAR(key, 0) != '_' ||
        PyUnicode_READ_CHAR(key, 1) != '_' ||
        PyUnicode_READ_CHAR(key, length - 1) != '_' ||
        PyUnicode_READ_CHAR(key, length - 2) != '_') {
        return false;
    }
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
        if (PyUnicode_CompareWithASCIIString(key, gone[i]) == 0) {
            return false;
        }
    }
    return true;
}

static int
is_submodule(struct lz_publish *publish, PyObject *key, PyObject *value)
{
    if (!PyModule_Check(value)) {
        return 0;
    }
    PyObject *full = PyUnicode_FromFormat("%U.%U", publish->reload->name, key);
    if (full == NULL) {
        return -1;
    }
    PyObject *loaded = PyDict_GetItemWithError(PyImport_GetModuleDict(), full);
    Py_DECREF(full);
    return loaded == value;
}

static int
set_name(struct lz_publish *publish, PyObject *key, PyObject *value)
{
    struct lz_reload *reload = publish->reload;
    struct lz_key *pending;
    PyObject *old =
        namespace_peek_borrowed(reload->engine, reload->live, key, &pending);

    if (old == value && pending == NULL) {
        return 0;
    }
    if (reload_bury(publish, old) < 0 ||
        reload_bury(publish, (PyObject *)pending) < 0 ||
        PyDict_SetItem(reload->live, key, value) < 0) {
        return -1;
    }
    if (pending != NULL) {
        key_settle(pending);
    }
    return 0;
}

static int
set_names(struct lz_publish *publish)
{
    PyObject *items = PyDict_Items(publish->reload->fresh);
    int status = items == NULL ? -1 : 0;

    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(items); i++) {
        PyObject *key = PyTuple_GET_ITEM(PyList_GET_ITEM(items, i), 0);
        PyObject *value = PyTuple_GET_ITEM(PyList_GET_ITEM(items, i), 1);
        if (!PyUnicode_CheckExact(key)) {
            continue;
        }
        status =
            set_name(publish, key, reload_mapped_borrowed(publish, value));
    }
    Py_XDECREF(items);
    return status;
}

/* Names gone from the source go; a key of ours is a pending import that the
 * new body has no value for, and stays. */
static int
remove_names(struct lz_publish *publish)
{
    struct lz_reload *reload = publish->reload;
    PyObject *keys = PyDict_Keys(reload->live);
    int status = keys == NULL ? -1 : 0;

    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(keys); i++) {
        PyObject *key = PyList_GET_ITEM(keys, i);
        if (!PyUnicode_CheckExact(key) || is_kept_name(key) ||
            PyDict_Contains(reload->fresh, key) != 0) {
            continue;
        }
        PyObject *value =
            namespace_peek_borrowed(reload->engine, reload->live, key, NULL);
        int submodule = value == NULL ? 1 : is_submodule(publish, key, value);
        if (submodule != 0) {
            status = submodule < 0 ? -1 : 0;
            continue;
        }
        status = reload_bury(publish, value) < 0 ||
                         PyDict_DelItem(reload->live, key) < 0
                     ? -1
                     : 0;
    }
    Py_XDECREF(keys);
    return status;
}

/* --- the step
 * --------------------------------------------------------------------------
 */

/* Our own lists and the two namespaces refer to all of it. */
static int
own(struct lz_publish *publish)
{
    const void *const objects[] = {
        publish->keep,         publish->graveyard,
        publish->late,         publish->functions,
        publish->instances,    publish->children,
        publish->holders,      publish->reload->fresh,
        publish->reload->live, publish->reload->constants,
    };

    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        if (ptrmap_put(&publish->ours, objects[i], publish) != 0) {
            (void)PyErr_NoMemory();
            return -1;
        }
    }
    return 0;
}

static int
publish_atomically(struct lz_publish *publish)
{
    if (reload_pair(publish) < 0 || own(publish) < 0 ||
        reload_walk(publish) < 0) {
        return -1;
    }
    if (adopt_functions(publish) < 0 || move_all(publish) < 0 ||
        adopt_instances(publish) < 0 || set_names(publish) < 0 ||
        remove_names(publish) < 0 || reload_repair(publish) < 0) {
        return -1;
    }
    return 0;
}

static void
publish_done(struct lz_publish *publish)
{
    ptrmap_done(&publish->moved);
    ptrmap_done(&publish->taken);
    ptrmap_done(&publish->replaced);
    ptrmap_done(&publish->names);
    ptrmap_done(&publish->classes);
    ptrmap_done(&publish->watched);
    ptrmap_done(&publish->ours);
    ptrmap_done(&publish->modules);
    ptrmap_done(&publish->types);
    Py_XDECREF(publish->get_objects);
    Py_XDECREF(publish->functions);
    Py_XDECREF(publish->instances);
    Py_XDECREF(publish->children);
    Py_XDECREF(publish->holders);
    Py_XDECREF(publish->late);
    Py_XDECREF(publish->keep);
    Py_XDECREF(publish->graveyard);
}

int
reload_publish(struct lz_reload *reload)
{
    PyObject *gc = PyImport_ImportModule("gc");
    struct lz_publish publish = {
        .reload = reload,
        .get_objects =
            gc == NULL ? NULL : PyObject_GetAttrString(gc, "get_objects"),
        .keep = PyList_New(0),
        .graveyard = PyList_New(0),
        .late = PyList_New(0),
        .functions = PyList_New(0),
        .instances = PyList_New(0),
        .children = PyList_New(0),
        .holders = PyList_New(0),
    };
    int status = -1;

    Py_XDECREF(gc);
    if (publish.get_objects != NULL && publish.keep != NULL &&
        publish.graveyard != NULL && publish.late != NULL &&
        publish.functions != NULL && publish.instances != NULL &&
        publish.children != NULL && publish.holders != NULL) {
        uint64_t start = usage_wall_ns();
        int collecting = PyGC_Disable();
        reload->engine->peek++;
        status = publish_atomically(&publish);
        reload->engine->peek--;
        if (collecting) {
            (void)PyGC_Enable();
        }
        reload->result->pause_ns = usage_wall_ns() - start;
    }
    if (status == 0) {
        status = reload_after(&publish);
    }
    bool classes = publish.classes.count != 0;
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    publish_done(&publish);
    if (status == 0) {
        Py_CLEAR(reload->fresh);
        if (classes) {
            reload_collect_young();
        }
    }
    PyErr_Restore(type, error, traceback);
    return status;
}
