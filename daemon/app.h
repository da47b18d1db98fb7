/* What is to be run: TARGET understood.
 *
 * Tells a file, folder or zip from a dotted module and from module:callable,
 * and gives the service its name. Leaves reading and running it to Python.
 * Main thread.
 */
#ifndef DAEMON_APP_H
#define DAEMON_APP_H

#include "lazycore/error.h"

enum app_kind { APP_FILE, APP_MODULE, APP_CALLABLE };

struct app {
    enum app_kind kind;
    const char *target; /* borrowed, as it was given */
    char *path;         /* file: what python3 is given */
    char *module;       /* module and callable */
    char *callable;     /* callable: a dotted name within the module */
    char *stem;         /* a name for the service; may need --name */
};

/* 0, or -1 with ERROR. Relative paths are taken from the current folder. */
int app_resolve(const char *target, struct app *app, struct lz_error *error);
void app_done(struct app *app);

#endif
