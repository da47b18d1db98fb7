/* Folders and paths of the daemon: made where they are ours, or refused.
 *
 * Where the runtime folder lies is ctl/wire/paths.h's rule. Main thread.
 */
#ifndef DAEMON_FOLDER_H
#define DAEMON_FOLDER_H

#include "lazycore/error.h"

/* Make PATH, 0700, or check that it is a folder of ours that nobody else can
 * write to and no symlink. 0, or -1 with ERROR. */
int folder_private(const char *path, struct lz_error *error);
/* The same of the open folder FD; PATH is what it is called. */
int folder_is_private(int fd, const char *path, struct lz_error *error);
/* The runtime folder, made and checked. 0, or -1 with ERROR. */
int folder_runtime(char **ret_path, struct lz_error *error);
/* The default log of NAME; its folder is made. 0, or -1 with ERROR. */
int folder_log(const char *name, char **ret_path, struct lz_error *error);
/* PATH as it is from any folder; NULL on lack of memory. */
char *folder_absolute(const char *path);

#endif
