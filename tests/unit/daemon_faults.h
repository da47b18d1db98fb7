/* System calls that fail on demand, by --wrap of the linker.
 *
 * Counts the calls of all threads but those that are exempt, and makes one of
 * them fail, or kills the process in front of it. FAULTS lists what is
 * wrapped; CMakeLists.txt must name the same.
 */
#ifndef TESTS_UNIT_DAEMON_FAULTS_H
#define TESTS_UNIT_DAEMON_FAULTS_H

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FAULT_NEVER = -1, FAULT_ALWAYS = -2 };

static struct {
    _Atomic(const char *) only; /* this call alone; NULL: all are counted */
    atomic_int at;              /* which fails, from 0; FAULT_ALWAYS */
    atomic_int error;
    atomic_int kill_at;     /* in front of which the process is killed */
    void (*act)(void *arg); /* called once, in front of the call ONLY */
    void *act_arg;
    atomic_bool is_short; /* it transfers one byte instead of failing */
    atomic_int step;      /* calls so far */
    atomic_uint fired;    /* how often it was made to fail */
} fault = {.at = FAULT_NEVER, .kill_at = FAULT_NEVER};

static _Thread_local bool fault_exempt;

static inline void
fault_arm(const char *only, int at, int error)
{
    fault.only = only;
    fault.error = error;
    fault.kill_at = FAULT_NEVER;
    fault.is_short = false;
    atomic_store(&fault.step, 0);
    atomic_store(&fault.fired, 0);
    fault.at = at;
}

static inline void
fault_disarm(void)
{
    fault.at = fault.kill_at = FAULT_NEVER;
}

/* Memory is only asked about by name. */
static inline bool
fault_hits(const char *call)
{
    const char *only = fault.only;

    if (fault_exempt ||
        (fault.at == FAULT_NEVER && fault.kill_at == FAULT_NEVER) ||
        strcmp(call, only != NULL ? only : call) != 0 ||
        (only == NULL && strcmp(call, "memory") == 0)) {
        return false;
    }
    if (fault.act != NULL) {
        void (*act)(void *arg) = fault.act;

        fault.act = NULL;
        fault_exempt = true;
        act(fault.act_arg);
        fault_exempt = false;
        return false;
    }
    int step = atomic_fetch_add(&fault.step, 1);
    if (step == fault.kill_at) {
        (void)kill(getpid(), SIGKILL);
    }
    if (fault.at != FAULT_ALWAYS && step != fault.at) {
        return false;
    }
    (void)atomic_fetch_add(&fault.fired, 1);
    errno = fault.is_short ? errno : fault.error;
    return true;
}

#define FAULT(result, call, parameters, arguments)                            \
    result __real_##call parameters;                                          \
    result __wrap_##call parameters;                                          \
    result __wrap_##call parameters                                           \
    {                                                                         \
        if (fault_hits(#call)) {                                              \
            return -1;                                                        \
        }                                                                     \
        return __real_##call arguments;                                       \
    }

static bool fault_can_fail(int fd);

/* A transfer of SIZE bytes: it may come out short instead. */
#define FAULT_TRANSFER(call, parameters, size, arguments)                     \
    ssize_t __real_##call parameters;                                         \
    ssize_t __wrap_##call parameters;                                         \
    ssize_t __wrap_##call parameters                                          \
    {                                                                         \
        if (fault_can_fail(fd) && fault_hits(#call)) {                        \
            if (!fault.is_short) {                                            \
                return -1;                                                    \
            }                                                                 \
            (size) = (size) > 1 ? 1 : (size);                                 \
        }                                                                     \
        return __real_##call arguments;                                       \
    }

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, mode_t mode);

int
__wrap_open(const char *path, int flags, mode_t mode)
{
    return fault_hits("open") ? -1 : __real_open(path, flags, mode);
}

int __real_openat(int folder, const char *name, int flags, ...);
int __wrap_openat(int folder, const char *name, int flags, mode_t mode);

int
__wrap_openat(int folder, const char *name, int flags, mode_t mode)
{
    return fault_hits("openat") ? -1
                                : __real_openat(folder, name, flags, mode);
}

FAULT(int, mkdir, (const char *path, mode_t mode), (path, mode))
FAULT(int, lstat, (const char *path, struct stat *st), (path, st))
FAULT(int, fstat, (int fd, struct stat *st), (fd, st))
FAULT(int, flock, (int fd, int how), (fd, how))
FAULT(int, fchmod, (int fd, mode_t mode), (fd, mode))
FAULT(int, unlink, (const char *path), (path))
FAULT(int, rename, (const char *from, const char *to), (from, to))
FAULT(int, fstatat, (int folder, const char *name, struct stat *st, int flags),
      (folder, name, st, flags))
FAULT(int, fchmodat, (int folder, const char *name, mode_t mode, int flags),
      (folder, name, mode, flags))
FAULT(int, fchownat,
      (int folder, const char *name, uid_t uid, gid_t gid, int flags),
      (folder, name, uid, gid, flags))
FAULT(int, unlinkat, (int folder, const char *name, int flags),
      (folder, name, flags))
FAULT(int, renameat,
      (int from_folder, const char *from, int to_folder, const char *to),
      (from_folder, from, to_folder, to))
FAULT(int, ftruncate, (int fd, off_t size), (fd, size))
FAULT(int, socket, (int domain, int type, int protocol),
      (domain, type, protocol))
FAULT(int, bind, (int fd, const struct sockaddr *address, socklen_t size),
      (fd, address, size))
FAULT(int, listen, (int fd, int backlog), (fd, backlog))
FAULT(int, connect, (int fd, const struct sockaddr *address, socklen_t size),
      (fd, address, size))
FAULT(int, getsockopt,
      (int fd, int level, int name, void *value, socklen_t *size),
      (fd, level, name, value, size))
/* An event's descriptor gives its eight bytes, or has none. */
static bool
fault_can_fail(int fd)
{
    struct stat st;

    return __real_fstat(fd, &st) == 0 &&
           (S_ISSOCK(st.st_mode) || S_ISREG(st.st_mode));
}

FAULT(int, accept4,
      (int fd, struct sockaddr *address, socklen_t *size, int flags),
      (fd, address, size, flags))
FAULT(int, epoll_wait,
      (int fd, struct epoll_event *events, int count, int timeout),
      (fd, events, count, timeout))
FAULT(int, epoll_pwait,
      (int fd, struct epoll_event *events, int count, int timeout,
       const sigset_t *mask),
      (fd, events, count, timeout, mask))
/* As the kernel does it: only what is not watched yet takes room. */
int __real_epoll_ctl(int epoll, int what, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll, int what, int fd, struct epoll_event *event);

int
__wrap_epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
    int status = __real_epoll_ctl(epoll, what, fd, event);

    if (status == 0 && what == EPOLL_CTL_ADD && fault_hits("epoll_ctl")) {
        (void)__real_epoll_ctl(epoll, EPOLL_CTL_DEL, fd, event);
        return -1;
    }
    return status;
}

FAULT_TRANSFER(read, (int fd, void *data, size_t size), size, (fd, data, size))
FAULT_TRANSFER(write, (int fd, const void *data, size_t size), size,
               (fd, data, size))
FAULT_TRANSFER(pread, (int fd, void *data, size_t size, off_t at), size,
               (fd, data, size, at))
FAULT_TRANSFER(pwrite, (int fd, const void *data, size_t size, off_t at), size,
               (fd, data, size, at))

/* All that allocates goes by one name: "memory". */
#define FAULT_MEMORY_AS(none, result, call, parameters, arguments)            \
    result __real_##call parameters;                                          \
    result __wrap_##call parameters;                                          \
    result __wrap_##call parameters                                           \
    {                                                                         \
        return fault_hits("memory") ? (none) : __real_##call arguments;       \
    }
#define FAULT_MEMORY(result, call, parameters, arguments)                     \
    FAULT_MEMORY_AS(NULL, result, call, parameters, arguments)

FAULT_MEMORY(void *, malloc, (size_t size), (size))
FAULT_MEMORY(void *, calloc, (size_t count, size_t size), (count, size))
FAULT_MEMORY(void *, realloc, (void *old, size_t size), (old, size))
FAULT_MEMORY(char *, strdup, (const char *text), (text))
FAULT_MEMORY(char *, strndup, (const char *text, size_t size), (text, size))
FAULT_MEMORY_AS(MAP_FAILED, void *, mmap,
                (void *at, size_t size, int rights, int flags, int fd,
                 off_t offset),
                (at, size, rights, flags, fd, offset))
FAULT_MEMORY_AS(MAP_FAILED, void *, mremap,
                (void *old, size_t size, size_t wanted, int flags),
                (old, size, wanted, flags))

#endif
