/* See confirm.h.
 *
 * An entry is held by its timer's handle and by its job while that is out.
 */
#include "daemon/confirm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/audit.h"
#include "daemon/control_private.h"
#include "daemon/log.h"
#include "daemon/pyhost.h"

enum { TRY_AGAIN_MS = 1000 };

struct confirm {
    struct operator_job job; /* the first member: confirm_take */
    struct confirm *next;    /* the control's */
    struct control *control;
    uv_timer_t timer;
    char *name;
    uint64_t serial;
    double seconds;
    uid_t uid; /* who asked for the reload */
    pid_t pid;
    struct arena arena; /* of REPLY and ERROR */
    struct wire_reload reply;
    struct lz_error failure;
    int status;
    bool out;  /* the job is the operator's */
    bool gone; /* not wanted any more */
    bool closed;
};

static void
release(struct confirm *entry) LZ_LOOP_ONLY
{
    struct confirm **at = &entry->control->confirms;

    if (entry->out || !entry->closed) {
        return;
    }
    while (*at != NULL && *at != entry) {
        at = &(*at)->next;
    }
    if (*at == entry) {
        *at = entry->next;
    }
    arena_done(&entry->arena);
    lz_error_done(&entry->failure);
    free(entry->name);
    free(entry);
}

static void
on_closed(uv_handle_t *handle) LZ_LOOP_ONLY
{
    struct confirm *entry = handle->data;

    entry->closed = true;
    release(entry);
}

static void
forget(struct confirm *entry) LZ_LOOP_ONLY
{
    entry->gone = true;
    (void)sources_release(entry->control->setup.core->sources, entry->serial);
    if (!uv_is_closing((uv_handle_t *)&entry->timer)) {
        uv_close((uv_handle_t *)&entry->timer, on_closed);
    }
}

/* In the operator's thread. */
static void
roll_back(struct operator_job *job) LZ_NEEDS_GIL
{
    struct confirm *entry = (struct confirm *)(void *)job;

    entry->status = pyhost_rollback(entry->name, entry->serial, &entry->arena,
                                    &entry->reply, &entry->failure);
}

static void
on_time(uv_timer_t *timer) LZ_LOOP_ONLY
{
    struct confirm *entry = timer->data;
    int rc;

    entry->job.run = roll_back;
    (void)snprintf(entry->job.what, sizeof(entry->job.what),
                   "rolling back '%.100s', which nobody confirmed",
                   entry->name);
    rc = operator_submit(entry->control->op, &entry->job);
    entry->out = rc == 0;
    if (rc == -EAGAIN) { /* many wait: so does this one */
        (void)uv_timer_start(timer, on_time, TRY_AGAIN_MS, 0);
    } else if (rc < 0) {
        forget(entry);
    }
}

void
confirm_begin(struct control *control, const struct wire_reload *reload,
              uid_t uid, pid_t pid)
{
    struct confirm *entry = calloc(1, sizeof(*entry));

    if (entry == NULL || (entry->name = strdup(reload->name)) == NULL) {
        free(entry);
        (void)sources_release(control->setup.core->sources,
                              reload->generation);
        log_line("reload of %s: out of memory, it stays unconfirmed",
                 reload->name);
        return;
    }
    entry->control = control;
    entry->serial = reload->generation;
    entry->seconds = reload->confirm;
    entry->uid = uid;
    entry->pid = pid;
    entry->next = control->confirms;
    control->confirms = entry;
    (void)uv_timer_init(&control->loop, &entry->timer);
    entry->timer.data = entry;
    (void)uv_timer_start(&entry->timer, on_time,
                         (uint64_t)(reload->confirm * 1000.0), 0);
}

static struct confirm *
find(struct control *control, uint64_t serial) LZ_LOOP_ONLY
{
    struct confirm *entry = control->confirms;

    while (entry != NULL && (entry->serial != serial || entry->gone)) {
        entry = entry->next;
    }
    return entry;
}

int
confirm_keep(struct control *control, const char *name,
             struct wire_confirm *ret, struct wire_error *error)
{
    uint64_t serial = sources_held(control->setup.core->sources, name);
    struct confirm *entry = serial == 0 ? NULL : find(control, serial);
    char why[256];

    if (entry == NULL) {
        return wire_error_set(error, WIRE_ERROR_INVALID,
                              "no reload of '%.300s' waits to be confirmed",
                              name);
    }
    if (entry->out) {
        bool back =
            operator_abandon(control->op, &entry->job, why, sizeof(why));

        if (!back && operator_ran(control->op, &entry->job)) {
            return wire_error_set(error, WIRE_ERROR_INVALID,
                                  "too late: '%.300s' is being rolled back",
                                  name);
        }
        entry->out = !back;
    }
    ret->name = name;
    ret->left = (double)uv_timer_get_due_in(&entry->timer) / 1e3;
    forget(entry);
    return 0;
}

void
confirm_settle(struct control *control)
{
    for (struct confirm *entry = control->confirms; entry != NULL;
         entry = entry->next) {
        if (!entry->gone && !entry->out &&
            sources_held(control->setup.core->sources, entry->name) !=
                entry->serial) {
            forget(entry);
        }
    }
}

static void
tell(struct confirm *entry) LZ_LOOP_ONLY
{
    struct wire_event event = {.event = WIRE_EVENT_RELOAD,
                               .action = "rollback",
                               .name = entry->name,
                               .pid = entry->pid,
                               .uid = (int64_t)entry->uid};
    char note[96];

    (void)snprintf(note, sizeof(note), ", not confirmed within %.3g s",
                   entry->seconds);
    if (entry->status < 0) {
        audit_line(entry->uid, entry->pid, "rollback %s: %s%s", entry->name,
                   entry->failure.text, note);
        return;
    }
    audit_reload(entry->uid, entry->pid, "rollback", &entry->reply, note);
    event.verdict = entry->reply.verdict;
    event.wall_ns = entry->reply.wall_ns;
    control_post(entry->control, &event);
}

bool
confirm_take(struct control *control, struct operator_job *job)
{
    struct confirm *entry = control->confirms;

    while (entry != NULL && &entry->job != job) {
        entry = entry->next;
    }
    if (entry == NULL) {
        return false;
    }
    entry->out = false;
    if (job->ran) {
        tell(entry);
    }
    if (!entry->gone) {
        forget(entry);
    }
    release(entry);
    return true;
}

void
confirm_end(struct control *control)
{
    for (struct confirm *entry = control->confirms; entry != NULL;
         entry = entry->next) {
        if (!entry->gone) {
            entry->gone = true;
            audit_line(entry->uid, entry->pid,
                       "reload %s: not confirmed before the end", entry->name);
        }
    }
}

void
confirm_done(struct control *control)
{
    struct confirm *entry;

    while ((entry = control->confirms) != NULL) {
        control->confirms = entry->next;
        entry->closed = true;
        entry->out = false;
        release(entry);
    }
}
