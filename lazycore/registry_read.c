/* What readers get from the registry: totals, listings, one module.
 *
 * Records are copied under the lock with their strings held; globs, sorting
 * and duplicating come after it, so that a listing of a large service makes
 * no import wait for long. Any thread, no GIL.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "lazycore/registry_private.h"

static const char *const state_strings[] = {
#define LZ_STATE(id, string, meaning) [LZ_STATE_##id] = (string),
    LZ_STATE_TABLE(LZ_STATE)
#undef LZ_STATE
        [LZ_STATE_NONE] = "none"};

static const char *const reason_strings[] = {
#define LZ_REASON(id, string, text) [LZ_REASON_##id] = (string),
    LZ_REASON_TABLE(LZ_REASON)
#undef LZ_REASON
};

static const char *const reason_texts[] = {
#define LZ_REASON(id, string, text) [LZ_REASON_##id] = (text),
    LZ_REASON_TABLE(LZ_REASON)
#undef LZ_REASON
};

const char *
lz_state_string(enum lz_state state)
{
    return state_strings[(unsigned)state <= LZ_STATE_NONE ? state
                                                          : LZ_STATE_NONE];
}

int
lz_state_from_string(const char *string, enum lz_state *ret_state)
{
    for (int state = 0; state < LZ_STATE_COUNT; state++) {
        if (strcmp(string, state_strings[state]) == 0) {
            *ret_state = (enum lz_state)state;
            return 1;
        }
    }
    return 0;
}

const char *
lz_reason_string(enum lz_reason reason)
{
    return reason_strings[(unsigned)reason < LZ_REASON_COUNT ? reason
                                                             : LZ_REASON_NONE];
}

const char *
lz_reason_text(enum lz_reason reason)
{
    return reason_texts[(unsigned)reason < LZ_REASON_COUNT ? reason
                                                           : LZ_REASON_NONE];
}

void
registry_stats(struct lz_registry *registry,
               struct lz_registry_stats *ret_stats)
{
    lz_mutex_lock(&registry->mutex);
    *ret_stats = registry->stats;
    ret_stats->builtins_absent = registry->builtins_total -
                                 ret_stats->builtins_proxied -
                                 ret_stats->builtins_imported;
    lz_mutex_unlock(&registry->mutex);
}

static void
record_hold(const struct lz_record *record)
{
    (void)pool_hold(record->name);
    (void)pool_hold(record->file);
    (void)pool_hold(record->parent);
    (void)pool_hold(record->thread);
    (void)pool_hold(record->last_error);
    (void)pool_hold(record->rule);
    (void)pool_hold(record->statement.file);
    (void)pool_hold(record->statement.function);
    (void)pool_hold(record->trigger.file);
    (void)pool_hold(record->trigger.function);
}

static void
record_put(struct lz_pool *pool, const struct lz_record *record)
{
    pool_put(pool, record->name);
    pool_put(pool, record->file);
    pool_put(pool, record->parent);
    pool_put(pool, record->thread);
    pool_put(pool, record->last_error);
    pool_put(pool, record->rule);
    pool_put(pool, record->statement.file);
    pool_put(pool, record->statement.function);
    pool_put(pool, record->trigger.file);
    pool_put(pool, record->trigger.function);
}

/* Let go of what COUNT copied records hold, and of the array. */
void
registry_snapshot_free(struct lz_registry *registry, struct lz_record *records,
                       size_t count)
{
    lz_mutex_lock(&registry->mutex);
    for (size_t i = 0; i < count; i++) {
        record_put(registry->pool, &records[i]);
    }
    lz_mutex_unlock(&registry->mutex);
    free(records);
}

static bool
visible(const struct lz_record *record)
{
    return record->state != LZ_STATE_NONE || record->failures != 0;
}

static bool
selected(const struct lz_record *record, const struct lz_query *query)
{
    if (!visible(record)) {
        return false;
    }
    if (query->states != 0 && (query->states & (1u << record->state)) == 0) {
        return false;
    }
    if (query->loaded && record->sequence <= query->after) {
        return false;
    }
    return !query->failed || record->failing;
}

int
registry_snapshot(struct lz_registry *registry, const struct lz_query *query,
                  struct lz_record **ret_records, size_t *ret_count)
{
    size_t count = 0;

    lz_mutex_lock(&registry->mutex);
    struct lz_record *records =
        malloc((table_count(&registry->table) + 1) * sizeof(*records));
    if (records != NULL) {
        for (struct lz_node *node = table_first(&registry->table);
             node != NULL; node = table_next(node)) {
            const struct lz_registry_entry *entry =
                (const struct lz_registry_entry *)node;
            if (selected(&entry->record, query)) {
                record_hold(&entry->record);
                records[count++] = entry->record;
            }
        }
    }
    lz_mutex_unlock(&registry->mutex);
    if (records == NULL) {
        return -ENOMEM;
    }
    *ret_records = records;
    *ret_count = count;
    return 0;
}

static int
by_name(const void *left, const void *right)
{
    const struct lz_record *const *a = left;
    const struct lz_record *const *b = right;

    return strcmp((*a)->name, (*b)->name);
}

static int
by_time(const void *left, const void *right)
{
    const struct lz_record *const *a = left;
    const struct lz_record *const *b = right;

    if ((*a)->wall_self_ns != (*b)->wall_self_ns) {
        return (*a)->wall_self_ns > (*b)->wall_self_ns ? -1 : 1;
    }
    return by_name(left, right);
}

static int
by_memory(const void *left, const void *right)
{
    const struct lz_record *const *a = left;
    const struct lz_record *const *b = right;

    if ((*a)->bytes_self != (*b)->bytes_self) {
        return (*a)->bytes_self > (*b)->bytes_self ? -1 : 1;
    }
    return by_name(left, right);
}

/* What has not been loaded comes last. */
static int
by_order(const void *left, const void *right)
{
    const struct lz_record *const *a = left;
    const struct lz_record *const *b = right;
    uint64_t first = (*a)->sequence - 1;
    uint64_t second = (*b)->sequence - 1;

    if (first != second) {
        return first < second ? -1 : 1;
    }
    return by_name(left, right);
}

static int (*const comparisons[])(const void *, const void *) = {
    [LZ_SORT_NAME] = by_name,
    [LZ_SORT_TIME] = by_time,
    [LZ_SORT_MEMORY] = by_memory,
    [LZ_SORT_ORDER] = by_order,
};

/* --- deep copies -------------------------------------------------------- */

/* 0, or -1 and NULL; a TEXT of NULL is copied as NULL. */
static int
copy_text(const char *text, char **ret_copy)
{
    *ret_copy = text != NULL ? strdup(text) : NULL;
    return text != NULL && *ret_copy == NULL ? -1 : 0;
}

static int
copy_place(const struct lz_place *place, struct lz_place *ret_copy)
{
    char *file, *function;
    int status = copy_text(place->file, &file);

    status |= copy_text(place->function, &function);
    *ret_copy = (struct lz_place){
        .file = file, .function = function, .line = place->line};
    return status;
}

static int
copy_record(const struct lz_record *record, struct lz_module *ret_module)
{
    *ret_module = (struct lz_module){
        .state = (enum lz_state)record->state,
        .reason = (enum lz_reason)record->reason,
        .builtin = record->builtin,
        .sequence = record->sequence,
        .met_ns = record->met_ns,
        .started_ns = record->started_ns,
        .first_use_ns = record->first_use_ns,
        .loaded_ns = record->loaded_ns,
        .wall_ns = record->wall_ns,
        .wall_self_ns = record->wall_self_ns,
        .cpu_ns = record->cpu_ns,
        .cpu_self_ns = record->cpu_self_ns,
        .bytes = record->bytes,
        .bytes_self = record->bytes_self,
        .blocks = record->blocks,
        .blocks_self = record->blocks_self,
        .loads = record->loads,
        .failures = record->failures,
        .blocked = record->blocked,
        .names_pending = record->names_pending,
    };
    int status = copy_text(record->name, &ret_module->name);
    status |= copy_text(record->file, &ret_module->file);
    status |= copy_text(record->parent, &ret_module->parent);
    status |= copy_text(record->thread, &ret_module->thread);
    status |= copy_text(record->last_error, &ret_module->last_error);
    status |= copy_text(record->rule, &ret_module->rule);
    status |= copy_place(&record->statement, &ret_module->statement);
    status |= copy_place(&record->trigger, &ret_module->trigger);
    return status;
}

static void
place_done(const struct lz_place *place)
{
    free((void *)(uintptr_t)place->file);
    free((void *)(uintptr_t)place->function);
}

void
registry_modules_free(struct lz_module *modules, size_t count)
{
    if (modules == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        free(modules[i].name);
        free(modules[i].file);
        free(modules[i].parent);
        free(modules[i].thread);
        free(modules[i].last_error);
        free(modules[i].rule);
        place_done(&modules[i].statement);
        place_done(&modules[i].trigger);
    }
    free(modules);
}

int
registry_copy(const struct lz_record *const *records, size_t count,
              struct lz_module **ret_modules)
{
    struct lz_module *modules = calloc(count + 1, sizeof(*modules));

    if (modules == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        if (copy_record(records[i], &modules[i]) != 0) {
            registry_modules_free(modules, i + 1);
            return -ENOMEM;
        }
    }
    *ret_modules = modules;
    return 0;
}

int
registry_list(struct lz_registry *registry, const struct lz_query *query,
              struct lz_module **ret_modules, size_t *ret_count,
              size_t *ret_total)
{
    struct lz_record *records;
    size_t count, total = 0;

    if (registry_snapshot(registry, query, &records, &count) != 0) {
        return -ENOMEM;
    }
    int status = -ENOMEM;
    const struct lz_record **order =
        malloc((count + 1) * sizeof(const struct lz_record *));
    if (order != NULL) {
        for (size_t i = 0; i < count; i++) {
            if (query->match == NULL ||
                fnmatch(query->match, records[i].name, 0) == 0) {
                order[total++] = &records[i];
            }
        }
        qsort(order, total, sizeof(const struct lz_record *),
              comparisons[query->sort]);
        size_t wanted =
            query->limit != 0 && query->limit < total ? query->limit : total;
        status = registry_copy(order, wanted, ret_modules);
        if (status == 0) {
            *ret_count = wanted;
            *ret_total = total;
        }
    }
    free(order);
    registry_snapshot_free(registry, records, count);
    return status;
}

int
registry_show(struct lz_registry *registry, const char *name,
              struct lz_module **ret_module)
{
    struct lz_registry_entry *entry = NULL;
    size_t length = strnlen(name, LZ_REGISTRY_NAME_MAX + 1);
    struct lz_record *record = malloc(sizeof(*record));

    if (record == NULL) {
        return -ENOMEM;
    }
    lz_mutex_lock(&registry->mutex);
    if (length <= LZ_REGISTRY_NAME_MAX) {
        entry = (struct lz_registry_entry *)table_find(&registry->table, name,
                                                       length);
    }
    if (entry != NULL && visible(&entry->record)) {
        record_hold(&entry->record);
        *record = entry->record;
    } else {
        entry = NULL;
    }
    lz_mutex_unlock(&registry->mutex);
    if (entry == NULL) {
        free(record);
        return 0;
    }
    const struct lz_record *only = record;
    int status = registry_copy(&only, 1, ret_module);
    registry_snapshot_free(registry, record, 1);
    return status == 0 ? 1 : status;
}
