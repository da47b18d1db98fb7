/* Starting threads, and their clock. */
#include "daemon/thread.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

int
thread_start(pthread_t *ret_thread, const char *name, void *(*body)(void *arg),
             void *arg)
{
    static const int faults[] = {SIGSEGV, SIGBUS,  SIGFPE,
                                 SIGILL,  SIGABRT, SIGTRAP};
    sigset_t blocked, before;
    int rc;

    (void)sigfillset(&blocked);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        (void)sigdelset(&blocked, faults[i]);
    }
    /* A new thread inherits the mask: no signal slips in before it. */
    (void)pthread_sigmask(SIG_SETMASK, &blocked, &before);
    rc = pthread_create(ret_thread, NULL, body, arg);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0) {
        (void)pthread_setname_np(*ret_thread, name);
    }
    return -rc;
}

uint64_t
clock_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
