/* See taken.h. */
#include "lazycore/taken.h"
#include "lazycore/bytecode.h"

static int
load(PyObject *name)
{
    struct lz_cause saved =
        load_cause_push(name, LZ_REASON_SYS_MODULES, LZ_GUARD_NONE);
    PyObject *module =
        PyImport_ImportModuleLevelObject(name, NULL, NULL, NULL, 0);
    load_cause_pop(saved);
    if (module == NULL && !PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
    lz_forgive();
    Py_XDECREF(module);
    return 0;
}

/* What of the names in TAKEN waits, in the order of the statements. */
static int
load_waiting(struct lz_engine *engine, PyObject *taken)
{
    PyObject *waiting = PyDict_Keys(engine->targets);
    int result = waiting == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; result == 0 && i < PyList_GET_SIZE(waiting); i++) {
        PyObject *name = PyList_GET_ITEM(waiting, i);
        result = PySet_Contains(taken, name);
        if (result == 1)
            result = load(name);
    }
    Py_XDECREF(waiting);
    return result;
}

/* Note the names in TAKEN. */
static int
note(struct lz_engine *engine, PyObject *taken)
{
    PyObject *all = engine->taken == NULL ? Py_NewRef(taken)
                                          : PyNumber_Or(engine->taken, taken);
    if (all == NULL)
        return -1;
    Py_XSETREF(engine->taken, all);
    return 0;
}

int
taken_load(struct lz_engine *engine)
{
    PyFrameObject *frame = PyEval_GetFrame(); /* borrowed */
    if (frame == NULL || engine->rule_off[LZ_RULE_SYS_MODULES])
        return 0;
    PyCodeObject *code = PyFrame_GetCode(frame);
    PyObject *taken = PySet_New(NULL);
    int result = taken == NULL
                     ? -1
                     : bytecode_modules(code, engine->names.modules, taken);
    if (result == 0 && PySet_GET_SIZE(taken) > 0) {
        result = note(engine, taken);
        if (result == 0)
            result = load_waiting(engine, taken);
    }
    Py_XDECREF(taken);
    Py_DECREF(code);
    return result;
}

bool
taken_has(struct lz_engine *engine, PyObject *name)
{
    int result = engine->taken == NULL || PySet_GET_SIZE(engine->taken) == 0
                     ? 0
                     : PySet_Contains(engine->taken, name);
    if (result < 0)
        lz_forgive();
    return result == 1;
}
