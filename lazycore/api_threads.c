/* threads() of the Python module `lazycore`: what is under way. Needs the
 * GIL.
 */
#include "lazycore/api.h"
#include "lazycore/flight.h"

static PyObject *
flight_dict(const struct lz_flight *flight)
{
    return Py_BuildValue(
        "{ss,ss,ss,sl,sK,sz,si,sz,sl,sz}", "kind",
        flight->kind == LZ_FLIGHT_LOAD ? "load" : "wait", "module",
        flight->module, "thread", flight->thread, "tid", flight->tid,
        "since_ns", (unsigned long long)flight->since_ns, "file", flight->file,
        "line", flight->line, "function", flight->function, "holder",
        flight->holder, "holder_thread", flight->holder_thread);
}

PyObject *
api_threads(PyObject *module, PyObject *Py_UNUSED(unused))
{
    struct lz_engine *engine = engine_or_raise(module);
    struct lz_flight *flights;
    size_t count;
    if (engine == NULL)
        return NULL;
    if (flights_list(engine->core->flights, &flights, &count) < 0)
        return PyErr_NoMemory();
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < count; i++) {
        PyObject *dict = flight_dict(&flights[i]);
        if (dict == NULL || PyList_Append(list, dict) < 0)
            Py_CLEAR(list);
        Py_XDECREF(dict);
    }
    flights_list_free(flights, count);
    return list;
}
