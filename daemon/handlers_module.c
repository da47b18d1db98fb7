/* Modules as the registry knows them, for list and report.
 *
 * Copies of the registry's copies, so that the registry's lock is held for
 * its own copying only.
 */
#include "daemon/handlers.h"

#include <stdlib.h>
#include <string.h>

enum { COSTLY = 20 }; /* dearest loads of a verbose report */

void
handler_copy_place(const struct lz_place *from, struct arena *arena,
                   struct wire_place *ret)
{
    ret->file = arena_strdup(arena, from->file);
    ret->line = from->line;
    ret->function = arena_strdup(arena, from->function);
}

void
handler_copy_module(const struct lz_module *from, struct arena *arena,
                    struct wire_module *ret)
{
    *ret = (struct wire_module){
        .name = arena_strdup(arena, from->name),
        .state = lz_state_string(from->state),
        .reason = lz_reason_string(from->reason),
        .reason_text = lz_reason_text(from->reason),
        .builtin = from->builtin,
        .file = arena_strdup(arena, from->file),
        .parent = arena_strdup(arena, from->parent),
        .thread = arena_strdup(arena, from->thread),
        .sequence = from->sequence,
        .rule = arena_strdup(arena, from->rule),
        .met_ns = from->met_ns,
        .started_ns = from->started_ns,
        .first_use_ns = from->first_use_ns,
        .loaded_ns = from->loaded_ns,
        .wall_ns = from->wall_ns,
        .wall_self_ns = from->wall_self_ns,
        .cpu_ns = from->cpu_ns,
        .cpu_self_ns = from->cpu_self_ns,
        .bytes = from->bytes,
        .bytes_self = from->bytes_self,
        .blocks = from->blocks,
        .blocks_self = from->blocks_self,
        .loads = from->loads,
        .failures = from->failures,
        .blocked = from->blocked,
        .last_error = arena_strdup(arena, from->last_error),
        .names_pending = from->names_pending,
    };
    handler_copy_place(&from->statement, arena, &ret->statement);
    handler_copy_place(&from->trigger, arena, &ret->trigger);
}

/* What QUERY selects, copied into ARENA. 0, or -1 with ERROR. */
static int
query_modules(struct control *control, const struct lz_query *query,
              struct arena *arena, struct wire_module **ret_modules,
              size_t *ret_count, uint64_t *ret_total, struct wire_error *error)
{
    struct lz_module *modules = NULL;
    struct wire_module *copies;
    size_t count = 0;
    size_t total = 0;

    if (registry_list(control->setup.core->registry, query, &modules, &count,
                      &total) < 0) {
        return handler_no_memory(error);
    }
    copies = arena_alloc(arena, count + 1, sizeof(*copies));
    for (size_t i = 0; copies != NULL && i < count; i++) {
        handler_copy_module(&modules[i], arena, &copies[i]);
    }
    registry_modules_free(modules, count);
    if (copies == NULL) {
        return handler_no_memory(error);
    }
    *ret_modules = copies;
    *ret_count = count;
    *ret_total = total;
    return 0;
}

int
handle_list(struct control *control, const struct wire_list_params *params,
            struct arena *arena, struct wire_list *ret,
            struct wire_error *error)
{
    static const enum lz_sort sorts[] = {[WIRE_SORT_NAME] = LZ_SORT_NAME,
                                         [WIRE_SORT_TIME] = LZ_SORT_TIME,
                                         [WIRE_SORT_MEMORY] = LZ_SORT_MEMORY,
                                         [WIRE_SORT_ORDER] = LZ_SORT_ORDER};
    struct lz_query query = {.failed = params->failed,
                             .match = params->match,
                             .sort = sorts[params->sort],
                             .limit = (size_t)params->limit};
    enum lz_state state;

    if (params->state != NULL) {
        if (!lz_state_from_string(params->state, &state)) {
            return wire_error_set(error, WIRE_ERROR_INVALID,
                                  "'%s' is no state: proxy, real, eager, "
                                  "ignored, existing or lost",
                                  params->state);
        }
        query.states = 1u << state;
    }
    return query_modules(control, &query, arena, &ret->modules,
                         &ret->module_count, &ret->total, error);
}

/* --- report ------------------------------------------------------------- */

static bool
in_group(const struct wire_module *module, enum wire_group_id group)
{
    static const enum lz_state states[] = {
        [WIRE_GROUP_PROXIES] = LZ_STATE_PROXY,
        [WIRE_GROUP_EXISTING] = LZ_STATE_EXISTING,
        [WIRE_GROUP_REALS] = LZ_STATE_REAL,
        [WIRE_GROUP_IGNORED] = LZ_STATE_IGNORED,
        [WIRE_GROUP_EAGER] = LZ_STATE_EAGER,
        [WIRE_GROUP_LOST] = LZ_STATE_LOST};
    bool proxied = strcmp(module->state, lz_state_string(LZ_STATE_PROXY)) == 0;

    switch (group) {
    case WIRE_GROUP_BUILTINS_PROXIED:
        return module->builtin && proxied;
    case WIRE_GROUP_BUILTINS_IMPORTED:
        return module->builtin && !proxied;
    case WIRE_GROUP_BUILTINS_ABSENT:
    case WIRE_GROUPS:
        return false;
    default:
        return strcmp(module->state, lz_state_string(states[group])) == 0;
    }
}

static int
fill_names(struct wire_group *group, enum wire_group_id id,
           const struct wire_module *modules, size_t count,
           struct arena *arena)
{
    group->names = arena_alloc(arena, count + 1, sizeof(*group->names));
    if (group->names == NULL) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        if (in_group(&modules[i], id)) {
            group->names[group->name_count++] = modules[i].name;
        }
    }
    return 0;
}

static uint64_t
count_of(enum wire_group_id id, const struct lz_registry_stats *stats)
{
    switch (id) {
    case WIRE_GROUP_PROXIES:
        return stats->modules[LZ_STATE_PROXY];
    case WIRE_GROUP_EXISTING:
        return stats->modules[LZ_STATE_EXISTING];
    case WIRE_GROUP_REALS:
        return stats->modules[LZ_STATE_REAL];
    case WIRE_GROUP_IGNORED:
        return stats->modules[LZ_STATE_IGNORED];
    case WIRE_GROUP_EAGER:
        return stats->modules[LZ_STATE_EAGER];
    case WIRE_GROUP_LOST:
        return stats->modules[LZ_STATE_LOST];
    case WIRE_GROUP_BUILTINS_PROXIED:
        return stats->builtins_proxied;
    case WIRE_GROUP_BUILTINS_IMPORTED:
        return stats->builtins_imported;
    case WIRE_GROUP_BUILTINS_ABSENT:
        return stats->builtins_absent;
    case WIRE_GROUPS:
        break;
    }
    return 0;
}

/* The names behind the counts, and what cost most. */
static int
fill_verbose(struct control *control, struct arena *arena,
             struct wire_report *ret, struct wire_error *error)
{
    struct lz_query all = {.sort = LZ_SORT_NAME};
    struct lz_query dearest = {.states = ~(1u << LZ_STATE_PROXY),
                               .sort = LZ_SORT_TIME,
                               .limit = COSTLY};
    struct wire_module *modules = NULL;
    size_t count = 0;
    uint64_t total = 0;

    if (query_modules(control, &all, arena, &modules, &count, &total, error) <
            0 ||
        query_modules(control, &dearest, arena, &ret->costly,
                      &ret->costly_count, &total, error) < 0) {
        return -1;
    }
    for (unsigned i = 0; i < WIRE_GROUP_BUILTINS_ABSENT; i++) {
        if (fill_names(&ret->groups[i], (enum wire_group_id)i, modules, count,
                       arena) < 0) {
            return handler_no_memory(error);
        }
        ret->groups[i].count = ret->groups[i].name_count;
    }
    return 0;
}

int
handle_report(struct control *control, const struct wire_report_params *params,
              struct arena *arena, struct wire_report *ret,
              struct wire_error *error)
{
    struct lz_registry_stats stats;

    registry_stats(control->setup.core->registry, &stats);
    ret->verbose = params->verbose;
    ret->rss = memory_rss();
    ret->proxy_peak = stats.proxy_peak;
    ret->proxy_total = stats.proxy_total;
    ret->groups = arena_alloc(arena, WIRE_GROUPS, sizeof(*ret->groups));
    if (ret->groups == NULL) {
        return handler_no_memory(error);
    }
    ret->group_count = WIRE_GROUPS;
    for (unsigned i = 0; i < WIRE_GROUPS; i++) {
        enum wire_group_id id = (enum wire_group_id)i;

        ret->groups[i].key = wire_group_key(id);
        ret->groups[i].text = wire_group_text(id);
        ret->groups[i].count = count_of(id, &stats);
    }
    return params->verbose ? fill_verbose(control, arena, ret, error) : 0;
}
