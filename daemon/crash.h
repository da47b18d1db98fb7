/* The line in the log of a process that a signal or _exit() ends.
 *
 * Installed behind Python's back, after it has started, for the signals that
 * nobody has taken; a handler that the service sets replaces ours, and the
 * process ends by the signal as it would have without us. The thread that gets
 * the signal may be any, and may have a table of descriptors in which lazyd's
 * log is not: it rings, and one of lazyd's threads writes.
 */
#ifndef DAEMON_CRASH_H
#define DAEMON_CRASH_H

/* RING, which is async-signal-safe, makes a thread of lazyd's that does not
 * wait for others call crash_tell. Main thread. */
void crash_install(void (*ring)(void *arg), void *arg);
/* There is nobody to ring any more: a line comes from the thread itself, and
 * none of _exit(). Before what RING uses goes. */
void crash_alone(void);
/* _exit(STATUS) is called: wait until the line is written, if one is to be.
 * Any thread of any process that descends from this one; async-signal-safe. */
void crash_exit(int status);
/* Write the line, if there is one to write. */
void crash_tell(void);
/* In a forked child: what is ours becomes the default again. */
void crash_after_fork(void);

#endif
