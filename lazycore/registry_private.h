/* The registry's inside, shared by its writing and its reading half only.
 *
 * The pool and the table are guarded by the one mutex. A record copied out
 * of it holds its strings (pool_hold) and may then be read unlocked. An entry
 * stays in the table, with its name, as long as the registry lives.
 */
#ifndef LAZYCORE_REGISTRY_PRIVATE_H
#define LAZYCORE_REGISTRY_PRIVATE_H

#include "lazycore/annotations.h"
#include "lazycore/pool.h"
#include "lazycore/registry.h"
#include "lazycore/table.h"

/* What is known of a module. Strings are the pool's; a record that leaves
 * the lock holds them. */
struct lz_record {
    const char *name;
    const char *file;
    const char *parent;
    const char *thread;
    const char *last_error;
    const char *rule;
    struct lz_place statement;
    struct lz_place trigger;
    uint64_t sequence;
    uint64_t met_ns;
    uint64_t started_ns;
    uint64_t loaded_ns;
    uint64_t first_use_ns;
    uint64_t wall_ns, wall_self_ns, cpu_ns, cpu_self_ns;
    int64_t bytes, bytes_self, blocks, blocks_self;
    uint64_t loads;
    uint64_t failures;
    uint64_t blocked;
    uint64_t names_pending;
    uint32_t number; /* of modules that were met before */
    uint8_t state;   /* enum lz_state */
    uint8_t reason;  /* enum lz_reason */
    bool builtin : 1;
    bool failing : 1;    /* the last load failed */
    bool used_apart : 1; /* as far as it was looked: a child has loaded it */
};

struct lz_registry_entry {
    struct lz_node node;
    struct lz_record record;
};

struct lz_registry {
    struct lz_mutex mutex;
    struct lz_table table LZ_GUARDED; /* of entries */
    /* The one found last: what is told of a module comes in a row. */
    struct lz_registry_entry *recent LZ_GUARDED;
    struct lz_pool *pool LZ_GUARDED;
    uint64_t next_sequence LZ_GUARDED;
    /* Shared with forked processes, each byte for the entry of that number: a
     * proxy that one of them has loaded. NULL before the first fork. */
    unsigned char *apart LZ_GUARDED;
    size_t apart_count LZ_GUARDED; /* in a child: what it has in common */
    bool child LZ_GUARDED;
    uint64_t builtins_total LZ_GUARDED;
    struct lz_registry_stats stats LZ_GUARDED;
};

/* --- registry.c: for registry_load.c ------------------------------------ */

uint64_t registry_now_ns(void);
/* Replace *SLOT by the shared copy of TEXT cut at MAX bytes, never inside a
 * UTF-8 character. A lack of memory or of budget leaves NULL: unknown. */
void registry_set_string(struct lz_registry *registry, const char **slot,
                         const char *text, size_t max)
    LZ_REQUIRES(registry->mutex);
void registry_set_place(struct lz_registry *registry, struct lz_place *slot,
                        const struct lz_place *place)
    LZ_REQUIRES(registry->mutex);
struct lz_registry_entry *registry_find(struct lz_registry *registry,
                                        const char *name)
    LZ_REQUIRES(registry->mutex);
/* NULL where the name is too long, the table full or memory lacking. */
struct lz_registry_entry *registry_find_or_add(struct lz_registry *registry,
                                               const char *name)
    LZ_REQUIRES(registry->mutex);
void registry_met(struct lz_record *record);
/* The only place where a state changes, so that the counts follow. */
void registry_set_state(struct lz_registry *registry, struct lz_record *record,
                        enum lz_state state) LZ_REQUIRES(registry->mutex);

/* --- registry_read.c: for what looks at many records ------------------- */

/* Whether QUERY, its glob apart, selects RECORD. */
bool registry_selects(const struct lz_query *query,
                      const struct lz_record *record);
/* A copy of ENTRY's record if QUERY, unless it is NULL, still selects it; it
 * holds its strings. */
bool registry_record_take(struct lz_registry *registry,
                          const struct lz_registry_entry *entry,
                          const struct lz_query *query,
                          struct lz_record *ret_record);
/* Let go of what RECORD, a copy, holds. */
void registry_record_put(struct lz_registry *registry,
                         const struct lz_record *record);
/* RECORD as readers see it; the strings are its own. */
void registry_show_record(const struct lz_record *record,
                          struct lz_module *ret_module);
/* Deep copies, *RET_MODULES with room for one more, zeroed. 0 or -ENOMEM. */
int registry_copy(struct lz_registry *registry,
                  const struct lz_registry_entry *const *entries, size_t count,
                  struct lz_module **ret_modules);

#endif
