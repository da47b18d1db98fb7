/* The packages of a program whose levels --check-levels looks for.
 *
 * Plain data: which there are, from names of modules, and the level each has
 * at the moment. Main thread.
 */
#ifndef DAEMON_PACKAGES_H
#define DAEMON_PACKAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lazycore/level.h"

struct package {
    char *name; /* top-level */
    bool wide;  /* has submodules: only then `outer` differs from `full` */
    enum lz_level level;
};

struct packages {
    struct package *items;
    size_t count;
};

/* Those of NAMES (a module a line; changed) of which LEVELS knows no level,
 * at `full`. The number of what is new, submodules too, or -ENOMEM. */
int packages_add(struct packages *packages, struct lz_levels *levels,
                 char *names);
/* That of MODULE, a dotted name; or NULL. */
const struct package *packages_find(const struct packages *packages,
                                    const char *module);
void packages_done(struct packages *packages);

/* All at LEVEL, but none that is `eager`. */
void packages_set(struct packages *packages, enum lz_level level);
size_t packages_count(const struct packages *packages, enum lz_level level);
/* Lines for --level-file; not where any level comes to the same. */
void packages_write(const struct packages *packages, FILE *file);

#endif
