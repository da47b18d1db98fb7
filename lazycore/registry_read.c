/* What readers get from the registry: totals, one module, copies of many.
 *
 * A record is copied under the lock with its strings held, and duplicated
 * after it. What selects and sorts is registry_listing.c's. Any thread, no
 * GIL.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lazycore/registry_listing.h"
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

uint64_t
registry_loads(struct lz_registry *registry)
{
    lz_mutex_lock(&registry->mutex);
    uint64_t result = registry->stats.loads;
    lz_mutex_unlock(&registry->mutex);
    return result;
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

static bool
visible(const struct lz_record *record)
{
    return record->state != LZ_STATE_NONE || record->failures != 0;
}

bool
registry_selects(const struct lz_query *query, const struct lz_record *record)
{
    if (!visible(record)) {
        return false;
    }
    if (query->states != 0 && (query->states & (1u << record->state)) == 0) {
        return false;
    }
    if (query->used && record->state != LZ_STATE_REAL &&
        !(record->state == LZ_STATE_PROXY && record->used_apart)) {
        return false;
    }
    if (query->unused &&
        (record->state != LZ_STATE_PROXY || record->used_apart)) {
        return false;
    }
    if (query->loaded && record->sequence <= query->after) {
        return false;
    }
    return !query->failed || record->failing;
}

bool
registry_record_take(struct lz_registry *registry,
                     const struct lz_registry_entry *entry,
                     const struct lz_query *query,
                     struct lz_record *ret_record)
{
    bool selected;

    lz_mutex_lock(&registry->mutex);
    selected = query == NULL || registry_selects(query, &entry->record);
    if (selected) {
        record_hold(&entry->record);
        *ret_record = entry->record;
    }
    lz_mutex_unlock(&registry->mutex);
    return selected;
}

void
registry_record_put(struct lz_registry *registry,
                    const struct lz_record *record)
{
    lz_mutex_lock(&registry->mutex);
    record_put(registry->pool, record);
    lz_mutex_unlock(&registry->mutex);
}

static char *
lend(const char *text)
{
    return (char *)(uintptr_t)text;
}

void
registry_show_record(const struct lz_record *record,
                     struct lz_module *ret_module)
{
    *ret_module = (struct lz_module){
        .name = lend(record->name),
        .state = (enum lz_state)record->state,
        .reason = (enum lz_reason)record->reason,
        .builtin = record->builtin,
        .file = lend(record->file),
        .statement = record->statement,
        .rule = lend(record->rule),
        .parent = lend(record->parent),
        .thread = lend(record->thread),
        .trigger = record->trigger,
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
        .last_error = lend(record->last_error),
        .names_pending = record->names_pending,
    };
}

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

/* FROM's strings are another's. */
static int
copy_module(const struct lz_module *from, struct lz_module *ret_module)
{
    int status = 0;

    *ret_module = *from;
    status |= copy_text(from->name, &ret_module->name);
    status |= copy_text(from->file, &ret_module->file);
    status |= copy_text(from->parent, &ret_module->parent);
    status |= copy_text(from->thread, &ret_module->thread);
    status |= copy_text(from->last_error, &ret_module->last_error);
    status |= copy_text(from->rule, &ret_module->rule);
    status |= copy_place(&from->statement, &ret_module->statement);
    status |= copy_place(&from->trigger, &ret_module->trigger);
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
registry_copy(struct lz_registry *registry,
              const struct lz_registry_entry *const *entries, size_t count,
              struct lz_module **ret_modules)
{
    struct lz_module *modules = calloc(count + 1, sizeof(*modules));
    int status = modules == NULL ? -1 : 0;

    for (size_t i = 0; status == 0 && i < count; i++) {
        struct lz_module shown;
        struct lz_record record;

        (void)registry_record_take(registry, entries[i], NULL, &record);
        registry_show_record(&record, &shown);
        status = copy_module(&shown, &modules[i]);
        registry_record_put(registry, &record);
    }
    if (status != 0) {
        registry_modules_free(modules, count);
        return -ENOMEM;
    }
    *ret_modules = modules;
    return 0;
}

/* The first WANTED that are still selected, and how many there are. */
static int
copy_listing(struct lz_listing *listing, size_t wanted,
             struct lz_module *modules, size_t *ret_count, size_t *ret_total)
{
    size_t total = registry_listing_count(listing);
    size_t count = 0;
    int status = 0;

    for (size_t i = 0;
         status == 0 && count < wanted && i < registry_listing_count(listing);
         i++) {
        struct lz_module shown;

        if (registry_listing_at(listing, i, &shown)) {
            status = copy_module(&shown, &modules[count++]);
        } else {
            total--;
        }
    }
    *ret_count = count;
    *ret_total = total;
    return status;
}

int
registry_list(struct lz_registry *registry, const struct lz_query *query,
              struct lz_module **ret_modules, size_t *ret_count,
              size_t *ret_total)
{
    struct lz_listing *listing;
    struct lz_module *modules;
    size_t count = 0, total, wanted;
    int status = -1;

    if (registry_listing_open(registry, query, &listing) != 0) {
        return -ENOMEM;
    }
    wanted = registry_listing_count(listing);
    if (query->limit != 0 && query->limit < wanted) {
        wanted = query->limit;
    }
    modules = calloc(wanted + 1, sizeof(*modules));
    if (modules != NULL) {
        status = copy_listing(listing, wanted, modules, &count, &total);
    }
    registry_listing_close(listing);
    if (status != 0) {
        registry_modules_free(modules, count);
        return -ENOMEM;
    }
    *ret_modules = modules;
    *ret_count = count;
    *ret_total = total;
    return 0;
}

int
registry_show(struct lz_registry *registry, const char *name,
              struct lz_module **ret_module)
{
    const struct lz_registry_entry *entry = NULL;
    size_t length = strnlen(name, LZ_REGISTRY_NAME_MAX + 1);

    lz_mutex_lock(&registry->mutex);
    if (length <= LZ_REGISTRY_NAME_MAX) {
        entry = (const struct lz_registry_entry *)table_find(&registry->table,
                                                             name, length);
    }
    if (entry != NULL && !visible(&entry->record)) {
        entry = NULL;
    }
    lz_mutex_unlock(&registry->mutex);
    if (entry == NULL) {
        return 0;
    }
    return registry_copy(registry, &entry, 1, ret_module) == 0 ? 1 : -ENOMEM;
}
