/* Threads that are not Python's: named, and deaf to signals. */
#ifndef LAZYCORE_THREAD_H
#define LAZYCORE_THREAD_H

#include <pthread.h>

/* Start BODY(ARG) with all signals blocked but those a fault raises. NAME
 * has at most 15 bytes. 0 or negative errno. Any thread. */
int thread_start(pthread_t *ret_thread, const char *name,
                 void *(*body)(void *arg), void *arg);

#endif
