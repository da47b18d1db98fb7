/* What a load leaves in the registry: states, who needed it, its cost.
 *
 * The half of registry.c that runs once for each module body. See registry.h
 * for threads.
 */
#include "lazycore/registry_private.h"

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

/* For the process that forked this one. */
static void tell_apart(const struct lz_registry *registry,
                       const struct lz_registry_entry *entry)
    LZ_REQUIRES(registry->mutex);

static void
tell_apart(const struct lz_registry *registry,
           const struct lz_registry_entry *entry)
{
    if (registry->child && registry->apart != NULL &&
        entry->record.number < registry->apart_count &&
        entry->record.state == LZ_STATE_REAL) {
        __atomic_store_n(&registry->apart[entry->record.number], 1,
                         __ATOMIC_RELAXED);
    }
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
    registry_set_state(registry, record, state_after_load(record, reason));
    record->loads++;
    registry->stats.loads++;
    if (record->sequence == 0) {
        /* Who first needed it, and what that cost; a reload changes
         * neither. */
        record->sequence = ++registry->next_sequence;
        record->started_ns = load->started_ns;
        record->loaded_ns = load->started_ns != 0
                                ? load->started_ns + load->wall_ns
                                : registry_now_ns();
        record->reason = (uint8_t)reason;
        registry_set_string(registry, &record->rule, load->rule,
                            LZ_REGISTRY_STRING_MAX);
        registry_set_string(registry, &record->parent, load->parent,
                            LZ_REGISTRY_STRING_MAX);
        registry_set_string(registry, &record->thread, load->thread,
                            LZ_REGISTRY_STRING_MAX);
        registry_set_place(registry, &record->trigger, &load->trigger);
        record_cost(record, load);
    }
    if (file != NULL) {
        registry_set_string(registry, &record->file, file,
                            LZ_REGISTRY_STRING_MAX);
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
    registry_met(record);
    if (record->state == LZ_STATE_LOST) {
        /* It was seen in sys.modules while its body ran; it is gone. */
        registry_set_state(registry, record, LZ_STATE_NONE);
    }
    record->failures++;
    registry_set_string(registry, &record->last_error, load->error,
                        LZ_REGISTRY_ERROR_MAX);
    if (record->sequence == 0) {
        registry_set_string(registry, &record->parent, load->parent,
                            LZ_REGISTRY_STRING_MAX);
        registry_set_string(registry, &record->thread, load->thread,
                            LZ_REGISTRY_STRING_MAX);
        registry_set_place(registry, &record->trigger, &load->trigger);
    }
    if (!record->failing) {
        record->failing = true;
        registry->stats.failed++;
    }
}

struct lz_registry_entry *
registry_loaded(struct lz_registry *registry, const struct lz_load *load,
                const char *file)
{
    lz_mutex_lock(&registry->mutex);
    if (load->parent == NULL) {
        registry->stats.loads_wall_ns += load->wall_ns;
    }
    registry->stats.loads_blocked += load->blocked;
    if (load->error != NULL) {
        registry->stats.loads_failed++;
    }
    struct lz_registry_entry *entry =
        registry_find_or_add(registry, load->name);
    if (entry != NULL) {
        entry->record.blocked += load->blocked;
    }
    if (entry == NULL) {
        registry->stats.loads += load->error == NULL;
    } else if (load->error == NULL) {
        record_success(registry, &entry->record, load, file);
        tell_apart(registry, entry);
    } else {
        record_failure(registry, &entry->record, load);
        if (file != NULL) {
            registry_set_string(registry, &entry->record.file, file,
                                LZ_REGISTRY_STRING_MAX);
        }
    }
    lz_mutex_unlock(&registry->mutex);
    return entry;
}

void
registry_cost(struct lz_registry *registry, struct lz_registry_entry *entry,
              const struct lz_load *load)
{
    lz_mutex_lock(&registry->mutex);
    if (entry->record.started_ns == load->started_ns) {
        record_cost(&entry->record, load);
    }
    lz_mutex_unlock(&registry->mutex);
}

void
registry_first_use(struct lz_registry *registry, const char *name,
                   uint64_t wall_ns)
{
    lz_mutex_lock(&registry->mutex);
    struct lz_registry_entry *entry = registry_find(registry, name);
    if (entry != NULL && entry->record.sequence != 0 &&
        entry->record.first_use_ns == 0) {
        entry->record.first_use_ns = wall_ns;
    }
    lz_mutex_unlock(&registry->mutex);
}
