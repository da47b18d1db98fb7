/* A load is entered in flight.h, so that those who have no GIL know of it. */
#include "lazycore/flight.h"

#include "lazycore/api.h"

struct lz_flight_entry *
wait_begin_load(struct lz_engine *engine, PyObject *name)
{
    struct lz_caller caller;
    const char *text = place_text(name);
    if (text == NULL || engine->rule_off[LZ_RULE_ACCOUNTING])
        return NULL;
    place_caller(engine, &caller);
    /* Of code that is on the stack as long as the load goes on. */
    struct lz_flight flight = {.kind = LZ_FLIGHT_LOAD,
                               .module = text,
                               .thread = caller.thread,
                               .file = place_text(caller.file),
                               .function = place_text(caller.function),
                               .line = caller.line};
    struct lz_flight_entry *entry =
        flight_begin(engine->core->flights, &flight);
    place_caller_keep(name, &caller);
    return entry;
}

void
wait_end_load(struct lz_engine *engine, PyObject *name,
              struct lz_flight_entry *entry)
{
    flight_end(engine->core->flights, entry);
    place_caller_forget(name);
}
