/* `threads`: who loads, who waits for whom. Registry knowledge, no Python.
 */
#include "daemon/handlers.h"

#include <stdlib.h>

#include "lazycore/usage.h"

static uint64_t
age(uint64_t now, uint64_t since)
{
    return now > since ? now - since : 0;
}

static void
add_flight(struct wire_thread *thread, struct wire_thread_load *loads,
           const struct lz_flight *flight, uint64_t now, struct arena *arena)
{
    if (flight->kind == LZ_FLIGHT_LOCK) {
        thread->waits = (struct wire_thread_wait){
            .module = arena_strdup(arena, flight->module),
            .for_ns = age(now, flight->since_ns),
            .holder = arena_strdup(arena, flight->holder_thread),
            .holder_tid = flight->holder,
            .holder_for_ns = age(now, flight->holder_since_ns)};
        return;
    }
    loads[thread->load_count++] = (struct wire_thread_load){
        .module = arena_strdup(arena, flight->module),
        .for_ns = age(now, flight->since_ns),
        .trigger = {.file = arena_strdup(arena, flight->file),
                    .line = flight->line,
                    .function = arena_strdup(arena, flight->function)}};
}

/* LIST is in the order of threads. */
static int
group(const struct lz_flight *list, size_t count, struct arena *arena,
      struct wire_threads *ret)
{
    struct wire_thread *threads =
        arena_alloc(arena, count + 1, sizeof(*threads));
    struct wire_thread_load *loads =
        arena_alloc(arena, count + 1, sizeof(*loads));
    uint64_t now = usage_wall_ns();
    struct wire_thread *thread = NULL;

    if (threads == NULL || loads == NULL) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        if (thread == NULL || thread->tid != list[i].tid) {
            thread = &threads[ret->thread_count++];
            thread->name = arena_strdup(arena, list[i].thread);
            thread->tid = list[i].tid;
            thread->loads = &loads[i];
        }
        add_flight(thread, thread->loads, &list[i], now, arena);
    }
    ret->threads = threads;
    return 0;
}

int
handle_threads(struct control *control, struct arena *arena,
               struct wire_threads *ret, struct wire_error *error)
{
    const struct lz_core *core = control->setup.core;
    struct lz_registry_stats stats;
    struct lz_flight *list = NULL;
    size_t count = 0;
    int rc;

    if (flights_list(core->flights, &list, &count) < 0) {
        return handler_no_memory(error);
    }
    rc = group(list, count, arena, ret);
    flights_list_free(list, count);
    registry_stats(core->registry, &stats);
    ret->blocked = stats.loads_blocked;
    ret->no_load = (const char **)(uintptr_t)core->no_load;
    ret->no_load_count = core->no_load_count;
    return rc < 0 ? handler_no_memory(error) : 0;
}
