/* A rehearsal: code run in a forked copy of the process, and what it said.
 *
 * The copy shares the service's memory copy-on-write and nothing else that
 * its code could reach the world by: descriptors are closed, shared mappings
 * made private. How it is used:
 *
 *     static void
 *     body(struct lz_report *report, void *arg)   // in the child, with GIL
 *     {
 *         ... any Python; nothing of it reaches the service ...
 *         report_put(report, number);
 *         report_put_string(report, text);
 *         (void)report_end_item(report);      // as often as there is news
 *     }
 *
 *     struct lz_rehearsal rehearsal = {
 *         .core = core, .body = body, .arg = &what_the_child_may_read,
 *         .deadline_ms = 20000, .memory_bytes = 1 << 30};
 *     if (lazycore_rehearse(&rehearsal, &outcome, &error) == 0) {
 *         report_read(&reader, outcome.report, outcome.size);
 *         while (report_next_item(&reader)) { ... }
 *         ... outcome.end says whether that is all ...
 *         lz_rehearsal_outcome_done(&outcome);
 *     }
 *
 * The fork is a clone() without an exit signal: SIGCHLD does not come, and
 * wait(), waitpid(-1) and waitid() of the service do not see the child,
 * which is reaped with __WCLONE. The C library's fork() would also run the
 * pthread_atfork() handlers of every library in the service (OpenBLAS ends
 * its threads there and may wait for one for ever); here none runs, but for
 * those of lazycore's own locks. The price: a thread outside of Python may
 * hold a lock of the C library's heap at that moment. A child tries them all
 * before it says that it lives; one that does not is killed, and another
 * made.
 *
 * Of os.register_at_fork()'s handlers `before` and `after_in_parent` do not
 * run, since they are the service's code and it is not to be touched; those
 * of `after_in_child` run in the child, as CPython's own modules need them,
 * after the descriptors were closed. The import lock is held meanwhile.
 *
 * What stays in reach of the code: files and other servers by their names.
 * What it starts is ended with it, unless it makes itself a session.
 */
#ifndef LAZYCORE_REHEARSE_H
#define LAZYCORE_REHEARSE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "lazycore/annotations.h"
#include "lazycore/core.h"
#include "lazycore/error.h"
#include "lazycore/rehearse_report.h"

struct lz_rehearsal {
    struct lz_core *core;
    /* In the child, with the GIL, gc off; its return ends the child. */
    void (*body)(struct lz_report *report, void *arg);
    void *arg;
    /* In the child, before Python goes on and after its descriptors were
     * closed: give up what is the host's. May be NULL. */
    void (*forked)(void);
    uint64_t deadline_ms;  /* wall time of the child; CPU time likewise */
    uint64_t memory_bytes; /* that it may take in addition; 0 no limit */
    /* Give it up once it is true: looked at four times a second. Or NULL. */
    const atomic_bool *cancelled;
    /* Fork and wait in a thread made for it, whose table of descriptors is
     * its own: the process's has nothing of the rehearsal in it. Where the
     * kernel refuses that it has a pipe and a pidfd, as without this. */
    bool apart;
};

#define LZ_REHEARSAL_TABLE(LZ_REHEARSAL)                                      \
    LZ_REHEARSAL(DONE)      /* the body returned */                           \
    LZ_REHEARSAL(EXITED)    /* the code ended the process: .status */         \
    LZ_REHEARSAL(KILLED)    /* by signal .status, of its own or the kernel */ \
    LZ_REHEARSAL(DEADLINE)  /* or the limit of CPU time */                    \
    LZ_REHEARSAL(TOO_LONG)  /* the report is over LZ_REPORT_MAX */            \
    LZ_REHEARSAL(CANCELLED) /* by .cancelled */                               \
    LZ_REHEARSAL(STUCK)     /* a lock was held at every try */

enum lz_rehearsal_end {
#define LZ_REHEARSAL(id) LZ_REHEARSAL_##id,
    LZ_REHEARSAL_TABLE(LZ_REHEARSAL)
#undef LZ_REHEARSAL
};

struct lz_rehearsal_outcome {
    enum lz_rehearsal_end end;
    int status;     /* of EXITED and KILLED */
    char text[256]; /* for a person, where it is not DONE */
    void *report;   /* malloc'd; whatever the end */
    size_t size;
    uint64_t pause_ns; /* the service stood still for the fork; longest try */
    uint64_t wall_ns;  /* of the last child, from fork to end */
    unsigned tries;    /* forks made */
};

/* Run REHEARSAL's body in a child and wait for it, without the GIL. 0 with
 * *RET_OUTCOME, or -1 with ERROR: nothing was run. The calling thread must
 * outlive the child, which is killed with it. */
int lazycore_rehearse(const struct lz_rehearsal *rehearsal,
                      struct lz_rehearsal_outcome *ret_outcome,
                      struct lz_error *error) LZ_NEEDS_GIL;
void lz_rehearsal_outcome_done(struct lz_rehearsal_outcome *outcome);

/* rehearse.c: the same in the calling thread, for rehearse_apart.c. */
int rehearse_here(const struct lz_rehearsal *rehearsal,
                  struct lz_rehearsal_outcome *ret_outcome,
                  struct lz_error *error) LZ_NEEDS_GIL;

/* rehearse_child.c: the child before Python goes on. Only system calls, no
 * memory from the heap. */
struct lz_rehearsal_limits {
    uint64_t cpu_seconds;
    uint64_t memory_bytes; /* 0 no limit */
};

/* Cut the calling process, a child of PARENT, off from all but descriptor
 * FD. On failure the process ends. */
void rehearse_isolate(int fd, int parent,
                      const struct lz_rehearsal_limits *limits);

#endif
