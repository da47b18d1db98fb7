/* See trial.h. The child writes the names it met at exit(), into a file
 * without a name that both have; that it is ready it says through a pipe.
 */
#include "daemon/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COMPLAINT_BYTES = 2000, CHUNK = 65536 };

/* What the child reports through. */
static struct {
    int ready_fd, names_fd;
    pid_t owner; /* 0: this is no child of a trial */
    struct lz_core *core;
} report = {.ready_fd = -1, .names_fd = -1};

/* --- being told to stop ------------------------------------------------- */

static const int caught[] = {SIGINT, SIGTERM, SIGHUP};

enum { CAUGHT = sizeof(caught) / sizeof(caught[0]) };

static struct {
    volatile sig_atomic_t told;
    struct sigaction actions[CAUGHT];
    sigset_t mask; /* outside of poll they are blocked */
} stop;

static void
on_stop(int number)
{
    stop.told = number;
}

void
trial_signals_catch(void)
{
    struct sigaction action = {.sa_handler = on_stop};
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < CAUGHT; i++) {
        (void)sigaddset(&set, caught[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &set, &stop.mask);
    for (size_t i = 0; i < CAUGHT; i++) {
        (void)sigaction(caught[i], NULL, &stop.actions[i]);
        if (stop.actions[i].sa_handler != SIG_IGN) {
            (void)sigaction(caught[i], &action, NULL);
        }
    }
}

void
trial_signals_restore(void)
{
    for (size_t i = 0; i < CAUGHT; i++) {
        (void)sigaction(caught[i], &stop.actions[i], NULL);
    }
    (void)sigprocmask(SIG_SETMASK, &stop.mask, NULL);
}

/* --- in the child ------------------------------------------------------- */

void
trial_ready(void)
{
    if (report.owner != 0 && report.owner == getpid()) {
        /* Once is enough; a full pipe holds one already. */
        (void)!write(report.ready_fd, "r", 1);
    }
}

static void
report_names(void)
{
    struct lz_query query = {
        .states = 1u << LZ_STATE_PROXY | 1u << LZ_STATE_REAL |
                  1u << LZ_STATE_EAGER | 1u << LZ_STATE_IGNORED};
    struct lz_module *modules = NULL;
    size_t count = 0;
    size_t total;

    if (report.owner != getpid() ||
        registry_list(report.core->registry, &query, &modules, &count,
                      &total) < 0) {
        return;
    }
    (void)dprintf(report.names_fd, "\n"); /* came here */
    for (size_t i = 0; i < count; i++) {
        if (!levels_is_stdlib(report.core->levels, modules[i].name)) {
            (void)dprintf(report.names_fd, "%s\n", modules[i].name);
        }
    }
    registry_modules_free(modules, count);
}

static void __attribute__((noreturn))
be_child(const struct trial_setup *setup, const struct trial *trial,
         int ready_fd, pid_t parent)
{
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    trial_signals_restore();
    report.ready_fd = ready_fd;
    report.names_fd = trial->names_fd;
    report.owner = getpid();
    report.core = setup->core;
    if (getppid() != parent || null_fd < 0 ||
        dup2(null_fd, STDIN_FILENO) < 0 ||
        dup2(trial->out_fd, STDOUT_FILENO) < 0 ||
        dup2(trial->err_fd, STDERR_FILENO) < 0 || atexit(report_names) != 0 ||
        setenv("PYTHONHASHSEED", "0", 0) < 0) {
        _exit(127);
    }
    exit(setup->run(setup->arg));
}

/* The probe, like the service it asks, may write to the trial's files. */
static void __attribute__((noreturn))
be_probe(const char *command, int err_fd, pid_t parent)
{
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    trial_signals_restore();
    if (getppid() == parent && dup2(null_fd, STDIN_FILENO) >= 0 &&
        dup2(err_fd, STDOUT_FILENO) >= 0 && dup2(err_fd, STDERR_FILENO) >= 0) {
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    }
    _exit(127);
}

/* --- waiting ------------------------------------------------------------ */

static uint64_t
now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Until one of FDS (COUNT, at most 2) can be read, or TIMEOUT_MS are over:
 * its number, or COUNT; that at once where we were told to stop. */
static size_t
await(const int *fds, size_t count, uint64_t timeout_ms)
{
    uint64_t deadline = now_ms() + timeout_ms;
    struct pollfd entries[2];
    struct timespec wait;

    for (;;) {
        uint64_t now = now_ms();
        uint64_t left = now < deadline ? deadline - now : 0;

        for (size_t i = 0; i < count; i++) {
            entries[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
        }
        wait.tv_sec = (time_t)(left / 1000);
        wait.tv_nsec = (long)(left % 1000) * 1000000;
        if (stop.told || ppoll(entries, count, &wait, &stop.mask) < 0) {
            left = stop.told ? 0 : left;
            entries[0].revents = entries[count - 1].revents = 0;
        }
        for (size_t i = 0; i < count; i++) {
            if (entries[i].revents != 0) {
                return i;
            }
        }
        if (left == 0) {
            return count;
        }
    }
}

struct process_watch {
    pid_t pid;
    int fd; /* readable once it has ended */
};

/* PID is what fork() gave. 0 or negative errno; then it is ended. */
static int
watch(pid_t pid, struct process_watch *ret_watch)
{
    if (pid < 0) {
        return -errno;
    }
    (void)setpgid(pid, pid); /* the child does so too: whoever is first */
    *ret_watch =
        (struct process_watch){pid, (int)syscall(SYS_pidfd_open, pid, 0)};
    if (ret_watch->fd < 0) {
        int rc = -errno;

        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        return rc;
    }
    return 0;
}

/* The end of all its group; until it is waited for, the group's number is
 * nobody else's. Its status. */
static int
finish(struct process_watch *process)
{
    int status = 0;

    (void)kill(-process->pid, SIGKILL);
    while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR) {
        continue;
    }
    (void)close(process->fd);
    return status;
}

/* --- one run ------------------------------------------------------------ */

/* Whether it succeeded: 1, 0, or negative errno. */
static int
run_probe(const struct trial_setup *setup, const struct trial *trial)
{
    struct process_watch probe = {.fd = -1};
    pid_t parent = getpid();
    pid_t pid = fork();
    size_t first;
    int status;
    int rc;

    if (pid == 0) {
        be_probe(setup->probe, trial->err_fd, parent);
    }
    rc = watch(pid, &probe);
    if (rc < 0) {
        return rc;
    }
    first = await(&probe.fd, 1, setup->run_timeout_ms);
    status = finish(&probe);
    return first == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* From the start of a service to its probe's answer. 0 or negative errno. */
static int
serve(const struct trial_setup *setup, const struct process_watch *process,
      int ready_fd, struct trial *trial)
{
    const int fds[] = {process->fd, ready_fd};
    size_t first = await(fds, 2,
                         setup->has_ready_after ? setup->ready_after_ms
                                                : setup->run_timeout_ms);
    int rc;

    if (first == 0) {
        trial->outcome = TRIAL_ENDED_EARLY;
        return 0;
    }
    if (first == 2 && !setup->has_ready_after) {
        trial->outcome = TRIAL_NOT_READY;
        return 0;
    }
    rc = run_probe(setup, trial);
    if (rc < 0) {
        return rc;
    }
    trial->outcome = rc > 0 ? TRIAL_PROBED : TRIAL_PROBE_FAILED;
    if (await(&process->fd, 1, 0) == 0) {
        trial->outcome = TRIAL_ENDED_EARLY;
    }
    return 0;
}

/* In the parent, until the child is gone. 0 or negative errno. */
static int
attend(const struct trial_setup *setup, struct process_watch *process,
       int ready_fd, struct trial *trial)
{
    int rc = 0;

    if (setup->probe != NULL) {
        rc = serve(setup, process, ready_fd, trial);
    } else {
        trial->outcome = await(&process->fd, 1, setup->run_timeout_ms) == 0
                             ? TRIAL_ENDED
                             : TRIAL_TIMED_OUT;
    }
    if (trial->outcome != TRIAL_ENDED && trial->outcome != TRIAL_ENDED_EARLY) {
        (void)kill(process->pid, SIGTERM);
        (void)await(&process->fd, 1, setup->stop_timeout_ms);
    }
    trial->status = finish(process);
    return rc;
}

static int
start(const struct trial_setup *setup, const int ready[2], struct trial *trial)
{
    struct process_watch process = {.fd = -1};
    pid_t parent = getpid();
    pid_t pid;
    int rc;

    trial->out_fd = memfd_create("lazyd-output", MFD_CLOEXEC);
    trial->err_fd = memfd_create("lazyd-errors", MFD_CLOEXEC);
    trial->names_fd = memfd_create("lazyd-names", MFD_CLOEXEC);
    if (trial->out_fd < 0 || trial->err_fd < 0 || trial->names_fd < 0) {
        return -errno;
    }
    pid = fork();
    if (pid == 0) {
        (void)close(ready[0]);
        be_child(setup, trial, ready[1], parent);
    }
    rc = watch(pid, &process);
    return rc < 0 ? rc : attend(setup, &process, ready[0], trial);
}

int
trial_run(const struct trial_setup *setup, struct trial *ret_trial,
          struct lz_error *error)
{
    struct trial trial = {.out_fd = -1, .err_fd = -1, .names_fd = -1};
    int ready[2];
    int rc;

    if (pipe2(ready, O_CLOEXEC | O_NONBLOCK) < 0) {
        return lz_error_set_errno(error, errno, "cannot make a pipe");
    }
    rc = start(setup, ready, &trial);
    (void)close(ready[0]);
    (void)close(ready[1]);
    if (stop.told) {
        trial_done(&trial);
        return lz_error_set(error, LZ_ERROR_STOPPING,
                            "stopped by signal %d: nothing is known yet",
                            (int)stop.told);
    }
    if (rc < 0) {
        trial_done(&trial);
        return lz_error_set_errno(error, -rc, "cannot start a run");
    }
    *ret_trial = trial;
    return 0;
}

void
trial_done(struct trial *trial)
{
    int *fds[] = {&trial->out_fd, &trial->err_fd, &trial->names_fd};

    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        if (*fds[i] >= 0) {
            (void)close(*fds[i]);
        }
        *fds[i] = -1;
    }
}

/* --- what came of it ---------------------------------------------------- */

static off_t
size_of(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 ? status.st_size : 0;
}

/* All that is in FD from OFFSET on, ended with a null; NULL on lack of
 * memory. */
static char *
read_from(int fd, off_t offset)
{
    size_t size = (size_t)(size_of(fd) - offset);
    char *text = malloc(size + 1);
    size_t used = 0;
    ssize_t n = 1;

    while (text != NULL && used < size && n > 0) {
        n = pread(fd, text + used, size - used, offset + (off_t)used);
        used += n > 0 ? (size_t)n : 0;
    }
    if (text != NULL) {
        text[used] = '\0';
    }
    return text;
}

bool
trial_same_output(const struct trial *a, const struct trial *b)
{
    static char left[CHUNK], right[CHUNK];
    off_t size = size_of(a->out_fd);

    if (size != size_of(b->out_fd)) {
        return false;
    }
    for (off_t at = 0; at < size;) {
        ssize_t n = pread(a->out_fd, left, sizeof(left), at);

        if (n <= 0 || pread(b->out_fd, right, (size_t)n, at) != n ||
            memcmp(left, right, (size_t)n) != 0) {
            return false;
        }
        at += n;
    }
    return true;
}

char *
trial_names(const struct trial *trial)
{
    return read_from(trial->names_fd, 0);
}

char *
trial_complaint(const struct trial *trial)
{
    off_t size = size_of(trial->err_fd);
    off_t from = size > COMPLAINT_BYTES ? size - COMPLAINT_BYTES : 0;
    char *text = read_from(trial->err_fd, from);
    char *line = text != NULL && from > 0 ? strchr(text, '\n') : NULL;

    if (line != NULL) {
        memmove(text, line + 1, strlen(line + 1) + 1);
    }
    return text;
}

void
trial_describe(const struct trial *trial, char *text, size_t size)
{
    switch (trial->outcome) {
    case TRIAL_TIMED_OUT:
        (void)snprintf(text, size, "did not end in time");
        return;
    case TRIAL_NOT_READY:
        (void)snprintf(text, size, "did not call lazycore.ready() in time");
        return;
    case TRIAL_PROBE_FAILED:
        (void)snprintf(text, size, "the probe failed");
        return;
    case TRIAL_PROBED:
        (void)snprintf(text, size, "the probe succeeded");
        return;
    case TRIAL_ENDED:
    case TRIAL_ENDED_EARLY:
        break;
    }
    if (WIFSIGNALED(trial->status)) {
        (void)snprintf(text, size, "ended by signal %d",
                       WTERMSIG(trial->status));
    } else {
        (void)snprintf(text, size, "ended with status %d",
                       WEXITSTATUS(trial->status));
    }
}
