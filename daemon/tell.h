/* Lines for the log of what the engine tells. Any thread. */
#ifndef DAEMON_TELL_H
#define DAEMON_TELL_H

#include "lazycore/core.h"

struct control;

/* LOAD was on a thread that must not load. */
void tell_blocked(struct control *control, const struct lz_load *load);
/* The level file's line of the module NAME is of another source. */
void tell_stale(struct control *control, const char *name);
/* What was loaded for a hot namespace, or was not. */
void tell_settled(struct control *control, const struct lz_settled *settled);

#endif
