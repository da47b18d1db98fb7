/* The registry's inside, shared by its writing and its reading half only.
 *
 * The pool and the table are guarded by the one mutex. A record copied out
 * of it holds its strings (pool_hold) and may then be read unlocked.
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
    uint8_t state;  /* enum lz_state */
    uint8_t reason; /* enum lz_reason */
    bool builtin;
    bool failing; /* the last load failed */
};

struct lz_registry_entry {
    struct lz_node node;
    struct lz_record record;
};

struct lz_registry {
    struct lz_mutex mutex;
    struct lz_table table LZ_GUARDED; /* of entries */
    struct lz_pool *pool LZ_GUARDED;
    uint64_t next_sequence LZ_GUARDED;
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

/* --- registry_read.c: for what looks at many records at once ------------ */

/* Copies of what QUERY selects but for its glob, in no order; they hold their
 * strings, which are the pool's: equal ones have one pointer. 0 or -ENOMEM. */
int registry_snapshot(struct lz_registry *registry,
                      const struct lz_query *query,
                      struct lz_record **ret_records, size_t *ret_count);
void registry_snapshot_free(struct lz_registry *registry,
                            struct lz_record *records, size_t count);
/* Deep copies, *RET_MODULES with room for one more, zeroed. 0 or -ENOMEM. */
int registry_copy(const struct lz_record *const *records, size_t count,
                  struct lz_module **ret_modules);

#endif
