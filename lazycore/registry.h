/* Everything the engine knows about modules, readable without the GIL.
 *
 * One entry for each module name ever met, with its state, the import
 * statement and trigger behind it, and what loading it cost. Writers are
 * whoever holds the GIL; readers are any thread. One mutex of its own, held
 * for a look-up or a copy, never while Python code can run and never across
 * a callback. Plain C: no Python.h, no PyObject. Strings are shared: equal
 * strings are stored once. Every list that grows has a bound.
 */
#ifndef LAZYCORE_REGISTRY_H
#define LAZYCORE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A module is in exactly one of these. LZ_STATE(identifier, string, meaning)*/
#define LZ_STATE_TABLE(LZ_STATE)                                              \
    LZ_STATE(PROXY, "proxy", "imported lazily, not loaded")                   \
    LZ_STATE(REAL, "real", "loaded through a proxy, or after one existed")    \
    LZ_STATE(EAGER, "eager", "loaded at its import statement, by a rule")     \
    LZ_STATE(IGNORED, "ignored", "loaded at once, by an ignore set")          \
    LZ_STATE(EXISTING, "existing", "was there before install")                \
    LZ_STATE(LOST, "lost", "in sys.modules, put there by someone else")

enum lz_state {
#define LZ_STATE(id, string, meaning) LZ_STATE_##id,
    LZ_STATE_TABLE(LZ_STATE)
#undef LZ_STATE
        LZ_STATE_COUNT,
    /* Tried and failed, never loaded, no proxy: in no count of states, but
     * readers see it. Its string is "none". */
    LZ_STATE_NONE = LZ_STATE_COUNT
};

/* Bounds. What does not fit is cut; a module past them is not recorded. */
enum {
    LZ_REGISTRY_MODULES_MAX = 200000,
    LZ_REGISTRY_NAME_MAX = 1000,   /* bytes of a module's name */
    LZ_REGISTRY_STRING_MAX = 4096, /* bytes of a path, function, thread */
    LZ_REGISTRY_ERROR_MAX = 500,   /* bytes of a failure's text */
    /* What all modules together may take: so much each, shared strings once,
     * and a reserve for the first few. A string past that is left out. */
    LZ_REGISTRY_MODULE_BYTES = 1024,
    LZ_REGISTRY_RESERVE_BYTES = 65536
};

/* Why an import was lazy or eager: DESIGN 4.3. The string is the stable key
 * in JSON; the text completes "NAME is eager because ...". */
#define LZ_REASON_TABLE(LZ_REASON)                                            \
    LZ_REASON(NONE, "none", "nothing imported it by a statement")             \
    LZ_REASON(LAZY, "lazy", "no rule asked for it to be eager")               \
    LZ_REASON(OFF, "off", "lazy imports were off")                            \
    LZ_REASON(IGNORE_NAME, "ignore_name", "its name is in the ignore set")    \
    LZ_REASON(IGNORE_PACKAGE, "ignore_package",                               \
              "its package is in the ignore set")                             \
    LZ_REASON(IGNORE_PATH, "ignore_path", "its path is in the ignore set")    \
    LZ_REASON(LEVEL_EAGER, "level_eager", "its package has level eager")      \
    LZ_REASON(NOT_A_STATEMENT, "not_a_statement",                             \
              "it was imported by a call, not by an import statement")        \
    LZ_REASON(PARENT, "parent", "a submodule of it was loaded")               \
    LZ_REASON(FUNCTION_BODY, "function_body",                                 \
              "the statement is in a function or class body")                 \
    LZ_REASON(CUSTOM_NAMESPACE, "custom_namespace",                           \
              "the statement runs in a namespace that is not its module's")   \
    LZ_REASON(STAR, "star", "the statement is 'from ... import *'")           \
    LZ_REASON(FUTURE, "future", "the statement imports from __future__")      \
    LZ_REASON(GUARDED, "guarded",                                             \
              "the statement is inside try or with, or made by a module "     \
              "that such a statement is loading")                             \
    LZ_REASON(LATE, "late",                                                   \
              "an earlier statement of the module had an effect")             \
    LZ_REASON(FOR_EFFECT, "for_effect",                                       \
              "no code of the importing module uses what it names")           \
    LZ_REASON(SAME_PACKAGE, "same_package",                                   \
              "the importer is in the same package, whose level is outer")    \
    LZ_REASON(SYS_MODULES, "sys_modules",                                     \
              "code takes it from sys.modules by its name")                   \
    LZ_REASON(REBINDS, "rebinds",                                             \
              "the statement rebinds a name that already has a value")        \
    LZ_REASON(UNKNOWN_SHAPE, "unknown_shape",                                 \
              "the statement's names could not be read from the bytecode")    \
    LZ_REASON(NOT_FOUND, "not_found",                                         \
              "the module could not be found without loading its parent")

enum lz_reason {
#define LZ_REASON(id, string, text) LZ_REASON_##id,
    LZ_REASON_TABLE(LZ_REASON)
#undef LZ_REASON
        LZ_REASON_COUNT
};

const char *lz_state_string(enum lz_state state);
/* 1 and *ret_state, or 0 where no state has that name. */
int lz_state_from_string(const char *string, enum lz_state *ret_state);
const char *lz_reason_string(enum lz_reason reason);
const char *lz_reason_text(enum lz_reason reason);

/* A place in source. Strings may be NULL where unknown; borrowed in calls,
 * owned by the copy in what readers get. Line 0 is unknown. */
struct lz_place {
    const char *file;
    const char *function;
    int line;
};

/* One finished execution of a module's body. Strings borrowed. */
struct lz_load {
    const char *name;
    const char *parent;      /* module whose load this one is nested in */
    const char *thread;      /* name of the loading thread */
    struct lz_place trigger; /* what first needed it */
    enum lz_reason reason;   /* LZ_REASON_LAZY for a load of a proxy */
    const char *rule;        /* "package xml": entry of a set or level */
    uint64_t started_ns;     /* CLOCK_MONOTONIC; 0 unknown */
    uint64_t wall_ns;        /* inclusive of nested loads */
    uint64_t wall_self_ns;   /* exclusive */
    uint64_t cpu_ns;
    uint64_t cpu_self_ns;
    int64_t bytes; /* by how much resident private memory grew, incl. */
    int64_t bytes_self;
    int64_t blocks; /* of Python's allocator: an estimate, see usage.c */
    int64_t blocks_self;
    bool blocked;      /* nested in no other, on a thread that must not load */
    const char *error; /* "Type: message", or NULL on success */
};

/* A module as readers see it: a deep copy. */
struct lz_module {
    char *name;
    enum lz_state state;
    enum lz_reason reason;
    bool builtin;              /* in sys.builtin_module_names */
    char *file;                /* origin of the spec, or NULL */
    struct lz_place statement; /* the import statement that met it first */
    char *rule;                /* that made it eager, or NULL */
    char *parent;              /* load it was nested in, or NULL */
    char *thread;
    struct lz_place trigger;
    uint64_t sequence;   /* order of loading, from 1; 0 not loaded */
    uint64_t met_ns;     /* CLOCK_MONOTONIC when first met */
    uint64_t started_ns; /* when its body began; 0 not loaded */
    uint64_t loaded_ns;  /* when loaded; 0 not loaded */
    /* What its first use took, with all that it waited for; 0: it was not
     * loaded by one. */
    uint64_t first_use_ns;
    uint64_t wall_ns, wall_self_ns, cpu_ns, cpu_self_ns;
    int64_t bytes, bytes_self, blocks, blocks_self;
    uint64_t loads; /* successful executions, reloads too */
    uint64_t failures;
    uint64_t blocked;       /* loads with .blocked */
    char *last_error;       /* text of the last failure, or NULL */
    uint64_t names_pending; /* names in namespaces that wait for it */
};

struct lz_registry_stats {
    uint64_t modules[LZ_STATE_COUNT];
    uint64_t proxy_peak;  /* most proxies at one time */
    uint64_t proxy_total; /* proxies ever made (the seed's proxyTally) */
    uint64_t failed;      /* modules whose last load failed */
    uint64_t names_pending, names_resolved;
    uint64_t builtins_proxied, builtins_imported, builtins_absent;
    uint64_t loads_blocked;                      /* those with .blocked */
    uint64_t loads, loads_failed, loads_wall_ns; /* wall: outermost only */
};

struct lz_registry;

/* NULL on lack of memory. */
struct lz_registry *registry_new(void);
void registry_free(struct lz_registry *registry);

/* --- writers: the thread that holds the GIL --------------------------- */

/* Names of built-in modules, for stats; given once at install. */
void registry_builtins(struct lz_registry *registry, const char *const *names,
                       size_t count);
/* NAME was in sys.modules at install; FILE may be NULL. */
void registry_existing(struct lz_registry *registry, const char *name,
                       const char *file);
/* NAME is in sys.modules and nothing explains it: lost, unless known. */
void registry_lost(struct lz_registry *registry, const char *name,
                   const char *file);
/* A statement deferred NAME: it becomes a proxy unless it is loaded. */
void registry_proxy(struct lz_registry *registry, const char *name,
                    const char *file, const struct lz_place *statement);
/* A statement will load NAME at once for REASON. Remembered for its load;
 * a module that is loaded already keeps what it has. */
void registry_eager(struct lz_registry *registry, const char *name,
                    enum lz_reason reason, const struct lz_place *statement);
/* A body has run. State on success: real if it was a proxy (or
 * load->reason is LAZY), ignored for the ignore and level reasons, else
 * eager. On failure the state stays and the failure is counted. The module's
 * entry, there as long as the registry, or NULL: no room. */
struct lz_registry_entry *registry_loaded(struct lz_registry *registry,
                                          const struct lz_load *load,
                                          const char *file);
/* What LOAD took is known better now. Ignored where ENTRY tells of another
 * load. */
void registry_cost(struct lz_registry *registry,
                   struct lz_registry_entry *entry,
                   const struct lz_load *load);
/* The use that loaded the proxy NAME has its value after WALL_NS. The first
 * one counts. */
void registry_first_use(struct lz_registry *registry, const char *name,
                        uint64_t wall_ns);
/* DELTA names more or fewer wait for NAME; RESOLVED of them got a value. */
void registry_names(struct lz_registry *registry, const char *name,
                    int64_t delta_pending, uint64_t resolved);
/* Around fork(), see core.h; the last in the forked child. */
void registry_before_fork(struct lz_registry *registry);
void registry_after_fork_parent(struct lz_registry *registry);
void registry_after_fork(struct lz_registry *registry);

/* --- readers: any thread, no GIL --------------------------------------- */

void registry_stats(struct lz_registry *registry,
                    struct lz_registry_stats *ret_stats);
/* Of these, .loads alone. */
uint64_t registry_loads(struct lz_registry *registry);

enum lz_sort { LZ_SORT_NAME, LZ_SORT_TIME, LZ_SORT_MEMORY, LZ_SORT_ORDER };

struct lz_query {
    unsigned states; /* bit 1u << state, NONE too; 0 means all */
    bool failed;     /* only those whose last load failed */
    bool used;       /* loaded through a proxy, here or in a forked process */
    bool unused;     /* only those that nobody has loaded */
    bool loaded;     /* only those that were loaded, after number AFTER */
    uint64_t after;
    const char *match; /* glob over the dotted name (fnmatch), or NULL */
    enum lz_sort sort; /* time and memory: largest first, exclusive */
    size_t limit;      /* 0: no limit */
};

/* Deep copies of what QUERY selects; *ret_total counts before the limit.
 * 0, or -ENOMEM. Free with registry_modules_free. */
int registry_list(struct lz_registry *registry, const struct lz_query *query,
                  struct lz_module **ret_modules, size_t *ret_count,
                  size_t *ret_total);
/* 1 and a deep copy, 0 unknown, -ENOMEM. Free with registry_modules_free. */
int registry_show(struct lz_registry *registry, const char *name,
                  struct lz_module **ret_module);
void registry_modules_free(struct lz_module *modules, size_t count);

#endif
