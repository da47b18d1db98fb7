/* The table of modules: states, accounting, counters kept as they change.
 *
 * Responsible for each module being in exactly one state, for totals that
 * are read in constant time, and for a bound on everything that grows.
 * Leaves to the engine when a state changes, and reading to registry_read.c.
 * See registry.h for threads.
 */
#include "lazycore/registry_private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/* What the allocator and the table's buckets add to an entry, about. */
enum { ENTRY_EXTRA = 40 };

/* --- life and locks ---------------------------------------------------- */

uint64_t
registry_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

struct lz_registry *LZ_UNCHECKED
registry_new(void)
{
    struct lz_registry *registry = calloc(1, sizeof(*registry));

    if (registry == NULL) {
        return NULL;
    }
    registry->pool = pool_new();
    if (registry->pool == NULL) {
        free(registry);
        return NULL;
    }
    lz_mutex_init(&registry->mutex);
    return registry;
}

void LZ_UNCHECKED
registry_free(struct lz_registry *registry)
{
    struct lz_node *node;

    if (registry == NULL) {
        return;
    }
    while ((node = table_first(&registry->table)) != NULL) {
        table_remove(&registry->table, node);
        free(node);
    }
    pool_free(registry->pool);
    if (registry->apart != NULL) {
        (void)munmap(registry->apart, LZ_REGISTRY_MODULES_MAX);
    }
    lz_mutex_done(&registry->mutex);
    free(registry);
}

void LZ_UNCHECKED
registry_before_fork(struct lz_registry *registry)
{
    lz_mutex_lock(&registry->mutex);
    if (registry->child) {
        return; /* a grandchild has in common what the child has */
    }
    registry->apart_count = table_count(&registry->table);
    if (registry->apart == NULL) {
        void *shared =
            mmap(NULL, LZ_REGISTRY_MODULES_MAX, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        registry->apart = shared == MAP_FAILED ? NULL : shared;
    }
}

void LZ_UNCHECKED
registry_after_fork_parent(struct lz_registry *registry)
{
    lz_mutex_unlock(&registry->mutex);
}

void
registry_after_fork(struct lz_registry *registry)
{
    lz_mutex_init(&registry->mutex);
    lz_mutex_lock(&registry->mutex);
    registry->child = true;
    lz_mutex_unlock(&registry->mutex);
}

/* --- records ------------------------------------------------------------ */

static bool over_budget(const struct lz_registry *registry)
    LZ_REQUIRES(registry->mutex);

static bool
over_budget(const struct lz_registry *registry)
{
    size_t modules = table_count(&registry->table);
    size_t used = modules * (sizeof(struct lz_registry_entry) + ENTRY_EXTRA) +
                  pool_bytes(registry->pool);

    return used >
           modules * LZ_REGISTRY_MODULE_BYTES + LZ_REGISTRY_RESERVE_BYTES;
}

/* Replace *SLOT by the shared copy of TEXT cut at MAX bytes, never inside a
 * UTF-8 character. A lack of memory or of budget leaves NULL: unknown. */
void
registry_set_string(struct lz_registry *registry, const char **slot,
                    const char *text, size_t max)
{
    const char *old = *slot;

    if (old != NULL && text != NULL && strcmp(old, text) == 0) {
        return;
    }
    *slot = NULL;
    if (text != NULL) {
        size_t length = strnlen(text, max + 1);
        if (length > max) {
            length = max;
            while (length > 0 &&
                   ((unsigned char)text[length] & 0xC0) == 0x80) {
                length--;
            }
        }
        size_t before = pool_bytes(registry->pool);
        *slot = pool_get(registry->pool, text, length);
        if (pool_bytes(registry->pool) > before && over_budget(registry)) {
            pool_put(registry->pool, *slot);
            *slot = NULL;
        }
    }
    pool_put(registry->pool, old);
}

void
registry_set_place(struct lz_registry *registry, struct lz_place *slot,
                   const struct lz_place *place)
{
    if (place == NULL) {
        return;
    }
    registry_set_string(registry, &slot->file, place->file,
                        LZ_REGISTRY_STRING_MAX);
    registry_set_string(registry, &slot->function, place->function,
                        LZ_REGISTRY_STRING_MAX);
    slot->line = place->line;
}

struct lz_registry_entry *
registry_find(struct lz_registry *registry, const char *name)
{
    struct lz_registry_entry *entry = registry->recent;

    if (entry != NULL && strcmp(entry->record.name, name) == 0) {
        return entry;
    }
    size_t length = strnlen(name, LZ_REGISTRY_NAME_MAX + 1);
    if (length > LZ_REGISTRY_NAME_MAX) {
        return NULL;
    }
    entry =
        (struct lz_registry_entry *)table_find(&registry->table, name, length);
    if (entry != NULL) {
        registry->recent = entry;
    }
    return entry;
}

/* NULL where the name is too long, the table full or memory lacking. */
struct lz_registry_entry *
registry_find_or_add(struct lz_registry *registry, const char *name)
{
    struct lz_registry_entry *entry = registry_find(registry, name);

    if (entry != NULL) {
        return entry;
    }
    size_t length = strnlen(name, LZ_REGISTRY_NAME_MAX + 1);
    if (length > LZ_REGISTRY_NAME_MAX ||
        table_count(&registry->table) >= LZ_REGISTRY_MODULES_MAX) {
        return NULL;
    }
    entry = calloc(1, sizeof(*entry));
    if (entry == NULL) {
        return NULL;
    }
    entry->record.number = (uint32_t)table_count(&registry->table);
    entry->record.state = LZ_STATE_NONE;
    entry->record.name = pool_get(registry->pool, name, length);
    if (entry->record.name == NULL ||
        table_add(&registry->table, entry, entry->record.name, length) != 0) {
        pool_put(registry->pool, entry->record.name);
        free(entry);
        return NULL;
    }
    if (over_budget(registry)) {
        table_remove(&registry->table, &entry->node);
        pool_put(registry->pool, entry->record.name);
        free(entry);
        return NULL;
    }
    registry->recent = entry;
    return entry;
}

void
registry_met(struct lz_record *record)
{
    if (record->met_ns == 0) {
        record->met_ns = registry_now_ns();
    }
}

static void count_builtin(struct lz_registry *registry,
                          const struct lz_record *record, uint64_t step)
    LZ_REQUIRES(registry->mutex);

/* STEP is 1 or its negative modulo 2^64. */
static void
count_builtin(struct lz_registry *registry, const struct lz_record *record,
              uint64_t step)
{
    if (!record->builtin || record->state == LZ_STATE_NONE) {
        return;
    }
    if (record->state == LZ_STATE_PROXY) {
        registry->stats.builtins_proxied += step;
    } else {
        registry->stats.builtins_imported += step;
    }
}

/* The only place where a state changes, so that the counts follow. */
void
registry_set_state(struct lz_registry *registry, struct lz_record *record,
                   enum lz_state state)
{
    struct lz_registry_stats *stats = &registry->stats;

    registry_met(record);
    if (record->state == state) {
        return;
    }
    count_builtin(registry, record, UINT64_MAX);
    if (record->state != LZ_STATE_NONE) {
        stats->modules[record->state]--;
    }
    record->state = (uint8_t)state;
    if (state != LZ_STATE_NONE) {
        stats->modules[state]++;
    }
    count_builtin(registry, record, 1);
    if (state == LZ_STATE_PROXY) {
        stats->proxy_total++;
        if (stats->modules[LZ_STATE_PROXY] > stats->proxy_peak) {
            stats->proxy_peak = stats->modules[LZ_STATE_PROXY];
        }
    }
}

/* --- writers ------------------------------------------------------------ */

void
registry_builtins(struct lz_registry *registry, const char *const *names,
                  size_t count)
{
    lz_mutex_lock(&registry->mutex);
    for (size_t i = 0; i < count; i++) {
        struct lz_registry_entry *entry =
            registry_find_or_add(registry, names[i]);
        if (entry == NULL || entry->record.builtin) {
            continue;
        }
        entry->record.builtin = true;
        registry->builtins_total++;
        count_builtin(registry, &entry->record, 1);
    }
    lz_mutex_unlock(&registry->mutex);
}

void
registry_existing(struct lz_registry *registry, const char *name,
                  const char *file)
{
    lz_mutex_lock(&registry->mutex);
    struct lz_registry_entry *entry = registry_find_or_add(registry, name);
    if (entry != NULL) {
        struct lz_record *record = &entry->record;
        if (record->state == LZ_STATE_NONE || record->state == LZ_STATE_LOST) {
            registry_set_state(registry, record, LZ_STATE_EXISTING);
        } else if (record->state == LZ_STATE_PROXY) {
            /* Loaded between an uninstall and this install. */
            registry_set_state(registry, record, LZ_STATE_REAL);
        }
        if (file != NULL) {
            registry_set_string(registry, &record->file, file,
                                LZ_REGISTRY_STRING_MAX);
        }
    }
    lz_mutex_unlock(&registry->mutex);
}

void
registry_lost(struct lz_registry *registry, const char *name, const char *file)
{
    lz_mutex_lock(&registry->mutex);
    struct lz_registry_entry *entry = registry_find_or_add(registry, name);
    if (entry != NULL && entry->record.state == LZ_STATE_NONE) {
        registry_set_state(registry, &entry->record, LZ_STATE_LOST);
        registry_set_string(registry, &entry->record.file, file,
                            LZ_REGISTRY_STRING_MAX);
    }
    lz_mutex_unlock(&registry->mutex);
}

void
registry_proxy(struct lz_registry *registry, const char *name,
               const char *file, const struct lz_place *statement)
{
    lz_mutex_lock(&registry->mutex);
    struct lz_registry_entry *entry = registry_find_or_add(registry, name);
    if (entry != NULL && entry->record.state == LZ_STATE_NONE) {
        struct lz_record *record = &entry->record;
        registry_set_state(registry, record, LZ_STATE_PROXY);
        record->reason = LZ_REASON_LAZY;
        registry_set_place(registry, &record->statement, statement);
        registry_set_string(registry, &record->file, file,
                            LZ_REGISTRY_STRING_MAX);
    }
    lz_mutex_unlock(&registry->mutex);
}

void
registry_eager(struct lz_registry *registry, const char *name,
               enum lz_reason reason, const struct lz_place *statement)
{
    lz_mutex_lock(&registry->mutex);
    struct lz_registry_entry *entry = registry_find_or_add(registry, name);
    if (entry != NULL && entry->record.state == LZ_STATE_NONE) {
        struct lz_record *record = &entry->record;
        registry_met(record);
        record->reason = (uint8_t)reason;
        registry_set_place(registry, &record->statement, statement);
    }
    lz_mutex_unlock(&registry->mutex);
}

void
registry_names(struct lz_registry *registry, const char *name,
               int64_t delta_pending, uint64_t resolved)
{
    lz_mutex_lock(&registry->mutex);
    struct lz_registry_entry *entry = registry_find_or_add(registry, name);
    if (entry != NULL) {
        uint64_t *pending = &entry->record.names_pending;
        uint64_t fewer = (uint64_t)-delta_pending;
        if (delta_pending >= 0) {
            *pending += (uint64_t)delta_pending;
            registry->stats.names_pending += (uint64_t)delta_pending;
        } else {
            fewer = fewer < *pending ? fewer : *pending;
            *pending -= fewer;
            registry->stats.names_pending -= fewer;
        }
    }
    registry->stats.names_resolved += resolved;
    lz_mutex_unlock(&registry->mutex);
}
