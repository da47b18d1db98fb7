/* Reloads that roll back by themselves unless somebody confirms them.
 *
 * From the answer on a timer runs; what it does is a job of the operator
 * thread, which may be busy: it waits its turn, and a confirmation that comes
 * before it has begun still counts. Belongs to the loop's thread.
 */
#ifndef DAEMON_CONFIRM_H
#define DAEMON_CONFIRM_H

#include <stdbool.h>
#include <sys/types.h>

#include "lazycore/annotations.h"

struct control;
struct operator_job;
struct wire_confirm;
struct wire_error;
struct wire_reload;

/* RELOAD, asked for by UID and PID, was applied and is to be confirmed. */
void confirm_begin(struct control *control, const struct wire_reload *reload,
                   uid_t uid, pid_t pid) LZ_LOOP_ONLY;
/* Keep what NAME waits for. 0, or -1 with ERROR. */
int confirm_keep(struct control *control, const char *name,
                 struct wire_confirm *ret,
                 struct wire_error *error) LZ_LOOP_ONLY;
/* Somebody has rolled back: what nobody waits for any more is forgotten. */
void confirm_settle(struct control *control) LZ_LOOP_ONLY;
/* Whether JOB, done, was one of ours. */
bool confirm_take(struct control *control,
                  struct operator_job *job) LZ_LOOP_ONLY;
/* The loop is being closed: log what was not confirmed. */
void confirm_end(struct control *control) LZ_LOOP_ONLY;
/* The loop has been closed, and no job is out: free what is left. */
void confirm_done(struct control *control) LZ_LOOP_ONLY;

#endif
