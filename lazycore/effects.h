/* The record of which modules of well-known packages are free of effects.
 *
 * A module is free where running its body changes nothing outside its own
 * namespace. Read from the sources of the packages, lazycore/effects; compiled
 * in as plain data without pointers, so that no page of it becomes private.
 * Any thread.
 */
#ifndef LAZYCORE_EFFECTS_H
#define LAZYCORE_EFFECTS_H

#include <stdbool.h>
#include <stdint.h>

struct lz_effects {
    uint32_t name;    /* where it begins in lz_effects_names */
    uint32_t bytes;   /* size of the source that was read */
    uint32_t imports; /* where they begin in lz_effects_imports */
    uint16_t count;   /* modules of the same package that the body imports,
                         parents first */
    bool package : 1;
    bool free : 1;
    bool sure : 1; /* free, and its import cannot end in an ImportError, where
                      the standard library is what it should be */
};

/* Generated from lazycore/effects; modules by name, in order. A module has a
 * row for each recorded version of its package, which names rows of that
 * version alone. */
extern const struct lz_effects lz_effects[];
extern const unsigned lz_effects_count;
extern const char lz_effects_names[];
extern const uint16_t lz_effects_imports[]; /* indices of lz_effects */

/* The first index of the module NAME, or -1. */
int effects_find(const char *name);
/* The one after INDEX of the same module, or -1. */
int effects_find_next(unsigned index);

#endif
