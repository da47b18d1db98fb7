/* The control server: a libuv loop in a thread of its own.
 *
 * Opened in the main thread before Python starts, so that refusals are seen
 * early; runs from control_start to control_finish. It never takes the GIL:
 * what needs Python goes to the operator thread. What it does to the process
 * goes through the callbacks of its setup.
 */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lazycore/core.h"

struct control;
struct pidfile;

struct control_setup {
    struct lz_core *core;
    const char *app;         /* TARGET, for people */
    const char *socket_path; /* NULL: none, the loop only keeps time */
    gid_t group;             /* may read; -1: nobody */
    uint64_t stop_timeout_ms;
    uint64_t python_deadline_ms; /* 0: WIRE_LIMIT_PYTHON */
    uint64_t first_request_ms;   /* 0: WIRE_LIMIT_FIRST_REQUEST */
    /* control_finish leaves the connections to the end of the process, so
     * that who sees one end knows that the process has. */
    bool keep_connections;
    struct pidfile *pidfile; /* goes when the path goes; may be NULL */
    /* Socket and pidfile have gone: the end has begun. May be NULL. */
    void (*unpublished)(void *arg);
    /* After control_ready; NULL: nobody wants to know. */
    void (*ready)(void *arg);
    /* In a forked copy of the process: give up all that is lazyd's. */
    void (*forked)(void);
    void (*reopen_log)(void *arg);
    /* The stop timeout has passed: end the process. Does not return. */
    void (*end_hard)(void *arg, const char *why);
    void *arg;
};

/* Publish the socket. 0, or -1 with ERROR. Main thread. */
int control_open(const struct control_setup *setup,
                 struct control **ret_control, struct lz_error *error);
/* Start the operator and the loop, whose thread parts its descriptors from
 * the service's. Main thread, with the GIL. 0, or -1. */
int control_start(struct control *control, struct lz_error *error);
/* Something is in signals_take(). Async-signal-safe. */
void control_notify(void *control);
/* For lz_listener.event. Any thread. */
void control_event(void *control, enum lz_event event, const char *name,
                   const struct lz_load *load, long pid);
/* For lz_listener.changed: a line of the log, and an event. Any thread of the
 * service's. */
void control_change(struct control *control, const struct lz_change *change);
/* The service is ready. Any thread. */
void control_ready(struct control *control);
/* Log a line. Any thread of the service's. */
void control_log(struct control *control, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Remove the socket's path and the pidfile, before anything that is asked for
 * later; clients stay connected. Main or control thread. */
void control_unpublish(struct control *control);
/* Answer what waits, close all clients, end the threads. Main thread, after
 * Python has gone or before it came. */
void control_finish(struct control *control);
void control_free(struct control *control);
/* In a forked child: close what belongs to the server. */
void control_after_fork(struct control *control);

#endif
