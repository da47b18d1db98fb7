/* One process's plain-C state, made, ended and carried over a fork.
 *
 * Responsible for the order in which the parts are made and their locks are
 * taken. Leaves everything else to registry, ignore and level. The roles of
 * annotations.h are defined here. Thread: the one that makes or forks.
 */
#include "lazycore/core.h"

#include <fnmatch.h>
#include <stdlib.h>

#include "lazycore/annotations.h"

struct lz_role lz_gil;
struct lz_role lz_loop;

struct lz_core *
core_new(void)
{
    struct lz_core *core = calloc(1, sizeof(*core));

    if (core == NULL) {
        return NULL;
    }
    core->registry = registry_new();
    core->ignore = ignore_new();
    core->levels = levels_new();
    core->flights = flights_new();
    core->sources = sources_new();
    core->ledger = ledger_new();
    if (core->registry == NULL || core->ignore == NULL ||
        core->levels == NULL || core->flights == NULL ||
        core->sources == NULL || core->ledger == NULL) {
        core_free(core);
        return NULL;
    }
    return core;
}

void
core_free(struct lz_core *core)
{
    if (core == NULL) {
        return;
    }
    ledger_free(core->ledger);
    flights_free(core->flights);
    sources_free(core->sources);
    levels_free(core->levels);
    ignore_free(core->ignore);
    registry_free(core->registry);
    free(core);
}

bool
core_must_not_load(const struct lz_core *core, const char *name, bool main)
{
    if (core->no_load_from_ready && atomic_load(&core->ready) == 0) {
        return false;
    }
    for (size_t i = 0; i < core->no_load_count; i++) {
        const char *pattern = core->no_load[i];

        if (fnmatch(pattern, name, 0) == 0 ||
            (main && fnmatch(pattern, "MainThread", 0) == 0)) {
            return true;
        }
    }
    return false;
}

void
core_before_fork(struct lz_core *core)
{
    registry_before_fork(core->registry);
    ignore_before_fork(core->ignore);
    levels_before_fork(core->levels);
    flights_before_fork(core->flights);
    sources_before_fork(core->sources);
}

void
core_after_fork_parent(struct lz_core *core)
{
    flights_after_fork_parent(core->flights);
    sources_after_fork_parent(core->sources);
    levels_after_fork_parent(core->levels);
    ignore_after_fork_parent(core->ignore);
    registry_after_fork_parent(core->registry);
}

void
core_after_fork(struct lz_core *core)
{
    core->listener = (struct lz_listener){0};
    core->warm_count = 0;
    core->ledger_fd = 0;
    flights_after_fork(core->flights);
    sources_after_fork(core->sources);
    levels_after_fork(core->levels);
    ignore_after_fork(core->ignore);
    registry_after_fork(core->registry);
}
