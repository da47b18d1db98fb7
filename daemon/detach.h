/* Going to the background, and telling whether it went well.
 *
 * The parent stays until the daemon has started, or says why it has not.
 * The daemon reports over a socket pair: begun, ready, or an error's text.
 * detach_begun is for the main thread, detach_ready for the control thread.
 */
#ifndef DAEMON_DETACH_H
#define DAEMON_DETACH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/logger.h"
#include "lazycore/error.h"

enum {
    LZ_SETTLE_MS = 200,      /* asleep this long means it serves */
    LZ_SETTLE_MAX_MS = 2000, /* busy this long since it began, too */
    LZ_LOOK_MS = 25,
    LZ_END_MS = 1000, /* from its last word to its end, at most */
    LZ_END_LOOK_MS = 2
};

struct detach {
    atomic_int fd; /* the daemon's end; -1: nobody waits */
    int wait_fd;   /* the parent's end */
    pid_t child;
};

struct detach_wait {
    bool for_ready; /* lazycore.ready(), not only begun */
    uint64_t start_timeout_ms;
    uint64_t stop_timeout_ms;
    const char *log; /* its path, for messages */
    struct logger *logger;
};

void detach_init(struct detach *detach);
/* 0 in the child, its pid in the parent, negative errno. */
pid_t detach_fork(struct detach *detach);
/* In the parent: until the start is over; prints what went wrong. The exit
 * status: 0 or 1. */
int detach_wait(struct detach *detach, const struct detach_wait *wait);

/* In the daemon. Without a parent that waits they do nothing. */
void detach_begun(struct detach *detach);
void detach_ready(struct detach *detach);
void detach_failed(struct detach *detach, const struct lz_error *error);
/* Only closes: for a forked child of the service, too. */
void detach_close(struct detach *detach);

#endif
