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
#include <time.h>

/* --- life and locks ---------------------------------------------------- */

static uint64_t
now_ns(void)
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
    lz_mutex_done(&registry->mutex);
    free(registry);
}

void LZ_UNCHECKED
registry_before_fork(struct lz_registry *registry)
{
    lz_mutex_lock(&registry->mutex);
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
}

/* --- records ------------------------------------------------------------ */

/* Replace *SLOT by the shared copy of TEXT cut at MAX bytes, never inside a
 * UTF-8 character. A lack of memory leaves NULL: unknown. */
static void set_string(struct lz_registry *registry, const char **slot,
                       const char *text, size_t max)
    LZ_REQUIRES(registry->mutex);

static void
set_string(struct lz_registry *registry, const char **slot, const char *text,
           size_t max)
{
    const char *old = *slot;

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
        *slot = pool_get(registry->pool, text, length);
    }
    pool_put(registry->pool, old);
}

static void set_place(struct lz_registry *registry, struct lz_place *slot,
                      const struct lz_place *place)
    LZ_REQUIRES(registry->mutex);

static void
set_place(struct lz_registry *registry, struct lz_place *slot,
          const struct lz_place *place)
{
    if (place == NULL) {
        return;
    }
    set_string(registry, &slot->file, place->file, LZ_REGISTRY_STRING_MAX);
    set_string(registry, &slot->function, place->function,
               LZ_REGISTRY_STRING_MAX);
    slot->line = place->line;
}

static struct lz_registry_entry *find(struct lz_registry *registry,
                                      const char *name)
    LZ_REQUIRES(registry->mutex);

static struct lz_registry_entry *
find(struct lz_registry *registry, const char *name)
{
    size_t length = strnlen(name, LZ_REGISTRY_NAME_MAX + 1);

    if (length > LZ_REGISTRY_NAME_MAX) {
        return NULL;
    }
    return (struct lz_registry_entry *)table_find(&registry->table, name,
                                                  length);
}

static struct lz_registry_entry *find_or_add(struct lz_registry *registry,
                                             const char *name)
    LZ_REQUIRES(registry->mutex);

/* NULL where the name is too long, the table full or memory lacking. */
static struct lz_registry_entry *
find_or_add(struct lz_registry *registry, const char *name)
{
    struct lz_registry_entry *entry = find(registry, name);

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
    entry->record.state = LZ_STATE_NONE;
    entry->record.name = pool_get(registry->pool, name, length);
    if (entry->record.name == NULL ||
        table_add(&registry->table, entry, entry->record.name, length) != 0) {
        pool_put(registry->pool, entry->record.name);
        free(entry);
        return NULL;
    }
    return entry;
}

static void
met(struct lz_record *record)
{
    if (record->met_ns == 0) {
        record->met_ns = now_ns();
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

static void set_state(struct lz_registry *registry, struct lz_record *record,
                      enum lz_state state) LZ_REQUIRES(registry->mutex);

/* The only place where a state changes, so that the counts follow. */
static void
set_state(struct lz_registry *registry, struct lz_record *record,
          enum lz_state state)
{
    struct lz_registry_stats *stats = &registry->stats;

    met(record);
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
        struct lz_registry_entry *entry = find_or_add(registry, names[i]);
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
    struct lz_registry_entry *entry = find_or_add(registry, name);
    if (entry != NULL) {
        struct lz_record *record = &entry->record;
        if (record->state == LZ_STATE_NONE || record->state == LZ_STATE_LOST) {
            set_state(registry, record, LZ_STATE_EXISTING);
        } else if (record->state == LZ_STATE_PROXY) {
            /* Loaded between an uninstall and this install. */
            set_state(registry, record, LZ_STATE_REAL);
        }
        if (file != NULL) {
            set_string(registry, &record->file, file, LZ_REGISTRY_STRING_MAX);
        }
    }
    lz_mutex_unlock(&registry->mutex);
}

void
registry_lost(struct lz_registry *registry, const char *name, const char *file)
{
    lz_mutex_lock(&registry->mutex);
    struct lz_registry_entry *entry = find_or_add(registry, name);
    if (entry != NULL && entry->record.state == LZ_STATE_NONE) {
        set_state(registry, &entry->record, LZ_STATE_LOST);
        set_string(registry, &entry->record.file, file,
                   LZ_REGISTRY_STRING_MAX);
    }
    lz_mutex_unlock(&registry->mutex);
}

void
registry_proxy(struct lz_registry *registry, const char *name,
               const char *file, const struct lz_place *statement)
{
    lz_mutex_lock(&registry->mutex);
    struct lz_registry_entry *entry = find_or_add(registry, name);
    if (entry != NULL && entry->record.state == LZ_STATE_NONE) {
        struct lz_record *record = &entry->record;
        set_state(registry, record, LZ_STATE_PROXY);
        record->reason = LZ_REASON_LAZY;
        set_place(registry, &record->statement, statement);
        set_string(registry, &record->file, file, LZ_REGISTRY_STRING_MAX);
    }
    lz_mutex_unlock(&registry->mutex);
}

void
registry_eager(struct lz_registry *registry, const char *name,
               enum lz_reason reason, const struct lz_place *statement)
{
    lz_mutex_lock(&registry->mutex);
    struct lz_registry_entry *entry = find_or_add(registry, name);
    if (entry != NULL && entry->record.state == LZ_STATE_NONE) {
        struct lz_record *record = &entry->record;
        met(record);
        record->reason = (uint8_t)reason;
        set_place(registry, &record->statement, statement);
    }
    lz_mutex_unlock(&registry->mutex);
}

/* The state of a module whose body has just run. */
static enum lz_state
state_after_load(const struct lz_record *record, enum lz_reason reason)
{
    if (record->state != LZ_STATE_NONE && record->state != LZ_STATE_PROXY &&
        record->state != LZ_STATE_LOST) {
        return (enum lz_state)record->state;
    }
    if (record->state == LZ_STATE_PROXY || reason == LZ_REASON_LAZY) {
        return LZ_STATE_REAL;
    }
    switch (reason) {
    case LZ_REASON_IGNORE_NAME:
    case LZ_REASON_IGNORE_PACKAGE:
    case LZ_REASON_IGNORE_PATH:
    case LZ_REASON_LEVEL_EAGER:
        return LZ_STATE_IGNORED;
    default:
        return LZ_STATE_EAGER;
    }
}

static void
record_cost(struct lz_record *record, const struct lz_load *load)
{
    record->wall_ns = load->wall_ns;
    record->wall_self_ns = load->wall_self_ns;
    record->cpu_ns = load->cpu_ns;
    record->cpu_self_ns = load->cpu_self_ns;
    record->bytes = load->bytes;
    record->bytes_self = load->bytes_self;
    record->blocks = load->blocks;
    record->blocks_self = load->blocks_self;
}

static void record_success(struct lz_registry *registry,
                           struct lz_record *record,
                           const struct lz_load *load, const char *file)
    LZ_REQUIRES(registry->mutex);

static void
record_success(struct lz_registry *registry, struct lz_record *record,
               const struct lz_load *load, const char *file)
{
    enum lz_reason reason = load->reason;

    if (reason == LZ_REASON_NONE) {
        reason = (enum lz_reason)record->reason;
    }
    set_state(registry, record, state_after_load(record, reason));
    record->loads++;
    registry->stats.loads++;
    if (record->sequence == 0) {
        /* Who first needed it, and what that cost; a reload changes
         * neither. */
        record->sequence = ++registry->next_sequence;
        record->loaded_ns = now_ns();
        record->reason = (uint8_t)reason;
        set_string(registry, &record->parent, load->parent,
                   LZ_REGISTRY_STRING_MAX);
        set_string(registry, &record->thread, load->thread,
                   LZ_REGISTRY_STRING_MAX);
        set_place(registry, &record->trigger, &load->trigger);
        record_cost(record, load);
    }
    if (file != NULL) {
        set_string(registry, &record->file, file, LZ_REGISTRY_STRING_MAX);
    }
    if (record->failing) {
        record->failing = false;
        registry->stats.failed--;
    }
}

static void record_failure(struct lz_registry *registry,
                           struct lz_record *record,
                           const struct lz_load *load)
    LZ_REQUIRES(registry->mutex);

static void
record_failure(struct lz_registry *registry, struct lz_record *record,
               const struct lz_load *load)
{
    met(record);
    if (record->state == LZ_STATE_LOST) {
        /* It was seen in sys.modules while its body ran; it is gone. */
        set_state(registry, record, LZ_STATE_NONE);
    }
    record->failures++;
    set_string(registry, &record->last_error, load->error,
               LZ_REGISTRY_ERROR_MAX);
    if (record->sequence == 0) {
        set_string(registry, &record->parent, load->parent,
                   LZ_REGISTRY_STRING_MAX);
        set_string(registry, &record->thread, load->thread,
                   LZ_REGISTRY_STRING_MAX);
        set_place(registry, &record->trigger, &load->trigger);
    }
    if (!record->failing) {
        record->failing = true;
        registry->stats.failed++;
    }
}

void
registry_loaded(struct lz_registry *registry, const struct lz_load *load,
                const char *file)
{
    lz_mutex_lock(&registry->mutex);
    if (load->parent == NULL) {
        registry->stats.loads_wall_ns += load->wall_ns;
    }
    if (load->error != NULL) {
        registry->stats.loads_failed++;
    }
    struct lz_registry_entry *entry = find_or_add(registry, load->name);
    if (entry == NULL) {
        registry->stats.loads += load->error == NULL;
    } else if (load->error == NULL) {
        record_success(registry, &entry->record, load, file);
    } else {
        record_failure(registry, &entry->record, load);
        if (file != NULL) {
            set_string(registry, &entry->record.file, file,
                       LZ_REGISTRY_STRING_MAX);
        }
    }
    lz_mutex_unlock(&registry->mutex);
}

void
registry_names(struct lz_registry *registry, const char *name,
               int64_t delta_pending, uint64_t resolved)
{
    lz_mutex_lock(&registry->mutex);
    struct lz_registry_entry *entry = find_or_add(registry, name);
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
