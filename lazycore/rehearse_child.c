/* A forked child cuts itself off: signals, descriptors, limits, mappings.
 *
 * Locks of the C library may be held by threads that are not here, so until
 * the last step there are only system calls and memory of this file's own.
 */
#include "lazycore/rehearse.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    MAPPINGS_MAX = 1024,
    COPY_MAX = 64 * 1024 * 1024, /* bytes of shared memory made private */
    LINE_MAX_BYTES = 8192,
    FAILED_STATUS = 125
};

struct mapping {
    unsigned long begin, end;
    int protection;
    bool copied; /* a file or plain memory, not a device */
};

static void
fail(void)
{
    _exit(FAILED_STATUS);
}

/* --- descriptors and limits ----------------------------------------------
 */

static void
close_all_but(int fd)
{
    if ((fd > 0 && close_range(0, (unsigned)fd - 1, 0) < 0) ||
        close_range((unsigned)fd + 1, ~0u, 0) < 0 ||
        open("/dev/null", O_RDWR) != STDIN_FILENO ||
        dup(STDIN_FILENO) != STDOUT_FILENO ||
        dup(STDIN_FILENO) != STDERR_FILENO) {
        fail();
    }
}

static void
limit(int resource, rlim_t value)
{
    struct rlimit old, new = {value, value};

    if (getrlimit((__rlimit_resource_t)resource, &old) < 0) {
        fail();
    }
    if (old.rlim_max < value) {
        new.rlim_cur = new.rlim_max = old.rlim_max;
    }
    if (setrlimit((__rlimit_resource_t)resource, &new) < 0) {
        fail();
    }
}

/* Bytes of private writable memory that the process has, as RLIMIT_DATA
 * counts. */
static uint64_t
data_bytes(void)
{
    char text[256];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    const char *at = text;

    if (n <= 0) {
        fail();
    }
    (void)close(fd);
    text[n] = '\0';
    for (int field = 0; field < 5; field++) {
        at = strchr(at, ' ');
        if (at == NULL) {
            fail();
        }
        at++;
    }
    return strtoull(at, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void
set_limits(const struct lz_rehearsal_limits *limits)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    /* Where memory lacks, the copy goes before the service. */
    if (fd >= 0) {
        ssize_t written = write(fd, "1000", 4);
        (void)written;
        (void)close(fd);
    }
    /* With 1, not 0, neither a file nor a handler behind a pipe gets the
     * service's memory when the copy crashes. */
    limit(RLIMIT_CORE, 1);
    limit(RLIMIT_CPU, limits->cpu_seconds);
    if (limits->memory_bytes > 0) {
        limit(RLIMIT_DATA, data_bytes() + limits->memory_bytes);
    }
}

/* --- shared mappings -----------------------------------------------------
 */

/* "55d0-55d8 rw-s 00000000 00:01 1035 /dev/shm/x": whether LINE is of a
 * mapping that writes would get out by. */
static bool
read_line(char *line, struct mapping *ret_mapping)
{
    char *at = line;
    const char *path;

    ret_mapping->begin = strtoul(at, &at, 16);
    ret_mapping->end = strtoul(at + 1, &at, 16);
    if (at[0] != ' ' || strlen(at) < 6 || at[2] != 'w' || at[4] != 's') {
        return false;
    }
    ret_mapping->protection = PROT_WRITE | (at[1] == 'r' ? PROT_READ : 0) |
                              (at[3] == 'x' ? PROT_EXEC : 0);
    path = strchr(at, '/');
    ret_mapping->copied = path != NULL && at[1] == 'r' &&
                          (strncmp(path, "/dev/", 5) != 0 ||
                           strncmp(path, "/dev/shm/", 9) == 0 ||
                           strncmp(path, "/dev/zero", 9) == 0);
    return true;
}

/* A private copy in its place; pages that cannot be read are left empty. */
static bool
make_private(const struct mapping *mapping, int memory)
{
    size_t size = mapping->end - mapping->begin;
    char *copy = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *place = (void *)(uintptr_t)mapping->begin;

    if (copy == MAP_FAILED) {
        return false;
    }
    for (size_t done = 0; done < size;) {
        ssize_t n = pread(memory, copy + done, size - done,
                          (off_t)(mapping->begin + done));
        if (n <= 0) {
            break;
        }
        done += (size_t)n;
    }
    return mprotect(copy, size, mapping->protection) == 0 &&
           mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, place) ==
               place;
}

static void
isolate_mappings(struct mapping *mappings, size_t count)
{
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    size_t copied = 0;

    for (size_t i = 0; i < count; i++) {
        size_t size = mappings[i].end - mappings[i].begin;

        if (mappings[i].copied && memory >= 0 && size <= COPY_MAX - copied &&
            make_private(&mappings[i], memory)) {
            copied += size;
        } else if (mprotect((void *)(uintptr_t)mappings[i].begin, size,
                            PROT_READ) < 0) {
            fail();
        }
    }
    if (memory >= 0) {
        (void)close(memory);
    }
}

static void
find_mappings(void)
{
    static struct mapping mappings[MAPPINGS_MAX];
    static char text[LINE_MAX_BYTES];
    size_t count = 0, have = 0;
    ssize_t n;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        fail();
    }
    while ((n = read(fd, text + have, sizeof(text) - have)) > 0) {
        char *line = text;
        char *end;

        have += (size_t)n;
        while ((end = memchr(line, '\n', have - (size_t)(line - text))) !=
               NULL) {
            *end = '\0';
            if (count == MAPPINGS_MAX) {
                fail();
            }
            count += read_line(line, &mappings[count]);
            line = end + 1;
        }
        have -= (size_t)(line - text);
        memmove(text, line, have);
        if (have == sizeof(text)) {
            fail();
        }
    }
    (void)close(fd);
    isolate_mappings(mappings, count);
}

/* --- the whole -----------------------------------------------------------
 */

void
rehearse_isolate(int fd, int parent, const struct lz_rehearsal_limits *limits)
{
    struct mallinfo2 heap;

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent ||
        setsid() < 0) {
        fail();
    }
    (void)prctl(PR_SET_NAME, "lazyd-rehearsal");
    close_all_but(fd);
    set_limits(limits);
    find_mappings();
    /* Takes the lock of every arena in turn: for ever, if one is held by a
     * thread of the parent's. */
    heap = mallinfo2();
    (void)heap;
}
