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

#endif
