/* Publication of the control socket.
 *
 * The folder is locked (flock) meanwhile, so that of two lazyd with one path
 * the second sees the first. Main thread, before there are others: umask is
 * the process's.
 */
#include "daemon/publish.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/descriptors.h"
#include "daemon/folder.h"

/* A lazyd holds the lock of a folder for about a millisecond. */
enum { BACKLOG = 128, LOCK_TRIES = 200, LOCK_WAIT_MS = 10 };

static int
fill_address(const char *path, struct sockaddr_un *ret_address)
{
    size_t length = strlen(path);

    memset(ret_address, 0, sizeof(*ret_address));
    ret_address->sun_family = AF_UNIX;
    if (length >= sizeof(ret_address->sun_path)) {
        return -ENAMETOOLONG;
    }
    memcpy(ret_address->sun_path, path, length + 1);
    return 0;
}

static int
connect_to(const char *path, int *ret_fd)
{
    struct sockaddr_un address;
    int rc = fill_address(path, &address);
    int fd;

    if (rc < 0) {
        return rc;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -errno;
    }
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        rc = -errno;
        (void)close(fd);
        return rc;
    }
    *ret_fd = fd;
    return 0;
}

static long
peer_pid(int fd)
{
    struct ucred peer = {0};
    socklen_t size = sizeof(peer);

    (void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    return (long)peer.pid;
}

/* Whether PATH is free or a stale socket of ours. 0, or -1 with ERROR. */
static int
check_replaceable(const char *path, struct lz_error *error)
{
    struct stat st;
    int fd = -1;
    int rc;

    if (lstat(path, &st) < 0) {
        return errno == ENOENT
                   ? 0
                   : lz_error_set_errno(error, errno, "cannot look at '%s'",
                                        path);
    }
    if (!S_ISSOCK(st.st_mode)) {
        return lz_error_set(error, LZ_ERROR_IO,
                            "'%s' is there and is no socket: remove it, or "
                            "give another --socket",
                            path);
    }
    rc = connect_to(path, &fd);
    if (rc == 0) {
        long pid = peer_pid(fd);

        (void)close(fd);
        return lz_error_set(error, LZ_ERROR_BUSY,
                            "a server with pid %ld answers on '%s': stop it, "
                            "or choose another --name or --socket",
                            pid, path);
    }
    if (rc != -ECONNREFUSED) {
        return lz_error_set_errno(error, -rc,
                                  "cannot tell whether the socket '%s' is "
                                  "in use",
                                  path);
    }
    if (st.st_uid != geteuid()) {
        return lz_error_set(error, LZ_ERROR_IO,
                            "the stale socket '%s' belongs to uid %ld: "
                            "remove it, or give another --socket",
                            path, (long)st.st_uid);
    }
    return 0;
}

/* Bind and listen at BOUND with the final rights. 0 or negative errno. */
static int
listen_at(const char *bound, gid_t group, int *ret_fd)
{
    struct sockaddr_un address;
    int rc = fill_address(bound, &address);
    mode_t mask;
    int fd;

    if (rc < 0) {
        return rc;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -errno;
    }
    (void)unlink(bound); /* of an earlier process with our pid */
    mask = umask(0177);
    rc = bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0
             ? -errno
             : 0;
    (void)umask(mask);
    if (rc == 0 && group != (gid_t)-1 &&
        (chown(bound, (uid_t)-1, group) < 0 || chmod(bound, 0660) < 0)) {
        rc = -errno;
    }
    if (rc == 0 && listen(fd, BACKLOG) < 0) {
        rc = -errno;
    }
    if (rc < 0) {
        (void)unlink(bound);
        (void)close(fd);
        return rc;
    }
    *ret_fd = fd;
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

/* The folder of PATH, checked, open and locked. -1 with ERROR. */
static int
lock_folder(const char *path, gid_t group, int *ret_fd, struct lz_error *error)
{
    char *copy = strdup(path);
    const char *folder = copy != NULL ? dirname(copy) : NULL;
    int fd = -1;
    int rc = -1;

    if (folder == NULL) {
        (void)lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
        goto done;
    }
    if (folder_private(folder, error) < 0) {
        goto done;
    }
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    rc = fd < 0 ? -errno : lock(fd);
    if (rc == -EWOULDBLOCK) {
        rc = lz_error_set(error, LZ_ERROR_BUSY,
                          "another process keeps folder '%s' locked (see "
                          "lslocks): end it, or give --socket in a folder "
                          "that only you can read",
                          folder);
        goto done;
    }
    if (rc < 0) {
        rc = lz_error_set_errno(error, -rc, "cannot lock folder '%s'", folder);
        goto done;
    }
    rc = -1;
    /* What was opened, whatever the path has come to mean since. */
    if (folder_is_private(fd, folder, error) < 0) {
        goto done;
    }
    /* Members of the group have to pass through it; they cannot list it. */
    if (group != (gid_t)-1 && fchmod(fd, 0711) < 0) {
        (void)lz_error_set_errno(
            error, errno, "cannot let a group into folder '%s'", folder);
        goto done;
    }
    *ret_fd = fd;
    fd = -1;
    rc = 0;
done:
    if (fd >= 0) {
        (void)close(fd);
    }
    free(copy);
    return rc;
}

/* NAME.PID.tmp? */
static bool
is_temporary(const char *entry, const char *name)
{
    size_t length = strlen(name);
    size_t digits;

    if (strncmp(entry, name, length) != 0 || entry[length] != '.') {
        return false;
    }
    entry += length + 1;
    digits = strspn(entry, "0123456789");
    return digits > 0 && strcmp(entry + digits, ".tmp") == 0;
}

/* What a lazyd left that was killed before it renamed its socket: while we
 * hold the folder's lock no other is about to. */
static void
sweep(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder =
        slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path));
    DIR *entries = folder != NULL ? opendir(folder) : NULL;
    const struct dirent *entry;

    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        char left[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
        struct stat st;
        int fd = -1;

        if (is_temporary(entry->d_name, slash == NULL ? path : slash + 1) &&
            snprintf(left, sizeof(left), "%s/%s", folder, entry->d_name) <
                (int)sizeof(left) &&
            lstat(left, &st) == 0 && S_ISSOCK(st.st_mode) &&
            st.st_uid == geteuid() && connect_to(left, &fd) == -ECONNREFUSED) {
            (void)unlink(left);
        }
        if (fd >= 0) {
            (void)close(fd);
        }
    }
    if (entries != NULL) {
        (void)closedir(entries);
    }
    free(folder);
}

static const char *
name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

/* Whether the folder that we checked is still where PATH says. */
static bool
is_folder_of(int folder_fd, const char *path)
{
    char *copy = strdup(path);
    struct stat held, found;
    bool same = copy != NULL && fstat(folder_fd, &held) == 0 &&
                lstat(dirname(copy), &found) == 0 &&
                held.st_dev == found.st_dev && held.st_ino == found.st_ino;

    free(copy);
    return same;
}

static int
publish_locked(struct publication *p, int folder_fd, gid_t group,
               struct lz_error *error)
{
    struct stat st;
    int rc;

    sweep(p->path);
    rc = listen_at(p->bound, group, &p->fd);
    if (rc == -ENAMETOOLONG) {
        struct sockaddr_un address;

        return lz_error_set(error, LZ_ERROR_INVALID,
                            "socket path '%s' is too long: with '%s' it must "
                            "stay below %zu bytes; give a shorter --socket",
                            p->path, p->bound + strlen(p->path),
                            sizeof(address.sun_path));
    }
    if (rc < 0) {
        return lz_error_set_errno(error, -rc, "cannot listen on '%s'",
                                  p->bound);
    }
    if (check_replaceable(p->path, error) < 0) {
        (void)unlink(p->bound);
        return -1;
    }
    if (!is_folder_of(folder_fd, p->path)) {
        (void)unlink(p->bound);
        (void)unlinkat(folder_fd, name_of(p->bound), 0);
        return lz_error_set(error, LZ_ERROR_IO,
                            "the folder of '%s' was moved meanwhile: give a "
                            "--socket that only you can move",
                            p->path);
    }
    if (lstat(p->bound, &st) < 0 || rename(p->bound, p->path) < 0) {
        (void)lz_error_set_errno(error, errno, "cannot publish '%s'", p->path);
        (void)unlink(p->bound);
        return -1;
    }
    p->dev = st.st_dev;
    p->ino = st.st_ino;
    p->owner = getpid();
    return 0;
}

int
publish_open(const char *path, gid_t group, struct publication *ret,
             struct lz_error *error)
{
    int folder_fd = -1;
    int rc;

    *ret = (struct publication){.fd = -1};
    if (lock_folder(path, group, &folder_fd, error) < 0) {
        return -1;
    }
    ret->path = strdup(path);
    if (ret->path == NULL ||
        asprintf(&ret->bound, "%s.%ld.tmp", path, (long)getpid()) < 0) {
        ret->bound = NULL;
        rc = lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
    } else {
        rc = publish_locked(ret, folder_fd, group, error);
    }
    (void)close(folder_fd);
    if (rc < 0) {
        (void)publish_close(ret);
    }
    return rc;
}

/* 0, or the negative errno of what keeps it there. */
static int
remove_own(const struct publication *publication)
{
    struct stat st;

    if (lstat(publication->path, &st) < 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    return S_ISSOCK(st.st_mode) && st.st_dev == publication->dev &&
                   st.st_ino == publication->ino &&
                   unlink(publication->path) < 0
               ? -errno
               : 0;
}

int
publish_close(struct publication *publication)
{
    int rc = 0;

    if (publication->path != NULL && publication->owner == getpid()) {
        rc = remove_own(publication);
    }
    descriptors_close(&publication->fd);
    free(publication->path);
    free(publication->bound);
    *publication = (struct publication){.fd = -1};
    return rc;
}

bool
publish_is_ours(const struct publication *publication, int fd)
{
    struct sockaddr_un address = {0};
    socklen_t size = sizeof(address);

    return publication->bound != NULL &&
           getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
           size > offsetof(struct sockaddr_un, sun_path) &&
           address.sun_family == AF_UNIX &&
           strncmp(address.sun_path, publication->bound,
                   sizeof(address.sun_path)) == 0;
}
