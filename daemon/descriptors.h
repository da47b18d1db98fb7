/* Descriptors of lazyd's own, out of the service's reach.
 *
 * A service may close every descriptor there is, use them all up, go to
 * another folder or change the root. lazyd's threads therefore get a table of
 * descriptors, a folder and a root of their own, and the service's threads
 * lose what is lazyd's: a number means one thing to the service and nothing to
 * lazyd. Where the kernel refuses that, they go on sharing one table.
 */
#ifndef DAEMON_DESCRIPTORS_H
#define DAEMON_DESCRIPTORS_H

#include <stdbool.h>

/* What is open now is the service's. Main thread, before others. */
void descriptors_begin(void);
/* What has been opened since then is lazyd's. Main thread, before Python. */
void descriptors_collect(void);
/* Part the calling thread, and those that it will start, from all others.
 * Whether they are parted now: not before descriptors_collect. */
bool descriptors_part(void);
/* In a thread that a parted one has started, first of all: it is lazyd's. */
void descriptors_join(void);
/* Close what is lazyd's in the calling thread's table, if it is parted from
 * that of lazyd's threads. Main thread, after descriptors_part. */
void descriptors_release(void);
/* Whether lazyd's threads have a table of their own. Any thread, and in a
 * forked child. */
bool descriptors_are_parted(void);
/* Whether the calling thread may use lazyd's descriptors. */
bool descriptors_are_here(void);
/* Close *FD where the calling thread may; it is -1 after that. */
void descriptors_close(int *fd);

#endif
