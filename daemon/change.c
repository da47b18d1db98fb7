/* What the service changes by itself: logged and posted like what clients
 * change. Any thread of the service's.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/audit.h"
#include "daemon/control_private.h"

static bool
is(const struct lz_change *change, const char *what)
{
    return strcmp(change->what, what) == 0;
}

static void
log_change(struct control *control, const struct lz_change *change)
{
    char old[AUDIT_HASH_SIZE], new[AUDIT_HASH_SIZE], rest[160] = "";
    char pause[48] = "";

    if (change->verdict != NULL) {
        if (change->pause_ns > 0) {
            (void)snprintf(pause, sizeof(pause), ", paused %" PRIu64 " us",
                           change->pause_ns / 1000);
        } else if (is(change, "importlib.reload")) {
            (void)snprintf(pause, sizeof(pause), ", in no single step");
        }
        (void)snprintf(rest, sizeof(rest), ": %s, old %s, new %s%s%s",
                       change->verdict, audit_hash(change->old_hash, old),
                       audit_hash(change->new_hash, new), pause,
                       change->together != NULL ? ", together with " : "");
    } else if (change->value != NULL) {
        (void)snprintf(rest, sizeof(rest), ": %s", change->value);
    }
    control_log(control, "service: uid %ld pid %ld thread '%s': %s%s%s %s%s%s",
                (long)geteuid(), (long)getpid(), change->thread, change->what,
                change->kind != NULL ? " " : "",
                change->kind != NULL ? change->kind : "", change->subject,
                rest, change->together != NULL ? change->together : "");
}

/* Of a change that clients could have made, too. */
static bool
event_of_change(const struct lz_change *change, struct wire_event *ret)
{
    *ret = (struct wire_event){.event = WIRE_EVENT_IGNORE,
                               .thread = change->thread,
                               .pid = getpid(),
                               .uid = (int64_t)geteuid()};
    if (change->verdict != NULL) {
        ret->event = WIRE_EVENT_RELOAD;
        ret->action = is(change, "rollback") ? "rollback" : NULL;
        ret->name = change->subject;
        ret->verdict = change->verdict;
        ret->wall_ns = change->wall_ns;
    } else if (change->kind != NULL) {
        ret->action = is(change, "ignore.add") ? "add" : "remove";
        ret->kind = change->kind;
        ret->value = change->subject;
    } else if (is(change, "level.set")) {
        ret->action = "level";
        ret->name = change->subject;
        ret->value = change->value;
    } else {
        return false;
    }
    return true;
}

void
control_change(struct control *control, const struct lz_change *change)
{
    struct wire_event event;

    if (event_of_change(change, &event)) {
        (void)event_post(&control->events, &event);
    }
    log_change(control, change); /* wakes the loop */
}
