/* See settle.h. */
#include "daemon/settle.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/pyhost.h"
#include "lazycore/usage.h"

static void
look(struct operator_job *job) LZ_NEEDS_GIL
{
    struct settle *settle =
        (struct settle *)(void *)((char *)job - offsetof(struct settle, job));

    pyhost_settle(settle->name, sizeof(settle->name), settle->why,
                  sizeof(settle->why), &settle->modules, &settle->wall_ns);
}

static void
on_timer(uv_timer_t *timer) LZ_LOOP_ONLY
{
    struct settle *settle = timer->data;

    if (!settle->out &&
        settle_pace_due(&settle->pace, usage_process_cpu_ns(),
                        registry_loads(settle->registry)) &&
        operator_submit(settle->op, &settle->job) == 0) {
        settle->out = true;
    }
    (void)uv_timer_start(timer, on_timer, settle_pace_wait_ms(&settle->pace),
                         0);
}

int
settle_init(struct settle *settle, uv_loop_t *loop, struct operator_thread *op)
{
    settle->job.run = look;
    (void)snprintf(settle->job.what, sizeof(settle->job.what),
                   "looking for hot namespaces");
    settle->op = op;
    settle->timer.data = settle;
    return uv_timer_init(loop, &settle->timer);
}

void
settle_start(struct settle *settle, struct lz_registry *registry, bool tells)
{
    settle->registry = registry;
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
    settle_pace_looked(&settle->pace, registry_loads(settle->registry));
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
    return true;
}
