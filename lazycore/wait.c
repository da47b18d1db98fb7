/* Waits for module locks: importlib._bootstrap._ModuleLock.acquire is wrapped
 * while installed, so that who waits is known to those who have no GIL.
 */
#include "lazycore/flight.h"

#include "lazycore/api.h"

PyObject *
wait_acquire(PyObject *module, PyObject *lock)
{
    struct lz_engine *engine = engine_of_module(module);
    if (engine == NULL || engine->saved_acquire == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "lazycore is gone");
        return NULL;
    }
    PyObject *name = lz_get_optional(lock, engine->names.name_attr);
    const char *text = place_text(name);
    struct lz_flight_entry *entry = NULL;
    if (text != NULL && !lz_is_finalizing()) {
        char thread[64];
        place_thread_name(thread, sizeof(thread));
        struct lz_flight flight = {
            .kind = LZ_FLIGHT_LOCK, .module = text, .thread = thread};
        entry = flight_begin(engine->core->flights, &flight);
    }
    lz_forgive();
    PyObject *result = PyObject_CallOneArg(engine->saved_acquire, lock);
    flight_end(engine->core->flights, entry);
    Py_XDECREF(name);
    return result;
}

struct lz_flight_entry *
wait_begin_load(struct lz_engine *engine, PyObject *name)
{
    PyObject *file, *function, *globals;
    char thread[64];
    const char *text = place_text(name);
    if (text == NULL)
        return NULL;
    struct lz_flight flight = {
        .kind = LZ_FLIGHT_LOAD, .module = text, .thread = thread};
    place_thread_name(thread, sizeof(thread));
    place_of_caller(&file, &function, &globals, &flight.line);
    flight.file = place_text(file);
    flight.function = place_text(function);
    struct lz_flight_entry *entry =
        flight_begin(engine->core->flights, &flight);
    /* Of code that is on the stack as long as the load goes on. */
    Py_XDECREF(file);
    Py_XDECREF(function);
    Py_XDECREF(globals);
    return entry;
}

static PyObject *
lock_class(struct lz_engine *engine)
{
    return PyObject_GetAttrString(engine->bootstrap, "_ModuleLock");
}

/* Whether the class has our function; looked up on a class, an instance
 * method is what it stands for. 1, 0 or -1. */
static int
is_ours(PyObject *class, PyObject *ours)
{
    PyObject *now = PyObject_GetAttrString(class, "acquire");
    Py_XDECREF(now); /* the class has it */
    return now == NULL ? -1 : now == ours;
}

int
wait_install(struct lz_engine *engine)
{
    if (!LZ_WRAPS_LOCKS)
        return 0;
    PyObject *class = lock_class(engine);
    PyObject *ours = PyObject_GetAttrString(engine->module, "_acquire");
    PyObject *method = ours == NULL ? NULL : PyInstanceMethod_New(ours);
    int result = class == NULL || method == NULL ? -1 : is_ours(class, ours);
    if (result == 0)
        result =
            engine_patch(class, "acquire", method, &engine->saved_acquire);
    Py_XDECREF(method);
    Py_XDECREF(ours);
    Py_XDECREF(class);
    return result < 0 ? -1 : 0;
}

int
wait_uninstall(struct lz_engine *engine)
{
    PyObject *class = lock_class(engine);
    PyObject *ours = PyObject_GetAttrString(engine->module, "_acquire");
    int result = class == NULL || ours == NULL ? -1 : is_ours(class, ours);
    if (result == 1 && engine->saved_acquire != NULL)
        result =
            PyObject_SetAttrString(class, "acquire", engine->saved_acquire);
    Py_XDECREF(ours);
    Py_XDECREF(class);
    return result < 0 ? -1 : 0;
}
