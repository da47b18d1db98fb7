/* A locked file with a pid in it.
 *
 * Responsible for the race with a lazyd that is just removing its file:
 * after the lock the path must still lead to what was locked. Main thread.
 */
#include "daemon/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/descriptors.h"

struct pidfile {
    char *path;
    int fd;
};

enum { OPEN_TRIES = 100 };

/* Whether PATH leads to what FD has open. */
static bool
is_same_file(const char *path, int fd)
{
    struct stat by_path, by_fd;

    return lstat(path, &by_path) == 0 && fstat(fd, &by_fd) == 0 &&
           by_path.st_dev == by_fd.st_dev && by_path.st_ino == by_fd.st_ino;
}

/* Remove what PATH leads to, if that is what FD has open. 0, or the negative
 * errno of what keeps it there. */
static int
unlink_same(const char *path, int fd)
{
    struct stat by_path;

    if (lstat(path, &by_path) < 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    return is_same_file(path, fd) && unlink(path) < 0 ? -errno : 0;
}

/* 1 and the pid, 0 for an empty file, -1 for what no pidfile holds. */
static int
read_pid(int fd, long *ret_pid)
{
    char text[32];
    char *end;
    ssize_t n = pread(fd, text, sizeof(text), 0);

    *ret_pid = 0;
    if (n == 0) {
        return 0;
    }
    if (n < 0 || n == (ssize_t)sizeof(text)) {
        return -1;
    }
    text[n] = '\0';
    *ret_pid = strtol(text, &end, 10);
    return end != text && strcmp(end, "\n") == 0 ? 1 : -1;
}

/* Open PATH, making it where it is not there: for nobody else to read, as who
 * may read a file may lock it. The descriptor or negative errno; *RET_MADE
 * whether it was made. */
static int
open_or_make(const char *path, bool *ret_made)
{
    int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
    int fd = open(path, flags | O_CREAT | O_EXCL, 0600);

    *ret_made = fd >= 0;
    if (fd < 0 && errno == EEXIST) {
        fd = open(path, flags, 0);
    }
    return fd >= 0 ? fd : -errno;
}

/* Lock what FD has open, unless it is somebody's file. 0 or negative errno,
 * -EINVAL for what is no pidfile; *RET_PID of who has the lock. */
static int
lock(int fd, long *ret_pid)
{
    struct stat st;

    if (fstat(fd, &st) < 0) {
        return -errno;
    }
    if (!S_ISREG(st.st_mode) || read_pid(fd, ret_pid) < 0) {
        return -EINVAL;
    }
    return flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

/* Open and lock. The descriptor, or negative errno; -EWOULDBLOCK with *RET_PID
 * where another has the lock. */
static int
open_locked(const char *path, long *ret_pid)
{
    for (int i = 0; i < OPEN_TRIES; i++) {
        bool made = false;
        int fd = open_or_make(path, &made);
        int rc;

        if (fd == -ENOENT) {
            continue; /* it went in between, or its folder is not there */
        }
        if (fd < 0) {
            return fd;
        }
        rc = lock(fd, ret_pid);
        if (rc == 0 && is_same_file(path, fd)) {
            return fd;
        }
        if (rc < 0 && made && flock(fd, LOCK_EX | LOCK_NB) == 0) {
            (void)unlink(path); /* nobody else has taken it meanwhile */
        }
        (void)close(fd);
        if (rc < 0) {
            return rc;
        }
    }
    return access(path, F_OK) < 0 ? -errno : -EAGAIN;
}

int
pidfile_open(const char *path, struct pidfile **ret_pidfile,
             struct lz_error *error)
{
    struct pidfile *pidfile;
    long pid = 0;
    int fd = open_locked(path, &pid);

    if (fd == -EWOULDBLOCK && pid == 0) {
        return lz_error_set(error, LZ_ERROR_BUSY,
                            "another lazyd is starting ('%s' is locked): "
                            "wait for it, or choose another --name",
                            path);
    }
    if (fd == -EWOULDBLOCK) {
        return lz_error_set(error, LZ_ERROR_BUSY,
                            "already running with pid %ld ('%s' is locked): "
                            "stop it, or choose another --name",
                            pid, path);
    }
    if (fd == -EINVAL) {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "pidfile '%s' is there and is no pidfile: "
                            "choose another --pidfile",
                            path);
    }
    if (fd < 0) {
        return lz_error_set_errno(error, -fd, "cannot open pidfile '%s'",
                                  path);
    }
    pidfile = malloc(sizeof(*pidfile));
    if (pidfile == NULL || (pidfile->path = strdup(path)) == NULL) {
        free(pidfile);
        (void)close(fd);
        return lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
    }
    /* Of a lazyd that was killed: it is not who starts now. */
    (void)!ftruncate(fd, 0);
    pidfile->fd = fd;
    *ret_pidfile = pidfile;
    return 0;
}

int
pidfile_write(struct pidfile *pidfile, struct lz_error *error)
{
    char text[32];
    int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

    errno = ENOSPC; /* what a short write means */
    if (ftruncate(pidfile->fd, 0) < 0 ||
        pwrite(pidfile->fd, text, (size_t)length, 0) != length) {
        return lz_error_set_errno(error, errno, "cannot write pidfile '%s'",
                                  pidfile->path);
    }
    return 0;
}

int
pidfile_remove(struct pidfile *pidfile)
{
    int rc = 0;

    if (pidfile == NULL || pidfile->fd < 0) {
        return 0;
    }
    /* Unlink before the lock goes: the next one then makes a file of its
     * own, or finds in open_locked that the path leads elsewhere. */
    rc = unlink_same(pidfile->path, pidfile->fd);
    if (rc < 0 && ftruncate(pidfile->fd, 0) < 0) {
        rc = -errno;
    }
    pidfile_forget(pidfile);
    return rc;
}

void
pidfile_forget(struct pidfile *pidfile)
{
    if (pidfile != NULL) {
        descriptors_close(&pidfile->fd);
    }
}

void
pidfile_free(struct pidfile *pidfile)
{
    if (pidfile != NULL) {
        pidfile_forget(pidfile);
        free(pidfile->path);
        free(pidfile);
    }
}
