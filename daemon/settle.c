/* See settle.h. */
#include "daemon/settle.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/log.h"
#include "daemon/pyhost.h"

static uint64_t
process_cpu_ns(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void
look(struct operator_job *job) LZ_NEEDS_GIL
{
    struct settle *settle =
        (struct settle *)(void *)((char *)job - offsetof(struct settle, job));

    pyhost_settle(settle->name, sizeof(settle->name), settle->why,
                  sizeof(settle->why), &settle->modules, &settle->wall_ns);
}

/* Whether the process has used a tenth of a processor since the last look. A
 * program that ends soon is left alone. */
static bool
is_working(struct settle *settle)
{
    uint64_t now = process_cpu_ns();
    bool result = now > LZ_SETTLE_AFTER_MS * UINT64_C(1000000) &&
                  now - settle->cpu_ns > settle->interval_ms * 100000;

    settle->cpu_ns = now;
    return result;
}

static void
on_timer(uv_timer_t *timer) LZ_LOOP_ONLY
{
    struct settle *settle = timer->data;
    uint64_t pause_ms = LZ_SETTLE_LAST_MS;

    if (settle->out || is_working(settle)) {
        pause_ms = settle->interval_ms;
        if (!settle->out && operator_submit(settle->op, &settle->job) == 0) {
            settle->out = true;
        }
    }
    (void)uv_timer_start(timer, on_timer, pause_ms, 0);
}

int
settle_init(struct settle *settle, uv_loop_t *loop, struct operator_thread *op)
{
    settle->job.run = look;
    (void)snprintf(settle->job.what, sizeof(settle->job.what),
                   "looking for hot namespaces");
    settle->op = op;
    settle->interval_ms = LZ_SETTLE_FIRST_MS;
    settle->timer.data = settle;
    return uv_timer_init(loop, &settle->timer);
}

void
settle_start(struct settle *settle, bool tells)
{
    settle->tells = tells;
    on_timer(&settle->timer);
}

bool
settle_take(struct settle *settle, const struct operator_job *job)
{
    if (job != &settle->job) {
        return false;
    }
    settle->out = false;
    settle->stats.looks++;
    settle->stats.modules += settle->modules;
    if (settle->name[0] != '\0') {
        settle->stats.namespaces++;
    }
    if (settle->name[0] != '\0' && settle->tells) {
        log_line("'%s' is hot: what was pending in it is loaded, %" PRIu64
                 " modules in %.1f ms",
                 settle->name, settle->modules, (double)settle->wall_ns / 1e6);
    }
    if (settle->why[0] != '\0' && settle->tells) {
        log_line("%s", settle->why);
    }
    if (settle->stats.looks % LZ_SETTLE_LOOKS == 0 &&
        settle->interval_ms < LZ_SETTLE_LAST_MS) {
        settle->interval_ms *= 2;
        if (settle->interval_ms > LZ_SETTLE_LAST_MS) {
            settle->interval_ms = LZ_SETTLE_LAST_MS;
        }
    }
    return true;
}
