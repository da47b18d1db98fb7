/* What the process and this thread have used so far.
 *
 * Read around loads only: ordinary execution pays nothing. Needs the GIL for
 * the count of blocks.
 */
#include "lazycore/engine.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Measuring */

static uint64_t
clock_ns(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int64_t
usage_resident_bytes(void)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t size = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    if (size <= 0)
        return 0;
    text[size] = '\0';
    char *end;
    (void)strtoll(text, &end, 10);
    int64_t resident = strtoll(end, &end, 10);
    int64_t shared = strtoll(end, &end, 10);
    return (resident - shared) * sysconf(_SC_PAGESIZE);
}

double
usage_resident_mb(void)
{
    return (double)usage_resident_bytes() / (1024.0 * 1024.0);
}

static int64_t
allocated_blocks(struct lz_engine *engine)
{
    if (engine->getallocatedblocks == NULL)
        return 0;
    PyObject *count = PyObject_CallNoArgs(engine->getallocatedblocks);
    int64_t result = count == NULL ? 0 : PyLong_AsLongLong(count);
    Py_XDECREF(count);
    lz_forgive();
    return result;
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

void
usage_now(struct lz_engine *engine, struct lz_usage *ret_usage)
{
    ret_usage->bytes = usage_resident_bytes();
    ret_usage->blocks = allocated_blocks(engine);
    ret_usage->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    ret_usage->wall_ns = usage_wall_ns();
}
