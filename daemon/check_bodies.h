/* The last step of --check-levels: which modules of packages that must be
 * `outer` may wait all the same, because their bodies change nothing outside
 * their own namespace.
 *
 * Reads what a run says at its end into the core's ledger (ledger.h); whether
 * the program is the same with it is check_levels.c's. Main thread.
 */
#ifndef DAEMON_CHECK_BODIES_H
#define DAEMON_CHECK_BODIES_H

#include <stdio.h>

#include "daemon/packages.h"
#include "lazycore/core.h"

/* Whether there is anything to ask of PACKAGES. */
bool check_bodies_wanted(const struct packages *packages);
/* A file without a name, to which the runs of CORE's children write until
 * check_bodies_read; or -1 with ERROR. */
int check_bodies_begin(struct lz_core *core, struct lz_error *error);
/* What they wrote of PACKAGES at `outer`, into CORE's ledger; closes the file.
 * The number of modules within them that are free, or -1 with ERROR. */
int check_bodies_read(struct lz_core *core, const struct packages *packages,
                      struct lz_error *error);
/* Lines for --level-file. */
void check_bodies_write(const struct lz_ledger *ledger, FILE *file);

#endif
