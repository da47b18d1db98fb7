/* The loop's life, the service's events, and the end of the service.
 *
 * Other threads reach the loop through one uv_async: control_notify,
 * event_post and the operator's done list all end there. Handles are closed
 * only in the loop's thread, which control_thread.c starts and ends.
 */
#include "daemon/control_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/confirm.h"
#include "daemon/handlers.h"
#include "daemon/log.h"
#include "daemon/pyhost.h"
#include "daemon/signals.h"
#include "lazycore/usage.h"

/* --- events ------------------------------------------------------------- */

void
control_event(void *arg, enum lz_event event, const char *name,
              const struct lz_load *load, long pid)
{
    static const enum wire_event_kind kinds[] = {
        [LZ_EVENT_LOAD] = WIRE_EVENT_LOAD,
        [LZ_EVENT_FAIL] = WIRE_EVENT_FAIL,
        [LZ_EVENT_FORK] = WIRE_EVENT_FORK};
    struct control *control = arg;

    if (event == LZ_EVENT_LOAD &&
        !atomic_exchange(&control->learner.loaded, true)) {
        control_notify(control);
    }
    if (!event_wanted(&control->events, kinds[event])) {
        return;
    }
    struct wire_event copy = {
        .event = (int)kinds[event], .name = name, .pid = pid, .uid = -1};

    if (load != NULL) {
        copy.name = load->name;
        copy.parent = load->parent;
        copy.thread = load->thread;
        copy.reason = lz_reason_string(load->reason);
        copy.trigger.file = load->trigger.file;
        copy.trigger.line = load->trigger.line;
        copy.trigger.function = load->trigger.function;
        copy.wall_ns = load->wall_ns;
        copy.wall_self_ns = load->wall_self_ns;
        copy.bytes = load->bytes;
        copy.error = load->error;
    }
    if (event_post(&control->events, &copy)) {
        control_notify(control);
    }
}

void
control_log(struct control *control, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    notice_post(&control->notices, format, arguments);
    va_end(arguments);
    control_notify(control);
}

void
control_post(struct control *control, const struct wire_event *event)
{
    if (event_post(&control->events, event)) {
        (void)uv_async_send(&control->wake);
    }
}

void
control_recount(struct control *control)
{
    unsigned wanted = 0;

    for (struct client *c = control->clients; c != NULL; c = c->next) {
        wanted |= c->closing ? 0 : c->events;
    }
    atomic_store(&control->events.wanted, wanted);
}

static void
take_events(struct control *control) LZ_LOOP_ONLY
{
    uint64_t lost[WIRE_EVENTS];

    control->event = event_take(&control->events, lost);
    for (struct client *c = control->clients; c != NULL; c = c->next) {
        for (unsigned kind = 0; kind < WIRE_EVENTS; kind++) {
            c->lost += (c->events & (1u << kind)) != 0 ? lost[kind] : 0;
        }
    }
}

bool
control_deliver(struct control *control, uint64_t until_ns)
{
    do {
        struct event_item *item;

        if (control->event == NULL) {
            take_events(control);
        }
        item = control->event;
        if (item == NULL) {
            return false;
        }
        control->event = event_next(item);
        for (struct client *c = control->clients, *next; c != NULL; c = next) {
            next = c->next;
            client_deliver(c, event_of(item));
        }
        event_free(item);
    } while (usage_wall_ns() < until_ns);
    return true;
}

/* --- the end ------------------------------------------------------------ */

static void
on_hard_end(uv_timer_t *timer) LZ_LOOP_ONLY
{
    struct control *control = timer->data;

    control->setup.end_hard(control->setup.arg,
                            "the service did not stop in time");
}

static void
on_nudge(uv_timer_t *timer) LZ_LOOP_ONLY
{
    struct control *control = timer->data;

    if (pyhost_is_interrupted()) {
        (void)uv_timer_stop(timer);
        return;
    }
    signals_nudge();
    if (++control->nudges == LZ_NUDGES) {
        uv_timer_set_repeat(timer, LZ_NUDGE_SLOW_MS);
    }
}

void
control_begin_stop(struct control *control, uint64_t timeout_ms)
{
    control->stopping = true;
    (void)uv_timer_start(&control->nudge, on_nudge, LZ_NUDGE_MS, LZ_NUDGE_MS);
    (void)uv_timer_start(&control->hard_end, on_hard_end, timeout_ms, 0);
}

static void
close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

void
control_close_all(struct control *control)
{
    struct wire_error error = {0};

    (void)wire_error_set(&error, WIRE_ERROR_STOPPING,
                         "lazyd has ended before this was done");
    control->closing = true;
    for (struct client *c = control->clients, *next; c != NULL; c = next) {
        next = c->next;
        client_end(c, &error);
    }
    confirm_end(control);
    /* What is left: the loop's own handles and the deadlines of calls that
     * are inside Python for ever. */
    uv_walk(&control->loop, close_handle, NULL);
}

static void
take_signals(struct control *control) LZ_LOOP_ONLY
{
    unsigned signals = signals_take();

    if ((signals & LZ_SIGNAL_STOP) != 0 && !control->stopping) {
        log_line("stopping: SIGTERM");
        control_begin_stop(control, control->setup.stop_timeout_ms);
    }
    if ((signals & LZ_SIGNAL_REOPEN) != 0) {
        control->setup.reopen_log(control->setup.arg);
    }
}

struct operator_job *
control_take_done(struct control *control)
{
    struct operator_job *job = operator_take(control->op);

    if (job == NULL) {
        job = operator_take(control->disk);
    }
    return job != NULL ? job : operator_take(control->reader);
}

void
control_job_done(struct control *control, struct operator_job *job)
{
    if (!memory_take(&control->memory, job) && !learner_take(control, job) &&
        !confirm_take(control, job)) {
        call_done(job);
    }
}

static void
on_wake(uv_async_t *wake) LZ_LOOP_ONLY
{
    struct control *control = wake->data;
    struct operator_job *job;

    take_signals(control);
    if (uv_is_active((const uv_handle_t *)&control->sample_wait) &&
        !memory_is_coming(&control->memory)) {
        client_unpark(control);
    }
    while ((job = control_take_done(control)) != NULL) {
        control_job_done(control, job);
    }
    notice_log(&control->notices);
    learner_wake(control);
    client_schedule(control); /* events may have come */
    if (atomic_exchange(&control->ready, false) &&
        control->setup.ready != NULL) {
        control->setup.ready(control->setup.arg);
    }
    if (atomic_exchange(&control->unpublish, false)) {
        control_take_paths(control);
    }
    if (atomic_load(&control->finish) && !control->closing) {
        (void)control_deliver(control, UINT64_MAX);
        control_close_all(control);
    }
}

/* --- the main thread ---------------------------------------------------- */

static int
init_handles(struct control *control) LZ_UNCHECKED
{
    uv_loop_t *loop = &control->loop;
    int rc = uv_async_init(loop, &control->wake, on_wake);

    if (rc < 0) {
        return rc;
    }
    (void)uv_idle_init(loop, &control->work);
    (void)uv_timer_init(loop, &control->hard_end);
    (void)uv_timer_init(loop, &control->nudge);
    (void)uv_timer_init(loop, &control->guard_timer);
    (void)uv_timer_init(loop, &control->sample_wait);
    (void)uv_timer_init(loop, &control->learner.wait);
    control->learner.wait.data = control;
    (void)uv_timer_init(loop, &control->pressure);
    control->pressure.data = control;
    control->nudge.data = control;
    control->sample_wait.data = control;
    control->wake.data = control;
    control->work.data = control;
    control->hard_end.data = control;
    return watch_room(control);
}

static int
init_listener(struct control *control) LZ_UNCHECKED
{
    int rc;

    control->listen_fd = control->publication.fd;
    control->listener_mark = descriptor_of(control->listen_fd);
    control->publication.fd = -1;
    control->listener.data = control;
    control->retry.data = control;
    (void)uv_timer_init(&control->loop, &control->retry);
    rc = uv_poll_init(&control->loop, &control->listener, control->listen_fd);
    return rc == 0 ? client_listen(control) : rc;
}

int
control_open(const struct control_setup *setup, struct control **ret_control,
             struct lz_error *error)
{
    struct control *control = calloc(1, sizeof(*control));
    int rc;

    if (control == NULL) {
        return lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
    }
    control->setup = *setup;
    if (setup->python_deadline_ms == 0) {
        control->setup.python_deadline_ms = WIRE_LIMIT_PYTHON;
    }
    if (setup->first_request_ms == 0) {
        control->setup.first_request_ms = WIRE_LIMIT_FIRST_REQUEST;
    }
    control->publication.fd = control->listen_fd = -1;
    control->publication.entry.folder_fd = -1;
    control->listener_mark.fd = control->guard.fd = -1;
    control->started_ns = usage_wall_ns();
    control->pid = getpid();
    event_queue_init(&control->events);
    notice_queue_init(&control->notices);
    memory_init(&control->memory, control_notify, control);
    (void)sem_init(&control->bell, 0, 0);
    (void)sem_init(&control->begun, 0, 0);
    (void)sem_init(&control->finished, 0, 0);
    control->op = operator_new(control_notify, control);
    control->disk = operator_new_plain("lazyd-disk", control_notify, control);
    control->reader =
        operator_new_plain("lazyd-reader", control_notify, control);
    rc =
        control->op == NULL || control->disk == NULL || control->reader == NULL
            ? -ENOMEM
            : watch_begin(&control->loop);
    if (rc == 0) {
        rc = watch_loop(control);
        if (rc == 0) {
            rc = shared_init(control);
        }
        if (rc < 0) {
            (void)uv_loop_close(&control->loop);
        }
    }
    if (rc < 0) {
        operator_free(control->reader);
        operator_free(control->disk);
        operator_free(control->op);
        free(control);
        return lz_error_set_errno(error, -rc, "cannot make the control loop");
    }
    rc = init_handles(control);
    if (rc < 0) {
        (void)lz_error_set_errno(error, -rc, "cannot make the control loop");
        goto fail;
    }
    if (setup->socket_path != NULL) {
        if (publish_open(setup->socket_path, setup->group,
                         &control->publication, error) < 0) {
            goto fail;
        }
        rc = init_listener(control);
        if (rc < 0) {
            (void)lz_error_set_errno(error, -rc, "cannot listen on '%s'",
                                     setup->socket_path);
            goto fail;
        }
    }
    *ret_control = control;
    return 0;
fail:
    control_unpublish(control);
    control_finish(control);
    control_free(control);
    return -1;
}

void
control_after_fork(struct control *control)
{
    DIR *fds = opendir("/proc/self/fd");
    const struct dirent *entry;

    if (fds == NULL) {
        return;
    }
    /* What the kernel says is closed, not what the loop, cut off in the
     * middle of something, had noted down. */
    while ((entry = readdir(fds)) != NULL) {
        int fd = (int)strtol(entry->d_name, NULL, 10);

        if (entry->d_name[0] != '.' && fd != dirfd(fds) &&
            publish_is_ours(&control->publication, fd)) {
            (void)close(fd);
        }
    }
    (void)closedir(fds);
    publish_after_fork(&control->publication);
    if (shared_has_loop(control)) {
        (void)close(uv_backend_fd(&control->loop));
    }
}
