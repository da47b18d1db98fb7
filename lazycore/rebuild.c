/* Bringing a module's dict back to the form in which look-up is fast.
 *
 * A dict that holds a key of ours is in CPython's general form, in which name
 * look-up cannot be specialised; once no name is pending it is rebuilt in
 * place under ordinary keys. Never from below a comparison, whose caller
 * still looks at the old table: then it is queued. Needs the GIL.
 */
#include "lazycore/engine.h"

enum { RESERVE_BYTES = 256 }; /* more than an item of a dict takes */

void
rebuild_queue(struct lz_namespace *ns)
{
    struct lz_engine *engine = ns->engine;
    ns->leftovers = true;
    if (ns->queued || ns->pending > 0 || engine->rebuild == NULL)
        return;
    if (PyList_Append(engine->rebuild, (PyObject *)ns) < 0)
        lz_forgive();
    else
        ns->queued = true;
    namespace_post_rebuild(engine);
}

/* Runs in the main thread between two instructions, when no look-up of its
 * own is under way. */
static int
rebuild_later(void *arg)
{
    PyObject *module = arg;
    struct lz_engine *engine = engine_of_module(module);
    if (engine != NULL) {
        engine->rebuild_posted = false;
        namespace_rebuild_queued(engine);
    }
    Py_DECREF(module);
    return 0;
}

void
namespace_post_rebuild(struct lz_engine *engine)
{
    if (engine->rebuild_posted)
        return;
    Py_INCREF(engine->module);
    if (Py_AddPendingCall(rebuild_later, engine->module) == 0)
        engine->rebuild_posted = true;
    else
        Py_DECREF(engine->module); /* the queue is full: the next load */
}

/* A key that DICT does not have, for the hole at AT. A str: with any other
 * key the dict would take its general form, and keep it. */
static PyObject *
hole_key(PyObject *dict, Py_ssize_t at)
{
    PyObject *hole = PyUnicode_FromFormat(".%zd", at);
    int taken = hole == NULL ? -1 : PyDict_Contains(dict, hole);
    if (taken == 1)
        PyErr_Format(PyExc_RuntimeError, "the dict has a key %R", hole);
    if (taken != 0)
        Py_CLEAR(hole);
    return hole;
}

/* Fill FRESH with the items of DICT in order, under plain keys. Where the
 * dict has a hole (a deleted entry), a key of its own stands for it: an
 * iterator that is under way elsewhere counts entries. Nothing here runs the
 * collector, or other code that could change DICT. */
static int
fill(struct lz_engine *engine, PyObject *fresh, PyObject *dict,
     PyObject *holes)
{
    int result = 0;
    Py_ssize_t at = 0, expected = 0;
    PyObject *key, *value;
    while (result == 0 && PyDict_Next(dict, &at, &key, &value)) {
        for (; result == 0 && expected < at - 1; expected++) {
            PyObject *hole = hole_key(dict, expected);
            if (hole == NULL || PyDict_SetItem(fresh, hole, Py_None) < 0 ||
                PyList_Append(holes, hole) < 0)
                result = -1;
            Py_XDECREF(hole);
        }
        expected = at;
        PyObject *plain = key_plain(engine, key);
        if (plain != NULL && plain != key)
            PyUnicode_InternInPlace(&plain);
        if (plain == NULL || PyDict_SetItem(fresh, plain, value) < 0)
            result = -1;
        Py_XDECREF(plain);
    }
    return result;
}

/* Whether all keys are str, so that no Python code runs when they are
 * hashed and compared; and none is pending. */
static bool
can_rebuild(struct lz_engine *engine, struct lz_namespace *ns)
{
    Py_ssize_t at = 0;
    PyObject *key, *value;
    while (PyDict_Next(ns->dict, &at, &key, &value)) {
        if (Py_TYPE(key) == engine->key_type) {
            if (((struct lz_key *)key)->proxy != NULL)
                return false;
        } else if (!PyUnicode_CheckExact(key)) {
            return false;
        }
    }
    return true;
}

/* DICT, which has just been cleared, becomes FRESH without the keys HOLES. It
 * gave back as much memory as it takes now; RESERVE, which is released, is
 * more than that. */
static int
put_back(PyObject *dict, PyObject *fresh, PyObject *holes, void *reserve)
{
    int result = PyDict_Update(dict, fresh);
    if (result < 0) {
        PyErr_Clear();
        PyMem_RawFree(reserve);
        reserve = NULL;
        result = PyDict_Update(dict, fresh);
    }
    PyMem_RawFree(reserve);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(holes) && result == 0; i++)
        result = PyDict_DelItem(dict, PyList_GET_ITEM(holes, i));
    return result;
}

/* A fresh dict is filled first, so that lack of memory leaves the old one
 * whole; for the last step, where the fresh one's values are put back,
 * memory is put aside. */
static int
rebuild_dict(struct lz_engine *engine, struct lz_namespace *ns)
{
    int result = -1;
    PyObject *fresh = PyDict_New(); /* before: a collection may write to it */
    PyObject *holes = PyList_New(0);
    if (fresh == NULL || holes == NULL ||
        fill(engine, fresh, ns->dict, holes) < 0)
        goto done;
    void *reserve =
        PyMem_RawMalloc((size_t)PyDict_GET_SIZE(fresh) * RESERVE_BYTES);
    if (reserve == NULL) {
        (void)PyErr_NoMemory();
        goto done;
    }
    PyDict_Clear(ns->dict);
    result = put_back(ns->dict, fresh, holes, reserve);
    if (result == 0)
        ns->leftovers = false;
done:
    Py_XDECREF(fresh);
    Py_XDECREF(holes);
    return result;
}

/* rebuilding */

void
namespace_rebuild_queued(struct lz_engine *engine)
{
    if (engine->rebuild == NULL || PyList_GET_SIZE(engine->rebuild) == 0 ||
        lz_is_finalizing())
        return;
    PyObject *error = lz_take_error();
    for (Py_ssize_t i = PyList_GET_SIZE(engine->rebuild) - 1; i >= 0; i--) {
        struct lz_namespace *ns =
            (struct lz_namespace *)PyList_GET_ITEM(engine->rebuild, i);
        if (ns->busy > 0)
            continue;
        Py_INCREF(ns);
        ns->queued = false;
        if (PyList_SetSlice(engine->rebuild, i, i + 1, NULL) < 0)
            lz_forgive();
        if (ns->pending == 0 && ns->leftovers && can_rebuild(engine, ns) &&
            rebuild_dict(engine, ns) < 0)
            lz_forgive();
        Py_DECREF(ns);
        if (i > PyList_GET_SIZE(engine->rebuild))
            i = PyList_GET_SIZE(engine->rebuild);
    }
    lz_raise(error);
}
