/* The reply of `threads`: see message.h, of which this is a part. */
#ifndef WIRE_MESSAGE_THREADS_H
#define WIRE_MESSAGE_THREADS_H

#include "ctl/wire/message_explain.h"

struct wire_thread_load {
    const char *module;
    uint64_t for_ns;
    struct wire_place trigger; /* what needs it */
};

/* For the lock of a module that another thread loads. */
struct wire_thread_wait {
    const char *module; /* NULL: it waits for none, written as null */
    uint64_t for_ns;
    const char *holder; /* name of the thread that loads it */
    int64_t holder_tid;
    uint64_t holder_for_ns; /* since the load began */
};

struct wire_thread {
    const char *name;
    int64_t tid;
    struct wire_thread_load *loads; /* under way, outermost first */
    size_t load_count;
    struct wire_thread_wait waits;
};

struct wire_threads {
    struct wire_thread *threads; /* that load or wait */
    size_t thread_count;
    const char **no_load; /* of lazyd --no-load-thread */
    size_t no_load_count;
    uint64_t blocked; /* loads on those so far */
};

#endif
