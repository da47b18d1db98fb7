/* Handlers and the flags they set.
 *
 * The handlers run in the main thread: the kernel prefers it, and one that
 * runs elsewhere passes the signal on. Everything they touch is atomic.
 */
#include "daemon/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "daemon/pyhost.h"

static struct {
    pthread_t main;
    pid_t owner;
    void (*notify)(void *arg);
    void *arg;
    atomic_uint pending;
    bool installed;
} state;

static void
tell(unsigned what)
{
    (void)atomic_fetch_or(&state.pending, what);
    state.notify(state.arg);
}

/* A forked child that has not come to signals_after_fork yet: it gets what
 * it would have got a moment later. */
static bool
is_childs(int number)
{
    if (getpid() == state.owner) {
        return false;
    }
    (void)signal(number, SIG_DFL);
    (void)kill(getpid(), number);
    return true;
}

static void
on_term(int number)
{
    int saved = errno;

    if (is_childs(number)) {
        return;
    }
    if (!pthread_equal(pthread_self(), state.main)) {
        /* Only this wakes the main thread out of a system call. */
        (void)pthread_kill(state.main, number);
    } else {
        tell(LZ_SIGNAL_STOP);
        pyhost_interrupt();
    }
    errno = saved;
}

static void
on_hup(int number)
{
    int saved = errno;

    if (!is_childs(number)) {
        tell(LZ_SIGNAL_REOPEN);
    }
    errno = saved;
}

/* SIGTERM interrupts system calls, as it does under Python; SIGHUP is none
 * of the service's business and does not. */
static int
install(int number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    (void)sigemptyset(&action.sa_mask);
    return sigaction(number, &action, NULL) < 0 ? -errno : 0;
}

static bool
has_handler(int number, void (*handler)(int))
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 &&
           action.sa_handler == handler;
}

int
signals_install(void (*notify)(void *arg), void *arg, bool reopen)
{
    int rc = 0;

    state.main = pthread_self();
    state.owner = getpid();
    state.notify = notify;
    state.arg = arg;
    state.installed = true;
    if (!has_handler(SIGTERM, SIG_IGN)) {
        rc = install(SIGTERM, on_term, 0);
    }
    if (rc == 0 && reopen && !has_handler(SIGHUP, SIG_IGN)) {
        rc = install(SIGHUP, on_hup, SA_RESTART);
    }
    return rc;
}

unsigned
signals_take(void)
{
    return atomic_exchange(&state.pending, 0u);
}

void
signals_send_stop(void)
{
    if (state.installed && has_handler(SIGTERM, SIG_DFL)) {
        (void)install(SIGTERM, on_term, 0);
    }
    (void)kill(getpid(), SIGTERM);
}

void
signals_nudge(void)
{
    const int handled = SIGTERM; /* so it ends no thread */

    if (state.installed && has_handler(handled, on_term)) {
        (void)pthread_kill(state.main, handled);
    }
}

void
signals_after_fork(void)
{
    if (has_handler(SIGTERM, on_term)) {
        (void)install(SIGTERM, SIG_DFL, 0);
    }
    if (has_handler(SIGHUP, on_hup)) {
        (void)install(SIGHUP, SIG_DFL, 0);
    }
}
