/* See tell.h. */
#include "daemon/tell.h"

#include <inttypes.h>

#include "daemon/control.h"

static struct control *
control_of(void *arg)
{
    return ((const struct tell *)arg)->control;
}

static void
on_event(void *arg, enum lz_event event, const char *name,
         const struct lz_load *load, long pid)
{
    control_event(control_of(arg), event, name, load, pid);
}

static void
on_ready(void *arg)
{
    control_ready(control_of(arg));
}

static void
on_warmed(void *arg, const char *name, const char *error)
{
    struct tell *tell = arg;

    if (error != NULL) {
        tell->warm_failed++;
        control_log(tell->control, "warm: '%s' was not loaded: %s", name,
                    error);
    }
}

static void
on_warm_end(void *arg, uint64_t wall_ns)
{
    const struct tell *tell = arg;

    control_log(tell->control, "warm: %zu of %zu modules, in %.1f ms",
                tell->warm_count - tell->warm_failed, tell->warm_count,
                (double)wall_ns / 1e6);
}

static void
on_changed(void *arg, const struct lz_change *change)
{
    control_change(control_of(arg), change);
}

/* LOAD was on a thread that must not load. */
static void
on_blocked(void *arg, const struct lz_load *load)
{
    const char *file = load->trigger.file;

    control_log(control_of(arg),
                "warning: thread '%s' must not load, but loaded '%s' in "
                "%.1f ms%s, for %s:%d%s%s",
                load->thread, load->name, (double)load->wall_ns / 1e6,
                load->error != NULL ? ", and failed" : "",
                file != NULL ? file : "?", load->trigger.line,
                load->trigger.function != NULL ? ", in " : "",
                load->trigger.function != NULL ? load->trigger.function : "");
}

static void
on_stale(void *arg, const char *name)
{
    control_log(control_of(arg),
                "warning: level file: the source of '%s' is not the one that "
                "was read: what is said of it does not count; "
                "--check-levels reads it again",
                name);
}

static void
on_settled(void *arg, const struct lz_settled *settled)
{
    struct control *control = control_of(arg);

    if (settled->name != NULL) {
        control_log(control,
                    "'%s' is hot: what was pending in it is loaded, %" PRIu64
                    " modules in %.1f ms",
                    settled->name, settled->modules,
                    (double)settled->wall_ns / 1e6);
    }
    if (settled->why[0] != '\0') {
        control_log(control, "%s", settled->why);
    }
}

void
tell_listen(struct tell *tell, struct lz_listener *listener)
{
    *listener =
        (struct lz_listener){.event = on_event,
                             .ready = on_ready,
                             .warmed = on_warmed,
                             .warm_end = on_warm_end,
                             .blocked = on_blocked,
                             .changed = on_changed,
                             .stale = on_stale,
                             .settled = tell->settled ? on_settled : NULL,
                             .arg = tell};
}
