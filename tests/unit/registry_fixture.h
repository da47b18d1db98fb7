/* A registry of a test's own. */
#ifndef TESTS_UNIT_REGISTRY_FIXTURE_H
#define TESTS_UNIT_REGISTRY_FIXTURE_H

#include "lazycore/registry.h"

static inline int
set_up(void **state)
{
    *state = registry_new();
    return *state == NULL;
}

static inline int
tear_down(void **state)
{
    registry_free(*state);
    return 0;
}

static inline struct lz_registry_stats
stats_of(struct lz_registry *registry)
{
    struct lz_registry_stats stats;

    registry_stats(registry, &stats);
    return stats;
}

static inline void
load(struct lz_registry *registry, const char *name, enum lz_reason reason)
{
    struct lz_load one = {.name = name, .reason = reason, .wall_ns = 10};

    registry_loaded(registry, &one, NULL);
}

static inline void
load_fails(struct lz_registry *registry, const char *name, const char *text)
{
    struct lz_load one = {.name = name, .error = text, .wall_ns = 1};

    registry_loaded(registry, &one, NULL);
}

#endif
