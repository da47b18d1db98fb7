/* The pidfile: who runs under this name, held by a lock.
 *
 * The lock (flock) says that somebody runs, the text only who. Taken before
 * lazyd goes to the background, so that a refusal is seen; the child writes
 * its pid. Removed at exit only where it is still ours. Main thread, and the
 * control thread once that runs.
 */
#ifndef DAEMON_PIDFILE_H
#define DAEMON_PIDFILE_H

#include "lazycore/error.h"

struct pidfile;

/* Lock PATH, making it. 0, or -1 with ERROR (BUSY and the pid where another
 * lazyd has it). */
int pidfile_open(const char *path, struct pidfile **ret_pidfile,
                 struct lz_error *error);
/* Write the pid of this process. 0, or -1 with ERROR. */
int pidfile_write(struct pidfile *pidfile, struct lz_error *error);
/* Remove the file if it is ours; where that is forbidden empty it. Accepts
 * NULL. 0, or the negative errno of a file that stays. */
int pidfile_remove(struct pidfile *pidfile);
/* Close without removing: in a parent or a forked child, which share the
 * lock. Only closes, so that it can be called after fork. Accepts NULL. */
void pidfile_forget(struct pidfile *pidfile);
void pidfile_free(struct pidfile *pidfile);

#endif
