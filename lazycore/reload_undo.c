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
    struct lz_transaction *transaction;
    struct lz_ptrmap bound;   /* classes that a fresh namespace has, and the
                                 live one has not */
    struct lz_ptrmap decided; /* class -> itself if the body made it, else
                                 the map */
    PyObject *graveyard;      /* list: what was taken out */
};

/* --- what the body made ------------------------------------------------- */

static bool
is_fresh_dict(const struct undo *undo, PyObject *dict)
{
    const struct lz_transaction *transaction = undo->transaction;

    for (size_t i = 0; i < transaction->count; i++) {
        if (transaction->items[i].fresh == dict && dict != NULL) {
            return true;
        }
    }
    return false;
}

static bool
is_made_function(const struct undo *undo, PyObject *object)
{
    return PyFunction_Check(object) &&
           is_fresh_dict(undo, ((PyFunctionObject *)object)->func_globals);
}

/* A class that has functions of the body's, or that only its namespace has. */
static bool
decide_class(const struct undo *undo, PyTypeObject *type)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;

    if (ptrmap_has(&undo->bound, type)) {
        return true;
    }
    while (type->tp_dict != NULL &&
           PyDict_Next(type->tp_dict, &at, &key, &value)) {
        if (is_made_function(undo, value)) {
            return true;
        }
    }
    return false;
}

static bool
is_made_class(struct undo *undo, PyTypeObject *type)
{
    if ((type->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0) {
        return false;
    }
    void *decided = ptrmap_get(&undo->decided, type);
    if (decided == NULL) {
        decided = decide_class(undo, type) ? (void *)type : (void *)undo;
        (void)ptrmap_put(&undo->decided, type, decided);
    }
    return decided == (void *)type;
}

static bool
is_made(struct undo *undo, PyObject *object)
{
    return is_made_function(undo, object) ||
           is_made_class(undo, PyType_Check(object) ? (PyTypeObject *)object
                                                    : Py_TYPE(object));
}

struct glance {
    struct undo *undo;
    bool found;
};

static int
visit(PyObject *object, void *arg)
{
    struct glance *glance = arg;

    glance->found |= is_made(glance->undo, object);
    return glance->found;
}

static bool
encloses_made(struct undo *undo, PyObject *function)
{
    PyObject *closure = ((PyFunctionObject *)function)->func_closure;

    for (Py_ssize_t i = 0; closure != NULL && i < PyTuple_GET_SIZE(closure);
         i++) {
        PyObject *object = PyCell_GET(PyTuple_GET_ITEM(closure, i));
        if (object != NULL && is_made(undo, object)) {
            return true;
        }
    }
    return false;
}

/* Whether OBJECT refers to something that the body made: a tuple that has it,
 * a method, an instance of another module's class with it as an attribute. */
static bool
holds_made(struct undo *undo, PyObject *object)
{
    struct glance glance = {.undo = undo};
    PyObject *key, *value;
    Py_ssize_t at = 0;

    if (PyFunction_Check(object)) {
        return encloses_made(undo, object);
    }
    if (!PyObject_IS_GC(object) || !PyObject_GC_IsTracked(object) ||
        PyType_Check(object) || PyModule_Check(object)) {
        return false;
    }
    (void)Py_TYPE(object)->tp_traverse(object, visit, &glance);
    PyObject *dict = glance.found || Py_TYPE(object)->tp_dictoffset == 0
                         ? NULL
                         : PyObject_GenericGetDict(object, NULL);
    while (dict != NULL && PyDict_CheckExact(dict) && !glance.found &&
           PyDict_Next(dict, &at, &key, &value)) {
        glance.found = is_made(undo, value);
    }
    lz_forgive();
    Py_XDECREF(dict);
    return glance.found;
}

static bool
is_own(struct undo *undo, PyObject *object)
{
    return !proxy_check(undo->transaction->engine, object) &&
           (is_made(undo, object) || holds_made(undo, object));
}

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

static bool
was_there(PyObject *const *items, size_t count, PyObject *object)
{
    for (size_t i = 0; i < count; i++) {
        if (items[i] == object) {
            return true;
        }
    }
    return false;
}

/* --- what is taken out -------------------------------------------------- */

/* Keys of DICT whose value goes, each followed by the value that it gets, or
 * by the engine's module for none: a new list, or NULL. */
static PyObject *
changes_of_dict(struct undo *undo, PyObject *dict, PyObject *const *items,
                size_t count)
{
    PyObject *none = undo->transaction->engine->module;
    PyObject *changes = PyList_New(0), *key, *value;
    Py_ssize_t at = 0;

    for (size_t i = 0; changes != NULL && PyDict_Next(dict, &at, &key, &value);
         i += 2) {
        if ((i + 1 < count && items[i] == key && items[i + 1] == value) ||
            Py_TYPE(key) == undo->transaction->engine->key_type ||
            !(is_own(undo, value) || is_own(undo, key))) {
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
    struct lz_engine *engine = undo->transaction->engine;
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
    while (i < count && (items[i] == PyList_GET_ITEM(list, (Py_ssize_t)i) ||
                         is_own(undo, PyList_GET_ITEM(list, (Py_ssize_t)i)))) {
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
            !is_own(undo, object) || was_there(items, count, object)) {
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
        if (is_own(undo, object) && !was_there(items, count, object) &&
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

static bool
is_live_value(struct lz_reload *reload, PyObject *object)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;

    while (PyDict_Next(reload->live, &at, &key, &value)) {
        if (value == object) {
            return true;
        }
    }
    return false;
}

/* Classes that say they are of the module, and are not the live ones. */
static void
note_bound(struct undo *undo, struct lz_reload *reload)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;

    while (reload->fresh != NULL &&
           PyDict_Next(reload->fresh, &at, &key, &value)) {
        PyTypeObject *type = (PyTypeObject *)value;
        if (!PyType_Check(value) ||
            (type->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0 ||
            is_live_value(reload, value)) {
            continue;
        }
        PyObject *module = PyDict_GetItemString(type->tp_dict, "__module__");
        if (module != NULL && same_key(module, reload->name)) {
            (void)ptrmap_put(&undo->bound, value, value);
        }
    }
}

static void
undo_all(struct undo *undo)
{
    const struct lz_containers *containers = undo->transaction->containers;

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
    struct undo undo = {.transaction = transaction};

    if (transaction->containers == NULL) {
        return;
    }
    undo.graveyard = PyList_New(0);
    int collecting = PyGC_Disable();
    for (size_t i = 0; i < transaction->count; i++) {
        note_bound(&undo, &transaction->items[i]);
    }
    if (undo.graveyard != NULL) {
        undo_all(&undo);
    }
    if (collecting) {
        (void)PyGC_Enable();
    }
    lz_forgive();
    ptrmap_done(&undo.bound);
    ptrmap_done(&undo.decided);
    Py_XDECREF(undo.graveyard);
}
