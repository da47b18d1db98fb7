/* When to look which namespaces are hot: often at first, seldom later, and
 * only while the process works and loads nothing. Looks cost the process CPU
 * time, 0.4 ms a burst, so it is by that that they come, and the longer it has
 * loaded nothing, the fewer: 80 bursts come in the first 12 s, or 240 where
 * there is something hot to be found, and one a second in the end.
 *
 * Plain C; belongs to whoever has the looks made.
 */
#ifndef LAZYCORE_SETTLE_PACE_H
#define LAZYCORE_SETTLE_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LZ_SETTLE_AFTER_MS = 200, /* of CPU time the first look comes, */
    LZ_SETTLE_QUIET_MS = 100, /* so much of it after the last load; */
    LZ_SETTLE_BURST = 4,      /* then that many at once, with so much in
                                 between: */
    LZ_SETTLE_PART = 16,      /* what has passed since that load, by this, */
    LZ_SETTLE_SLOW_PART = 64, /* or this, while hot namespaces are slow, */
    LZ_SETTLE_FIRST_MS = 10,  /* at least that, */
    LZ_SETTLE_LAST_MS = 1000, /* at most that. */
    LZ_SETTLE_IDLE = 64       /* So often it is asked soon whether one that
                                 sleeps works again */
};

/* All zero is where it begins. */
struct lz_settle_pace {
    uint64_t interval_ms; /* 0: the first */
    uint64_t cpu_ns;      /* of the process, when last asked, */
    uint64_t looked_ns;   /* and when a look was due */
    uint64_t loads;       /* as given then, */
    uint64_t loaded_ns;   /* and the CPU time when that had grown */
    unsigned idle;        /* so often in a row it had not worked since */
    bool slow;            /* the last look's */
};

/* How many ms of wall time to wait before the next question. */
uint64_t settle_pace_wait_ms(const struct lz_settle_pace *pace);
/* Whether to look now. CPU_NS is what the process has used; so many LOADS were
 * counted by the registry. */
bool settle_pace_due(struct lz_settle_pace *pace, uint64_t cpu_ns,
                     uint64_t loads);
/* That was done; LOADS are those now, its own among them. SLOW: what it was
 * done for is still there. */
void settle_pace_looked(struct lz_settle_pace *pace, uint64_t loads,
                        bool slow);

#endif
