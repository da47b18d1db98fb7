/* A load is entered in flight.h, so that those who have no GIL know of it. */
#include "lazycore/flight.h"

#include "lazycore/api.h"

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
