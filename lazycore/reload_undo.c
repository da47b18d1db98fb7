/* Reload: a body has failed, and what it has put into tables of other modules
 * goes.
 *
 * Only what is its own: its functions and classes, their instances, and what
 * holds one of these. Where it took a place that something had before, that
 * is there again. Other threads may have changed the same tables; what they
 * did stays: what stands under keys with a hash of their own is left alone.
 * Where memory lacked for a part, all is gone through again. First all is
 * found, which runs no Python code, then it is taken out, which may:
 * subclasses. Needs the GIL.
 */
#include "lazycore/reload_containers.h"

struct undo {
    struct lz_transaction *transaction;
    struct lz_engine *engine;
    struct lz_made made;
    PyObject *graveyard; /* list: what was taken out */
    bool lacking;        /* memory: something is left */
};

/* Leaves no exception. */
static void
forgive(struct undo *undo)
{
    undo->lacking |=
        PyErr_Occurred() != NULL && PyErr_ExceptionMatches(PyExc_MemoryError);
    lz_forgive();
}

/* --- dicts -------------------------------------------------------------- */

enum {
    CHANGE = 3
}; /* key, value now, value then: the engine's module for
      none */

/* Adds what is to be done about KEY to CHANGES. 0 or -1. */
static int
add_change(struct undo *undo, PyObject *changes, struct lz_before *before,
           PyObject *key, PyObject *value)
{
    PyObject *name = key_plain(undo->engine, key), *then = NULL;
    int found = name == NULL ? -1 : before_find(before, name, &then);
    int status = found < 0 ? -1 : 0;

    if (found >= 0 && then != value) {
        PyObject *none = undo->engine->module;
        status = PyList_Append(changes, name) < 0 ||
                         PyList_Append(changes, value) < 0 ||
                         PyList_Append(changes, then == NULL ? none : then) < 0
                     ? -1
                     : 0;
    }
    Py_XDECREF(name);
    return status;
}

/* What of DICT goes: a new list, or NULL. */
static PyObject *
changes_of_dict(struct undo *undo, PyObject *dict, struct lz_before *before)
{
    PyObject *changes = PyList_New(0), *key, *value;
    Py_ssize_t at = 0;

    for (size_t i = 0; changes != NULL && PyDict_Next(dict, &at, &key, &value);
         i += 2) {
        if (i + 1 < before->count && before->items[i] == key &&
            before->items[i + 1] == value) {
            continue;
        }
        if ((made_has(&undo->made, value) || made_has(&undo->made, key)) &&
            add_change(undo, changes, before, key, value) < 0) {
            Py_CLEAR(changes);
        }
    }
    return changes;
}

/* A class that keeps more than a dict does is not to be passed over. */
static bool
is_of_python(PyObject *dict)
{
    return Py_TYPE(dict)->tp_basicsize <=
           PyDict_Type.tp_basicsize + 2 * (Py_ssize_t)sizeof(PyObject *);
}

/* THEN, or nothing where it is NULL, is what KEY stands for again; it stays
 * where there is no memory, or where the key raises. */
static int
change_dict(struct undo *undo, PyObject *dict, PyObject *key, PyObject *then)
{
    if (then == NULL) {
        return PyDict_DelItem(dict, key);
    }
    return proxy_check(undo->engine, then)
               ? pending_put_back(undo->transaction, dict, key,
                                  (struct lz_proxy *)then)
               : PyDict_SetItem(dict, key, then);
}

/* Whether looking KEY up runs no Python code, in which other threads could
 * change what is found. */
static bool
is_quiet(PyObject *key)
{
    bool quiet = before_is_plain(key) ||
                 Py_TYPE(key)->tp_hash == PyBaseObject_Type.tp_hash;

    if (PyTuple_CheckExact(key)) {
        quiet = true;
        for (Py_ssize_t i = 0; quiet && i < PyTuple_GET_SIZE(key); i++) {
            quiet = before_is_plain(PyTuple_GET_ITEM(key, i));
        }
    }
    return quiet;
}

/* KEY, which stands for NOW, stands for THEN again, or for nothing. First by
 * what the dict's class does, which may count, or log, or forbid it. Leaves no
 * exception. */
static void
undo_change(struct undo *undo, PyObject *dict, PyObject *key, PyObject *now,
            PyObject *then)
{
    struct lz_engine *engine = undo->engine;
    bool plain = before_is_plain(key), exact = PyDict_CheckExact(dict);

    if (!exact && (then == NULL || !proxy_check(engine, then)) &&
        PyDict_GetItemWithError(dict, key) == now) {
        (void)(then == NULL ? PyObject_DelItem(dict, key)
                            : PyObject_SetItem(dict, key, then));
    }
    forgive(undo);
    engine->peek += plain;
    if ((exact || is_of_python(dict)) &&
        PyDict_GetItemWithError(dict, key) == now) {
        (void)change_dict(undo, dict, key, then);
    }
    engine->peek -= plain;
    forgive(undo);
}

static void
undo_dict(struct undo *undo, PyObject *dict, struct lz_before *before)
{
    struct lz_engine *engine = undo->engine;
    int collecting = PyGC_Disable();

    engine->peek++;
    PyObject *changes = changes_of_dict(undo, dict, before);
    engine->peek--;
    if (collecting) {
        (void)PyGC_Enable();
    }
    if (changes == NULL || PyList_Append(undo->graveyard, changes) < 0) {
        undo->lacking = true;
        lz_forgive();
        Py_XDECREF(changes);
        return;
    }
    for (Py_ssize_t i = 0; i + CHANGE <= PyList_GET_SIZE(changes);
         i += CHANGE) {
        PyObject *key = PyList_GET_ITEM(changes, i);
        PyObject *then = PyList_GET_ITEM(changes, i + 2);
        if (is_quiet(key)) {
            undo_change(undo, dict, key, PyList_GET_ITEM(changes, i + 1),
                        then == engine->module ? NULL : then);
        }
    }
    Py_DECREF(changes);
}

/* --- lists and sets ----------------------------------------------------- */

/* Whether OBJECT was not there and is of the body's making. */
static bool
is_new(struct undo *undo, struct lz_before *before, PyObject *object)
{
    PyObject *found;
    int known = made_has(&undo->made, object)
                    ? before_find(before, object, &found)
                    : 1;

    undo->lacking |= known < 0;
    return known == 0;
}

/* Whether LIST is what it was but for what the body made, in the place of
 * classes that it has no more, or after all of them. Of other things another
 * thread may have taken the last from a list that serves as a pool or a queue,
 * while the body appended: they must not come back. */
static bool
has_places(struct undo *undo, PyObject *list, const struct lz_before *before)
{
    size_t size = (size_t)PyList_GET_SIZE(list), i = 0;
    struct lz_ptrmap now = {0};
    while (i < size && i < before->count &&
           before->items[i] == PyList_GET_ITEM(list, (Py_ssize_t)i)) {
        i++;
    }
    if (i == before->count) {
        return true;
    }
    bool result = size >= before->count;
    for (i = 0; result && i < size; i++) {
        PyObject *object = PyList_GET_ITEM(list, (Py_ssize_t)i);
        result = ptrmap_put(&now, object, object) == 0;
        undo->lacking |= !result;
    }
    for (i = 0; result && i < before->count; i++) {
        PyObject *object = PyList_GET_ITEM(list, (Py_ssize_t)i);
        result = before->items[i] == object ||
                 (PyType_Check(before->items[i]) &&
                  !ptrmap_has(&now, before->items[i]) &&
                  made_has(&undo->made, object));
    }
    ptrmap_done(&now);
    return result;
}

/* What took the place of something gives it back; what is new goes. All at
 * once: the graveyard keeps what would run code. */
static void
undo_list(struct undo *undo, PyObject *list, struct lz_before *before)
{
    bool lacked = undo->lacking;

    undo->lacking = false;
    bool places = has_places(undo, list, before);

    for (Py_ssize_t i = PyList_GET_SIZE(list) - 1; i >= 0 && !undo->lacking;
         i--) {
        PyObject *object = PyList_GET_ITEM(list, i);
        if (((size_t)i < before->count && before->items[i] == object) ||
            !is_new(undo, before, object)) {
            continue;
        }
        if (PyList_Append(undo->graveyard, object) < 0) {
            break;
        }
        if (places && (size_t)i < before->count) {
            (void)PyList_SetItem(list, i, Py_NewRef(before->items[i]));
        } else if (PyList_SetSlice(list, i, i + 1, NULL) < 0) {
            break;
        }
    }
    forgive(undo);
    undo->lacking |= lacked;
}

/* What of SET goes: a new list, or NULL. */
static PyObject *
changes_of_set(struct undo *undo, PyObject *set, struct lz_before *before)
{
    PyObject *members = PySequence_List(set);
    PyObject *changes = members == NULL ? NULL : PyList_New(0);

    for (Py_ssize_t i = 0; changes != NULL && i < PyList_GET_SIZE(members);
         i++) {
        if (is_new(undo, before, PyList_GET_ITEM(members, i)) &&
            PyList_Append(changes, PyList_GET_ITEM(members, i)) < 0) {
            Py_CLEAR(changes);
        }
    }
    Py_XDECREF(members);
    return changes;
}

static void
undo_set(struct undo *undo, PyObject *set, struct lz_before *before)
{
    int collecting = PyGC_Disable();
    PyObject *changes = changes_of_set(undo, set, before);

    if (collecting) {
        (void)PyGC_Enable();
    }
    for (Py_ssize_t i = 0; changes != NULL && i < PyList_GET_SIZE(changes);
         i++) {
        if (PySet_Discard(set, PyList_GET_ITEM(changes, i)) < 0) {
            lz_forgive();
        }
    }
    if (changes != NULL) {
        (void)PyList_Append(undo->graveyard, changes);
    }
    forgive(undo);
    Py_XDECREF(changes);
}

/* --- the whole ---------------------------------------------------------- */

static void
undo_all(struct undo *undo, const struct lz_containers *containers)
{
    for (size_t i = 0; i < containers->count; i++) {
        const struct lz_container *kept = &containers->list[i];
        struct lz_before before;
        before_begin(&before, containers, kept);
        if (PyDict_Check(kept->object)) {
            undo_dict(undo, kept->object, &before);
        } else if (PyList_Check(kept->object)) {
            int collecting = PyGC_Disable();
            undo_list(undo, kept->object, &before);
            if (collecting) {
                (void)PyGC_Enable();
            }
        } else {
            undo_set(undo, kept->object, &before);
        }
        before_done(&before);
        forgive(undo);
    }
}

/* 0, or -1, without an exception, where memory lacked for a part. */
static int
undo_once(void *arg)
{
    struct lz_transaction *transaction = arg;
    struct undo undo = {.transaction = transaction,
                        .engine = transaction->engine};

    undo.graveyard = PyList_New(0);
    undo.lacking = undo.graveyard == NULL;
    made_begin(&undo.made, transaction->items, transaction->count, false);
    undo.made.attributes = true;
    if (undo.graveyard != NULL) {
        undo_all(&undo, transaction->containers);
    }
    lz_forgive();
    bool lacking = undo.lacking || undo.made.lacking;
    made_done(&undo.made);
    Py_XDECREF(undo.graveyard);
    return lacking ? -1 : 0;
}

void
reload_undo_containers(struct lz_transaction *transaction)
{
    if (transaction->containers != NULL) {
        (void)reload_persist(transaction, undo_once, transaction);
        lz_forgive();
    }
}
