/* Threads that are not Python's: named, and deaf to signals. */
#ifndef DAEMON_THREAD_H
#define DAEMON_THREAD_H

#include <pthread.h>
#include <stdint.h>

/* Start BODY(ARG) with all signals blocked but those a fault raises. NAME
 * has at most 15 bytes. 0 or negative errno. */
int thread_start(pthread_t *ret_thread, const char *name,
                 void *(*body)(void *arg), void *arg);

/* CLOCK_MONOTONIC. */
uint64_t clock_ns(void);

#endif
