/* One process's plain-C half of lazycore, and how it reports upward.
 *
 * The host (lazyd) makes it before Python starts and reads it from its
 * control thread; the importable extension makes its own. Holds no Python
 * object. The listener is called by whoever holds the GIL, with no lock of
 * ours held; it must not block, not call back into lazycore and not touch
 * Python.
 */
#ifndef LAZYCORE_CORE_H
#define LAZYCORE_CORE_H

#include <stdatomic.h>

#include "lazycore/flight.h"
#include "lazycore/ignore.h"
#include "lazycore/ledger.h"
#include "lazycore/level.h"
#include "lazycore/registry.h"
#include "lazycore/sources.h"

enum lz_event { LZ_EVENT_LOAD, LZ_EVENT_FAIL, LZ_EVENT_FORK };

/* What code of the service has changed through the module lazycore, or with
 * importlib.reload(): of which modules run, and of how imports behave. A load
 * is none. Strings live as long as the call. */
struct lz_change {
    const char *what;            /* "reload", "rollback", "importlib.reload",
                                    "ignore.add", "ignore.remove", "level.set", "rule",
                                    "install", "uninstall" */
    const char *kind;            /* of an ignore rule, else NULL */
    const char *subject;         /* which module, rule or package */
    const char *value;           /* the level, "on" or "off", else NULL */
    const char *thread;          /* that did it */
    const char *verdict;         /* of a reload, else NULL */
    uint64_t old_hash, new_hash; /* of its source, 0 unknown */
    uint64_t pause_ns;           /* 0: in no single step, or not at all */
    uint64_t wall_ns;
    const char *together; /* module whose reload it was part of, or NULL */
};

/* What looks at the running threads led to: settle.h. */
struct lz_settled {
    char *name; /* malloc'd: of the hot namespace, all of whose pending names
                   were loaded; or NULL */
    uint64_t modules; /* module bodies that ran for that */
    uint64_t wall_ns;
    bool slow;     /* others take their share, and could be settled */
    char why[512]; /* or a line for people: which name of which namespace stays
                      pending, and why, said once; or empty */
};

struct lz_listener {
    /* LOAD and FAIL carry LOAD; FORK does not and comes in the parent, with
     * the child's pid in PID. */
    void (*event)(void *arg, enum lz_event event, const char *name,
                  const struct lz_load *load, long pid);
    /* The service called lazycore.ready(). */
    void (*ready)(void *arg);
    /* Before that: NAME of the core's .warm was loaded, or was not for ERROR,
     * "Type: message"; and the end of it. */
    void (*warmed)(void *arg, const char *name, const char *error);
    void (*warm_end)(void *arg, uint64_t wall_ns);
    /* LOAD, nested in no other, was on a thread of .no_load. */
    void (*blocked)(void *arg, const struct lz_load *load);
    void (*changed)(void *arg, const struct lz_change *change);
    /* The ledger's line of module NAME, maybe of others too, is of another
     * source than there is, and does not count. Once. */
    void (*stale)(void *arg, const char *name);
    void (*settled)(void *arg, const struct lz_settled *settled);
    void *arg;
};

struct lz_core {
    struct lz_registry *registry;
    struct lz_ignore *ignore;
    struct lz_levels *levels;
    struct lz_flights *flights; /* loads and waits under way */
    struct lz_sources *sources;
    struct lz_ledger *ledger; /* the host's, set before Python starts */
    /* Where lines for a ledger of the program's own packages at `outer` are
     * written when the interpreter ends, or 0. */
    int ledger_fd;
    struct lz_listener listener; /* set before Python starts; may be empty */
    /* Modules to load when the service calls lazycore.ready(); the host's,
     * set before Python starts. */
    const char *const *warm;
    size_t warm_count;
    /* Names of threads, or globs, on which a load is told and counted; the
     * host's. With .no_load_from_ready only once the service is ready. */
    const char *const *no_load;
    size_t no_load_count;
    bool no_load_from_ready;
    /* A thread looks for hot namespaces: the host's wish, or install()'s. */
    bool settles;
    /* Its bursts of looks, the namespaces that were found, and the module
     * bodies that ran for that. */
    atomic_ullong looks, hot_namespaces, hot_modules;
    atomic_int ready;   /* lazycore.ready() was called */
    atomic_int enabled; /* 1 while install() is in effect */
    atomic_int verbose; /* what lazycore.verbose starts with */
};

/* NULL on lack of memory. */
struct lz_core *core_new(void);
/* Accepts NULL and half-built objects. */
void core_free(struct lz_core *core);
/* Whether a load on the thread NAME, or the MAIN one, is to be told. */
bool core_must_not_load(const struct lz_core *core, const char *name,
                        bool main);
/* Around fork(): before it, take every lock, so that the child never gets a
 * half-edited set (the control thread edits without the GIL); after it in
 * the parent, release them. */
void core_before_fork(struct lz_core *core);
void core_after_fork_parent(struct lz_core *core);
/* In a forked child: every lock usable, the listener gone. Right with and
 * without core_before_fork. */
void core_after_fork(struct lz_core *core);

#endif
