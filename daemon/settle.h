/* Hot namespaces: lazycore/settle.h.
 *
 * A timer of the loop has the operator look for them, as often as
 * lazycore/settle_pace.h says. Belongs to the loop's thread.
 */
#ifndef DAEMON_SETTLE_H
#define DAEMON_SETTLE_H

#include <stdint.h>
#include <uv.h>

#include "ctl/wire/message.h"
#include "daemon/operator.h"
#include "lazycore/annotations.h"
#include "lazycore/registry.h"
#include "lazycore/settle_pace.h"

struct settle {
    struct operator_job job;
    uv_timer_t timer;
    struct operator_thread *op;
    struct lz_registry *registry;
    struct lz_settle_pace pace;
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
/* REGISTRY counts the loads. TELLS: it logs what it loads. */
void settle_start(struct settle *settle, struct lz_registry *registry,
                  bool tells) LZ_LOOP_ONLY;
/* Whether JOB, done, was a look. */
bool settle_take(struct settle *settle,
                 const struct operator_job *job) LZ_LOOP_ONLY;

#endif
