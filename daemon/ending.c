/* See ending.h. */
#include "daemon/ending.h"

#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_MS = 500, LOOK_MS = 2 };

/* As in linux/pidfd.h of 6.15. */
struct pidfd_info_exit {
    uint64_t mask, cgroup;
    uint32_t ids[11];
    int32_t exit_code;
};
#define PIDFD_INFO_EXIT_BIT (UINT64_C(1) << 3)
#define PIDFD_GET_INFO_EXIT _IOWR(0xFF, 11, struct pidfd_info_exit)

int
ending_open(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* All three: 1 with the status as of waitpid(), 0 not yet, -1 it is too late.
 */
static int
look_by_descriptor(int fd, int *ret_status)
{
    struct pidfd_info_exit info = {.mask = PIDFD_INFO_EXIT_BIT};

    if (ioctl(fd, PIDFD_GET_INFO_EXIT, &info) < 0) {
        return -1;
    }
    *ret_status = info.exit_code;
    return (info.mask & PIDFD_INFO_EXIT_BIT) != 0;
}

/* The last number of the line, while nobody has waited for the process. */
static int
look_in_proc(pid_t pid, int *ret_status)
{
    char path[32];
    char line[1024] = "";
    FILE *file;
    const char *state;
    const char *last;

    (void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    file = fopen(path, "re");
    if (file == NULL) {
        return -1;
    }
    (void)!fgets(line, sizeof(line), file);
    (void)fclose(file);
    state = strrchr(line, ')');
    last = strrchr(line, ' ');
    if (state == NULL || last < state || strncmp(state, ") Z ", 4) != 0) {
        return 0;
    }
    *ret_status = (int)strtol(last, NULL, 10);
    return 1;
}

static int
look(int fd, pid_t pid, int *ret_status)
{
    int found = look_in_proc(pid, ret_status);

    return found == 1 ? 1 : look_by_descriptor(fd, ret_status);
}

static void
describe(int status, char *text, size_t size)
{
    if (WIFSIGNALED(status)) {
        int number = WTERMSIG(status);
        const char *name = sigabbrev_np(number);

        (void)snprintf(text, size, "by SIG%s (%s)",
                       name == NULL ? "nal" : name,
                       name == NULL ? "?" : sigdescr_np(number));
    } else {
        (void)snprintf(text, size, "with status %d", WEXITSTATUS(status));
    }
}

int
ending_tell(int *fd, pid_t pid, char *ret_text, size_t size)
{
    struct pollfd ended = {.fd = *fd, .events = POLLIN};
    int status = 0;
    int found = -1;

    if (*fd < 0) {
        return -1;
    }
    if (poll(&ended, 1, WAIT_MS) == 1) {
        found = look(*fd, pid, &status);
        for (int ms = 0; found == 0 && ms < WAIT_MS; ms += LOOK_MS) {
            (void)poll(NULL, 0, LOOK_MS);
            found = look(*fd, pid, &status);
        }
    }
    (void)close(*fd);
    *fd = -1;
    if (found == 1) {
        describe(status, ret_text, size);
    }
    return found == 1 ? 0 : -1;
}
