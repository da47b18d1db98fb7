/* See thread.h. */
#include "lazycore/thread.h"

#include <signal.h>
#include <stddef.h>

int
thread_start(pthread_t *ret_thread, const char *name, void *(*body)(void *arg),
             void *arg)
{
    static const int faults[] = {SIGSEGV, SIGBUS,  SIGFPE,
                                 SIGILL,  SIGABRT, SIGTRAP};
    sigset_t blocked, before;
    (void)sigfillset(&blocked);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        (void)sigdelset(&blocked, faults[i]);
    /* A new thread inherits the mask: no signal slips in before it. */
    (void)pthread_sigmask(SIG_SETMASK, &blocked, &before);
    int rc = pthread_create(ret_thread, NULL, body, arg);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        (void)pthread_setname_np(*ret_thread, name);
    return -rc;
}
