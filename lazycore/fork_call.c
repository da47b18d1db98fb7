/* os.fork() and os.forkpty(), while installed.
 *
 * What a body makes is there once, in eager code: a lock, a pipe, a random
 * name. Loaded by each child for itself it would be there once in each. So
 * pending modules of the program's own that may have effects are loaded before
 * there are two processes. Needs the GIL.
 */
#include "lazycore/fork.h"
#include "lazycore/own.h"

/* 0, or -1 with an exception. */
static int
load_before_fork(struct lz_engine *engine)
{
    if (!engine->installed || !engine_enabled(engine) ||
        engine->rule_off[LZ_RULE_FORKS])
        return 0;
    return own_load(engine) < 0 ? -1 : 0;
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
