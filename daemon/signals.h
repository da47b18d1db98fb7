/* Signals of the process: SIGTERM asks to stop, SIGHUP reopens the log.
 *
 * Installed behind Python's back, after it has started: to the service both
 * look as under python3, and a handler that it sets replaces ours. Both only
 * set a flag, tell the control thread and, for SIGTERM, trip Python. The
 * control and operator threads block all signals.
 */
#ifndef DAEMON_SIGNALS_H
#define DAEMON_SIGNALS_H

#include <stdbool.h>

enum { LZ_SIGNAL_STOP = 1u, LZ_SIGNAL_REOPEN = 2u };

/* Main thread. NOTIFY is async-signal-safe. REOPEN: take SIGHUP, unless it
 * is ignored (nohup). 0 or negative errno. */
int signals_install(void (*notify)(void *arg), void *arg, bool reopen);
/* What has come since the last call, LZ_SIGNAL_*. Any thread. */
unsigned signals_take(void);
/* Send SIGTERM to this process, after giving it our handler where it has
 * the default one: the service may have put that back. Any thread. */
void signals_send_stop(void);
/* Wake the main thread with another SIGTERM if the handler is ours: the first
 * may have come just before a system call that it was to interrupt. Any
 * thread. */
void signals_nudge(void);
/* In a forked child: what is ours becomes the default again. */
void signals_after_fork(void);
#endif
