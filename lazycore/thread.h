/* Threads of ours in the service's process. */
#ifndef LAZYCORE_THREAD_H
#define LAZYCORE_THREAD_H

#include <pthread.h>

/* MAIN(ARG) in a new thread, to be joined. It takes no signals but its own
 * faults: those are for the process's own threads. 0 or an error number. Any
 * thread. */
int thread_start(pthread_t *ret_thread, void *(*main)(void *arg), void *arg);

#endif
