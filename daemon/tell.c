/* See tell.h. */
#include "daemon/tell.h"

#include <inttypes.h>

#include "daemon/control.h"

void
tell_blocked(struct control *control, const struct lz_load *load)
{
    const char *file = load->trigger.file;

    control_log(control,
                "warning: thread '%s' must not load, but loaded '%s' in "
                "%.1f ms%s, for %s:%d%s%s",
                load->thread, load->name, (double)load->wall_ns / 1e6,
                load->error != NULL ? ", and failed" : "",
                file != NULL ? file : "?", load->trigger.line,
                load->trigger.function != NULL ? ", in " : "",
                load->trigger.function != NULL ? load->trigger.function : "");
}

void
tell_stale(struct control *control, const char *name)
{
    control_log(control,
                "warning: level file: the source of '%s' is not the one that "
                "was read: what is said of it does not count; "
                "--check-levels reads it again",
                name);
}

void
tell_settled(struct control *control, const struct lz_settled *settled)
{
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
