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
    READ_NS = 2000000,
    PACE = 300,
    GAP_NS = 1000000, /* loads are the first of some after that */
    FIRST_NS = 20000, /* what counting blocks may cost at the first */
    WALK_NS = 1000,
    /* What a millisecond of loads comes to, until it was measured. */
    FIRST_BYTES = 40000,
    FIRST_BLOCKS = 300
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

/* Readings.
 *
 * Loads follow each other closely, and a reading takes as long as a good part
 * of the smallest: some microseconds for the kernel's two; the count of blocks
 * walks the heap, which takes a millisecond where that is large. They are read
 * at the first of some loads and then every READ_NS, blocks every PACE times
 * what that costs. In between as much is told as loads come to in the mean; at
 * the next reading all that was told since the last is corrected, in
 * proportion to time.
 */

/* Of this thread. */
static _Thread_local struct own {
    uint64_t at_ns;   /* when a load last began or ended */
    uint64_t read_ns; /* the last readings */
    struct gauge {
        bool known;       /* it was read, */
        uint64_t read_ns; /* then; else the loads began then */
        int64_t read;
        double sum;  /* what was told: only differences mean something */
        double rate; /* by which it is told, a nanosecond */
    } gauges[LZ_GAUGES];
} own;

/* What a walk costs grows with the heap; one during which the thread waited
 * for a processor says little of it. */
static int64_t
read_blocks(struct lz_engine *engine)
{
    uint64_t start_ns = usage_wall_ns();
    PyObject *count = engine->getallocatedblocks == NULL
                          ? NULL
                          : PyObject_CallNoArgs(engine->getallocatedblocks);
    int64_t blocks = count == NULL ? 0 : PyLong_AsLongLong(count);
    lz_forgive();
    Py_XDECREF(count);
    uint64_t cost_ns = usage_wall_ns() - start_ns;
    uint64_t limit_ns = 2 * engine->walk_ns + WALK_NS;
    engine->walk_ns = cost_ns < limit_ns ? cost_ns : limit_ns;
    return blocks;
}

static int64_t
read_gauge(struct lz_engine *engine, enum lz_gauge which)
{
    switch (which) {
    case LZ_GAUGE_CPU_NS:
        return (int64_t)clock_ns(CLOCK_THREAD_CPUTIME_ID);
    case LZ_GAUGE_BYTES:
        return resident_read(&engine->resident);
    default:
        return read_blocks(engine);
    }
}

/* A load that is not like the others changes little in the mean. */
static double
mean_with(double mean, double rate)
{
    double limit = 4 * mean;
    rate = rate < 0 ? 0 : rate > limit ? limit : rate;
    return mean + (rate - mean) / 8;
}

/* It is read. By how much in a nanosecond less than the truth was told of it
 * since it was read before, or 0: it was not. */
static double
gauge_read(struct lz_engine *engine, enum lz_gauge which, struct gauge *gauge,
           uint64_t now_ns)
{
    double error = 0;
    int64_t before = gauge->read;
    uint64_t since_ns = gauge->read_ns;
    gauge->read = read_gauge(engine, which);
    if (gauge->known) {
        double rate =
            (double)(gauge->read - before) / (double)(now_ns - since_ns);
        engine->rates[which] = mean_with(engine->rates[which], rate);
        error = rate - gauge->rate;
    }
    gauge->known = true;
    gauge->read_ns = now_ns;
    gauge->rate = engine->rates[which];
    return error;
}

/* The first of some loads begins: what was before is no part of them. */
static void
begin(struct lz_engine *engine, struct own *o, uint64_t now_ns)
{
    for (int i = 0; i < LZ_GAUGES; i++) {
        struct gauge *gauge = &o->gauges[i];
        gauge->known = false;
        gauge->read_ns = now_ns;
        gauge->rate = engine->rates[i];
        if (i != LZ_GAUGE_BLOCKS || engine->walk_ns <= FIRST_NS)
            (void)gauge_read(engine, (enum lz_gauge)i, gauge, now_ns);
    }
    o->read_ns = now_ns;
}

/* What was not read at the last readings is corrected for the time alone since
 * a load last began or ended. */
static void
go_on(struct lz_engine *engine, struct own *o, uint64_t now_ns,
      struct lz_correction *ret_correction)
{
    double passed_ns = (double)(now_ns - o->at_ns);
    bool due = now_ns - o->read_ns >= READ_NS;
    for (int i = 0; i < LZ_GAUGES; i++) {
        struct gauge *gauge = &o->gauges[i];
        bool all = gauge->read_ns == o->read_ns;
        gauge->sum += gauge->rate * passed_ns;
        if (!due || (i == LZ_GAUGE_BLOCKS &&
                     now_ns - gauge->read_ns < PACE * engine->walk_ns))
            continue;
        double error = gauge_read(engine, (enum lz_gauge)i, gauge, now_ns);
        gauge->sum +=
            error * (all ? (double)(now_ns - o->read_ns) : passed_ns);
        ret_correction->rates[i] = all ? error : 0;
    }
    if (due) {
        ret_correction->since_ns = o->read_ns;
        o->read_ns = now_ns;
    }
}

void
usage_init(struct lz_engine *engine)
{
    engine->rates[LZ_GAUGE_CPU_NS] = 1;
    engine->rates[LZ_GAUGE_BYTES] = FIRST_BYTES / 1e6;
    engine->rates[LZ_GAUGE_BLOCKS] = FIRST_BLOCKS / 1e6;
}

void
usage_read(struct lz_engine *engine, bool first, struct lz_usage *ret_usage,
           struct lz_correction *ret_correction)
{
    struct own *o = &own;
    uint64_t now_ns = usage_wall_ns();
    *ret_correction = (struct lz_correction){0};
    if (o->at_ns == 0 || (first && now_ns - o->at_ns > GAP_NS))
        begin(engine, o, now_ns);
    else
        go_on(engine, o, now_ns, ret_correction);
    o->at_ns = now_ns;
    ret_usage->wall_ns = now_ns;
    for (int i = 0; i < LZ_GAUGES; i++)
        ret_usage->used[i] = (int64_t)o->gauges[i].sum;
}

void
usage_correct(struct lz_usage *usage, const struct lz_correction *correction)
{
    if (correction->since_ns == 0 || usage->wall_ns <= correction->since_ns)
        return;
    double ns = (double)(usage->wall_ns - correction->since_ns);
    for (int i = 0; i < LZ_GAUGES; i++)
        usage->used[i] += (int64_t)(correction->rates[i] * ns);
}

void
usage_after_fork(struct lz_engine *engine)
{
    resident_close(&engine->resident);         /* it is of the parent */
    own.gauges[LZ_GAUGE_CPU_NS].known = false; /* a new thread's clock */
}

void
usage_done(struct lz_engine *engine)
{
    resident_close(&engine->resident);
}
