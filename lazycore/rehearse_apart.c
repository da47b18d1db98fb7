/* A rehearsal out of sight: in a thread with a table of descriptors of its
 * own. What the process opens, closes and lists meanwhile is one thing, the
 * pipe and the pidfd of the rehearsal are another.
 */
#include "lazycore/rehearse.h"

#include <Python.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2u
#endif

struct apart {
    const struct lz_rehearsal *rehearsal;
    struct lz_rehearsal_outcome outcome;
    struct lz_error error;
    int status;
};

/* None is needed here, nor in the child, which closes them all. */
static void
part_descriptors(void)
{
    if (close_range(0, ~0u, CLOSE_RANGE_UNSHARE) < 0 &&
        unshare(CLONE_FILES) == 0) {
        (void)close_range(0, ~0u, 0);
    }
}

static void *
apart_main(void *arg) LZ_UNCHECKED
{
    struct apart *apart = arg;
    PyGILState_STATE state;

    part_descriptors();
    state = PyGILState_Ensure();
    apart->status =
        rehearse_here(apart->rehearsal, &apart->outcome, &apart->error);
    PyGILState_Release(state);
    return NULL;
}

/* 0 or an error number. Signals are for the process's own threads. */
static int
start_thread(pthread_t *ret_thread, struct apart *apart)
{
    static const int faults[] = {SIGSEGV, SIGBUS,  SIGFPE,
                                 SIGILL,  SIGABRT, SIGTRAP};
    sigset_t blocked, before;
    int rc;

    (void)sigfillset(&blocked);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        (void)sigdelset(&blocked, faults[i]);
    }
    (void)pthread_sigmask(SIG_SETMASK, &blocked, &before);
    rc = pthread_create(ret_thread, NULL, apart_main, apart);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

/* Until it has ended. Whether there could be such a thread. */
static bool LZ_NEEDS_GIL
run_apart(struct apart *apart)
{
    PyThreadState *state = PyEval_SaveThread();
    pthread_t thread;
    int rc = start_thread(&thread, apart);

    if (rc == 0) {
        (void)pthread_join(thread, NULL);
    }
    PyEval_RestoreThread(state);
    return rc == 0;
}

int
lazycore_rehearse(const struct lz_rehearsal *rehearsal,
                  struct lz_rehearsal_outcome *ret_outcome,
                  struct lz_error *error)
{
    struct apart apart = {.rehearsal = rehearsal, .status = -1};

    if (!rehearsal->apart || !run_apart(&apart)) {
        return rehearse_here(rehearsal, ret_outcome, error);
    }
    if (apart.status == 0) {
        *ret_outcome = apart.outcome;
    } else {
        *error = apart.error;
    }
    return apart.status;
}
