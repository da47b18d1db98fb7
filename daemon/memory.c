/* Memory figures from /proc and from Python's allocator. */
#include "daemon/memory.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/pyhost.h"
#include "lazycore/usage.h"

#define LZ_SAMPLE_WAIT_NS (LZ_SAMPLE_WAIT_MS * UINT64_C(1000000))

/* A small file of /proc as a string; 0 or -1. */
static int
read_proc(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0) {
        return -1;
    }
    n = read(fd, text, size - 1);
    (void)close(fd);
    if (n <= 0) {
        return -1;
    }
    text[n] = '\0';
    return 0;
}

/* The bytes in a line "KEY:   123 kB", or -1. */
static int64_t
find_kib(const char *text, const char *key)
{
    const char *line = strstr(text, key);

    return line == NULL ? -1 : strtoll(line + strlen(key), NULL, 10) * 1024;
}

int64_t
memory_rss(void)
{
    char text[256];
    const char *space;

    if (read_proc("/proc/self/statm", text, sizeof(text)) < 0) {
        return -1;
    }
    space = strchr(text, ' ');
    return space == NULL ? -1
                         : strtoll(space, NULL, 10) * sysconf(_SC_PAGESIZE);
}

/* Milliseconds in a big process. */
static void
sample_pages(struct operator_job *job)
{
    struct memory *memory =
        (struct memory *)(void *)((char *)job -
                                  offsetof(struct memory, pages));
    char text[2048], status[4096];

    if (read_proc("/proc/self/smaps_rollup", text, sizeof(text)) < 0) {
        return;
    }
    if (read_proc("/proc/self/status", status, sizeof(status)) < 0) {
        status[0] = '\0';
    }
    lz_mutex_lock(&memory->lock);
    memory->peak = find_kib(status, "\nVmHWM:");
    memory->pss = find_kib(text, "\nPss:");
    memory->private_dirty = find_kib(text, "\nPrivate_Dirty:");
    memory->smaps_ns = usage_wall_ns();
    lz_mutex_unlock(&memory->lock);
    memory->sampled(memory->arg);
}

static void
sample_blocks(struct operator_job *job) LZ_NEEDS_GIL
{
    struct memory *memory =
        (struct memory *)(void *)((char *)job -
                                  offsetof(struct memory, blocks_of_python));
    int64_t blocks = pyhost_blocks();

    lz_mutex_lock(&memory->lock);
    memory->blocks = blocks;
    memory->blocks_ns = usage_wall_ns();
    lz_mutex_unlock(&memory->lock);
}

void
memory_init(struct memory *memory, void (*sampled)(void *arg), void *arg)
{
    *memory = (struct memory){
        .peak = -1, .pss = -1, .private_dirty = -1, .blocks = -1};
    lz_mutex_init(&memory->lock);
    memory->pages.run = sample_pages;
    memory->blocks_of_python.run = sample_blocks;
    memory->sampled = sampled;
    memory->arg = arg;
    (void)snprintf(memory->pages.what, sizeof(memory->pages.what),
                   "sampling memory");
    (void)snprintf(memory->blocks_of_python.what,
                   sizeof(memory->blocks_of_python.what), "sampling memory");
}

void
memory_done(struct memory *memory)
{
    lz_mutex_done(&memory->lock);
}

static int64_t
age_of(int64_t value, uint64_t taken_ns, uint64_t now_ns)
{
    return value < 0 ? -1 : (int64_t)(now_ns - taken_ns);
}

void
memory_fill(struct memory *memory, struct wire_stats_memory *ret)
{
    uint64_t now;

    ret->rss = memory_rss();
    lz_mutex_lock(&memory->lock);
    ret->peak_rss = memory->peak > ret->rss ? memory->peak : ret->rss;
    now = usage_wall_ns();
    ret->pss = memory->pss;
    ret->private_dirty = memory->private_dirty;
    ret->python_blocks = memory->blocks;
    ret->pss_age_ns = age_of(memory->pss, memory->smaps_ns, now);
    ret->private_dirty_age_ns =
        age_of(memory->private_dirty, memory->smaps_ns, now);
    ret->python_blocks_age_ns = age_of(memory->blocks, memory->blocks_ns, now);
    lz_mutex_unlock(&memory->lock);
}

void
memory_ask(struct memory *memory, struct operator_thread *plain,
           struct operator_thread *op)
{
    uint64_t now = usage_wall_ns();

    if (memory->asked_ns != 0 && now - memory->asked_ns < LZ_SAMPLE_NS) {
        return;
    }
    if (!memory->pages_out && operator_submit(plain, &memory->pages) == 0) {
        memory->pages_out = true;
        memory->asked_ns = now;
    }
    if (!memory->blocks_out &&
        operator_submit(op, &memory->blocks_of_python) == 0) {
        memory->blocks_out = true;
    }
}

bool
memory_is_coming(struct memory *memory)
{
    uint64_t taken;

    lz_mutex_lock(&memory->lock);
    taken = memory->smaps_ns;
    lz_mutex_unlock(&memory->lock);
    return memory->pages_out && taken < memory->asked_ns &&
           usage_wall_ns() - memory->asked_ns < LZ_SAMPLE_WAIT_NS;
}

bool
memory_take(struct memory *memory, const struct operator_job *job)
{
    if (job == &memory->pages) {
        memory->pages_out = false;
    } else if (job == &memory->blocks_of_python) {
        memory->blocks_out = false;
    } else {
        return false;
    }
    return true;
}
