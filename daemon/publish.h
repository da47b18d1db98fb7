/* A listening unix socket at a path, put there and taken away safely.
 *
 * Never over anything but a stale socket of ours, never taking away another's
 * socket. Leaves accepting to the control server. Main thread.
 */
#ifndef DAEMON_PUBLISH_H
#define DAEMON_PUBLISH_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>

#include "daemon/entry.h"
#include "lazycore/error.h"

struct publication {
    struct entry entry;
    struct sockaddr_un bound; /* what getsockname says of it and of what it
                                 accepts */
    int fd;
    struct stat st;
    pid_t owner;
};

/* Listen on PATH: bind to PATH.PID.tmp, chmod, listen, make sure that nobody
 * answers at PATH, rename over it. All of it in the folder that was checked,
 * whatever the path comes to lead to meanwhile. GROUP may connect too, unless
 * it is -1. 0, or -1 with ERROR and nothing left behind. */
int publish_open(const char *path, gid_t group, struct publication *ret,
                 struct lz_error *error);
/* Remove the socket, if it is still ours, from the folder that it was put in,
 * wherever that is now. Only in the process that published it. Accepts what
 * was never opened: all zero but for the descriptors. 0, or the negative errno
 * of a socket that stays. */
int publish_close(struct publication *publication);
/* In a forked child that has the parent's descriptors: close the folder. */
void publish_after_fork(struct publication *publication);
/* Whether FD is the socket or one accepted from it. After fork, too. */
bool publish_is_ours(const struct publication *publication, int fd);

#endif
