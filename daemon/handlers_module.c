/* Modules as the registry knows them, for list and report.
 *
 * One at a time, as the line is written: what an answer takes beside its line
 * grows by a few bytes with each module.
 */
#include "daemon/handlers.h"

#include <stdlib.h>
#include <string.h>

enum { COSTLY = 20 }; /* dearest loads of a verbose report */

void
handler_show_place(const struct lz_place *from, struct wire_place *ret)
{
    *ret = (struct wire_place){
        .file = from->file, .line = from->line, .function = from->function};
}

void
handler_show_module(const struct lz_module *from, struct wire_module *ret)
{
    *ret = (struct wire_module){
        .name = from->name,
        .state = lz_state_string(from->state),
        .reason = lz_reason_string(from->reason),
        .reason_text = lz_reason_text(from->reason),
        .builtin = from->builtin,
        .file = from->file,
        .parent = from->parent,
        .thread = from->thread,
        .sequence = from->sequence,
        .rule = from->rule,
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
        .last_error = from->last_error,
        .names_pending = from->names_pending,
    };
    handler_show_place(&from->statement, &ret->statement);
    handler_show_place(&from->trigger, &ret->trigger);
}

static void
keep_place(struct wire_place *place, struct arena *arena)
{
    place->file = arena_strdup(arena, place->file);
    place->function = arena_strdup(arena, place->function);
}

void
handler_copy_place(const struct lz_place *from, struct arena *arena,
                   struct wire_place *ret)
{
    handler_show_place(from, ret);
    keep_place(ret, arena);
}

void
handler_copy_module(const struct lz_module *from, struct arena *arena,
                    struct wire_module *ret)
{
    handler_show_module(from, ret);
    ret->name = arena_strdup(arena, ret->name);
    ret->file = arena_strdup(arena, ret->file);
    ret->parent = arena_strdup(arena, ret->parent);
    ret->thread = arena_strdup(arena, ret->thread);
    ret->rule = arena_strdup(arena, ret->rule);
    ret->last_error = arena_strdup(arena, ret->last_error);
    keep_place(&ret->statement, arena);
    keep_place(&ret->trigger, arena);
}

static void
close_listing(void *listing)
{
    registry_listing_close(listing);
}

int
handler_listing(struct lz_registry *registry, const struct lz_query *query,
                struct arena *arena, struct lz_listing **ret_listing,
                struct wire_error *error)
{
    return registry_listing_open(registry, query, ret_listing) < 0 ||
                   arena_on_end(arena, close_listing, *ret_listing) < 0
               ? handler_no_memory(error)
               : 0;
}

/* --- list --------------------------------------------------------------- */

struct module_list {
    struct lz_listing *listing;
    size_t at, left;
    uint64_t *total; /* of the reply */
    struct lz_module module;
    struct wire_module shown;
};

static const void *
next_module(void *arg)
{
    struct module_list *list = arg;

    while (list->left > 0 &&
           list->at < registry_listing_count(list->listing)) {
        if (registry_listing_at(list->listing, list->at++, &list->module)) {
            list->left--;
            handler_show_module(&list->module, &list->shown);
            return &list->shown;
        }
        --*list->total;
    }
    return NULL;
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
                             .sort = sorts[params->sort]};
    struct module_list *list = arena_alloc(arena, 1, sizeof(*list));
    enum lz_state state;

    if (list == NULL) {
        return handler_no_memory(error);
    }
    if (params->state != NULL && strcmp(params->state, "used") == 0) {
        query.used = true;
    } else if (params->state != NULL) {
        if (!lz_state_from_string(params->state, &state)) {
            return wire_error_set(error, WIRE_ERROR_INVALID,
                                  "'%s' is no state: proxy, real, eager, "
                                  "ignored, existing, lost or used",
                                  params->state);
        }
        query.states = 1u << state;
    }
    if (handler_listing(control->setup.core->registry, &query, arena,
                        &list->listing, error) < 0) {
        return -1;
    }
    ret->total = registry_listing_count(list->listing);
    list->total = &ret->total;
    list->left = params->limit > 0 ? (size_t)params->limit : SIZE_MAX;
    ret->source = (struct wire_source){next_module, list};
    return 0;
}

/* --- report ------------------------------------------------------------- */

/* What a group asks of a module. */
struct member {
    const char *name;
    enum lz_state state;
    bool builtin;
};

static bool
in_group(const struct member *module, enum wire_group_id group)
{
    static const enum lz_state states[] = {
        [WIRE_GROUP_PROXIES] = LZ_STATE_PROXY,
        [WIRE_GROUP_EXISTING] = LZ_STATE_EXISTING,
        [WIRE_GROUP_REALS] = LZ_STATE_REAL,
        [WIRE_GROUP_IGNORED] = LZ_STATE_IGNORED,
        [WIRE_GROUP_EAGER] = LZ_STATE_EAGER,
        [WIRE_GROUP_LOST] = LZ_STATE_LOST};
    bool proxied = module->state == LZ_STATE_PROXY;

    switch (group) {
    case WIRE_GROUP_BUILTINS_PROXIED:
        return module->builtin && proxied;
    case WIRE_GROUP_BUILTINS_IMPORTED:
        return module->builtin && !proxied;
    case WIRE_GROUP_BUILTINS_ABSENT:
    case WIRE_GROUPS:
        return false;
    default:
        return module->state == states[group];
    }
}

static int
fill_names(struct wire_group *group, enum wire_group_id id,
           const struct member *members, size_t count, struct arena *arena)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++) {
        size += in_group(&members[i], id);
    }
    group->names = arena_alloc(arena, size + 1, sizeof(*group->names));
    if (group->names == NULL) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        if (in_group(&members[i], id)) {
            group->names[group->name_count++] = members[i].name;
        }
    }
    group->count = group->name_count;
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

/* All of them, each once, so that each is in one group. */
static int
list_members(struct control *control, struct arena *arena,
             struct member **ret_members, size_t *ret_count,
             struct wire_error *error)
{
    struct lz_query all = {.sort = LZ_SORT_NAME};
    struct lz_listing *listing;
    struct member *members;
    size_t count = 0;

    if (handler_listing(control->setup.core->registry, &all, arena, &listing,
                        error) < 0) {
        return -1;
    }
    members = arena_alloc(arena, registry_listing_count(listing) + 1,
                          sizeof(*members));
    if (members == NULL) {
        return handler_no_memory(error);
    }
    for (size_t i = 0; i < registry_listing_count(listing); i++) {
        struct lz_module module;

        if (registry_listing_at(listing, i, &module)) {
            members[count++] =
                (struct member){registry_listing_name(listing, i),
                                module.state, module.builtin};
        }
    }
    *ret_members = members;
    *ret_count = count;
    return 0;
}

static int
fill_costly(struct control *control, struct arena *arena,
            struct wire_report *ret)
{
    struct lz_query dearest = {.states = ~(1u << LZ_STATE_PROXY),
                               .sort = LZ_SORT_TIME,
                               .limit = COSTLY};
    struct lz_module *modules;
    size_t total;

    if (registry_list(control->setup.core->registry, &dearest, &modules,
                      &ret->costly_count, &total) < 0) {
        return -1;
    }
    ret->costly =
        arena_alloc(arena, ret->costly_count + 1, sizeof(*ret->costly));
    for (size_t i = 0; ret->costly != NULL && i < ret->costly_count; i++) {
        handler_copy_module(&modules[i], arena, &ret->costly[i]);
    }
    registry_modules_free(modules, ret->costly_count);
    return ret->costly == NULL ? -1 : 0;
}

/* The names behind the counts, and what cost most. */
static int
fill_verbose(struct control *control, struct arena *arena,
             struct wire_report *ret, struct wire_error *error)
{
    struct member *members = NULL;
    size_t count = 0;

    if (list_members(control, arena, &members, &count, error) < 0) {
        return -1;
    }
    for (unsigned i = 0; i < WIRE_GROUP_BUILTINS_ABSENT; i++) {
        if (fill_names(&ret->groups[i], (enum wire_group_id)i, members, count,
                       arena) < 0) {
            return handler_no_memory(error);
        }
    }
    return fill_costly(control, arena, ret) < 0 ? handler_no_memory(error) : 0;
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
