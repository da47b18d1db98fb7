/* Reload: a body has failed, and what it has put into tables of other modules
 * goes.
 *
 * Only what is its own: its functions and classes, their instances, and what
 * holds one of these. Where it took a place that something had before, that
 * is there again. Other threads may have changed the same tables; what they
 * did stays. Needs the GIL; keys that are Python objects run their code.
 */
#include "lazycore/reload_containers.h"

struct undo {
    struct lz_engine *engine;
    struct lz_made made;
    PyObject *graveyard; /* list: what was taken out */
};

/* --- what was there ----------------------------------------------------- */

/* Whether hashing and comparing KEY runs no Python code. */
static bool
is_plain_key(PyObject *key)
{
    return PyUnicode_CheckExact(key) || PyLong_CheckExact(key);
}

static bool
same_key(PyObject *a, PyObject *b)
{
    return a == b || (is_plain_key(a) && Py_TYPE(a) == Py_TYPE(b) &&
                      PyObject_RichCompareBool(a, b, Py_EQ) == 1);
}

/* What KEY stood for in the dict that had ITEMS: borrowed, or NULL. */
static PyObject *
value_before_borrowed(PyObject *const *items, size_t count, PyObject *key)
{
    for (size_t i = 0; i + 1 < count; i += 2) {
        if (same_key(items[i], key)) {
            return items[i + 1];
        }
    }
    return NULL;
}

/* --- what is taken out -------------------------------------------------- */

/* Keys of DICT whose value goes, each followed by the value that it gets, or
 * by the engine's module for none: a new list, or NULL. */
static PyObject *
changes_of_dict(struct undo *undo, PyObject *dict, PyObject *const *items,
                size_t count)
{
    PyObject *none = undo->engine->module;
    PyObject *changes = PyList_New(0), *key, *value;
    Py_ssize_t at = 0;

    for (size_t i = 0; changes != NULL && PyDict_Next(dict, &at, &key, &value);
         i += 2) {
        if ((i + 1 < count && items[i] == key && items[i + 1] == value) ||
            Py_TYPE(key) == undo->engine->key_type ||
            !(made_has(&undo->made, value) || made_has(&undo->made, key))) {
            continue;
        }
        PyObject *before = value_before_borrowed(items, count, key);
        if (before != value &&
            (PyList_Append(changes, key) < 0 ||
             PyList_Append(changes, before == NULL ? none : before) < 0 ||
             PyList_Append(undo->graveyard, value) < 0)) {
            Py_CLEAR(changes);
        }
    }
    return changes;
}

static void
undo_dict(struct undo *undo, PyObject *dict, PyObject *const *items,
          size_t count)
{
    struct lz_engine *engine = undo->engine;
    PyObject *changes = changes_of_dict(undo, dict, items, count);
    bool exact = PyDict_CheckExact(dict);

    for (Py_ssize_t i = 0; changes != NULL && i + 1 < PyList_GET_SIZE(changes);
         i += 2) {
        PyObject *key = PyList_GET_ITEM(changes, i);
        PyObject *value = PyList_GET_ITEM(changes, i + 1);
        bool plain = exact && is_plain_key(key);
        int status;
        engine->peek += plain;
        if (value == engine->module) {
            status = exact ? PyDict_DelItem(dict, key)
                           : PyObject_DelItem(dict, key);
        } else {
            status = exact ? PyDict_SetItem(dict, key, value)
                           : PyObject_SetItem(dict, key, value);
        }
        engine->peek -= plain;
        if (status < 0) {
            lz_forgive(); /* it went meanwhile, or its class forbids it */
        }
    }
    Py_XDECREF(changes);
}

/* Whether LIST is what it was but for what the body made. */
static bool
has_places(struct undo *undo, PyObject *list, PyObject *const *items,
           size_t count)
{
    size_t i = 0;

    if ((size_t)PyList_GET_SIZE(list) != count) {
        return false;
    }
    while (i < count &&
           (items[i] == PyList_GET_ITEM(list, (Py_ssize_t)i) ||
            made_has(&undo->made, PyList_GET_ITEM(list, (Py_ssize_t)i)))) {
        i++;
    }
    return i == count;
}

/* What took the place of something gives it back; what is new goes. */
static void
undo_list(struct undo *undo, PyObject *list, PyObject *const *items,
          size_t count)
{
    bool places = has_places(undo, list, items, count);

    for (Py_ssize_t i = PyList_GET_SIZE(list) - 1; i >= 0; i--) {
        PyObject *object = PyList_GET_ITEM(list, i);
        if (((size_t)i < count && items[i] == object) ||
            !made_has(&undo->made, object) ||
            container_had(items, count, object)) {
            continue;
        }
        if (PyList_Append(undo->graveyard, object) < 0) {
            return;
        }
        if (places) {
            (void)PyList_SetItem(list, i, Py_NewRef(items[i]));
        } else if (PyList_SetSlice(list, i, i + 1, NULL) < 0) {
            return;
        }
    }
}

static void
undo_set(struct undo *undo, PyObject *set, PyObject *const *items,
         size_t count)
{
    PyObject *members = PySequence_List(set);

    for (Py_ssize_t i = 0; members != NULL && i < PyList_GET_SIZE(members);
         i++) {
        PyObject *object = PyList_GET_ITEM(members, i);
        if (made_has(&undo->made, object) &&
            !container_had(items, count, object) &&
            PySet_Discard(set, object) < 0) {
            lz_forgive();
        }
    }
    if (members != NULL) {
        (void)PyList_Append(undo->graveyard, members);
    }
    Py_XDECREF(members);
}

/* --- the whole ---------------------------------------------------------- */

static void
undo_all(struct undo *undo, const struct lz_containers *containers)
{
    for (size_t i = 0; i < containers->count; i++) {
        const struct lz_container *kept = &containers->list[i];
        PyObject *const *items = containers->items + kept->first;
        if (PyDict_Check(kept->object)) {
            undo_dict(undo, kept->object, items, kept->count);
        } else if (PyList_Check(kept->object)) {
            undo_list(undo, kept->object, items, kept->count);
        } else {
            undo_set(undo, kept->object, items, kept->count);
        }
        lz_forgive();
    }
}

void
reload_undo_containers(struct lz_transaction *transaction)
{
    struct undo undo = {.engine = transaction->engine};

    if (transaction->containers == NULL) {
        return;
    }
    undo.graveyard = PyList_New(0);
    int collecting = PyGC_Disable();
    made_begin(&undo.made, transaction->items, transaction->count, false);
    undo.made.attributes = true;
    if (undo.graveyard != NULL) {
        undo_all(&undo, transaction->containers);
    }
    if (collecting) {
        (void)PyGC_Enable();
    }
    lz_forgive();
    made_done(&undo.made);
    Py_XDECREF(undo.graveyard);
}
