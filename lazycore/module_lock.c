/* importlib's module locks: who waits for one is entered in flight.h, for
 * those who have no GIL.
 *
 * Two functions of importlib._bootstrap take the locks: the __enter__ of
 * _ModuleLockManager, which a `with` statement calls, and
 * _lock_unlock_module, which C calls. They are wrapped while installed, and
 * not _ModuleLock.acquire, which Python code calls by an instruction that
 * profilers see: from 3.12 on they would hear of a C method's return and not
 * of its call. Needs the GIL.
 */
#include "lazycore/api.h"
#include "lazycore/flight.h"

/* Call WRAPPED(ARGUMENT), which takes the lock of the module NAME. */
static PyObject *
call_waiting(struct lz_engine *engine, PyObject *wrapped, PyObject *argument,
             PyObject *name)
{
    const char *text = name == NULL ? NULL : place_text(name);
    struct lz_flight_entry *entry = NULL;
    if (text != NULL && !lz_is_finalizing()) {
        struct lz_flight flight = {.kind = LZ_FLIGHT_LOCK,
                                   .module = text,
                                   .thread = place_thread_note(engine)};
        entry = flight_begin(engine->core->flights, &flight);
    }
    lz_forgive();
    Py_INCREF(wrapped); /* uninstall() may be called meanwhile */
    PyObject *result = PyObject_CallOneArg(wrapped, argument);
    Py_DECREF(wrapped);
    flight_end(engine->core->flights, entry);
    return result;
}

PyObject *
module_lock_enter(PyObject *module, PyObject *manager)
{
    struct lz_engine *engine = engine_of_module(module);
    if (engine == NULL || engine->saved_enter == NULL)
        return engine_gone();
    PyObject *name = lz_get_optional(manager, engine->names.private_name);
    PyObject *result =
        call_waiting(engine, engine->saved_enter, manager, name);
    Py_XDECREF(name);
    return result;
}

PyObject *
module_lock_pass(PyObject *module, PyObject *name)
{
    struct lz_engine *engine = engine_of_module(module);
    if (engine == NULL || engine->lock_unlock_module == NULL)
        return engine_gone();
    return call_waiting(engine, engine->lock_unlock_module, name, name);
}

static PyObject *
manager_class(struct lz_engine *engine)
{
    return PyObject_GetAttrString(engine->bootstrap, "_ModuleLockManager");
}

/* Whether the class has our function; looked up on a class, an instance
 * method is what it stands for. 1, 0 or -1. */
static int
is_ours(PyObject *class, PyObject *ours)
{
    PyObject *now = PyObject_GetAttrString(class, "__enter__");
    Py_XDECREF(now); /* the class has it */
    return now == NULL ? -1 : now == ours;
}

int
module_lock_install(struct lz_engine *engine)
{
    PyObject *class = manager_class(engine);
    PyObject *ours = PyObject_GetAttrString(engine->module, "_enter_lock");
    PyObject *method = ours == NULL ? NULL : PyInstanceMethod_New(ours);
    int result = class == NULL || method == NULL ? -1 : is_ours(class, ours);
    if (result == 0)
        result =
            engine_patch(class, "__enter__", method, &engine->saved_enter);
    Py_XDECREF(method);
    Py_XDECREF(ours);
    Py_XDECREF(class);
    return result < 0 ? -1 : 0;
}

int
module_lock_uninstall(struct lz_engine *engine)
{
    PyObject *class = manager_class(engine);
    PyObject *ours = PyObject_GetAttrString(engine->module, "_enter_lock");
    int result = class == NULL || ours == NULL ? -1 : is_ours(class, ours);
    if (result == 1 && engine->saved_enter != NULL)
        result =
            PyObject_SetAttrString(class, "__enter__", engine->saved_enter);
    Py_XDECREF(ours);
    Py_XDECREF(class);
    return result < 0 ? -1 : 0;
}
