/* No garbage is collected while a hot namespace's names are loaded: finalizers
 * of the service are not for that thread, and would find half-loaded what they
 * have imported themselves.
 *
 * By the threshold: what the service says of gc.enable() and gc.disable()
 * meanwhile, and of thresholds, holds.
 */
#include "lazycore/settle.h"

/* Set by us, and by nobody else: never reached. */
#define NEVER 2147483603L

/* A module `gc` of ours: where the service has not imported it, sys.modules
 * stays without. New, or NULL with an exception. */
static PyObject *
make_gc(struct lz_engine *engine)
{
    PyObject *imp = PyObject_GetAttrString(engine->bootstrap, "_imp");
    PyObject *make =
        PyObject_GetAttrString(engine->bootstrap, "spec_from_loader");
    PyObject *spec =
        make == NULL ? NULL : PyObject_CallFunction(make, "sO", "gc", Py_None);
    PyObject *gc = imp == NULL || spec == NULL
                       ? NULL
                       : PyObject_CallMethod(imp, "create_builtin", "O", spec);
    Py_XDECREF(spec);
    Py_XDECREF(make);
    Py_XDECREF(imp);
    return gc;
}

static void
find_functions(struct lz_engine *engine)
{
    struct lz_settle *settle = engine->settle;
    if (settle->set_threshold != NULL)
        return;
    PyObject *gc = make_gc(engine);
    settle->get_threshold =
        gc == NULL ? NULL : PyObject_GetAttrString(gc, "get_threshold");
    settle->set_threshold = settle->get_threshold == NULL
                                ? NULL
                                : PyObject_GetAttrString(gc, "set_threshold");
    if (settle->set_threshold == NULL)
        Py_CLEAR(settle->get_threshold);
    Py_XDECREF(gc);
    lz_forgive();
}

void
settle_garbage_done(struct lz_settle *settle)
{
    Py_CLEAR(settle->get_threshold);
    Py_CLEAR(settle->set_threshold);
}

/* The first threshold, or -1. */
static long
threshold_now(const struct lz_settle *settle)
{
    long result = -1;
    PyObject *all = settle->get_threshold == NULL
                        ? NULL
                        : PyObject_CallNoArgs(settle->get_threshold);
    if (all != NULL && PyTuple_Check(all) && PyTuple_GET_SIZE(all) > 0)
        result = PyLong_AsLong(PyTuple_GET_ITEM(all, 0));
    lz_forgive();
    Py_XDECREF(all);
    return result;
}

static bool
set_threshold(const struct lz_settle *settle, long threshold)
{
    PyObject *done =
        PyObject_CallFunction(settle->set_threshold, "l", threshold);
    lz_forgive();
    Py_XDECREF(done);
    return done != NULL;
}

/* The service may set again what it found while NEVER stood: that is found out
 * here. */
static void
give_threshold_back(const struct lz_settle *settle)
{
    if (settle->threshold > 0 && threshold_now(settle) == NEVER)
        (void)set_threshold(settle, settle->threshold);
}

void
settle_collect_not(struct lz_engine *engine)
{
    struct lz_settle *settle = engine->settle;
    find_functions(engine);
    bool collects = PyGC_Disable() != 0; /* nor in here */
    long threshold = threshold_now(settle);
    bool held = threshold == NEVER;
    if (threshold > 0 && !held && set_threshold(settle, NEVER)) {
        settle->threshold = threshold;
        held = true;
    }
    if (!held && threshold != 0)
        settle->collects = settle->collects || collects;
    else if (collects)
        (void)PyGC_Enable();
}

void
settle_collect(struct lz_engine *engine)
{
    struct lz_settle *settle = engine->settle;
    if (settle == NULL)
        return;
    give_threshold_back(settle);
    if (settle->collects)
        (void)PyGC_Enable();
    settle->collects = false;
}
