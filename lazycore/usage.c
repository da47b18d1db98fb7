/* What the process and this thread have used so far.
 *
 * Read around loads only: ordinary execution pays nothing. Needs the GIL.
 */
#include "lazycore/engine.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    RESIDENT_FD = 100,
    STATM_NUMBERS = 7,
    STATM_SIZE = 160,
    FRESH_NS = 200000
};

static uint64_t
clock_ns(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Private pages of a line of statm, its second number less its third, or -1:
 * no such line. */
static int64_t
resident_of(char *text, ssize_t size)
{
    uint64_t numbers[STATM_NUMBERS] = {0};
    if (size <= 0)
        return -1;
    text[size] = '\0';
    const char *at = text;
    for (int i = 0; i < STATM_NUMBERS; i++) {
        const char *begin = at;
        for (; *at >= '0' && *at <= '9'; at++)
            numbers[i] = numbers[i] * 10 + (uint64_t)(*at - '0');
        if (at == begin)
            return -1;
        at += *at == ' ';
    }
    if (*at != '\n' || numbers[1] < numbers[2] || numbers[0] < numbers[1])
        return -1;
    return (int64_t)(numbers[1] - numbers[2]) * sysconf(_SC_PAGESIZE);
}

int64_t
usage_resident_bytes(void)
{
    char text[STATM_SIZE];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t size = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    int64_t bytes = resident_of(text, size);
    return bytes < 0 ? 0 : bytes;
}

/* Away from the low numbers, which programs count on. */
static void
resident_open(struct lz_resident *resident)
{
    struct stat status;
    int low = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (low < 0)
        return;
    int fd = fcntl(low, F_DUPFD_CLOEXEC, RESIDENT_FD);
    if (fd >= 0)
        (void)close(low);
    else
        fd = low;
    if (fstat(fd, &status) != 0) {
        (void)close(fd);
        return;
    }
    *resident = (struct lz_resident){true, fd, status.st_dev, status.st_ino};
}

/* Programs close descriptors that they do not know, and open others under
 * their numbers: those are not ours to close. */
static void
resident_close(struct lz_resident *resident)
{
    struct stat status;
    if (resident->open && fstat(resident->fd, &status) == 0 &&
        status.st_dev == resident->dev && status.st_ino == resident->ino)
        (void)close(resident->fd);
    resident->open = false;
}

static int64_t
resident_try(const struct lz_resident *resident)
{
    char text[STATM_SIZE];
    if (!resident->open)
        return -1;
    return resident_of(text, pread(resident->fd, text, sizeof(text) - 1, 0));
}

/* What is read shows by its form whether it is from the file meant. */
static int64_t
resident_read(struct lz_resident *resident)
{
    int64_t bytes = resident_try(resident);
    if (bytes < 0) {
        resident_close(resident);
        resident_open(resident);
        bytes = resident_try(resident);
    }
    return bytes < 0 ? 0 : bytes;
}

double
usage_resident_mb(void)
{
    return (double)usage_resident_bytes() / (1024.0 * 1024.0);
}

uint64_t
usage_wall_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

uint64_t
usage_process_cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* The last reading of this thread. */
static _Thread_local struct lz_usage last;

static void
read_now(struct lz_engine *engine, struct lz_usage *ret_usage)
{
    ret_usage->wall_ns = usage_wall_ns();
    ret_usage->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    ret_usage->blocks = blocks_count();
    ret_usage->bytes = resident_read(&engine->resident);
    last = *ret_usage;
}

/* Loads follow each other closely. A reading takes as long as a small part of
 * the smallest load; one that is so fresh need not be done again: the thread
 * has run since then, and has not grown by more than pages. */
void
usage_begin(struct lz_engine *engine, struct lz_usage *ret_usage)
{
    if (engine->rule_off[LZ_RULE_ACCOUNTING]) {
        *ret_usage = (struct lz_usage){0};
        return;
    }
    blocks_enter(&engine->blocks);
    uint64_t now = usage_wall_ns();
    if (now - last.wall_ns > FRESH_NS || last.wall_ns == 0) {
        read_now(engine, ret_usage);
        ret_usage->wall_ns = usage_wall_ns();
        return;
    }
    *ret_usage =
        (struct lz_usage){.wall_ns = now,
                          .cpu_ns = last.cpu_ns + (now - last.wall_ns),
                          .blocks = blocks_count(),
                          .bytes = last.bytes};
}

void
usage_end(struct lz_engine *engine, struct lz_usage *ret_usage)
{
    if (engine->rule_off[LZ_RULE_ACCOUNTING]) {
        *ret_usage = (struct lz_usage){0};
        return;
    }
    read_now(engine, ret_usage);
    blocks_leave(&engine->blocks);
}

void
usage_after_fork(struct lz_engine *engine)
{
    resident_close(&engine->resident); /* it is of the parent */
}

void
usage_done(struct lz_engine *engine)
{
    resident_close(&engine->resident);
    blocks_done(&engine->blocks);
}
