/* Reload, after the step: what may run Python code and so could not be in it.
 *
 * The module is whole already. Keys move, registrations are handed on, what
 * still runs in the fresh namespace keeps it. Failures here leave a detail
 * undone, not the module. Needs the GIL.
 */
#include "lazycore/reload.h"

static void
change_late_key(PyObject *dict, PyObject *key, PyObject *becomes,
                PyObject *value)
{
    PyObject *now = Py_XNewRef(PyDict_GetItemWithError(dict, key));

    if (now != NULL && (key == becomes || PyDict_DelItem(dict, key) == 0)) {
        (void)PyDict_SetItem(dict, becomes,
                             value == Py_Ellipsis ? now : value);
    }
    Py_XDECREF(now);
}

/* Keys of dicts and members of sets: their hash may be Python code, so they
 * change places after the step. Failures leave the key as it is. */
static void
change_late_keys(struct lz_publish *publish)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(publish->late); i++) {
        PyObject *row = PyList_GET_ITEM(publish->late, i);
        PyObject *container = PyTuple_GET_ITEM(row, 0);
        PyObject *key = PyTuple_GET_ITEM(row, 1);
        PyObject *becomes = PyTuple_GET_ITEM(row, 2);
        PyObject *value = PyTuple_GET_ITEM(row, 3);
        if (PyDict_Check(container)) {
            change_late_key(container, key, becomes, value);
        } else if (PySet_Discard(container, key) == 1) {
            (void)PySet_Add(container, becomes);
        }
        lz_forgive();
    }
}

/* Who registered with the new abstract class, in the body, is registered
 * with the old one, which stays; and what that one remembers is void. */
static void
hand_on_registered(PyObject *abc, PyObject *old, PyObject *new)
{
    PyObject *dump = PyObject_CallMethod(abc, "_get_dump", "O", new);
    PyObject *reset = PyObject_CallMethod(abc, "_reset_caches", "O", old);
    PyObject *references =
        dump == NULL || reset == NULL || !PyTuple_Check(dump)
            ? NULL
            : PySequence_List(PyTuple_GET_ITEM(dump, 0));

    for (Py_ssize_t i = 0;
         references != NULL && i < PyList_GET_SIZE(references); i++) {
        PyObject *class = PyObject_CallNoArgs(PyList_GET_ITEM(references, i));
        PyObject *done =
            class == NULL || class == Py_None
                ? NULL
                : PyObject_CallMethod(abc, "_abc_register", "OO", old, class);
        Py_XDECREF(done);
        Py_XDECREF(class);
        lz_forgive();
    }
    Py_XDECREF(references);
    Py_XDECREF(reset);
    Py_XDECREF(dump);
}

static void
hand_on_all_registered(struct lz_publish *publish)
{
    PyObject *abc = NULL;

    for (size_t i = 0; i < publish->classes.room; i++) {
        const struct lz_ptrmap_slot *slot = &publish->classes.slots[i];
        PyObject *old = slot->value;
        if (slot->key == NULL ||
            PyDict_GetItemString(((PyTypeObject *)old)->tp_dict,
                                 "_abc_impl") == NULL) {
            continue;
        }
        if (abc == NULL) {
            abc = PyImport_ImportModule("_abc");
        }
        if (abc != NULL) {
            hand_on_registered(abc, old, ptrmap_get(&publish->taken, old));
        }
        lz_forgive();
    }
    Py_XDECREF(abc);
}

/* The new classes that moved are cycles, and still listed as subclasses of
 * their bases until they are collected; they are young. */
void
reload_collect_young(void)
{
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *done =
        gc == NULL ? NULL : PyObject_CallMethod(gc, "collect", "i", 1);

    lz_forgive();
    Py_XDECREF(done);
    Py_XDECREF(gc);
}

/* Frames that run in the fresh dict borrow it: it must not end before them,
 * and nothing tells when they do. */
static int
keep_detached(struct lz_publish *publish)
{
    PyObject *all = PyInterpreterState_GetDict(PyInterpreterState_Get());
    PyObject *list =
        all == NULL ? NULL : PyDict_GetItemString(all, "lazycore.detached");

    if (list != NULL) {
        return PyList_Append(list, publish->reload->fresh);
    }
    list = PyList_New(0);
    int status =
        all == NULL || list == NULL ||
                PyList_Append(list, publish->reload->fresh) < 0 ||
                PyDict_SetItemString(all, "lazycore.detached", list) < 0
            ? -1
            : 0;
    Py_XDECREF(list);
    return status;
}

/* A body can give its module a class of its own. */
static void
move_module_class(struct lz_publish *publish)
{
    struct lz_reload *reload = publish->reload;
    PyObject *class = reload->stand_in != NULL
                          ? (PyObject *)Py_TYPE(reload->stand_in)
                          : reload->class_before;

    if (class != NULL) {
        (void)reload_set_module_class(reload,
                                      reload_mapped_borrowed(publish, class));
        lz_forgive();
    }
}

int
reload_after(struct lz_publish *publish)
{
    if (publish->detached && keep_detached(publish) < 0) {
        return -1;
    }
    change_late_keys(publish);
    if (!publish->takes_back) {
        hand_on_all_registered(publish);
        move_module_class(publish);
    }
    return 0;
}
