/* Preloaded: the process is killed in front of one of the calls by which it
 * publishes something in a folder, or takes it back.
 *
 * KILL_FOLDER: calls on what is in it are counted, on locks and sockets, and
 * forks, in whose child the count goes on. KILL_AT: the number of the call,
 * from 0. KILL_LOG: the names of calls are appended to this file as they come.
 * KILL_WHEN: none is counted before this file is there.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* The next definition of NAME, of the type of ours. */
#define NEXT(name)                                                            \
    __typeof__(&name) next;                                                   \
    *(void **)&next = dlsym(RTLD_NEXT, #name)

static void
note(const char *name)
{
    const char *path = getenv("KILL_LOG");
    int fd = path == NULL ? -1
                          : (int)syscall(SYS_openat, AT_FDCWD, path,
                                         O_WRONLY | O_CREAT | O_APPEND, 0600);

    if (fd >= 0) {
        (void)!syscall(SYS_write, fd, name, strlen(name));
        (void)!syscall(SYS_write, fd, "\n", 1);
        (void)syscall(SYS_close, fd);
    }
}

static void
count(const char *name)
{
    static int calls;
    const char *at = getenv("KILL_AT");
    const char *when = getenv("KILL_WHEN");
    int saved = errno;

    if (at != NULL &&
        (when == NULL || syscall(SYS_faccessat, AT_FDCWD, when, F_OK) == 0)) {
        note(name);
        if (calls++ == atoi(at)) {
            (void)kill(getpid(), SIGKILL);
        }
    }
    errno = saved;
}

static bool
is_inside(const char *path)
{
    const char *folder = getenv("KILL_FOLDER");

    return folder != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static void
count_path(const char *name, const char *path)
{
    if (is_inside(path)) {
        count(name);
    }
}

/* What a descriptor is of in the calling thread's table. */
static bool
is_inside_fd(int fd)
{
    char link[64], path[4096];
    ssize_t n;

    (void)snprintf(link, sizeof(link), "/proc/thread-self/fd/%d", fd);
    n = readlink(link, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = '\0';
    return is_inside(path);
}

static void
count_at(const char *name, int folder)
{
    if (is_inside_fd(folder)) {
        count(name);
    }
}

static bool
is_inside_address(const struct sockaddr *address)
{
    const char *path =
        ((const struct sockaddr_un *)(const void *)address)->sun_path;
    int fd = -1;

    return address->sa_family == AF_UNIX &&
           (sscanf(path, "/proc/self/fd/%d", &fd) == 1 ? is_inside_fd(fd)
                                                       : is_inside(path));
}

#define WRAP(result, name, parameters, counting, arguments)                   \
    result name parameters                                                    \
    {                                                                         \
        NEXT(name);                                                           \
        counting;                                                             \
        return next arguments;                                                \
    }

WRAP(int, mkdir, (const char *path, mode_t mode), count_path("mkdir", path),
     (path, mode))
WRAP(int, fchmodat, (int folder, const char *name, mode_t mode, int flags),
     count_at("fchmodat", folder), (folder, name, mode, flags))
WRAP(int, fchownat,
     (int folder, const char *name, uid_t uid, gid_t gid, int flags),
     count_at("fchownat", folder), (folder, name, uid, gid, flags))
WRAP(int, unlinkat, (int folder, const char *name, int flags),
     count_at("unlinkat", folder), (folder, name, flags))
WRAP(int, renameat,
     (int from_folder, const char *from, int to_folder, const char *to),
     count_at("renameat", from_folder), (from_folder, from, to_folder, to))
WRAP(int, fchmod, (int fd, mode_t mode), count("fchmod"), (fd, mode))
WRAP(int, flock, (int fd, int how), count("flock"), (fd, how))
WRAP(int, ftruncate, (int fd, off_t size), count("ftruncate"), (fd, size))
WRAP(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t at),
     count("pwrite"), (fd, data, size, at))
WRAP(int, listen, (int fd, int backlog), count("listen"), (fd, backlog))
WRAP(int, bind, (int fd, const struct sockaddr *address, socklen_t size),
     if (is_inside_address(address)) count("bind"), (fd, address, size))
WRAP(int, connect, (int fd, const struct sockaddr *address, socklen_t size),
     if (is_inside_address(address)) count("connect"), (fd, address, size))
WRAP(pid_t, fork, (void), count("fork"), ())

int
open(const char *path, int flags, ...)
{
    NEXT(open);
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
    count_path("open", path);
    return next(path, flags, mode);
}

int
openat(int folder, const char *name, int flags, ...)
{
    NEXT(openat);
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
    count_at("openat", folder);
    return next(folder, name, flags, mode);
}
