/* Reload, before step 2: what containers of the program hold.
 *
 * A body puts what it makes into tables of other modules. Those that can be
 * reached in a few steps from a module that its code imports, and that is not
 * of the standard library, are noted, the nearest first, so that a body that
 * fails can be cleaned up after. Runs no Python code. Needs the GIL.
 */
#include "lazycore/reload_containers.h"
#include "lazycore/foresee.h"

#include <stdlib.h>

enum {
    STEPS_MAX = 3,     /* from the names of a module that the code imports */
    LARGE = 1000,      /* items: what is in them is not looked into */
    ITEMS_MAX = 50000, /* of all: some milliseconds */
};

/* Objects are looked into in the order of their distance. */
struct noting {
    struct lz_engine *engine;
    struct lz_containers *containers;
    struct found {
        PyObject *object, *holder; /* borrowed: no code runs meanwhile */
    } * queue;
    size_t count, room;
    PyObject *holder;  /* what is looked into */
    bool last;         /* what is found is not looked into any more */
    PyObject *package; /* of the code that is read */
    int status;
};

/* Room for one more element of SIZE. 0 or -1. */
static int
grow(void **elements, size_t count, size_t *room, size_t size)
{
    size_t wanted = *room == 0 ? 256 : *room * 2;
    void *grown =
        count < *room ? *elements : realloc(*elements, wanted * size);

    if (grown == NULL) {
        (void)PyErr_NoMemory();
        return -1;
    }
    *elements = grown;
    *room = count < *room ? *room : wanted;
    return 0;
}

static void
keep_item(struct noting *noting, PyObject *item)
{
    struct lz_containers *containers = noting->containers;

    if (noting->status == 0 &&
        (noting->status =
             grow((void **)&containers->items, containers->item_count,
                  &containers->item_room, sizeof(*containers->items))) == 0) {
        containers->items[containers->item_count++] = Py_NewRef(item);
    }
}

/* What is pending is to be referred to by none but its name: a copy is kept,
 * of the name too. */
static void
keep_pending(struct noting *noting, PyObject *key, PyObject *value)
{
    struct lz_engine *engine = noting->engine;
    PyObject *name = key_plain(engine, key);
    PyObject *copy = proxy_check(engine, value)
                         ? pending_keep(engine, (struct lz_proxy *)value)
                         : Py_NewRef(value);

    if (name == NULL || copy == NULL) {
        noting->status = -1;
    } else {
        keep_item(noting, name);
        keep_item(noting, copy);
    }
    Py_XDECREF(name);
    Py_XDECREF(copy);
}

static void
keep_dict(struct noting *noting, PyObject *dict)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;

    while (PyDict_Next(dict, &at, &key, &value)) {
        if (Py_TYPE(key) == noting->engine->key_type ||
            proxy_check(noting->engine, value)) {
            keep_pending(noting, key, value);
        } else {
            keep_item(noting, key);
            keep_item(noting, value);
        }
    }
}

static void
keep_set(struct noting *noting, PyObject *set)
{
    PyObject *members = PySequence_List(set); /* exact sets: no code runs */

    if (members == NULL) {
        noting->status = -1;
    }
    for (Py_ssize_t i = 0; members != NULL && i < PyList_GET_SIZE(members);
         i++) {
        keep_item(noting, PyList_GET_ITEM(members, i));
    }
    Py_XDECREF(members);
}

static Py_ssize_t
size_of(PyObject *object)
{
    return PyDict_Check(object)   ? PyDict_GET_SIZE(object)
           : PyList_Check(object) ? PyList_GET_SIZE(object)
                                  : PySet_GET_SIZE(object);
}

static bool
is_container(PyObject *object)
{
    return PyDict_Check(object) || PyList_Check(object) ||
           PySet_CheckExact(object);
}

static bool
can_be_looked_into(struct lz_engine *engine, PyObject *object)
{
    if (PyFunction_Check(object)) {
        return ((PyFunctionObject *)object)->func_closure != NULL;
    }
    PyTypeObject *type =
        PyType_Check(object) ? (PyTypeObject *)object : Py_TYPE(object);
    return (type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0 &&
           !proxy_check(engine, object) && PyObject_IS_GC(object) &&
           PyObject_GC_IsTracked(object);
}

/* What cannot be read is not noted, but for lack of memory. */
static void
forgive(struct noting *noting)
{
    if (reload_forgive() < 0) {
        noting->status = -1;
    }
}

/* Of a module that the program brings; the standard library has few tables
 * that are meant for others, and much data. */
static bool
is_of_program(struct noting *noting, PyObject *module)
{
    struct lz_engine *engine = noting->engine;
    PyObject *name =
        module == engine->module ? NULL : PyModule_GetNameObject(module);
    const char *text = name == NULL ? NULL : PyUnicode_AsUTF8(name);
    bool result =
        text != NULL && levels_is_stdlib(engine->core->levels, text) == 0;

    forgive(noting);
    Py_XDECREF(name);
    return result;
}

/* OBJECT is to be looked into, if that leads anywhere. */
static void
note(struct noting *noting, PyObject *object)
{
    struct lz_ptrmap *seen = &noting->containers->seen;

    if (object != NULL && PyModule_Check(object)) {
        object =
            is_of_program(noting, object) ? PyModule_GetDict(object) : NULL;
    }
    if (object == NULL || noting->status < 0 || noting->last ||
        noting->count == ITEMS_MAX ||
        !(is_container(object) ||
          can_be_looked_into(noting->engine, object)) ||
        ptrmap_has(seen, object)) {
        return;
    }
    if (ptrmap_put(seen, object, object) != 0) {
        (void)PyErr_NoMemory();
        noting->status = -1;
        return;
    }
    noting->status = grow((void **)&noting->queue, noting->count,
                          &noting->room, sizeof(*noting->queue));
    if (noting->status == 0) {
        noting->queue[noting->count++] =
            (struct found){object, noting->holder};
    }
}

/* What it holds is kept. */
static void
note_container(struct noting *noting, PyObject *object, PyObject *holder)
{
    struct lz_containers *containers = noting->containers;
    size_t first = containers->item_count;
    Py_ssize_t size = size_of(object);

    if (first + (size_t)size * (PyDict_Check(object) ? 2 : 1) > ITEMS_MAX) {
        return;
    }
    if (PyDict_Check(object)) {
        keep_dict(noting, object);
    } else if (PyList_Check(object)) {
        for (Py_ssize_t i = 0; i < size; i++) {
            keep_item(noting, PyList_GET_ITEM(object, i));
        }
    } else {
        keep_set(noting, object);
    }
    if (noting->status == 0) {
        noting->status = grow((void **)&containers->list, containers->count,
                              &containers->room, sizeof(*containers->list));
    }
    if (noting->status < 0) {
        return;
    }
    size_t end = containers->item_count;
    containers->list[containers->count++] = (struct lz_container){
        Py_NewRef(object), Py_XNewRef(holder), first, end - first};
    for (size_t i = first; size <= LARGE && i < end; i++) {
        note(noting, containers->items[i]);
    }
}

static int
visit(PyObject *object, void *arg)
{
    struct noting *noting = arg;

    note(noting, object);
    return noting->status;
}

/* What can be reached through OBJECT, which is no container: what a class
 * has, what a function encloses, the attributes of an instance. */
static void
look_into(struct noting *noting, PyObject *object)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;

    if (PyFunction_Check(object)) {
        PyObject *closure = ((PyFunctionObject *)object)->func_closure;
        for (; closure != NULL && at < PyTuple_GET_SIZE(closure); at++) {
            note(noting, PyCell_GET(PyTuple_GET_ITEM(closure, at)));
        }
    } else if (PyType_Check(object)) {
        PyObject *dict = ((PyTypeObject *)object)->tp_dict;
        while (dict != NULL && PyDict_Next(dict, &at, &key, &value)) {
            note(noting, value);
        }
    } else {
        (void)Py_TYPE(object)->tp_traverse(object, visit, noting);
    }
}

/* --- where it begins ----------------------------------------------------- */

/* NAME, a dotted one, and its packages, where they are loaded. */
static void
note_named(struct noting *noting, PyObject *name)
{
    PyObject *part;
    Py_ssize_t at = 0;

    while (noting->status == 0 && (part = dotted_next(name, &at)) != NULL) {
        PyObject *module = load_peek_module(part);
        note(noting, module);
        forgive(noting);
        Py_XDECREF(module); /* sys.modules has it */
        Py_DECREF(part);
    }
    forgive(noting);
}

static int
note_import(void *arg, PyObject *name, PyObject *fromlist, int level)
{
    struct noting *noting = arg;
    PyObject *module = foresee_absolute(noting->package, name, level);
    Py_ssize_t count = fromlist == NULL || !PyTuple_Check(fromlist)
                           ? 0
                           : PyTuple_GET_SIZE(fromlist);

    if (module != NULL && PyUnicode_GET_LENGTH(module) > 0) {
        note_named(noting, module);
    }
    for (Py_ssize_t i = 0; noting->status == 0 && module != NULL && i < count;
         i++) {
        PyObject *full = PyUnicode_FromFormat("%U.%S", module,
                                              PyTuple_GET_ITEM(fromlist, i));
        PyObject *loaded = full == NULL ? NULL : load_peek_module(full);
        note(noting, loaded);
        Py_XDECREF(loaded); /* sys.modules has it */
        Py_XDECREF(full);
        forgive(noting);
    }
    forgive(noting);
    Py_XDECREF(module);
    return noting->status;
}

/* The modules that the new code imports. */
static void
note_imports(struct noting *noting, struct lz_reload *reload)
{
    PyObject *package = reload_live_borrowed(reload, "__package__");
    PyObject *bytes = lz_code_bytes((PyCodeObject *)reload->code);

    noting->package = package != NULL && PyUnicode_Check(package)
                          ? Py_NewRef(package)
                          : PyUnicode_FromStringAndSize("", 0);
    forgive(noting);
    if (noting->status == 0 && bytes != NULL && noting->package != NULL) {
        (void)bytecode_imports((PyCodeObject *)reload->code, bytes,
                               note_import, noting);
        forgive(noting);
    }
    Py_CLEAR(noting->package);
    Py_XDECREF(bytes);
}

static void
look_around(struct noting *noting, struct lz_transaction *transaction)
{
    size_t at = 0;

    for (size_t i = 0; noting->status == 0 && i < transaction->count; i++) {
        note_imports(noting, &transaction->items[i]);
    }
    for (int steps = 0; noting->status == 0 && steps <= STEPS_MAX; steps++) {
        size_t end = noting->count;
        noting->last = steps == STEPS_MAX;
        for (; noting->status == 0 && at < end; at++) {
            struct found found = noting->queue[at];
            noting->holder = found.object;
            if (is_container(found.object)) {
                note_container(noting, found.object, found.holder);
            } else if (!noting->last) {
                look_into(noting, found.object);
            }
        }
    }
    free(noting->queue);
}

int
reload_note_containers(struct lz_transaction *transaction)
{
    struct noting noting = {.engine = transaction->engine};
    int collecting = PyGC_Disable();

    noting.containers = transaction->containers =
        calloc(1, sizeof(*noting.containers));
    if (noting.containers == NULL) {
        (void)PyErr_NoMemory();
        noting.status = -1;
    } else {
        noting.engine->peek++;
        look_around(&noting, transaction);
        noting.engine->peek--;
    }
    if (collecting) {
        (void)PyGC_Enable();
    }
    return noting.status;
}

void
reload_forget_containers(struct lz_transaction *transaction)
{
    struct lz_containers *containers = transaction->containers;

    transaction->containers = NULL;
    if (containers == NULL) {
        return;
    }
    PyObject *error = lz_take_error();
    for (size_t i = 0; i < containers->item_count; i++) {
        Py_DECREF(containers->items[i]);
    }
    for (size_t i = 0; i < containers->count; i++) {
        Py_DECREF(containers->list[i].object);
        Py_XDECREF(containers->list[i].holder);
    }
    free(containers->items);
    free(containers->list);
    ptrmap_done(&containers->seen);
    free(containers);
    lz_raise(error);
}
