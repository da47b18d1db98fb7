/* How python3 would be called to run the service: its argument list.
 *
 * lazyd gives Python's own start-up the command line that stands for the
 * service, so that paths, flags and sys.argv come out as under python3.
 * Main thread.
 */
#ifndef DAEMON_LAUNCH_H
#define DAEMON_LAUNCH_H

#include "daemon/app.h"
#include "daemon/options.h"

struct launch {
    char **argv; /* argv[0] is the python3 that sys.executable names */
    int argc;
};

/* 0, or -1 with ERROR: no such python3, no such venv, a venv of another
 * version. */
int launch_init(struct launch *launch, const struct options *options,
                const struct app *app, struct lz_error *error);
void launch_done(struct launch *launch);

#endif
