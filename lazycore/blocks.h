/* How many blocks of memory a thread has allocated for Python's objects and
 * not freed, while loads are under way.
 *
 * sys.getallocatedblocks() walks all pools: a millisecond in a heap of
 * hundreds of megabytes, for each end of each load. Here the allocator of
 * objects is wrapped instead as long as any load runs, and left alone
 * otherwise. Needs the GIL.
 */
#ifndef LAZYCORE_BLOCKS_H
#define LAZYCORE_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

struct lz_blocks_hook;

/* Zeroed: nothing is wrapped. */
struct lz_blocks {
    struct lz_blocks_hook *hook; /* or NULL */
    int64_t users;               /* loads under way */
    bool gave_up; /* one of them lasts so long that it is no load any more */
};

/* Around a load; calls nest, on any thread. */
void blocks_enter(struct lz_blocks *blocks);
void blocks_leave(struct lz_blocks *blocks);
/* Of this thread: what it allocated less what it freed in such times. */
int64_t blocks_count(void);
/* Free what the allocator does not refer to. */
void blocks_done(struct lz_blocks *blocks);

#endif
