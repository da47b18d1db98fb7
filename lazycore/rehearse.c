/* The fork of a rehearsal, and the wait for its end: see rehearse.h.
 *
 * Nothing of the service's code runs between the import lock's acquisition
 * and its release in the parent. The rest of the wait is without the GIL.
 */
#include "lazycore/rehearse.h"

#include <Python.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lazycore/engine.h"

enum {
    TRIES = 8,
    ALIVE_MS = 150, /* for the first try; then twice as long, and so on */
    ALIVE_DOUBLINGS = 4,
    CANCEL_MS = 250,
    REPORT_FD = 700 /* from there on: where nobody's closing loop comes by */
};

struct child {
    pid_t pid;
    int pidfd, pipe;
    uint64_t forked_ns;
    bool alive; /* has said so */
    bool full;
};

void
lz_rehearsal_outcome_done(struct lz_rehearsal_outcome *outcome)
{
    if (outcome != NULL) {
        free(outcome->report);
        outcome->report = NULL;
        outcome->size = 0;
    }
}

/* --- the child ------------------------------------------------------------
 */

/* gc.freeze(): a collection that the code asks for must not walk the whole
 * heap, and so copy it. */
static void LZ_NEEDS_GIL
freeze_heap(void)
{
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *done =
        gc == NULL ? NULL : PyObject_CallMethod(gc, "freeze", NULL);

    PyErr_Clear();
    Py_XDECREF(done);
    Py_XDECREF(gc);
}

static void LZ_NEEDS_GIL
child_main(const struct lz_rehearsal *rehearsal, int fd, int parent)
{
    struct lz_rehearsal_limits limits = {
        .cpu_seconds = rehearsal->deadline_ms / 1000 + 1,
        .memory_bytes = rehearsal->memory_bytes};
    struct lz_report report;

    rehearse_isolate(fd, parent, &limits);
    if (write(fd, "A", 1) != 1) {
        _exit(1);
    }
    if (rehearsal->forked != NULL) {
        rehearsal->forked();
    }
    core_after_fork(rehearsal->core);
    rehearsal->core->settles = false;
    (void)PyGC_Disable();
    PyOS_AfterFork_Child();
    freeze_heap();
    report_open(&report, fd);
    rehearsal->body(&report, rehearsal->arg);
    report.size = 0;
    (void)report_end_item(&report); /* an empty one: that is all */
    /* No atexit functions, no buffers: those are the service's. */
    _exit(0);
}

/* --- the fork -------------------------------------------------------------
 */

/* importlib's global lock, which is held for moments only. PyOS_BeforeFork
 * takes it too, but calls the service's handlers. */
static int LZ_NEEDS_GIL
import_lock(const char *function, struct lz_error *error)
{
    PyObject *imp = PyImport_ImportModule("_imp");
    PyObject *done =
        imp == NULL ? NULL : PyObject_CallMethod(imp, function, NULL);

    Py_XDECREF(imp);
    if (done == NULL) {
        lz_error_from_python(error, LZ_ERROR_INTERNAL);
        return -1;
    }
    Py_DECREF(done);
    return 0;
}

/* As the C library's fork(), but without its handlers and a signal at the
 * end. The child's thread learns its id where the library keeps it. */
static pid_t
clone_quietly(int *ret_pidfd)
{
    int *tid = NULL;
    unsigned long flags = CLONE_PIDFD;

    if (prctl(PR_GET_TID_ADDRESS, &tid) == 0 && tid != NULL) {
        flags |= CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
    }
    return (pid_t)syscall(SYS_clone, flags, NULL, ret_pidfd, tid, 0);
}

/* A pipe whose ends have numbers that no open descriptor has had. */
static int
open_pipe(int fds[2])
{
    int raw[2];

    if (pipe2(raw, O_CLOEXEC) < 0) {
        return -errno;
    }
    fds[0] = raw[0];
    fds[1] = fcntl(raw[1], F_DUPFD_CLOEXEC, REPORT_FD);
    if (fds[1] < 0) {
        fds[1] = raw[1];
    } else {
        (void)close(raw[1]);
    }
    (void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
    return 0;
}

/* 0 with *RET_CHILD, or -1 with ERROR. */
static int LZ_NEEDS_GIL
fork_child(const struct lz_rehearsal *rehearsal, struct child *ret_child,
           uint64_t *ret_pause_ns, struct lz_error *error)
{
    int fds[2] = {-1, -1};
    int parent = getpid();
    int rc = open_pipe(fds);
    uint64_t begin;
    sigset_t all, before;

    if (rc < 0) {
        return lz_error_set_errno(error, -rc, "cannot make a pipe");
    }
    if (import_lock("acquire_lock", error) < 0) {
        (void)close(fds[0]);
        (void)close(fds[1]);
        return -1;
    }
    *ret_child = (struct child){.pipe = fds[0], .pidfd = -1};
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    begin = usage_wall_ns();
    core_before_fork(rehearsal->core);
    ret_child->pid = clone_quietly(&ret_child->pidfd);
    if (ret_child->pid == 0) {
        child_main(rehearsal, fds[1], parent);
    }
    rc = ret_child->pid < 0 ? -errno : 0;
    core_after_fork_parent(rehearsal->core);
    ret_child->forked_ns = usage_wall_ns();
    *ret_pause_ns = ret_child->forked_ns - begin;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)close(fds[1]);
    if (import_lock("release_lock", error) < 0) {
        PyErr_Clear();
    }
    if (rc < 0) {
        (void)close(fds[0]);
        return lz_error_set_errno(error, -rc,
                                  "cannot fork the service for a rehearsal");
    }
    return 0;
}

/* --- the wait, without the GIL --------------------------------------------
 */

/* What is in the pipe now. */
static void
drain(struct child *child, struct lz_rehearsal_outcome *outcome)
{
    char data[16384];
    ssize_t n;

    while (!child->full && (n = read(child->pipe, data, sizeof(data))) > 0) {
        const char *from = data;
        void *grown;

        if (!child->alive) {
            child->alive = true;
            from++;
            n--;
        }
        if ((size_t)n > LZ_REPORT_MAX - outcome->size) {
            child->full = true;
            return;
        }
        grown = realloc(outcome->report, outcome->size + (size_t)n + 1);
        if (grown == NULL) {
            child->full = true;
            return;
        }
        outcome->report = grown;
        memcpy((char *)grown + outcome->size, from, (size_t)n);
        outcome->size += (size_t)n;
    }
}

static int
left_ms(uint64_t until_ns)
{
    uint64_t now = usage_wall_ns();

    return now >= until_ns ? 0 : (int)((until_ns - now) / 1000000u) + 1;
}

/* Until the child ends (true), or must be ended: *RET_END says why. */
static bool
await(const struct lz_rehearsal *rehearsal, struct child *child, unsigned try,
      struct lz_rehearsal_outcome *outcome, enum lz_rehearsal_end *ret_end)
{
    uint64_t end_ns =
        child->forked_ns + rehearsal->deadline_ms * UINT64_C(1000000);
    uint64_t alive_ns = child->forked_ns +
                        (UINT64_C(1000000) * ALIVE_MS
                         << (try < ALIVE_DOUBLINGS ? try : ALIVE_DOUBLINGS));
    struct pollfd fds[] = {{.fd = child->pidfd, .events = POLLIN},
                           {.fd = child->pipe, .events = POLLIN}};

    for (;;) {
        bool waits_for_life = !child->alive && alive_ns < end_ns;
        int left = left_ms(waits_for_life ? alive_ns : end_ns);
        bool in_part = rehearsal->cancelled != NULL && left > CANCEL_MS;
        int ready = poll(fds, 2, in_part ? CANCEL_MS : left);

        if (ready < 0) {
            continue;
        }
        drain(child, outcome);
        if (fds[0].revents != 0) {
            return true;
        }
        if (rehearsal->cancelled != NULL &&
            atomic_load(rehearsal->cancelled)) {
            *ret_end = LZ_REHEARSAL_CANCELLED;
            return false;
        }
        if (child->full) {
            *ret_end = LZ_REHEARSAL_TOO_LONG;
            return false;
        }
        if (fds[1].revents != 0 && (fds[1].revents & POLLIN) == 0) {
            fds[1].fd = -1; /* closed at its other end */
        }
        if (in_part) {
            continue;
        }
        if (ready == 0 && !child->alive && waits_for_life) {
            *ret_end = LZ_REHEARSAL_STUCK;
            return false;
        }
        if (ready == 0 && !waits_for_life) {
            *ret_end = LZ_REHEARSAL_DEADLINE;
            return false;
        }
    }
}

/* What it started goes with it; its id is ours until it is reaped. */
static void
end_child(struct child *child, int *ret_status)
{
    (void)kill(-child->pid, SIGKILL);
    (void)kill(child->pid, SIGKILL);
    while (waitpid(child->pid, ret_status, (int)__WCLONE) < 0 &&
           errno == EINTR) {
    }
    (void)close(child->pidfd);
    (void)close(child->pipe);
}

/* Whether the last item is the empty one, which is taken away. */
static bool
is_complete(struct lz_rehearsal_outcome *outcome)
{
    struct lz_report_reader reader;
    bool empty = false;

    report_read(&reader, outcome->report, outcome->size);
    while (report_next_item(&reader)) {
        empty = reader.at == reader.item_end;
    }
    if (empty && reader.item == reader.end) {
        outcome->size -= sizeof(uint64_t);
        return true;
    }
    return false;
}

static void
conclude(const struct lz_rehearsal *rehearsal, int status,
         struct lz_rehearsal_outcome *outcome)
{
    uint64_t deadline_ns = rehearsal->deadline_ms * UINT64_C(1000000);

    if (WIFEXITED(status)) {
        outcome->status = WEXITSTATUS(status);
        outcome->end = outcome->status == 0 && is_complete(outcome)
                           ? LZ_REHEARSAL_DONE
                           : LZ_REHEARSAL_EXITED;
    } else {
        outcome->status = WTERMSIG(status);
        outcome->end = LZ_REHEARSAL_KILLED;
        /* The kernel's way to say that the CPU time is over. */
        if (outcome->status == SIGKILL && outcome->wall_ns >= deadline_ns) {
            outcome->end = LZ_REHEARSAL_DEADLINE;
        }
    }
}

static void
explain(const struct lz_rehearsal *rehearsal,
        struct lz_rehearsal_outcome *outcome)
{
    char *text = outcome->text;
    size_t size = sizeof(outcome->text);

    switch (outcome->end) {
    case LZ_REHEARSAL_DONE:
        break;
    case LZ_REHEARSAL_EXITED:
        (void)snprintf(text, size, "the code ended the process with status %d",
                       outcome->status);
        break;
    case LZ_REHEARSAL_KILLED:
        (void)snprintf(text, size, "it was killed by signal %d (%s)",
                       outcome->status,
                       outcome->status == SIGKILL
                           ? "for its CPU time, or for lack of memory"
                           : strsignal(outcome->status));
        break;
    case LZ_REHEARSAL_DEADLINE:
        (void)snprintf(text, size, "not done within the deadline of %.1f s",
                       (double)rehearsal->deadline_ms / 1e3);
        break;
    case LZ_REHEARSAL_TOO_LONG:
        (void)snprintf(text, size, "it had more to tell than fits");
        break;
    case LZ_REHEARSAL_CANCELLED:
        (void)snprintf(text, size, "nobody waited for it any more");
        break;
    case LZ_REHEARSAL_STUCK:
        (void)snprintf(text, size,
                       "another thread held a lock of the C library at each "
                       "of %u forks: try again",
                       outcome->tries);
        break;
    }
}

static void
await_child(const struct lz_rehearsal *rehearsal, struct child *child,
            unsigned try, struct lz_rehearsal_outcome *outcome)
{
    enum lz_rehearsal_end end = LZ_REHEARSAL_DONE;
    int status = 0;
    bool ended = await(rehearsal, child, try, outcome, &end);

    outcome->wall_ns = usage_wall_ns() - child->forked_ns;
    end_child(child, &status);
    if (!ended) {
        outcome->end = end;
    } else {
        conclude(rehearsal, status, outcome);
    }
}

int
rehearse_here(const struct lz_rehearsal *rehearsal,
              struct lz_rehearsal_outcome *ret_outcome, struct lz_error *error)
{
    struct lz_rehearsal_outcome outcome = {0};
    struct child child = {0};
    PyThreadState *state;

    do {
        uint64_t pause_ns = 0;

        lz_rehearsal_outcome_done(&outcome);
        if (fork_child(rehearsal, &child, &pause_ns, error) < 0) {
            return -1;
        }
        if (pause_ns > outcome.pause_ns) {
            outcome.pause_ns = pause_ns;
        }
        state = PyEval_SaveThread();
        await_child(rehearsal, &child, outcome.tries++, &outcome);
        PyEval_RestoreThread(state);
        if (!child.alive && outcome.end == LZ_REHEARSAL_EXITED) {
            lz_rehearsal_outcome_done(&outcome);
            return lz_error_set(error, LZ_ERROR_IO,
                                "the copy could not be cut off from the "
                                "service: nothing was run");
        }
    } while (outcome.end == LZ_REHEARSAL_STUCK && outcome.tries < TRIES);
    explain(rehearsal, &outcome);
    *ret_outcome = outcome;
    return 0;
}
