/* Requests answered on the loop, from plain C that needs no Python.
 *
 * Each handler takes its params and fills its reply; what a module looks
 * like is handlers_module.c's. The loop's thread.
 */
#include "daemon/handlers.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/confirm.h"
#include "daemon/log.h"
#include "daemon/pyhost.h"
#include "daemon/signals.h"
#include "lazycore/usage.h"

int
handler_no_memory(struct wire_error *error)
{
    return wire_error_set(error, WIRE_ERROR_NO_MEMORY, "out of memory");
}

int
handler_error(struct wire_error *error, struct lz_error *from,
              struct arena *arena)
{
    int rc = wire_error_from(error, lz_error_kind_string(from->kind),
                             from->text, arena_strdup(arena, from->traceback));

    lz_error_done(from);
    return rc;
}

static void
handle_stats(struct control *control, struct wire_stats *ret) LZ_LOOP_ONLY
{
    const struct lz_core *core = control->setup.core;
    struct lz_registry_stats stats;

    registry_stats(core->registry, &stats);
    memory_fill(&control->memory, &ret->memory);
    ret->modules = (struct wire_stats_modules){
        .proxies = stats.modules[LZ_STATE_PROXY],
        .proxy_peak = stats.proxy_peak,
        .proxy_total = stats.proxy_total,
        .reals = stats.modules[LZ_STATE_REAL],
        .eager = stats.modules[LZ_STATE_EAGER],
        .ignored = stats.modules[LZ_STATE_IGNORED],
        .existing = stats.modules[LZ_STATE_EXISTING],
        .lost = stats.modules[LZ_STATE_LOST],
        .failed = stats.failed,
    };
    ret->names.pending = stats.names_pending;
    ret->names.resolved = stats.names_resolved;
    ret->builtins.proxied = stats.builtins_proxied;
    ret->builtins.imported = stats.builtins_imported;
    ret->builtins.absent = stats.builtins_absent;
    ret->loads.count = stats.loads;
    ret->loads.failed = stats.loads_failed;
    ret->loads.blocked = stats.loads_blocked;
    ret->loads.wall_ns = stats.loads_wall_ns;
    ret->rehearsals.count = atomic_load(&control->rehearsals);
    ret->rehearsals.last_pause_ns = atomic_load(&control->last_pause_ns);
    ret->rehearsals.longest_pause_ns = atomic_load(&control->longest_pause_ns);
    ret->settled = (struct wire_stats_settled){
        .looks = atomic_load(&core->looks),
        .namespaces = atomic_load(&core->hot_namespaces),
        .modules = atomic_load(&core->hot_modules),
    };
    ret->control.clients = control->client_count;
    ret->control.requests = control->requests;
    ret->control.dropped = control->dropped;
    ret->control.refused = control->refused;
    ret->pid = control->pid;
    ret->uptime_ns = usage_wall_ns() - control->started_ns;
    ret->python = pyhost_version();
    ret->version = LAZYD_VERSION;
    ret->app = control->setup.app;
    ret->socket = control->setup.socket_path;
}

static int
handle_level_list(struct control *control, struct arena *arena,
                  struct wire_level_list *ret, struct wire_error *error)
{
    struct lz_level_entry *entries = NULL;
    size_t count = 0;

    ret->fallback = lz_level_string(LZ_LEVEL_OUTER);
    if (levels_list(control->setup.core->levels, &entries, &count) < 0) {
        return handler_no_memory(error);
    }
    ret->levels = arena_alloc(arena, count + 1, sizeof(*ret->levels));
    for (size_t i = 0; ret->levels != NULL && i < count; i++) {
        ret->levels[i].package = arena_strdup(arena, entries[i].package);
        ret->levels[i].level = lz_level_string(entries[i].level);
        ret->levels[i].source = lz_level_source_string(entries[i].source);
    }
    level_entries_free(entries, count);
    if (ret->levels == NULL) {
        return handler_no_memory(error);
    }
    ret->level_count = count;
    return 0;
}

static int
handle_level_set(struct client *client,
                 const struct wire_level_set_params *params,
                 struct arena *arena, struct wire_level_set *ret,
                 struct wire_error *error) LZ_LOOP_ONLY
{
    struct lz_levels *levels = client->control->setup.core->levels;
    struct lz_error failure = {0};
    struct wire_event event = {.event = WIRE_EVENT_IGNORE,
                               .action = "level",
                               .name = params->package,
                               .value = params->level,
                               .pid = client->pid,
                               .uid = (int64_t)client->uid};
    enum lz_level level;

    ret->previous = lz_level_string(levels_get(levels, params->package, NULL));
    if (!lz_level_from_string(params->level, &level)) {
        return wire_error_set(error, WIRE_ERROR_INVALID,
                              "'%s' is no level: eager, outer or full",
                              params->level);
    }
    if (levels_set(levels, params->package, level, &failure) < 0) {
        return handler_error(error, &failure, arena);
    }
    ret->package = params->package;
    ret->level = params->level;
    client_log_change(client, "level of %s: %s, was %s", params->package,
                      params->level, ret->previous);
    control_post(client->control, &event);
    return 0;
}

static int
handle_confirm(struct client *client, const struct wire_name_params *params,
               struct wire_confirm *ret, struct wire_error *error) LZ_LOOP_ONLY
{
    if (confirm_keep(client->control, params->name, ret, error) < 0) {
        return -1;
    }
    client_log_change(client, "confirm %s", params->name);
    return 0;
}

static int
handle_subscribe(struct client *client,
                 const struct wire_subscribe_params *params,
                 struct wire_subscribe *ret) LZ_LOOP_ONLY
{
    ret->sequence = event_sequence(&client->control->events);
    if (client->events == 0) {
        client->since = ret->sequence;
    }
    client->events |= params->events;
    ret->events = client->events;
    control_recount(client->control);
    return 0;
}

static int
handle_stop(struct client *client, const struct wire_stop_params *params,
            struct wire_stop *ret) LZ_LOOP_ONLY
{
    struct control *control = client->control;
    uint64_t timeout_ms = control->setup.stop_timeout_ms;

    if (params->timeout >= 0 && params->timeout < 1e6) {
        timeout_ms = (uint64_t)(params->timeout * 1000.0);
    }
    client_log_change(client, "stop, hard in %.1f s",
                      (double)timeout_ms / 1e3);
    control_begin_stop(control, timeout_ms);
    signals_send_stop();
    ret->stopping = true;
    ret->pid = control->pid;
    ret->timeout = (double)timeout_ms / 1e3;
    return 0;
}

int
handle(struct client *client, const struct wire_request *request,
       struct arena *arena, union wire_reply *ret_reply,
       struct wire_error *error)
{
    struct control *control = client->control;
    const union wire_params *params = &request->params;

    switch (request->command->id) {
    case WIRE_PING:
        ret_reply->ping.pong = true;
        ret_reply->ping.pid = control->pid;
        return 0;
    case WIRE_VERSION:
        ret_reply->version = (struct wire_version){
            "lazyd", LAZYD_VERSION, WIRE_PROTOCOL, pyhost_version()};
        return 0;
    case WIRE_COMMANDS:
        return 0; /* the writer has it all */
    case WIRE_STATS:
        handle_stats(control, &ret_reply->stats);
        return 0;
    case WIRE_THREADS:
        return handle_threads(control, arena, &ret_reply->threads, error);
    case WIRE_LEVEL_LIST:
        return handle_level_list(control, arena, &ret_reply->level_list,
                                 error);
    case WIRE_LEVEL_SET:
        return handle_level_set(client, &params->level_set, arena,
                                &ret_reply->level_set, error);
    case WIRE_CONFIRM:
        return handle_confirm(client, &params->confirm, &ret_reply->confirm,
                              error);
    case WIRE_SUBSCRIBE:
        return handle_subscribe(client, &params->subscribe,
                                &ret_reply->subscribe);
    case WIRE_STOP:
        return handle_stop(client, &params->stop, &ret_reply->stop);
    default:
        return wire_error_set(error, WIRE_ERROR_INTERNAL,
                              "'%s' has no handler", request->command->method);
    }
}
