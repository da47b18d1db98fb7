/* The loop where the kernel keeps one table of descriptors for all threads.
 *
 * A service that closes what is not its own closes lazyd's descriptors then,
 * and their numbers become its files. So before each turn the loop makes sure
 * that they are still its own, and it never waits for longer than a moment.
 * Once they are not, it goes dark: the socket's path goes, nothing is closed,
 * written or read any more, and what a thread can do without a descriptor it
 * goes on doing, which is to see the service to its end. The loop's thread,
 * but for what says otherwise.
 */
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "daemon/control_private.h"
#include "daemon/log.h"
#include "daemon/pyhost.h"
#include "daemon/signals.h"
#include "lazycore/usage.h"

enum { LZ_GUARD_MS = 100, LZ_DARK_MS = 20 };

/* Whether the loop's epoll, if it still is that, watches FD for EVENTS: to set
 * it to what it is works for the very file that was registered. */
static bool
watches(struct control *control, int fd, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    return epoll_ctl(uv_backend_fd(&control->loop), EPOLL_CTL_MOD, fd,
                     &event) == 0;
}

int
shared_init(struct control *control)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int rc = fd < 0 ? -errno : watch_reserve(control, fd);

    if (rc < 0 && fd >= 0) {
        (void)close(fd);
    }
    control->guard = descriptor_of(rc < 0 ? -1 : fd);
    return rc;
}

void
shared_done(struct control *control)
{
    descriptors_close(&control->guard.fd);
}

bool
shared_has_loop(struct control *control)
{
    return descriptor_holds(&control->guard) &&
           watches(control, control->guard.fd, 0);
}

bool
shared_may_ring(struct control *control)
{
    return control->apart ||
           (shared_has_loop(control) &&
            watches(control, control->loop.async_io_watcher.fd, EPOLLIN));
}

static bool
has_all(struct control *control) LZ_LOOP_ONLY
{
    if (!shared_may_ring(control) ||
        (control->listener_mark.fd >= 0 &&
         !descriptor_holds(&control->listener_mark))) {
        return false;
    }
    for (const struct client *c = control->clients; c != NULL; c = c->next) {
        if (!c->closing && !descriptor_holds(&c->mark)) {
            return false;
        }
    }
    return true;
}

/* --- in the dark -------------------------------------------------------- */

static void
await_bell(struct control *control)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LZ_DARK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)sem_clockwait(&control->bell, CLOCK_MONOTONIC, &until);
}

static void
take_flags(struct control *control) LZ_LOOP_ONLY
{
    if (atomic_exchange(&control->ready, false) &&
        control->setup.ready != NULL) {
        control->setup.ready(control->setup.arg);
    }
    if (atomic_exchange(&control->unpublish, false)) {
        control_take_paths(control);
    }
    notice_log(&control->notices);
}

/* Until the main thread says that this is the end. */
static void
stay_dark(struct control *control) LZ_LOOP_ONLY
{
    uint64_t hard_end_ns = 0;

    while (!atomic_load(&control->finish)) {
        unsigned signals = signals_take();

        if ((signals & LZ_SIGNAL_STOP) != 0 && !control->stopping) {
            log_line("stopping: SIGTERM");
            control->stopping = true;
        }
        if (control->stopping && hard_end_ns == 0) {
            hard_end_ns =
                usage_wall_ns() + control->setup.stop_timeout_ms * 1000000u;
        }
        if ((signals & LZ_SIGNAL_REOPEN) != 0) {
            control->setup.reopen_log(control->setup.arg);
        }
        if (hard_end_ns != 0 && usage_wall_ns() >= hard_end_ns) {
            control->setup.end_hard(control->setup.arg,
                                    "the service did not stop in time");
        }
        if (control->stopping && !pyhost_is_interrupted()) {
            signals_nudge();
        }
        take_flags(control);
        await_bell(control);
    }
    take_flags(control);
}

static void
go_dark(struct control *control) LZ_LOOP_ONLY
{
    control->dark = true;
    control_stop_bell(control);
    control_take_socket(control);
    if (control->setup.socket_path != NULL) {
        log_line("the service has closed descriptors of lazyd's, which the "
                 "kernel keeps in one table with its own: lazyctl finds "
                 "nobody from now on");
    }
    stay_dark(control);
}

/* --- the loop ----------------------------------------------------------- */

static void
on_guard(uv_timer_t *timer) LZ_LOOP_ONLY
{
    (void)timer; /* the turn ends, and they are looked at */
}

void
shared_run(struct control *control)
{
    uv_timer_t *timer = &control->guard_timer;

    (void)uv_timer_start(timer, on_guard, LZ_GUARD_MS, LZ_GUARD_MS);
    uv_unref((uv_handle_t *)timer);
    while (uv_loop_alive(&control->loop) != 0) {
        if (!has_all(control)) {
            go_dark(control);
            return;
        }
        (void)uv_run(&control->loop, UV_RUN_ONCE);
    }
}
