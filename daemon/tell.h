/* What the engine tells, as lines for the log and events for clients. */
#ifndef DAEMON_TELL_H
#define DAEMON_TELL_H

#include <stdbool.h>
#include <stddef.h>

#include "lazycore/core.h"

struct control;

struct tell {
    struct control *control;
    bool settled; /* whether to tell of hot namespaces: not where nobody can
                     steer */
    size_t warm_count, warm_failed; /* modules that are to be loaded before the
                                       service is ready */
};

/* Make *LISTENER tell TELL, which outlives it. Before Python starts; its
 * functions are called by any thread. */
void tell_listen(struct tell *tell, struct lz_listener *listener);

#endif
