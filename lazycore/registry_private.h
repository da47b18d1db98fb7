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
    struct lz_place statement;
    struct lz_place trigger;
    uint64_t sequence;
    uint64_t met_ns;
    uint64_t loaded_ns;
    uint64_t wall_ns, wall_self_ns, cpu_ns, cpu_self_ns;
    int64_t bytes, bytes_self, blocks, blocks_self;
    uint64_t loads;
    uint64_t failures;
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

#endif
