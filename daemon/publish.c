/* Publication of the control socket.
 *
 * The folder is locked (flock) meanwhile, so that of two lazyd with one path
 * the second sees the first. Whoever may rename in a folder above it can
 * change what the path leads to at any time: all is done by descriptors, in
 * the folder that was checked. Main thread, before there are others: umask is
 * the process's.
 */
#include "daemon/publish.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/wire/paths.h"
#include "daemon/descriptors.h"
#include "daemon/folder.h"

/* A lazyd holds the lock of a folder for about a millisecond. */
enum { BACKLOG = 128, LOCK_TRIES = 200, LOCK_WAIT_MS = 10 };

/* Of the socket's name, in that of the temporary one, which is bound by a path
 * of which it is only the last part. */
enum { TEMPORARY_SIZE = 96, TEMPORARY_NAME = 64 };

/* The path of FD, and of NAME in it: sockets have no calls that take a
 * descriptor of a folder. */
static void
fill_address(int fd, const char *name, struct sockaddr_un *ret_address)
{
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    (void)snprintf(ret_address->sun_path, sizeof(ret_address->sun_path),
                   "/proc/self/fd/%d%s%s", fd, name[0] != '\0' ? "/" : "",
                   name);
}

static int
new_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    return fd < 0 ? -errno : fd;
}

/* What NAME is, to be looked at and removed by that name: the folder is
 * nobody else's to write to. The descriptor or negative errno. */
static int
hold(int folder_fd, const char *name, struct stat *ret_st)
{
    int fd = openat(folder_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    int rc;

    if (fd < 0) {
        return -errno;
    }
    if (fstat(fd, ret_st) < 0) {
        rc = -errno;
        (void)close(fd);
        return rc;
    }
    return fd;
}

/* Connect to the socket that HELD_FD holds. The descriptor or negative errno.
 */
static int
connect_to(int held_fd)
{
    struct sockaddr_un address;
    int fd = new_socket();
    int rc;

    if (fd < 0) {
        return fd;
    }
    fill_address(held_fd, "", &address);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        rc = -errno;
        (void)close(fd);
        return rc;
    }
    return fd;
}

static long
peer_pid(int fd)
{
    struct ucred peer = {0};
    socklen_t size = sizeof(peer);

    (void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    return (long)peer.pid;
}

/* Whether what HELD_FD holds, found at PATH, is a stale socket of ours. 0, or
 * -1 with ERROR. */
static int
check_stale(int held_fd, const struct stat *st, const char *path,
            struct lz_error *error)
{
    int fd;

    if (!S_ISSOCK(st->st_mode)) {
        return lz_error_set(error, LZ_ERROR_IO,
                            "'%s' is there and is no socket: remove it, or "
                            "give another --socket",
                            path);
    }
    fd = connect_to(held_fd);
    if (fd >= 0) {
        long pid = peer_pid(fd);

        (void)close(fd);
        return lz_error_set(error, LZ_ERROR_BUSY,
                            "a server with pid %ld answers on '%s': stop it, "
                            "or choose another --name or --socket",
                            pid, path);
    }
    if (fd != -ECONNREFUSED) {
        return lz_error_set_errno(error, -fd,
                                  "cannot tell whether the socket '%s' is "
                                  "in use",
                                  path);
    }
    if (st->st_uid != geteuid()) {
        return lz_error_set(error, LZ_ERROR_IO,
                            "the stale socket '%s' belongs to uid %ld: "
                            "remove it, or give another --socket",
                            path, (long)st->st_uid);
    }
    return 0;
}

/* Whether the name is free or a stale socket of ours. 0, or -1 with ERROR. */
static int
check_replaceable(const struct entry *entry, struct lz_error *error)
{
    struct stat st = {0};
    int fd = hold(entry->folder_fd, entry->name, &st);
    int rc;

    if (fd < 0) {
        return fd == -ENOENT
                   ? 0
                   : lz_error_set_errno(error, -fd, "cannot look at '%s'",
                                        entry->path);
    }
    rc = check_stale(fd, &st, entry->path, error);
    (void)close(fd);
    return rc;
}

/* Bind and listen as TEMPORARY in the folder, with the final rights. 0 or
 * negative errno. */
static int
listen_as(struct publication *p, const char *temporary, gid_t group)
{
    int folder_fd = p->entry.folder_fd;
    int fd = new_socket();
    int rc;
    mode_t mask;

    if (fd < 0) {
        return fd;
    }
    fill_address(folder_fd, temporary, &p->bound);
    /* Of an earlier process with our pid. */
    (void)unlinkat(folder_fd, temporary, 0);
    mask = umask(0177);
    rc = bind(fd, (const struct sockaddr *)&p->bound, sizeof(p->bound)) < 0
             ? -errno
             : 0;
    (void)umask(mask);
    if (rc == 0 && group != (gid_t)-1 &&
        (fchownat(folder_fd, temporary, (uid_t)-1, group,
                  AT_SYMLINK_NOFOLLOW) < 0 ||
         fchmodat(folder_fd, temporary, 0660, 0) < 0)) {
        rc = -errno;
    }
    if (rc == 0 && listen(fd, BACKLOG) < 0) {
        rc = -errno;
    }
    if (rc < 0) {
        (void)unlinkat(folder_fd, temporary, 0);
        (void)close(fd);
        return rc;
    }
    p->fd = fd;
    return 0;
}

/* Another lazyd that has the lock is about to give it up. Whoever may read a
 * folder may lock it, too, and keep it locked: that is not waited out. 0 or
 * negative errno, -EWOULDBLOCK for that. */
static int
lock(int fd)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            return 0;
        }
        if (errno != EINTR && errno != EWOULDBLOCK) {
            return -errno;
        }
        (void)poll(NULL, 0, errno == EINTR ? 0 : LOCK_WAIT_MS);
    }
    return -EWOULDBLOCK;
}

/* Make FOLDER where it is not there, open it, check and lock what was opened,
 * whatever its path has come to lead to since. -1 with ERROR. */
static int
lock_folder(const char *folder, gid_t group, int *ret_fd,
            struct lz_error *error)
{
    int fd, rc;

    if (folder_private(folder, error) < 0) {
        return -1;
    }
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    rc = fd < 0 ? -errno : lock(fd);
    if (rc == -EWOULDBLOCK) {
        (void)lz_error_set(error, LZ_ERROR_BUSY,
                           "another process keeps folder '%s' locked (see "
                           "lslocks): end it, or give --socket in a folder "
                           "that only you can read",
                           folder);
        goto fail;
    }
    if (rc < 0) {
        (void)lz_error_set_errno(error, -rc, "cannot lock folder '%s'",
                                 folder);
        goto fail;
    }
    if (folder_is_private(fd, folder, error) < 0) {
        goto fail;
    }
    /* Members of the group have to pass through it; they cannot list it. */
    if (group != (gid_t)-1 && fchmod(fd, 0711) < 0) {
        (void)lz_error_set_errno(
            error, errno, "cannot let a group into folder '%s'", folder);
        goto fail;
    }
    *ret_fd = fd;
    return 0;
fail:
    if (fd >= 0) {
        (void)close(fd);
    }
    return -1;
}

/* NAME.PID.tmp, of a long NAME its beginning only. */
static void
name_temporary(const char *name, char ret[static TEMPORARY_SIZE])
{
    (void)snprintf(ret, TEMPORARY_SIZE, "%.*s.%ld.tmp", TEMPORARY_NAME, name,
                   (long)getpid());
}

/* Whether ENTRY is one of any process, for NAME. */
static bool
is_temporary(const char *entry, const char *name)
{
    size_t length = strnlen(name, TEMPORARY_NAME);
    size_t digits;

    if (strncmp(entry, name, length) != 0 || entry[length] != '.') {
        return false;
    }
    entry += length + 1;
    digits = strspn(entry, "0123456789");
    return digits > 0 && strcmp(entry + digits, ".tmp") == 0;
}

static bool
is_left(int folder_fd, const char *name)
{
    struct stat st = {0};
    int held_fd = hold(folder_fd, name, &st);
    int fd = -1;

    if (held_fd < 0) {
        return false;
    }
    if (S_ISSOCK(st.st_mode) && st.st_uid == geteuid()) {
        fd = connect_to(held_fd);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    (void)close(held_fd);
    return fd == -ECONNREFUSED;
}

/* What a lazyd left that was killed before it renamed its socket: while we
 * hold the folder's lock no other is about to. */
static void
sweep(const struct entry *entry)
{
    int fd = openat(entry->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *found = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *each;

    if (found == NULL) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return;
    }
    while ((each = readdir(found)) != NULL) {
        if (is_temporary(each->d_name, entry->name) &&
            is_left(entry->folder_fd, each->d_name)) {
            (void)unlinkat(entry->folder_fd, each->d_name, 0);
        }
    }
    (void)closedir(found);
}

/* Whether the folder that we checked is still where FOLDER says. */
static bool
is_folder_of(int folder_fd, const char *folder)
{
    struct stat held, found;

    return fstat(folder_fd, &held) == 0 && lstat(folder, &found) == 0 &&
           held.st_dev == found.st_dev && held.st_ino == found.st_ino;
}

static int
say_not_listening(int rc, const char *path, struct lz_error *error)
{
    if (rc == -ENOENT && access("/proc/self/fd", X_OK) < 0) {
        return lz_error_set(error, LZ_ERROR_IO,
                            "cannot listen on '%s' without /proc: mount it, "
                            "or use --no-socket",
                            path);
    }
    return lz_error_set_errno(error, -rc, "cannot listen on '%s'", path);
}

static int
publish_locked(struct publication *p, const char *folder, gid_t group,
               struct lz_error *error)
{
    const struct entry *entry = &p->entry;
    int folder_fd = entry->folder_fd;
    char temporary[TEMPORARY_SIZE];
    int rc;

    name_temporary(entry->name, temporary);
    sweep(entry);
    rc = listen_as(p, temporary, group);
    if (rc < 0) {
        return say_not_listening(rc, entry->path, error);
    }
    if (check_replaceable(entry, error) < 0) {
        goto fail;
    }
    if (!is_folder_of(folder_fd, folder)) {
        (void)lz_error_set(error, LZ_ERROR_IO,
                           "the folder of '%s' was moved meanwhile: give a "
                           "--socket that only you can move",
                           entry->path);
        goto fail;
    }
    if (fstatat(folder_fd, temporary, &p->st, AT_SYMLINK_NOFOLLOW) < 0 ||
        renameat(folder_fd, temporary, folder_fd, entry->name) < 0) {
        (void)lz_error_set_errno(error, errno, "cannot publish '%s'",
                                 entry->path);
        goto fail;
    }
    p->owner = getpid();
    return 0;
fail:
    (void)unlinkat(folder_fd, temporary, 0);
    return -1;
}

static int
check_path(const char *path, struct lz_error *error)
{
    size_t length = strlen(path);

    if (length > WIRE_SOCKET_MAX) {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "socket path '%s' is too long for clients to "
                            "connect to: it may have %d bytes; give a "
                            "shorter --socket",
                            path, (int)WIRE_SOCKET_MAX);
    }
    if (length == 0 || path[length - 1] == '/') {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "socket path '%s' names no file: give --socket "
                            "one in a folder",
                            path);
    }
    return 0;
}

int
publish_open(const char *path, gid_t group, struct publication *ret,
             struct lz_error *error)
{
    char *folder = NULL;
    int lock_fd = -1;
    int rc = -1;

    *ret = (struct publication){.fd = -1, .entry = {.folder_fd = -1}};
    if (check_path(path, error) < 0) {
        return -1;
    }
    folder = entry_folder(path);
    if (folder == NULL || entry_init(&ret->entry, path) < 0) {
        (void)lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
        goto done;
    }
    if (lock_folder(folder, group, &lock_fd, error) < 0) {
        goto done;
    }
    /* One that stays, without the lock. */
    ret->entry.folder_fd =
        openat(lock_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (ret->entry.folder_fd < 0) {
        (void)lz_error_set_errno(error, errno, "cannot open folder '%s'",
                                 folder);
        goto done;
    }
    rc = publish_locked(ret, folder, group, error);
done:
    if (rc < 0) {
        (void)publish_close(ret);
    }
    if (lock_fd >= 0) {
        (void)close(lock_fd);
    }
    free(folder);
    return rc;
}

int
publish_close(struct publication *publication)
{
    int rc = 0;

    if (publication->entry.path != NULL && publication->owner == getpid()) {
        rc = entry_remove(&publication->entry, &publication->st);
    }
    descriptors_close(&publication->fd);
    entry_done(&publication->entry);
    *publication = (struct publication){.fd = -1, .entry = {.folder_fd = -1}};
    return rc;
}

void
publish_after_fork(struct publication *publication)
{
    descriptors_close(&publication->entry.folder_fd);
}

bool
publish_is_ours(const struct publication *publication, int fd)
{
    struct sockaddr_un address = {0};
    socklen_t size = sizeof(address);

    return publication->bound.sun_path[0] != '\0' &&
           getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
           size > offsetof(struct sockaddr_un, sun_path) &&
           address.sun_family == AF_UNIX &&
           strncmp(address.sun_path, publication->bound.sun_path,
                   sizeof(address.sun_path)) == 0;
}
