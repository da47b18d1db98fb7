/* Requests that need Python, run in the operator thread with the GIL.
 *
 * They touch nothing of the loop's but their call.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/handlers.h"
#include "daemon/pyhost.h"

enum { LOADS_MAX = 20000 }; /* modules that one request may load */

struct loader {
    struct call *call;
    struct wire_load_result *results; /* in the call's arena */
    size_t count, capacity;
};

/* Room for one more; 0 or -ENOMEM. */
static int
reserve(struct loader *loader)
{
    struct wire_load_result *grown;
    size_t capacity = loader->capacity * 2 + 16;

    if (loader->count < loader->capacity) {
        return 0;
    }
    grown = arena_alloc(&loader->call->arena, capacity, sizeof(*grown));
    if (grown == NULL) {
        return -ENOMEM;
    }
    if (loader->count > 0) {
        memcpy(grown, loader->results, loader->count * sizeof(*grown));
    }
    loader->results = grown;
    loader->capacity = capacity;
    return 0;
}

static int
load_one(struct loader *loader, const char *name, bool inject) LZ_NEEDS_GIL
{
    struct call *call = loader->call;
    int rc = loader->count >= LOADS_MAX ? -ENOMEM : reserve(loader);

    if (rc == 0) {
        operator_describe(call->control->op, &call->job, "loading '%s'", name);
        rc = pyhost_load(name, inject, &call->arena,
                         &loader->results[loader->count]);
    }
    if (rc == 0) {
        loader->count++;
    }
    return rc;
}

static bool
is_loaded_here(const struct loader *loader, const char *name)
{
    for (size_t i = 0; i < loader->count; i++) {
        if (strcmp(loader->results[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Load all pending modules that PATTERN matches and that this request has
 * not tried. The number, or -ENOMEM. */
static int
load_matching(struct loader *loader, const char *pattern,
              bool inject) LZ_NEEDS_GIL
{
    struct lz_query query = {.states = 1u << LZ_STATE_PROXY, .match = pattern};
    struct lz_listing *listing;
    int loaded = 0;

    if (registry_listing_open(loader->call->control->setup.core->registry,
                              &query, &listing) < 0) {
        return -ENOMEM;
    }
    for (size_t i = 0; loaded >= 0 && i < registry_listing_count(listing);
         i++) {
        const char *name = registry_listing_name(listing, i);

        if (!is_loaded_here(loader, name)) {
            loaded = load_one(loader, name, inject) < 0 ? -ENOMEM : loaded + 1;
        }
    }
    registry_listing_close(listing);
    return loaded;
}

/* What is pending below NAME, until loading brings nothing new. */
static int
load_below(struct loader *loader, const char *name, bool inject) LZ_NEEDS_GIL
{
    char *pattern;
    int loaded;

    if (asprintf(&pattern, "%s.*", name) < 0) {
        return -ENOMEM;
    }
    do {
        loaded = load_matching(loader, pattern, inject);
    } while (loaded > 0);
    free(pattern);
    return loaded;
}

/* A glob that matches nothing is a failure like a name that is not there. */
static int
add_no_match(struct loader *loader, const char *pattern)
{
    struct wire_load_result *result;
    char *text;

    if (reserve(loader) < 0 ||
        (text = arena_alloc(&loader->call->arena, 1, 512)) == NULL) {
        return -ENOMEM;
    }
    (void)snprintf(text, 512, "no pending module matches '%.300s'", pattern);
    result = &loader->results[loader->count++];
    result->name = pattern;
    result->error.kind = wire_error_kind(WIRE_ERROR_NO_SUCH_MODULE);
    result->error.text = text;
    return 0;
}

static int
load_name(struct loader *loader, const char *name,
          const struct wire_load_params *params) LZ_NEEDS_GIL
{
    int rc;

    if (strpbrk(name, "*?[") != NULL) {
        rc = load_matching(loader, name, params->inject);
        return rc == 0 ? add_no_match(loader, name) : rc;
    }
    rc = load_one(loader, name, params->inject);
    if (rc == 0 && params->recursive) {
        rc = load_below(loader, name, params->inject);
    }
    return rc;
}

static int
operate_load(struct call *call) LZ_NEEDS_GIL
{
    const struct wire_load_params *params = &call->request->params.load;
    struct wire_load *reply = &call->reply.load;
    struct loader loader = {.call = call};
    uint64_t budget_ns = (uint64_t)params->budget_ms * UINT64_C(1000000);
    uint64_t begun_ns = uv_hrtime();

    for (size_t i = 0; i < params->name_count; i++) {
        if (i > 0 && budget_ns > 0 && uv_hrtime() - begun_ns >= budget_ns) {
            reply->left = params->name_count - i;
            break;
        }
        if (load_name(&loader, params->names[i], params) < 0) {
            return handler_no_memory(&call->error);
        }
    }
    reply->results = loader.results;
    reply->result_count = loader.count;
    for (size_t i = 0; i < loader.count; i++) {
        reply->loaded += loader.results[i].error.kind == NULL;
        reply->failed += loader.results[i].error.kind != NULL;
    }
    return 0;
}

/* The rows of those that are not ok, or of all. It ends with the deadline:
 * after that nobody waits for them, and others for the thread. */
static int
verify_each(struct call *call, const struct lz_listing *listing,
            size_t count) LZ_NEEDS_GIL
{
    struct wire_verify *reply = &call->reply.verify;
    struct wire_verify_result *row;
    uint64_t end_ns = uv_hrtime() + call->control->setup.python_deadline_ms *
                                        UINT64_C(1000000);
    int found = 0;

    reply->results =
        arena_alloc(&call->arena, count + 1, sizeof(*reply->results));
    if (reply->results == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; found >= 0 && i < count && uv_hrtime() < end_ns; i++) {
        const char *name = registry_listing_name(listing, i);

        operator_describe(call->control->op, &call->job, "verifying '%s'",
                          name);
        row = &reply->results[reply->result_count];
        found = pyhost_verify(name, &call->arena, row);
        if (found > 0) {
            bool ok = strcmp(row->status, "ok") == 0;

            reply->ok += ok;
            reply->failed += !ok;
            reply->changed += row->changed;
            reply->result_count += !ok || call->request->params.verify.all;
        }
    }
    return found < 0 ? -ENOMEM : 0;
}

/* Whether MATCH names no module in any state: it was mistyped. */
static bool
is_unknown(struct call *call, const char *match)
{
    struct lz_query query = {.match = match};
    struct lz_listing *listing;
    bool unknown = false;

    if (match != NULL &&
        registry_listing_open(call->control->setup.core->registry, &query,
                              &listing) == 0) {
        unknown = registry_listing_count(listing) == 0;
        registry_listing_close(listing);
    }
    return unknown;
}

static int
operate_verify(struct call *call) LZ_NEEDS_GIL
{
    const struct wire_verify_params *params = &call->request->params.verify;
    struct lz_query query = {.states = 1u << LZ_STATE_PROXY,
                             .match = params->match};
    struct lz_listing *listing;
    size_t count;
    int rc;

    if (is_unknown(call, params->match)) {
        return wire_error_set(&call->error, WIRE_ERROR_NO_SUCH_MODULE,
                              "no module matches '%.300s': see 'lazyctl list'",
                              params->match);
    }
    if (handler_listing(call->control->setup.core->registry, &query,
                        &call->arena, &listing, &call->error) < 0) {
        return -1;
    }
    count = registry_listing_count(listing);
    call->reply.verify.total = count;
    if (params->limit > 0 && count > (size_t)params->limit) {
        count = (size_t)params->limit;
    }
    rc = verify_each(call, listing, count);
    return rc < 0 ? handler_no_memory(&call->error) : 0;
}

/* An edit with load: the rules first, so that what is loaded brings nothing
 * new in lazily that they match. */
static int
operate_ignore_add(struct call *call) LZ_NEEDS_GIL
{
    struct wire_ignore_edit *reply = &call->reply.ignore_edit;
    struct loader loader = {.call = call};

    if (ignore_edit(call->control->setup.core, call->request, &call->arena,
                    reply, &call->error) < 0) {
        return -1;
    }
    for (size_t i = 0; !reply->dry_run && i < reply->pending_count; i++) {
        if (load_one(&loader, reply->pending[i], false) < 0) {
            return handler_no_memory(&call->error);
        }
    }
    reply->results = loader.results;
    reply->result_count = loader.count;
    return 0;
}

/* Whether the call may load modules: 0, or -1 with its error. */
static int
check_loads(struct call *call) LZ_NEEDS_GIL
{
    struct lz_error failure = {0};

    return pyhost_may_load("load it in the service itself, by "
                           "lazycore.load(), or at its start, by 'lazyd "
                           "--warm FILE'",
                           &failure) == 0
               ? 0
               : handler_error(&call->error, &failure, &call->arena);
}

static int
load_or_rehearse(struct call *call) LZ_NEEDS_GIL
{
    if (call->request->params.load.dry_run) {
        return operate_rehearse(call);
    }
    return check_loads(call) < 0 ? -1 : operate_load(call);
}

void
operate(struct operator_job *job)
{
    struct call *call = (struct call *)(void *)job;

    switch (call->request->command->id) {
    case WIRE_LOAD:
        call->status = load_or_rehearse(call);
        break;
    case WIRE_VERIFY:
        call->status = operate_verify(call);
        break;
    case WIRE_RELOAD:
        call->status = operate_reload(call);
        break;
    case WIRE_ROLLBACK:
        call->status = operate_rollback(call);
        break;
    case WIRE_IGNORE_ADD:
        call->status = check_loads(call) < 0 ? -1 : operate_ignore_add(call);
        break;
    default:
        call->status = wire_error_set(&call->error, WIRE_ERROR_INTERNAL,
                                      "'%s' is not run with Python",
                                      call->request->command->method);
        break;
    }
}
