/* What belongs to the process as a whole: its ends, and its forks.
 *
 * Hooks that C gives no argument to (exit functions, fork handlers) find the
 * daemon here. A forked child of the service is not lazyd: it gives up all
 * that is lazyd's and goes on as a plain Python process.
 */
#ifndef DAEMON_PROCESS_H
#define DAEMON_PROCESS_H

#include <stdbool.h>

struct control;
struct detach;
struct logger;
struct lz_core;
struct pidfile;

struct process {
    struct lz_core *core;
    struct control *control;
    struct pidfile *pidfile;
    struct detach *detach;
    struct logger *logger;
};

enum { LZ_EXIT_HARD = 124 }; /* status of a service that did not stop */

/* From now on the hooks act for PROCESS, which must stay. Main thread.
 * 0 or negative errno. */
int process_install(const struct process *process);
/* In good order, once: socket and pidfile go, then the clients. Python is
 * gone or never was. Main thread of the process that installed. */
void process_finish(void);
/* In a child that was not made by fork(), which does this by itself: give up
 * what is lazyd's. Only the calling thread is left. */
void process_after_fork(void);
/* Whether this is a forked child of the service. */
bool process_is_child(void);
/* At once, from the control thread: socket and pidfile go, the process
 * ends. */
void process_end_hard(const char *why) __attribute__((noreturn));

#endif
