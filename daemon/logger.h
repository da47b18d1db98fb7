/* The process that writes the log of a service in the background.
 *
 * The service's stdout and stderr are a pipe to it, so that a full disk is
 * never the service's trouble, and what a dying service last wrote still
 * arrives. It is no child of the service, holds nothing else of it, and ends
 * when the last holder of the pipe has.
 */
#ifndef DAEMON_LOGGER_H
#define DAEMON_LOGGER_H

#include <stdbool.h>
#include <sys/types.h>

#include "lazycore/error.h"

enum { LZ_EARLY_BYTES = 64 * 1024 }; /* output kept for a failed start */

struct logger {
    pid_t pid;      /* of the process, child of who started it */
    int out_fd;     /* for the service's stdout and stderr */
    int control_fd; /* orders */
    int early_fd;   /* a file with the first of the output */
};

void logger_init(struct logger *logger);
/* Fork it, writing to PATH. 0, or -1 with ERROR. */
int logger_start(struct logger *logger, const char *path,
                 struct lz_error *error);
/* In the daemon: stdin from nowhere, stdout and stderr to the logger, and a
 * descriptor for lazyd's own lines that does not block. Negative errno. */
int logger_attach(struct logger *logger, int *ret_line_fd);
/* The start has succeeded: keep nothing back any more. */
void logger_started(struct logger *logger);
void logger_reopen(struct logger *logger);
/* Whether lazyd's descriptors are in a table of their own: if not, that its
 * end of the orders is closed does not mean that it has ended. */
void logger_parted(const struct logger *logger, bool parted);
/* lazyd ends now, as it should: without this the log says that it did not. */
void logger_ended(const struct logger *logger);
/* In the process that started it, when the service is gone: wait for the
 * last output (not for ever) and copy what came early to FD, but for the
 * lines of lazyd itself, whose pid was DAEMON. */
void logger_dump(struct logger *logger, pid_t daemon, int fd);
/* In the process that started it, when the daemon has been forked. */
void logger_release(struct logger *logger);
void logger_close(struct logger *logger);

#endif
