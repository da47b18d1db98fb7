/* See entry.h. */
#include "daemon/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/descriptors.h"

enum { HOLDING = O_PATH | O_DIRECTORY | O_CLOEXEC };

static bool
is_same(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

char *
entry_folder(const char *path)
{
    char *copy = strdup(path);
    char *folder = copy != NULL ? strdup(dirname(copy)) : NULL;

    free(copy);
    return folder;
}

int
entry_init(struct entry *entry, const char *path)
{
    const char *slash;

    *entry = (struct entry){.path = strdup(path), .folder_fd = -1};
    if (entry->path == NULL) {
        return -ENOMEM;
    }
    slash = strrchr(entry->path, '/');
    entry->name = slash == NULL ? entry->path : slash + 1;
    return 0;
}

/* The descriptor or negative errno. */
static int
open_folder(const char *path)
{
    char *folder = entry_folder(path);
    int fd = folder == NULL ? -1 : open(folder, HOLDING);
    int rc = folder == NULL ? -ENOMEM : fd < 0 ? -errno : fd;

    free(folder);
    return rc;
}

int
entry_open(struct entry *entry, const char *path)
{
    int rc = entry_init(entry, path);

    if (rc == 0) {
        rc = entry->name[0] == '\0' ? -EISDIR : open_folder(path);
    }
    if (rc < 0) {
        entry_done(entry);
        return rc;
    }
    entry->folder_fd = rc;
    return 0;
}

bool
entry_is_at_path(const struct entry *entry, const struct stat *st)
{
    struct stat found;

    return lstat(entry->path, &found) == 0 && is_same(&found, st);
}

static int
remove_from(int folder_fd, const char *name, const struct stat *st)
{
    struct stat found;

    if (fstatat(folder_fd, name, &found, AT_SYMLINK_NOFOLLOW) < 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    return is_same(&found, st) && unlinkat(folder_fd, name, 0) < 0 ? -errno
                                                                   : 0;
}

int
entry_remove(const struct entry *entry, const struct stat *st)
{
    struct descriptor mark;
    int fd, rc;

    if (descriptors_are_here() && descriptors_are_ours(entry->folder_fd)) {
        return remove_from(entry->folder_fd, entry->name, st);
    }
    fd = open_folder(entry->path);
    if (fd < 0) {
        return fd == -ENOENT ? 0 : fd;
    }
    mark = descriptor_of(fd);
    rc = remove_from(fd, entry->name, st);
    /* In one table with a service that has closed lazyd's descriptors. */
    if (descriptor_holds(&mark)) {
        (void)close(fd);
    }
    return rc;
}

void
entry_done(struct entry *entry)
{
    descriptors_close(&entry->folder_fd);
    free(entry->path);
    *entry = (struct entry){.folder_fd = -1};
}
