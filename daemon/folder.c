/* The runtime and the log folder.
 *
 * Never guesses a shared place such as the temporary folder. Main thread.
 */
#include "daemon/folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/wire/paths.h"

/* A folder that exists: is it one that only we can fill? */
static int
check_private(const char *path, const struct stat *st, struct lz_error *error)
{
    if (!S_ISDIR(st->st_mode)) {
        return lz_error_set(
            error, LZ_ERROR_IO, "'%s' is %s: remove it, or give --socket",
            path, S_ISLNK(st->st_mode) ? "a symbolic link" : "no folder");
    }
    if (st->st_uid != geteuid()) {
        return lz_error_set(error, LZ_ERROR_IO,
                            "folder '%s' belongs to uid %ld: remove it, or "
                            "give --socket",
                            path, (long)st->st_uid);
    }
    if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return lz_error_set(error, LZ_ERROR_IO,
                            "others can write to folder '%s': give --socket "
                            "in a folder that only you can write to",
                            path);
    }
    return 0;
}

int
folder_private(const char *path, struct lz_error *error)
{
    struct stat st;

    if (mkdir(path, 0700) == 0) {
        return 0;
    }
    if (errno != EEXIST) {
        return lz_error_set_errno(error, errno, "cannot make folder '%s'",
                                  path);
    }
    if (lstat(path, &st) < 0) {
        return lz_error_set_errno(error, errno, "cannot look at '%s'", path);
    }
    return check_private(path, &st, error);
}

int
folder_is_private(int fd, const char *path, struct lz_error *error)
{
    struct stat st;

    if (fstat(fd, &st) < 0) {
        return lz_error_set_errno(error, errno, "cannot look at '%s'", path);
    }
    return check_private(path, &st, error);
}

int
folder_runtime(char **ret_path, struct lz_error *error)
{
    char text[512];
    char *path;

    if (wire_paths_runtime(&path, text) < 0) {
        return lz_error_set(error, LZ_ERROR_IO, "%s, or use --no-socket",
                            text);
    }
    if (folder_private(path, error) < 0) {
        free(path);
        return -1;
    }
    *ret_path = path;
    return 0;
}

/* mkdir -p with mode 0700 for what is made. 0 or negative errno. */
static int
make_all(const char *path)
{
    char *copy = strdup(path);
    int rc = copy == NULL ? -ENOMEM : 0;

    for (char *p = copy; rc == 0 && p != NULL;) {
        p = strchr(p + 1, '/');
        if (p != NULL) {
            *p = '\0';
        }
        if (mkdir(copy, 0700) < 0 && errno != EEXIST) {
            rc = -errno;
        }
        if (p != NULL) {
            *p = '/';
        }
    }
    free(copy);
    return rc;
}

static char *
log_folder(void)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    char *path = NULL;
    int n = -1;

    if (geteuid() == 0) {
        return strdup("/var/log/lazyd");
    }
    if (state != NULL && state[0] == '/') {
        n = asprintf(&path, "%s/lazyd", state);
    } else if (home != NULL && home[0] == '/') {
        n = asprintf(&path, "%s/.local/state/lazyd", home);
    }
    return n < 0 ? NULL : path;
}

int
folder_log(const char *name, char **ret_path, struct lz_error *error)
{
    char *folder = log_folder();
    int rc;

    if (folder == NULL) {
        return lz_error_set(error, LZ_ERROR_IO,
                            "no folder for the log: set XDG_STATE_HOME or "
                            "HOME, or give --log");
    }
    rc = make_all(folder);
    if (rc < 0) {
        (void)lz_error_set_errno(error, -rc,
                                 "cannot make folder '%s' for the log (give "
                                 "--log)",
                                 folder);
    } else if (asprintf(ret_path, "%s/%s.log", folder, name) < 0) {
        rc = lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
    }
    free(folder);
    return rc < 0 ? -1 : 0;
}

char *
folder_absolute(const char *path)
{
    char *cwd;
    char *absolute = NULL;

    if (path[0] == '/') {
        return strdup(path);
    }
    cwd = getcwd(NULL, 0);
    if (cwd != NULL && asprintf(&absolute, "%s/%s", cwd, path) < 0) {
        absolute = NULL;
    }
    free(cwd);
    return absolute;
}
