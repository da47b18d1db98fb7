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
    FRESH_NS = 500000,   /* for so long, */
    FRESH_BLOCKS = 2000, /* and with less than so many blocks more or less, */
    BLOCK_BYTES = 80     /* of such a size in the mean, nothing is asked */
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

/* The last that was asked of the kernel on this thread. */
static _Thread_local struct lz_usage asked;

/* Loads follow each other closely, and asking takes as long as a good part of
 * the smallest. What has passed since then is told from the clock, as if the
 * thread had run all the time, and from the blocks; the kernel is asked again
 * before that can be far from the truth, and the difference goes to the load
 * that is under way then. */
static void
read_usage(struct lz_engine *engine, struct lz_usage *ret_usage)
{
    struct lz_usage now = {.wall_ns = usage_wall_ns(),
                           .blocks = blocks_count()};
    uint64_t passed_ns = now.wall_ns - asked.wall_ns;
    int64_t blocks = now.blocks - asked.blocks;
    if (asked.wall_ns != 0 && passed_ns < FRESH_NS && blocks < FRESH_BLOCKS &&
        blocks > -FRESH_BLOCKS) {
        now.cpu_ns = asked.cpu_ns + passed_ns;
        now.bytes = asked.bytes + blocks * BLOCK_BYTES;
    } else {
        now.cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        now.bytes = resident_read(&engine->resident);
        asked = now;
    }
    *ret_usage = now;
}

void
usage_begin(struct lz_engine *engine, struct lz_usage *ret_usage)
{
    *ret_usage = (struct lz_usage){0};
    if (engine->rule_off[LZ_RULE_ACCOUNTING])
        return;
    blocks_enter(&engine->blocks);
    read_usage(engine, ret_usage);
}

void
usage_end(struct lz_engine *engine, struct lz_usage *ret_usage)
{
    *ret_usage = (struct lz_usage){0};
    if (engine->rule_off[LZ_RULE_ACCOUNTING])
        return;
    read_usage(engine, ret_usage);
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
