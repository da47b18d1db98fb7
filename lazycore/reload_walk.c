/* Reload, step 3: one walk over the heap for whoever refers to what changes.
 *
 * gc.get_referrers() of many objects compares each reference with each of
 * them; here a table answers. Finds and changes nothing; runs no Python
 * code. Objects that the collector does not track are seen as what refers
 * to them is. Needs the GIL, and the collector switched off.
 */
#include "lazycore/reload.h"

enum { AHEAD = 16 }; /* objects lie anywhere: ask for them in time */

/* What one object refers to, as far as it matters. */
struct glance {
    struct lz_publish *publish;
    PyObject *object;
    bool holds; /* a key of moved or replaced */
    bool runs;  /* a generator of a function whose globals are fresh */
    int status;
};

static int
add(PyObject *list, PyObject *object)
{
    return PyList_Append(list, object);
}

/* An instance whose class is a new one that moves; it may not be tracked. */
static int
note_instance(struct lz_publish *publish, PyObject *object)
{
    if ((Py_TYPE(object)->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0 ||
        !ptrmap_has(&publish->classes, Py_TYPE(object)) ||
        ptrmap_has(&publish->moved, object) ||
        ptrmap_has(&publish->ours, object)) {
        return 0;
    }
    if (ptrmap_put(&publish->ours, object, object) != 0) {
        (void)PyErr_NoMemory();
        return -1;
    }
    return add(publish->instances, object);
}

static int
look(PyObject *target, void *arg)
{
    struct glance *glance = arg;
    struct lz_publish *publish = glance->publish;

    if (ptrmap_has(&publish->watched, target) &&
        target != (PyObject *)Py_TYPE(glance->object)) {
        glance->holds = true;
    }
    if (publish->classes.count != 0 && !PyType_Check(target) &&
        note_instance(publish, target) < 0) {
        glance->status = -1;
        return 1;
    }
    return 0;
}

static int
note_type(struct lz_publish *publish, PyTypeObject *type)
{
    if ((type->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0 || type->tp_dict == NULL ||
        type->tp_bases == NULL) {
        return 0;
    }
    /* Its tuples of classes are its own to change. */
    if (ptrmap_put(&publish->types, type->tp_dict, type) != 0 ||
        ptrmap_put(&publish->ours, type->tp_bases, type) != 0 ||
        (type->tp_mro != NULL &&
         ptrmap_put(&publish->ours, type->tp_mro, type) != 0)) {
        (void)PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(type->tp_bases); i++) {
        PyObject *base = PyTuple_GET_ITEM(type->tp_bases, i);
        if (ptrmap_has(&publish->classes, base) &&
            !ptrmap_has(&publish->classes, type)) {
            return add(publish->children, (PyObject *)type);
        }
    }
    return 0;
}

/* A frame borrows its globals from its function, which will have others. */
static void
note_frame(struct lz_publish *publish, PyFrameObject *frame)
{
    PyObject *globals = PyFrame_GetGlobals(frame);

    publish->detached |= globals == publish->reload->fresh;
    Py_XDECREF(globals);
}

static bool
is_generator(PyObject *object)
{
    return PyGen_CheckExact(object) || PyCoro_CheckExact(object) ||
           PyAsyncGen_CheckExact(object);
}

/* A generator that has begun reads its globals from where its function had
 * them: does one of its references say that it is of a fresh function? */
static int
look_for_fresh(PyObject *target, void *arg)
{
    struct glance *glance = arg;

    if (PyFunction_Check(target) &&
        ((PyFunctionObject *)target)->func_globals ==
            glance->publish->reload->fresh) {
        glance->runs = true;
        return 1;
    }
    return 0;
}

static int
visit(struct lz_publish *publish, PyObject *object)
{
    struct glance glance = {.publish = publish, .object = object};
    traverseproc traverse = Py_TYPE(object)->tp_traverse;

    if (ptrmap_has(&publish->ours, object)) {
        return 0;
    }
    if (PyFunction_Check(object) &&
        ((PyFunctionObject *)object)->func_globals == publish->reload->fresh) {
        if (add(publish->functions, object) < 0) {
            return -1;
        }
    }
    if (PyType_Check(object) &&
        note_type(publish, (PyTypeObject *)object) < 0) {
        return -1;
    }
    if (publish->classes.count != 0 && note_instance(publish, object) < 0) {
        return -1;
    }
    if (ptrmap_has(&publish->replaced, Py_TYPE(object))) {
        publish->old_instances++;
    }
    if (traverse == NULL) {
        return 0;
    }
    if (PyFrame_Check(object)) {
        note_frame(publish, (PyFrameObject *)object);
    }
    (void)traverse(object, look, &glance);
    if (is_generator(object)) {
        (void)traverse(object, look_for_fresh, &glance);
        publish->detached |= glance.runs;
    }
    if (glance.status < 0) {
        return -1;
    }
    return glance.holds ? add(publish->holders, object) : 0;
}

/* Namespaces that are not a module's yet, or no more: other modules' of the
 * transaction. Their names follow, and nobody is told (None). */
static int
note_kept(struct lz_publish *publish)
{
    struct lz_transaction *transaction = publish->reload->transaction;

    for (size_t i = 0; i < transaction->count; i++) {
        PyObject *fresh = transaction->items[i].fresh;
        if (fresh != NULL && fresh != publish->reload->fresh &&
            ptrmap_put(&publish->modules, fresh, Py_None) != 0) {
            (void)PyErr_NoMemory();
            return -1;
        }
    }
    return 0;
}

/* Names of module dicts, to tell who binds what. */
static int
note_modules(struct lz_publish *publish)
{
    PyObject *key, *module;
    Py_ssize_t at = 0;

    while (PyDict_Next(PyImport_GetModuleDict(), &at, &key, &module)) {
        if (PyModule_Check(module) && PyUnicode_CheckExact(key) &&
            ptrmap_put(&publish->modules, PyModule_GetDict(module), key) !=
                0) {
            (void)PyErr_NoMemory();
            return -1;
        }
    }
    return note_kept(publish);
}

/* Its frame that runs: new, or NULL. Where memory lacks that is not said: the
 * second answer counts. */
static PyFrameObject *
frame_of(PyThreadState *thread)
{
    PyFrameObject *frame = PyThreadState_GetFrame(thread);

    return frame != NULL ? frame : PyThreadState_GetFrame(thread);
}

/* A thread that the body started runs with the fresh dict as its globals. 0
 * or -1. */
static int
note_threads(struct lz_publish *publish)
{
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    PyThreadState *thread = PyInterpreterState_ThreadHead(interpreter);

    for (; thread != NULL && !publish->detached;
         thread = PyThreadState_Next(thread)) {
        PyFrameObject *frame = frame_of(thread);
        while (frame != NULL && !publish->detached) {
            note_frame(publish, frame);
            PyFrameObject *back = PyFrame_GetBack(frame);
            Py_DECREF(frame);
            frame = back;
        }
        Py_XDECREF(frame);
    }
    return PyErr_Occurred() ? -1 : 0; /* a frame that there was no room for */
}

/* One table to ask for each reference, instead of two. */
static int
note_watched(struct lz_publish *publish, const struct lz_ptrmap *map)
{
    for (size_t i = 0; i < map->room; i++) {
        if (map->slots[i].key != NULL &&
            ptrmap_put(&publish->watched, map->slots[i].key, publish) != 0) {
            (void)PyErr_NoMemory();
            return -1;
        }
    }
    return 0;
}

int
reload_walk(struct lz_publish *publish)
{
    struct lz_transaction *transaction = publish->reload->transaction;
    if (transaction->objects == NULL) {
        transaction->objects = PyObject_CallNoArgs(publish->get_objects);
    }
    PyObject *objects = transaction->objects;
    int status = objects == NULL ||
                         note_watched(publish, &publish->moved) < 0 ||
                         note_watched(publish, &publish->replaced) < 0 ||
                         note_modules(publish) < 0
                     ? -1
                     : note_threads(publish);
    Py_ssize_t count = objects == NULL ? 0 : PyList_GET_SIZE(objects);
    for (Py_ssize_t i = 0; status == 0 && i < count; i++) {
        if (i + AHEAD < count) {
            __builtin_prefetch(PyList_GET_ITEM(objects, i + AHEAD));
        }
        status = visit(publish, PyList_GET_ITEM(objects, i));
    }
    return status;
}
