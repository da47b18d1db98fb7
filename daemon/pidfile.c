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
#include "daemon/entry.h"

struct pidfile {
    struct entry entry;
    int fd;
};

enum { OPEN_TRIES = 100 };

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

/* Open it, making it where it is not there: for nobody else to read, as who
 * may read a file may lock it. The descriptor or negative errno; *RET_MADE
 * whether it was made. */
static int
open_or_make(const struct entry *entry, bool *ret_made)
{
    int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
    int fd =
        openat(entry->folder_fd, entry->name, flags | O_CREAT | O_EXCL, 0600);

    *ret_made = fd >= 0;
    if (fd < 0 && errno == EEXIST) {
        fd = openat(entry->folder_fd, entry->name, flags, 0);
    }
    return fd >= 0 ? fd : -errno;
}

/* Lock what FD has open, unless it is somebody's file. 0 or negative errno,
 * -EINVAL for what is no pidfile; *RET_PID of who has the lock. */
static int
lock(int fd, struct stat *ret_st, long *ret_pid)
{
    if (fstat(fd, ret_st) < 0) {
        return -errno;
    }
    if (!S_ISREG(ret_st->st_mode) || read_pid(fd, ret_pid) < 0) {
        return -EINVAL;
    }
    return flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

/* Open and lock what the entry is of. The descriptor or negative errno:
 * -EWOULDBLOCK with *RET_PID where another has the lock, -EAGAIN where it went
 * in between. */
static int
take(const struct entry *entry, long *ret_pid)
{
    bool made = false;
    int fd = open_or_make(entry, &made);
    struct stat st;
    int rc;

    if (fd < 0) {
        return fd == -ENOENT ? -EAGAIN : fd;
    }
    rc = lock(fd, &st, ret_pid);
    if (rc == 0 && entry_is_at_path(entry, &st)) {
        return fd;
    }
    if (made && flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0) {
        (void)entry_remove(entry, &st); /* nobody else has taken it */
    }
    (void)close(fd);
    return rc == 0 ? -EAGAIN : rc;
}

/* Open and lock. 0, or negative errno and nothing held; -EWOULDBLOCK with
 * *RET_PID where another has the lock. */
static int
open_locked(struct pidfile *pidfile, const char *path, long *ret_pid)
{
    int rc = -EAGAIN;

    for (int i = 0; i < OPEN_TRIES && rc == -EAGAIN; i++) {
        rc = entry_open(&pidfile->entry, path);
        if (rc < 0) {
            break;
        }
        rc = take(&pidfile->entry, ret_pid);
        if (rc >= 0) {
            pidfile->fd = rc;
            return 0;
        }
        entry_done(&pidfile->entry);
    }
    return rc;
}

/* Say with ERROR what open_locked's RC means of PATH, which PID has. -1. */
static int
say(int rc, const char *path, long pid, struct lz_error *error)
{
    if (rc == -EWOULDBLOCK && pid == 0) {
        return lz_error_set(error, LZ_ERROR_BUSY,
                            "another lazyd is starting ('%s' is locked): "
                            "wait for it, or choose another --name",
                            path);
    }
    if (rc == -EWOULDBLOCK) {
        return lz_error_set(error, LZ_ERROR_BUSY,
                            "already running with pid %ld ('%s' is locked): "
                            "stop it, or choose another --name",
                            pid, path);
    }
    if (rc == -EINVAL) {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "pidfile '%s' is there and is no pidfile: "
                            "choose another --pidfile",
                            path);
    }
    return lz_error_set_errno(error, -rc, "cannot open pidfile '%s'", path);
}

int
pidfile_open(const char *path, struct pidfile **ret_pidfile,
             struct lz_error *error)
{
    struct pidfile *pidfile = malloc(sizeof(*pidfile));
    long pid = 0;
    int rc;

    if (pidfile == NULL) {
        return lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
    }
    rc = open_locked(pidfile, path, &pid);
    if (rc < 0) {
        free(pidfile);
        return say(rc, path, pid, error);
    }
    /* Of a lazyd that was killed: it is not who starts now. */
    (void)!ftruncate(pidfile->fd, 0);
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
                                  pidfile->entry.path);
    }
    return 0;
}

int
pidfile_remove(struct pidfile *pidfile)
{
    struct stat st;
    int rc = 0;

    if (pidfile == NULL || pidfile->fd < 0) {
        return 0;
    }
    /* Unlink before the lock goes: the next one then makes a file of its
     * own, or finds in open_locked that the path leads elsewhere. */
    if (fstat(pidfile->fd, &st) == 0) {
        rc = entry_remove(&pidfile->entry, &st);
    }
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
        descriptors_close(&pidfile->entry.folder_fd);
    }
}

void
pidfile_free(struct pidfile *pidfile)
{
    if (pidfile != NULL) {
        pidfile_forget(pidfile);
        entry_done(&pidfile->entry);
        free(pidfile);
    }
}
