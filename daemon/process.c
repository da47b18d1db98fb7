/* Exit functions and fork handlers.
 *
 * process_finish runs at the end of Py_FinalizeEx (which every way out that
 * python3 has comes by) and again, without effect, at exit().
 */
#include "daemon/process.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/atfork.h"
#include "daemon/control.h"
#include "daemon/crash.h"
#include "daemon/descriptors.h"
#include "daemon/detach.h"
#include "daemon/log.h"
#include "daemon/logger.h"
#include "daemon/pidfile.h"
#include "daemon/signals.h"
#include "lazycore/core.h"

static struct {
    struct process parts;
    pid_t owner;
    atomic_flag finished;
    bool given_up; /* in a child: its hooks have run */
} state = {.finished = ATOMIC_FLAG_INIT};

static void
before_fork(void)
{
    if (getpid() == state.owner) {
        core_before_fork(state.parts.core);
    }
}

static void
after_fork_parent(void)
{
    if (getpid() == state.owner) {
        core_after_fork_parent(state.parts.core);
    }
}

/* Any lock but the core's may be held for ever. A child's own children come
 * here too, with nothing left to do. */
void
process_after_fork(void)
{
    core_after_fork(state.parts.core);
    if (state.given_up) {
        return;
    }
    state.given_up = true;
    signals_after_fork();
    crash_after_fork();
    if (!descriptors_are_parted()) { /* else it never had them */
        control_after_fork(state.parts.control);
    }
    pidfile_forget(state.parts.pidfile);
    detach_close(state.parts.detach);
    logger_close(state.parts.logger);
}

int
process_install(const struct process *process)
{
    state.parts = *process;
    state.owner = getpid();
    if (atexit(process_finish) != 0) {
        return -ENOMEM;
    }
    return -atfork_install(before_fork, after_fork_parent, process_after_fork);
}

bool
process_is_child(void)
{
    return state.owner != 0 && getpid() != state.owner;
}

void
process_finish(void)
{
    if (getpid() != state.owner || atomic_flag_test_and_set(&state.finished)) {
        return;
    }
    /* First the paths, so that who waits for the end of its connection finds
     * them gone. */
    control_unpublish(state.parts.control);
    control_finish(state.parts.control);
}

void
process_end_hard(const char *why)
{
    log_line("%s: ended hard", why);
    if (!atomic_flag_test_and_set(&state.finished)) {
        control_unpublish(state.parts.control);
    }
    crash_alone();
    _exit(LZ_EXIT_HARD);
}
