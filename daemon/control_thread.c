/* The threads of the control server: the loop's, and the one that rings it.
 *
 * An event loop is woken through a descriptor, and a number that any thread
 * writes to may by then be a file of the service. So other threads post a
 * semaphore, on which a thread waits that has lazyd's descriptors. What
 * happens in the loop is control.c's.
 */
#include "daemon/control_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/confirm.h"
#include "daemon/crash.h"
#include "daemon/descriptors.h"
#include "daemon/log.h"
#include "daemon/pidfile.h"
#include "daemon/pyhost.h"
#include "lazycore/thread.h"

/* --- the bell ----------------------------------------------------------- */

void
control_notify(void *arg)
{
    struct control *control = arg;

    (void)sem_post(&control->bell);
}

static void
await(sem_t *semaphore)
{
    while (sem_wait(semaphore) < 0 && errno == EINTR) {
    }
}

static void *
bell_main(void *arg)
{
    struct control *control = arg;

    descriptors_join();
    for (;;) {
        await(&control->bell);
        while (sem_trywait(&control->bell) == 0) {
        }
        crash_tell();
        if (!atomic_load(&control->ring)) {
            return NULL;
        }
        if (shared_may_ring(control)) {
            (void)uv_async_send(&control->wake);
        }
    }
}

void
control_stop_bell(struct control *control)
{
    atomic_store(&control->ring, false);
    control_notify(control);
    (void)pthread_join(control->bell_thread, NULL);
}

/* --- the loop's thread -------------------------------------------------- */

/* Its descriptors are parted before any other thread that shares them is. */
static int
begin(struct control *control) LZ_LOOP_ONLY
{
    int rc;

    control->apart = descriptors_part();
    atomic_store(&control->ring, true);
    rc = thread_start(&control->bell_thread, "lazyd-bell", bell_main, control);
    if (rc < 0) {
        return rc;
    }
    if (control->setup.socket_path != NULL) {
        rc = operator_start(control->disk);
    }
    if (rc == 0 && control->setup.socket_path != NULL) {
        rc = operator_start(control->reader);
    }
    if (rc < 0) {
        control_stop_bell(control);
    }
    return rc;
}

static void
close_loop(struct control *control) LZ_LOOP_ONLY
{
    shared_done(control);
    (void)uv_loop_close(&control->loop);
    descriptors_close(&control->listen_fd);
}

static void *
control_main(void *arg) LZ_UNCHECKED
{
    struct control *control = arg;
    bool stays;

    control->begin_status = begin(control);
    (void)sem_post(&control->begun);
    if (control->begin_status < 0) {
        return NULL;
    }
    if (control->setup.socket_path != NULL) {
        memory_ask(&control->memory, control->reader, control->op);
    }
    if (control->apart) {
        (void)uv_run(&control->loop, UV_RUN_DEFAULT);
    } else {
        shared_run(control);
    }
    if (!control->dark) {
        control_stop_bell(control);
        close_loop(control);
    }
    stays = control->apart && control->setup.keep_connections;
    (void)sem_post(&control->finished);
    if (!stays) {
        return NULL;
    }
    for (;;) { /* the connections end with their last holder */
        (void)pause();
    }
}

/* --- the main thread ---------------------------------------------------- */

static void
await_operator(void *arg) LZ_UNCHECKED
{
    operator_await(arg);
}

int
control_start(struct control *control, struct lz_error *error)
{
    int rc = operator_start(control->op);

    if (rc == 0) {
        pyhost_without_gil(await_operator, control->op);
        rc = thread_start(&control->thread, "lazyd-control", control_main,
                          control);
    }
    if (rc == 0) {
        await(&control->begun);
        rc = control->begin_status;
        if (rc < 0) {
            (void)pthread_join(control->thread, NULL);
        }
    }
    if (rc < 0) {
        return lz_error_set_errno(error, -rc, "cannot start a thread");
    }
    control->running = true;
    return 0;
}

void
control_ready(struct control *control)
{
    atomic_store(&control->ready, true);
    control_notify(control);
}

/* The service may have become a user who may not remove them. */
void
control_take_socket(struct control *control)
{
    int rc = publish_close(&control->publication);

    if (rc < 0) {
        log_line("cannot remove socket '%s', which stays with nobody behind "
                 "it: %s",
                 control->setup.socket_path, strerrordesc_np(-rc));
    }
}

void
control_take_paths(struct control *control)
{
    int rc;

    control_take_socket(control);
    rc = pidfile_remove(control->setup.pidfile);
    if (rc < 0) {
        log_line("cannot remove the pidfile, which is empty now: %s",
                 strerrordesc_np(-rc));
    }
    if (control->setup.unpublished != NULL) {
        control->setup.unpublished(control->setup.arg);
    }
}

void
control_unpublish(struct control *control)
{
    if (control->running && !control->ended &&
        !pthread_equal(pthread_self(), control->thread)) {
        atomic_store(&control->unpublish, true);
        control_notify(control);
    } else {
        control_take_paths(control);
    }
}

static void
finish_loop(struct control *control) LZ_UNCHECKED
{
    if (!control->running) {
        control_close_all(control);
        (void)uv_run(&control->loop, UV_RUN_DEFAULT);
        close_loop(control);
        return;
    }
    control_notify(control);
    await(&control->finished);
    if (control->apart && control->setup.keep_connections) {
        (void)pthread_detach(control->thread);
    } else {
        (void)pthread_join(control->thread, NULL);
    }
    /* What is left of the loop cannot be closed. */
    control->abandoned |= control->dark;
}

void
control_finish(struct control *control)
{
    atomic_store(&control->finish, true);
    control->abandoned = !operator_stop(control->op);
    control->abandoned |= !operator_stop(control->disk);
    control->abandoned |= !operator_stop(control->reader);
    if (!control->ended) {
        finish_loop(control);
        control->ended = true;
    }
}

void
control_free(struct control *control) LZ_UNCHECKED
{
    struct operator_job *job;

    if (control == NULL || control->abandoned) {
        return;
    }
    /* Jobs that came back after the loop had ended. */
    while ((job = control_take_done(control)) != NULL) {
        control_job_done(control, job);
    }
    operator_free(control->reader);
    operator_free(control->disk);
    operator_free(control->op);
    confirm_done(control);
    while (control->event != NULL) {
        struct event_item *next = event_next(control->event);

        event_free(control->event);
        control->event = next;
    }
    event_queue_done(&control->events);
    notice_queue_done(&control->notices);
    memory_done(&control->memory);
    (void)sem_destroy(&control->bell);
    (void)sem_destroy(&control->begun);
    (void)sem_destroy(&control->finished);
    free(control);
}
