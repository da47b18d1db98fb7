/* A line in the log for each change: who, what, and what came of it.
 *
 * The log gives it the time. The loop's thread.
 */
#ifndef DAEMON_AUDIT_H
#define DAEMON_AUDIT_H

#include <stdint.h>
#include <sys/types.h>

struct wire_reload;

enum { AUDIT_HASH_SIZE = 17 };

/* HASH, of a source, in words: in TEXT, or static. Any thread. */
const char *audit_hash(uint64_t hash, char text[AUDIT_HASH_SIZE]);

/* Of the peer UID, PID. */
void audit_line(uid_t uid, pid_t pid, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A line for each module of a reload or rollback, WHAT; NOTE ends it. */
void audit_reload(uid_t uid, pid_t pid, const char *what,
                  const struct wire_reload *reload, const char *note);

#endif
