/* lazyd --check-levels: which packages of a program may be `full`.
 *
 * Runs the program eagerly, then lazily with all packages at `full`, and
 * where that comes out differently looks for the smallest set that must be
 * `outer`, or `eager`. Writes a level file. How one run is made is trial.c's;
 * how a set is made small, minimise.c's. Main thread, before Python.
 */
#ifndef DAEMON_CHECK_LEVELS_H
#define DAEMON_CHECK_LEVELS_H

#include "daemon/options.h"
#include "lazycore/core.h"

struct check_levels {
    const struct options *options;
    struct lz_core *core; /* settings applied; each child has its copy */
    /* In a child: run the program. Its exit status. */
    int (*run)(void *arg, bool lazy);
    void *arg;
};

/* 0, or -1 with ERROR: the program fails eagerly too, no levels help, ... */
int check_levels(const struct check_levels *setup, struct lz_error *error);

#endif
