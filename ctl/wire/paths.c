/* See paths.h. */
#include "ctl/wire/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_SIZE = 512 };

static const char suffix[] = ".sock";
/* Of an instance with a folder of its own: the systemd unit's. */
static const char own_socket[] = "control.sock";

static int
no_memory(char *text)
{
    (void)snprintf(text, TEXT_SIZE, "no memory");
    return -ENOMEM;
}

int
wire_paths_runtime(char **ret_path, char text[512])
{
    const char *base = geteuid() == 0 ? "/run" : getenv("XDG_RUNTIME_DIR");
    if (base == NULL || base[0] != '/') {
        (void)snprintf(text, TEXT_SIZE,
                       "no runtime folder: XDG_RUNTIME_DIR is not set; give "
                       "the socket's path with '-s PATH'");
        return -ENOENT;
    }
    char *path = NULL;
    if (asprintf(&path, "%s/lazyd", base) < 0) {
        return no_memory(text);
    }
    *ret_path = path;
    return 0;
}

int
wire_paths_check_name(const char *name, char text[512])
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789._-";
    size_t length = strlen(name);
    if (length == 0 || length > WIRE_NAME_MAX || name[0] == '.' ||
        name[0] == '-' || strspn(name, allowed) != length) {
        (void)snprintf(text, TEXT_SIZE,
                       "'%.64s' cannot name an instance: use up to %d "
                       "letters, digits, '.', '_' or '-', not starting with "
                       "'.' or '-'",
                       name, WIRE_NAME_MAX);
        return -EINVAL;
    }
    return 0;
}

int
wire_paths_socket(const char *name, char **ret_path, char text[512])
{
    char *folder = NULL, *path = NULL;
    int status = wire_paths_check_name(name, text);
    if (status == 0) {
        status = wire_paths_runtime(&folder, text);
    }
    if (status == 0 && asprintf(&path, "%s/%s%s", folder, name, suffix) < 0) {
        path = NULL;
        status = no_memory(text);
    }
    if (status == 0 && strlen(path) > WIRE_SOCKET_MAX) {
        (void)snprintf(text, TEXT_SIZE,
                       "'%.200s' is too long for a socket: it may have %d "
                       "bytes; give a shorter one with '-s PATH'",
                       path, WIRE_SOCKET_MAX);
        status = -ENAMETOOLONG;
    }
    free(folder);
    if (status != 0) {
        free(path);
        return status;
    }
    *ret_path = path;
    return 0;
}

static int
by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

void
wire_paths_list_free(char **paths, size_t count)
{
    for (size_t i = 0; paths != NULL && i < count; i++) {
        free(paths[i]);
    }
    free(paths);
}

static bool
is_socket(int folder, const char *name)
{
    struct stat status;
    return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISSOCK(status.st_mode);
}

static bool
has_suffix(const char *name)
{
    size_t length = strlen(name);
    size_t tail = sizeof suffix - 1;
    return length > tail && strcmp(name + length - tail, suffix) == 0;
}

/* Append FOLDER/NAME. */
static int
add_path(const char *folder, const char *name, char ***paths, size_t *count)
{
    char **more = realloc(*paths, (*count + 1) * sizeof **paths);
    if (more == NULL) {
        return -ENOMEM;
    }
    *paths = more;
    if (asprintf(&more[*count], "%s/%s", folder, name) < 0) {
        return -ENOMEM;
    }
    ++*count;
    return 0;
}

/* Append the socket that the entry NAME of FOLDER is, or has in it. */
static int
add_entry(DIR *directory, const char *folder, const char *name, char ***paths,
          size_t *count)
{
    char own[NAME_MAX + sizeof own_socket + 1], text[TEXT_SIZE];
    if (has_suffix(name) && is_socket(dirfd(directory), name)) {
        return add_path(folder, name, paths, count);
    }
    if (wire_paths_check_name(name, text) != 0) {
        return 0;
    }
    (void)snprintf(own, sizeof own, "%s/%s", name, own_socket);
    return is_socket(dirfd(directory), own)
               ? add_path(folder, own, paths, count)
               : 0;
}

int
wire_paths_list(char ***ret_paths, size_t *ret_count, char text[512])
{
    char **paths = NULL, *folder = NULL;
    size_t count = 0;
    DIR *directory = NULL;
    int status = wire_paths_runtime(&folder, text);
    if (status != 0) {
        return status;
    }
    directory = opendir(folder);
    if (directory == NULL && errno != ENOENT) {
        status = -errno;
        (void)snprintf(text, TEXT_SIZE, "cannot read '%s': %s", folder,
                       strerror(-status));
        goto done;
    }
    const struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        if (add_entry(directory, folder, entry->d_name, &paths, &count) != 0) {
            status = no_memory(text);
            goto done;
        }
    }
    if (count > 1) {
        qsort(paths, count, sizeof *paths, by_name);
    }
    *ret_paths = paths;
    *ret_count = count;
    paths = NULL;
done:
    wire_paths_list_free(paths, count);
    if (directory != NULL) {
        (void)closedir(directory);
    }
    free(folder);
    return status;
}

static int
copy(const char *path, char **ret_path, char *text)
{
    char *result = strdup(path);
    if (result == NULL) {
        return no_memory(text);
    }
    *ret_path = result;
    return 0;
}

static int
find_only(char **ret_path, char *text)
{
    char **paths = NULL;
    size_t count = 0;
    int status = wire_paths_list(&paths, &count, text);
    if (status != 0) {
        return status;
    }
    if (count == 1) {
        status = copy(paths[0], ret_path, text);
    } else if (count == 0) {
        char *folder = NULL;
        status = wire_paths_runtime(&folder, text);
        if (status == 0) {
            (void)snprintf(text, TEXT_SIZE,
                           "no server runs: no socket in '%s'; start one, or "
                           "give its socket with '-s PATH'",
                           folder);
            status = -ENOENT;
        }
        free(folder);
    } else {
        size_t used = (size_t)snprintf(
            text, TEXT_SIZE, "several servers run; choose with '-s PATH':");
        for (size_t i = 0; i < count && used < TEXT_SIZE; i++) {
            used += (size_t)snprintf(text + used, TEXT_SIZE - used, "\n  %s",
                                     paths[i]);
        }
        status = -ENOTUNIQ;
    }
    wire_paths_list_free(paths, count);
    return status;
}

/* The instance's socket in the runtime folder, or where there is none the
 * one in a folder of its own; where there is neither, the first is named. */
static int
find_named(const char *name, char **ret_path, char *text)
{
    char *path = NULL, *folder = NULL, *own = NULL;
    int status = wire_paths_socket(name, &path, text);
    if (status == 0 && !is_socket(AT_FDCWD, path)) {
        status = wire_paths_runtime(&folder, text);
        if (status == 0 &&
            asprintf(&own, "%s/%s/%s", folder, name, own_socket) < 0) {
            own = NULL;
            status = no_memory(text);
        }
        if (status == 0 && is_socket(AT_FDCWD, own)) {
            free(path);
            path = own;
            own = NULL;
        }
    }
    free(own);
    free(folder);
    if (status != 0) {
        free(path);
        return status;
    }
    *ret_path = path;
    return 0;
}

int
wire_paths_find(const char *socket, const char *name, char **ret_path,
                char text[512])
{
    const char *variable = getenv("LAZYD_SOCKET");
    if (socket != NULL) {
        return copy(socket, ret_path, text);
    }
    if (name != NULL) {
        return find_named(name, ret_path, text);
    }
    if (variable != NULL && variable[0] != '\0') {
        return copy(variable, ret_path, text);
    }
    return find_only(ret_path, text);
}
