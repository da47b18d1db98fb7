/* What the process, and a thread, have used so far. Needs the GIL. */
#ifndef LAZYCORE_USAGE_H
#define LAZYCORE_USAGE_H

#include <stdbool.h>
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

/* What is read now and then, and estimated in between: the CPU time of the
 * thread, the private resident memory of the process, and how many blocks its
 * allocator of objects has in use. */
enum lz_gauge { LZ_GAUGE_CPU_NS, LZ_GAUGE_BYTES, LZ_GAUGE_BLOCKS, LZ_GAUGES };

/* Differences of two on one thread are what was used in between. */
struct lz_usage {
    uint64_t wall_ns;
    int64_t used[LZ_GAUGES];
};
/* What was told on a thread since then was too little, by so much in each
 * nanosecond. Since 0: it was not. */
struct lz_correction {
    uint64_t since_ns;
    double rates[LZ_GAUGES];
};
/* CLOCK_MONOTONIC: what loads and reloads are timed by; and the CPU time of
 * the process. Any thread. */
uint64_t usage_wall_ns(void);
uint64_t usage_process_cpu_ns(void);
void usage_init(struct lz_engine *engine);
/* Before and after each load. FIRST: before one that is nested in no other. */
void usage_read(struct lz_engine *engine, bool first,
                struct lz_usage *ret_usage,
                struct lz_correction *ret_correction);
/* USAGE was told on the same thread before CORRECTION. */
void usage_correct(struct lz_usage *usage,
                   const struct lz_correction *correction);
/* Close what is kept open. */
void usage_done(struct lz_engine *engine);
/* In the child. */
void usage_after_fork(struct lz_engine *engine);
/* Private and resident, to the page: the kernel's resident less shared. The
 * second in MB. */
int64_t usage_resident_bytes(void);
double usage_resident_mb(void);

#endif
