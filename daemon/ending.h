/* How a process that is no child of ours has ended.
 *
 * Linux 6.15 and later tell that to who holds a descriptor of it, once its
 * parent has heard of it; until then, in any version, /proc does.
 */
#ifndef DAEMON_ENDING_H
#define DAEMON_ENDING_H

#include <stddef.h>
#include <sys/types.h>

/* A descriptor of the process PID, which runs; -1: there is none. */
int ending_open(pid_t pid);
/* Wait for the end of PID's process, whose descriptor *FD is, not for ever. 0
 * with "by SIGKILL (Killed)" or "with status 3" in RET_TEXT; -1
 * where that is not known. Closes *FD. */
int ending_tell(int *fd, pid_t pid, char *ret_text, size_t size);

#endif
