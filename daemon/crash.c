/* Handlers that note what has come, wait until it is written, and let it.
 *
 * Everything in them is async-signal-safe: the process may have died within
 * malloc, and with any lock held.
 */
#include "daemon/crash.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/descriptors.h"
#include "daemon/log.h"

enum { WAIT_MS = 200, STACK_BYTES = 64 * 1024 };

/* Whose default is to end the process, but for those that are taken by lazyd
 * or Python, and SIGKILL, of which nobody hears. */
static const int signals[] = {SIGSEGV,   SIGBUS, SIGFPE,   SIGILL,  SIGABRT,
                              SIGTRAP,   SIGSYS, SIGQUIT,  SIGALRM, SIGUSR1,
                              SIGUSR2,   SIGHUP, SIGXCPU,  SIGIO,   SIGPROF,
                              SIGVTALRM, SIGPWR, SIGSTKFLT};

static struct {
    _Atomic(void (*)(void *arg)) ring; /* NULL: nobody hears it */
    void *arg;
    pid_t owner;
    atomic_flag begun; /* the first of several is told */
    int number;        /* 0: it is _exit() */
    int code;          /* siginfo's, or the status */
    uintptr_t address;
    pid_t sender;
    uid_t sender_uid;
    pid_t thread;
    atomic_bool full;  /* what stands above is there */
    atomic_bool taken; /* somebody writes it */
    atomic_bool told;
} state = {.begun = ATOMIC_FLAG_INIT};

/* What cannot be had from the stack that a thread has just used up. */
static char stack[STACK_BYTES] __attribute__((aligned(16)));

static bool
is_fault(int number)
{
    return number == SIGSEGV || number == SIGBUS || number == SIGFPE ||
           number == SIGILL || number == SIGTRAP;
}

/* --- in the handler ----------------------------------------------------- */

/* When nobody of lazyd's answers, or one of them is it. */
static void
write_short(void)
{
    const char *parts[] = {
        "lazyd: ended by ", state.number == 0 ? "_exit()" : "SIG",
        state.number == 0 ? "" : sigabbrev_np(state.number), "\n"};
    int fd = descriptors_are_here() ? log_descriptor() : STDERR_FILENO;
    char line[64];
    size_t length = 0;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        for (const char *c = parts[i]; c != NULL && *c != '\0'; c++) {
            if (length < sizeof(line)) {
                line[length++] = *c;
            }
        }
    }
    /* Who reads it may not: the end does not wait for that. */
    if (poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 0) == 1) {
        (void)!write(fd, line, length);
    }
}

/* The same signal once more, with all that a core file shows of it: not every
 * fault comes again when it is returned to. */
static void
end_by(int number, siginfo_t *info)
{
    if (syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), number, info) < 0) {
        (void)raise(number);
    }
}

/* INFO is a signal's, or NULL. */
static void
note(int number, int code, const siginfo_t *info)
{
    state.number = number;
    state.code = code;
    if (info != NULL && code > 0) {
        state.address = (uintptr_t)info->si_addr;
    } else if (info != NULL) {
        state.sender = info->si_pid;
        state.sender_uid = info->si_uid;
    }
    state.thread = gettid();
    atomic_store(&state.full, true);
}

/* Let another thread write, and wait until it has. */
static void
await_other(bool first)
{
    void (*ring)(void *arg) = atomic_load(&state.ring);

    if (ring == NULL || descriptors_are_here()) {
        return;
    }
    if (first) {
        ring(state.arg);
    }
    for (int i = 0; i < WAIT_MS && !atomic_load(&state.told); i++) {
        (void)poll(NULL, 0, 1);
    }
}

/* The first of several ends is told. */
static void
tell(int number, int code, const siginfo_t *info)
{
    bool first = !atomic_flag_test_and_set(&state.begun);

    if (first) {
        note(number, code, info);
    }
    await_other(first);
    if (first && !atomic_exchange(&state.taken, true)) {
        write_short();
    }
}

static void
on_fatal(int number, siginfo_t *info, void *context)
{
    (void)context;
    (void)signal(number, SIG_DFL);
    if (getpid() == state.owner) {
        tell(number, info->si_code, info);
    }
    end_by(number, info);
}

void
crash_exit(int status)
{
    if (getpid() == state.owner && atomic_load(&state.ring) != NULL) {
        tell(0, status, NULL);
    }
}

/* --- outside of it ------------------------------------------------------ */

void
crash_tell(void)
{
    char how[64] = "";

    if (!atomic_load(&state.full) || atomic_exchange(&state.taken, true)) {
        return;
    }
    const char *thread = state.thread == state.owner ? "the main" : "another";
    if (state.number == 0) {
        log_line("ended by _exit(%d), in %s thread, %ld", state.code, thread,
                 (long)state.thread);
        atomic_store(&state.told, true);
        return;
    }
    if (state.code > 0 && is_fault(state.number)) {
        (void)snprintf(how, sizeof(how), " at address %#lx",
                       (unsigned long)state.address);
    } else if (state.code <= 0 && state.sender != state.owner) {
        (void)snprintf(how, sizeof(how), " from pid %ld uid %ld",
                       (long)state.sender, (long)state.sender_uid);
    }
    log_line("ended by SIG%s (%s)%s, in %s thread, %ld",
             sigabbrev_np(state.number), sigdescr_np(state.number), how,
             thread, (long)state.thread);
    atomic_store(&state.told, true);
}

static bool
is_default(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 &&
           (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_DFL;
}

void
crash_install(void (*ring)(void *arg), void *arg)
{
    struct sigaction action = {.sa_sigaction = on_fatal,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack_t own = {.ss_sp = stack, .ss_size = sizeof(stack)};
    stack_t there = {0};

    state.arg = arg;
    atomic_store(&state.ring, ring);
    state.owner = getpid();
    (void)sigemptyset(&action.sa_mask);
    if (sigaltstack(NULL, &there) == 0 && (there.ss_flags & SS_DISABLE) != 0) {
        (void)sigaltstack(&own, NULL);
    }
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        /* Not what is ignored, or a sanitizer's. */
        if (is_default(signals[i])) {
            (void)sigaction(signals[i], &action, NULL);
        }
    }
}

void
crash_alone(void)
{
    atomic_store(&state.ring, NULL);
}

void
crash_after_fork(void)
{
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        struct sigaction action;

        if (sigaction(signals[i], NULL, &action) == 0 &&
            (action.sa_flags & SA_SIGINFO) != 0 &&
            action.sa_sigaction == on_fatal) {
            (void)signal(signals[i], SIG_DFL);
        }
    }
}
