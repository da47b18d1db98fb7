/* os.fork() and os.forkpty(), while installed.
 *
 * What a body makes is there once, in eager code: a lock, a pipe, a random
 * name. Loaded by each child for itself it would be there once in each. So
 * pending modules of the program's own that may have effects are loaded before
 * there are two processes; not those of packages that the catalogue knows,
 * nor what is free of effects and leads to nothing else. Needs the GIL.
 */
#include "lazycore/fork.h"
#include "lazycore/settle_rules.h"

/* Whether a statement waits for TARGET, which is the program's own. */
static bool
is_own(struct lz_engine *engine, const struct lz_target *target)
{
    const char *name = place_text(target->name);
    enum lz_level_source source = LZ_LEVEL_CATALOGUE;
    if (name == NULL || !target->noted || target->loaded || target->failed ||
        levels_is_stdlib(engine->core->levels, name))
        return false;
    (void)levels_get(engine->core->levels, name, &source);
    return source != LZ_LEVEL_CATALOGUE;
}

static bool
is_before(PyObject *target, PyObject *other)
{
    return exits_compare(((struct lz_target *)target)->moment,
                         ((struct lz_target *)other)->moment) < 0;
}

/* Those that wait, by their statements: a new list, or NULL. */
static PyObject *
own_targets(struct lz_engine *engine)
{
    PyObject *list = PyList_New(0), *target;
    Py_ssize_t at = 0;
    while (list != NULL && PyDict_Next(engine->targets, &at, NULL, &target)) {
        if (!is_own(engine, (struct lz_target *)target))
            continue;
        Py_ssize_t i = PyList_GET_SIZE(list);
        while (i > 0 && is_before(target, PyList_GET_ITEM(list, i - 1)))
            i--;
        if (PyList_Insert(list, i, target) < 0)
            Py_CLEAR(list);
    }
    return list;
}

/* Whether to load TARGET: not where another thread does. -1 with an
 * exception. */
static int
may_share(struct lz_engine *engine, struct lz_target *target)
{
    char why[LZ_SETTLE_WHY_SIZE];
    PyObject *module = load_peek_module(target->name);
    if (module != NULL || PyErr_Occurred()) {
        Py_XDECREF(module);
        return 0;
    }
    int free = settle_may_load(engine, target->name, why);
    return free < 0 ? -1 : !free;
}

/* Load what waits now; what fails is tried again where it is used. Whether
 * there was anything. */
static bool
load_own(struct lz_engine *engine)
{
    PyObject *list = own_targets(engine);
    bool result = false;
    for (Py_ssize_t i = 0; list != NULL && i < PyList_GET_SIZE(list); i++) {
        struct lz_target *target =
            (struct lz_target *)PyList_GET_ITEM(list, i);
        if (is_own(engine, target) && may_share(engine, target) == 1) {
            PyObject *module = target_import(engine, target);
            result |= module != NULL;
            Py_XDECREF(module);
        }
        lz_forgive();
    }
    lz_forgive();
    Py_XDECREF(list);
    return result;
}

/* 0, or -1 with an exception that came meanwhile. */
static int
load_before_fork(struct lz_engine *engine)
{
    bool goes_on = engine->installed && engine_enabled(engine) &&
                   !engine->rule_off[LZ_RULE_FORKS];
    while (goes_on && engine->fork_targets != engine->targets_made) {
        engine->fork_targets = engine->targets_made;
        goes_on = load_own(engine);
    }
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *
call_fork(PyObject *module, PyObject *Py_UNUSED(unused))
{
    struct lz_engine *engine = engine_or_raise(module);
    if (engine == NULL || load_before_fork(engine) < 0)
        return NULL;
    return PyObject_CallNoArgs(engine->fork);
}

static PyObject *
call_forkpty(PyObject *module, PyObject *Py_UNUSED(unused))
{
    struct lz_engine *engine = engine_or_raise(module);
    if (engine == NULL || load_before_fork(engine) < 0)
        return NULL;
    return PyObject_CallNoArgs(engine->forkpty);
}

PyMethodDef fork_methods[] = {
    {"fork", call_fork, METH_NOARGS, NULL},
    {"forkpty", call_forkpty, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
