/* Descriptors of lazyd's own, out of the service's reach.
 *
 * A service may close every descriptor there is, use them all up, go to
 * another folder or change the root. lazyd's threads therefore get a table of
 * descriptors, a folder and a root of their own, and the service's threads
 * lose what is lazyd's: a number means one thing to the service and nothing to
 * lazyd. Where the kernel refuses that, they go on sharing one table, and what
 * was lazyd's is looked at before it is used: shared.c.
 */
#ifndef DAEMON_DESCRIPTORS_H
#define DAEMON_DESCRIPTORS_H

#include <stdbool.h>
#include <sys/types.h>

/* Which file a number stood for. */
struct descriptor {
    int fd; /* -1: none */
    dev_t dev;
    ino_t ino;
};

struct descriptor descriptor_of(int fd);
/* Whether it still does. Files that have no number of their own (an epoll, an
 * event) look alike. Any thread, and in a signal's handler. */
bool descriptor_holds(const struct descriptor *descriptor);

/* See that 0 to 2 are open, so that no file of lazyd's becomes one. */
void descriptors_fill(void);
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
/* Whether FD is still lazyd's, in a thread that had it: of what was there
 * before descriptors_collect a service that shares the table may have closed
 * something, and its number be that of another file. False for -1. */
bool descriptors_are_ours(int fd);
/* Close *FD where it is lazyd's in the calling thread; it is -1 after that. */
void descriptors_close(int *fd);

#endif
