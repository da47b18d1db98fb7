/* What the process, and a thread, have used so far. Needs the GIL. */
#ifndef LAZYCORE_USAGE_H
#define LAZYCORE_USAGE_H

#include <stdint.h>

struct lz_engine;

struct lz_usage {
    uint64_t wall_ns;
    uint64_t cpu_ns; /* of this thread */
    int64_t bytes;   /* resident private memory, to the page */
    int64_t blocks;  /* allocated by Python */
};
/* CLOCK_MONOTONIC: what loads and reloads are timed by. */
uint64_t usage_wall_ns(void);
uint64_t usage_process_cpu_ns(void);
void usage_now(struct lz_engine *engine, struct lz_usage *ret_usage);
/* Private and resident, to the page: the kernel's resident less shared. The
 * second in MB. */
int64_t usage_resident_bytes(void);
double usage_resident_mb(void);

#endif
