/* What the process, and a thread, have used so far. Needs the GIL. */
#ifndef LAZYCORE_USAGE_H
#define LAZYCORE_USAGE_H

#include <stdint.h>
#include <sys/types.h>

struct lz_engine;

/* /proc/self/statm, kept open: opening it costs five times a reading. */
struct lz_resident {
    bool open;
    int fd;
    dev_t dev;
    ino_t ino;
};

struct lz_usage {
    uint64_t wall_ns;
    uint64_t cpu_ns; /* of this thread; within 0.5 ms of it */
    int64_t bytes;   /* resident private memory; of less than 2,000 blocks an
                        estimate */
    int64_t blocks;  /* allocated by this thread, through Python */
};
/* CLOCK_MONOTONIC: what loads and reloads are timed by. */
uint64_t usage_wall_ns(void);
uint64_t usage_process_cpu_ns(void);
/* Before and after a load; nest. Nothing is read where accounting is off. */
void usage_begin(struct lz_engine *engine, struct lz_usage *ret_usage);
void usage_end(struct lz_engine *engine, struct lz_usage *ret_usage);
/* Close what is kept open. */
void usage_done(struct lz_engine *engine);
/* In the child. */
void usage_after_fork(struct lz_engine *engine);
/* Private and resident, to the page: the kernel's resident less shared. The
 * second in MB. */
int64_t usage_resident_bytes(void);
double usage_resident_mb(void);

#endif
