/* lazyd's own lines, and the file that the output of a service goes to.
 *
 * A log that cannot be written loses lines and says so once; it never stops
 * anybody. log_line may be called from any thread; in lazyd's own threads it
 * never blocks on a full pipe, in the service's it writes to standard error.
 * The rest is set up by the main thread before there are others.
 */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/descriptors.h"
#include "lazycore/error.h"

/* --- a file that may be full ------------------------------------------- */

struct log_file {
    char *path;
    int fd;
    struct descriptor mark; /* of FD */
    int notice_fd;          /* where a failure is said, or -1 */
    bool failing;           /* since the last write that worked */
    int failed_errno;
    uint64_t lost_bytes; /* while failing */
};

/* 0, or -1 with ERROR: for a pipe that nobody reads, too. */
int log_file_open(struct log_file *file, const char *path,
                  struct lz_error *error);
void log_file_done(struct log_file *file);
/* Open the path anew, as after a rotation; where that fails the old file
 * goes on being used. 0 or negative errno. */
int log_file_reopen(struct log_file *file);
/* Append. What cannot be written is lost, and said. */
void log_file_write(struct log_file *file, const char *data, size_t size);

/* --- lazyd's lines ------------------------------------------------------ */

/* Lines go to standard error until told otherwise. */
void log_to_file(struct log_file *file);
/* Reopen the file that lines go to, if there is one, and say how that went.
 * Any thread. */
void log_reopen(void);
/* Lines that go to standard error wait for nobody who reads it from now on.
 * Main thread, before others. */
void log_to_stderr(void);
/* Lines go to FD, which does not block; with time and pid. */
void log_to_fd(int fd);
/* What lines are written to: for a line that cannot be made by log_line. */
int log_descriptor(void);
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* As log_line, an error's text; its traceback follows where it has one. */
void log_error(const char *what, const struct lz_error *error);

#endif
