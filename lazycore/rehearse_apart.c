/* A rehearsal out of sight: in a thread with a table of descriptors of its
 * own. What the process opens, closes and lists meanwhile is one thing, the
 * pipe and the pidfd of the rehearsal are another.
 */
#include "lazycore/rehearse.h"

#include <Python.h>

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "lazycore/thread.h"

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

/* Until it has ended. Whether there could be such a thread. */
static bool LZ_NEEDS_GIL
run_apart(struct apart *apart)
{
    PyThreadState *state = PyEval_SaveThread();
    pthread_t thread;
    int rc = thread_start(&thread, "lazyd-rehearsal", apart_main, apart);

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
