/* When to look which namespaces are hot: lazycore/settle.h.
 *
 * A timer of the loop has the operator look, often at first, seldom later,
 * and only while the process uses the processor: nothing is done to one that
 * sleeps. Belongs to the loop's thread.
 */
#ifndef DAEMON_SETTLE_H
#define DAEMON_SETTLE_H

#include <stdint.h>
#include <uv.h>

#include "ctl/wire/message.h"
#include "daemon/operator.h"
#include "lazycore/annotations.h"

/* A look wakes four threads, which takes 0.2 ms of CPU time. */
enum {
    LZ_SETTLE_AFTER_MS = 1000, /* of CPU time the first look comes; */
    LZ_SETTLE_FIRST_MS = 10,   /* between two looks, */
    LZ_SETTLE_LOOKS = 128,     /* so many; then twice as long, */
    LZ_SETTLE_LAST_MS = 1000   /* at most */
};

struct settle {
    struct operator_job job;
    uv_timer_t timer;
    struct operator_thread *op;
    uint64_t interval_ms;
    uint64_t cpu_ns; /* of the process, at the last look */
    struct wire_stats_settled stats;
    bool tells; /* in the log, what was loaded */
    bool out;   /* the job is with the operator */
    /* What the last look led to: the operator's while the job is out. */
    char name[160];
    char why[512];
    uint64_t modules, wall_ns;
};

/* 0 or a negative error of libuv's. */
int settle_init(struct settle *settle, uv_loop_t *loop,
                struct operator_thread *op);
/* TELLS: it logs what it loads. */
void settle_start(struct settle *settle, bool tells) LZ_LOOP_ONLY;
/* Whether JOB, done, was a look. */
bool settle_take(struct settle *settle,
                 const struct operator_job *job) LZ_LOOP_ONLY;

#endif
