/* `load` with dry_run: the loads are rehearsed in a forked copy.
 *
 * In the operator thread, which outlives the copy.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/handlers.h"
#include "lazycore/rehearse_load.h"

enum { NAMES_MAX = 20000 }; /* of one request, globs resolved */

struct names {
    struct call *call;
    const char **items; /* the request's, or the registry's */
    size_t count, capacity;
};

static int
add_name(struct names *names, const char *name)
{
    size_t capacity = names->capacity * 2 + 16;
    const char **grown;

    if (names->count == NAMES_MAX) {
        return -ENOMEM;
    }
    if (names->count == names->capacity) {
        grown = arena_alloc(&names->call->arena, capacity, sizeof(*grown));
        if (grown == NULL) {
            return -ENOMEM;
        }
        if (names->count > 0) {
            memcpy(grown, names->items, names->count * sizeof(*grown));
        }
        names->items = grown;
        names->capacity = capacity;
    }
    names->items[names->count++] = name;
    return 0;
}

/* NAME, or the pending modules that it matches. 0, or -1 with an error. */
static int
resolve_name(struct names *names, const char *name)
{
    struct call *call = names->call;
    struct lz_query query = {.states = 1u << LZ_STATE_PROXY, .match = name};
    struct lz_listing *listing;
    size_t count;
    int rc = 0;

    if (strpbrk(name, "*?[") == NULL) {
        return add_name(names, name) < 0 ? handler_no_memory(&call->error) : 0;
    }
    if (handler_listing(call->control->setup.core->registry, &query,
                        &call->arena, &listing, &call->error) < 0) {
        return -1;
    }
    count = registry_listing_count(listing);
    if (count == 0) {
        return wire_error_set(&call->error, WIRE_ERROR_NO_SUCH_MODULE,
                              "no pending module matches '%.300s'", name);
    }
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = add_name(names, registry_listing_name(listing, i));
    }
    return rc < 0 ? handler_no_memory(&call->error) : 0;
}

static const char **
copy_names(struct arena *arena, const char *const *names, size_t count)
{
    const char **copies = arena_alloc(arena, count + 1, sizeof(*copies));

    for (size_t i = 0; copies != NULL && i < count; i++) {
        copies[i] = arena_strdup(arena, names[i]);
    }
    return copies;
}

static void
copy_item(const struct lz_rehearsed *item, struct arena *arena,
          struct wire_load_result *ret)
{
    *ret = (struct wire_load_result){
        .name = arena_strdup(arena, item->name),
        .already = item->verdict == LZ_REHEARSED_ALREADY,
        .wall_ns = item->wall_ns,
        .modules = item->modules_total,
        .verdict = lz_rehearsed_string(item->verdict),
        .cpu_ns = item->cpu_ns,
        .bytes = item->bytes,
        .bodies = copy_names(arena, item->modules, item->module_count),
        .body_count = item->module_count,
        .threads = copy_names(arena, item->threads, item->thread_count),
        .thread_count = item->thread_count,
        .file = arena_strdup(arena, item->file),
        .line = item->line};
    if (ret->bodies == NULL || ret->threads == NULL) {
        ret->body_count = ret->thread_count = 0;
    }
    if (item->kind != LZ_ERROR_NONE) {
        ret->error.kind = lz_error_kind_string(item->kind);
        ret->error.text = arena_strdup(arena, item->error);
        ret->error.traceback = arena_strdup(arena, item->traceback);
    }
}

static int
fill_reply(struct call *call, const struct lz_rehearsed_list *list)
{
    struct wire_load *reply = &call->reply.load;

    reply->results =
        arena_alloc(&call->arena, list->count + 1, sizeof(*reply->results));
    if (reply->results == NULL) {
        return handler_no_memory(&call->error);
    }
    for (size_t i = 0; i < list->count; i++) {
        enum lz_rehearsed_verdict verdict = list->items[i].verdict;

        copy_item(&list->items[i], &call->arena, &reply->results[i]);
        reply->failed += verdict == LZ_REHEARSED_FAILS;
        reply->inconclusive += verdict == LZ_REHEARSED_INCONCLUSIVE;
    }
    reply->result_count = list->count;
    reply->loaded = list->count - reply->failed - reply->inconclusive;
    reply->dry_run = true;
    reply->pause_ns = list->outcome.pause_ns;
    return 0;
}

void
count_rehearsal(struct control *control,
                const struct lz_rehearsal_outcome *outcome)
{
    (void)atomic_fetch_add(&control->rehearsals, outcome->tries);
    atomic_store(&control->last_pause_ns, outcome->pause_ns);
    if (outcome->pause_ns > atomic_load(&control->longest_pause_ns)) {
        atomic_store(&control->longest_pause_ns, outcome->pause_ns);
    }
}

int
operate_rehearse(struct call *call)
{
    const struct wire_load_params *params = &call->request->params.load;
    struct control *control = call->control;
    struct names names = {.call = call};
    struct lz_rehearsed_list list;
    struct lz_error failure = {0};
    struct lz_rehearsal setup = {
        .core = control->setup.core,
        .forked = control->setup.forked,
        .deadline_ms = (uint64_t)(params->deadline * 1e3),
        .memory_bytes = (uint64_t)params->memory * 1024 * 1024,
        .cancelled = &call->cancelled,
        .apart = true};
    int rc;

    if (params->inject) {
        return wire_error_set(&call->error, WIRE_ERROR_INVALID,
                              "a dry run injects nothing: leave 'inject' out");
    }
    for (size_t i = 0; i < params->name_count; i++) {
        if (resolve_name(&names, params->names[i]) < 0) {
            return -1;
        }
    }
    operator_describe(control->op, &call->job, "rehearsing a load of '%s'",
                      names.items != NULL ? names.items[0] : "");
    if (lazycore_rehearse_load(&setup, names.items, names.count,
                               params->recursive, &list, &failure) < 0) {
        return handler_error(&call->error, &failure, &call->arena);
    }
    count_rehearsal(control, &list.outcome);
    rc = fill_reply(call, &list);
    lz_rehearsed_list_done(&list);
    return rc;
}
