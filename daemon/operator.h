/* A thread for what the loop cannot wait for: one job at a time, in order.
 *
 * One is for what needs Python, another for what waits for a disk, a third
 * for what takes its time.
 * The control thread submits jobs and gets them back; it may abandon one
 * whose deadline has passed: one that has not begun then never runs, one
 * that runs comes back later and nobody looks at its outcome. A job belongs
 * to the operator from submit until take or a successful abandon.
 */
#ifndef DAEMON_OPERATOR_H
#define DAEMON_OPERATOR_H

#include <stdbool.h>
#include <stddef.h>

#include "lazycore/annotations.h"

enum {
    LZ_OPERATOR_JOBS = 512, /* submitted and not begun */
    LZ_OPERATOR_PATIENCE_MS = 1000
};

enum job_state {
    JOB_QUEUED,  /* behind others */
    JOB_WAITING, /* for the GIL */
    JOB_RUNNING,
    JOB_DONE
};

struct operator_job {
    struct operator_job *next;
    void (*run)(struct operator_job *job); /* with the GIL, if any */
    char what[160]; /* what it does, for messages; see operator_describe */
    bool is_long;   /* what comes of it may be large: see operator_hold */
    enum job_state state;
    bool abandoned;
    bool ran; /* or runs; see operator_ran */
};

struct operator_thread;

/* NOTIFY is called in the operator's thread when a job is done. NULL on lack
 * of memory. */
struct operator_thread *operator_new(void (*notify)(void *arg), void *arg);
/* The same for jobs that run without the GIL, whoever holds it, in a thread of
 * that NAME, which must stay. */
struct operator_thread *
operator_new_plain(const char *name, void (*notify)(void *arg), void *arg);
/* 0 or negative errno. Wait with operator_await before Python runs. */
int operator_start(struct operator_thread *op);
/* Until the thread is known to Python. */
void operator_await(struct operator_thread *op) LZ_EXCLUDES_GIL;
/* 0, or -EAGAIN where too many wait, -ESHUTDOWN. Any thread. */
int operator_submit(struct operator_thread *op, struct operator_job *job);
/* Whether jobs of which much may come wait, and let others pass. Without that
 * too they wait until what was done before has been taken. */
void operator_hold(struct operator_thread *op, bool hold);
/* Done jobs, oldest first, or NULL. */
struct operator_job *operator_take(struct operator_thread *op);
/* Give up JOB. True: it had not begun and is the caller's again; false: it
 * comes back through operator_take, with abandoned set. WHY says what it
 * waited for. */
bool operator_abandon(struct operator_thread *op, struct operator_job *job,
                      char *why, size_t why_size);
/* Of an abandoned JOB that was not given back: whether it was run, or is being
 * run. */
bool operator_ran(struct operator_thread *op, const struct operator_job *job);
/* Whether the calling thread is the operator's. */
bool operator_is_self(const struct operator_thread *op);
/* From within run: what the job does now. */
void operator_describe(struct operator_thread *op, struct operator_job *job,
                       const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Take nothing more. Ends the thread if it is idle: true; one that is inside
 * Python, or has waited for a disk for LZ_OPERATOR_PATIENCE_MS more, is left
 * alone, and so must be what it uses: its process is about to end. */
bool operator_stop(struct operator_thread *op);
/* Only where operator_stop said true, or operator_start was not called. */
void operator_free(struct operator_thread *op);

#endif
