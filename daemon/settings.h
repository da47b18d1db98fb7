/* Options applied: the engine's sets and levels, and the paths. */
#ifndef DAEMON_SETTINGS_H
#define DAEMON_SETTINGS_H

#include "ctl/wire/names_file.h"
#include "daemon/options.h"
#include "lazycore/core.h"

struct paths { /* all absolute, malloc'd; NULL: none */
    char *socket;
    char *pidfile;
    char *log;
};

/* Ignore sets, levels, verbosity, PYTHONPATH. 0, or -1 with ERROR. */
int settings_apply(const struct options *options, struct lz_core *core,
                   struct lz_error *error);
/* What is to be loaded early, and on which threads late: into CORE, which
 * borrows *RET_WARM and OPTIONS. 0, or -1 with ERROR. */
int settings_foresight(const struct options *options, struct lz_core *core,
                       struct wire_names *ret_warm, struct lz_error *error);
/* Where socket, pidfile and log of the service lie; makes the folders that
 * are lazyd's. STEM names it where --name does not. 0, or -1 with ERROR. */
int settings_paths(const struct options *options, const char *stem,
                   struct paths *paths, struct lz_error *error);
void paths_done(struct paths *paths);

#endif
