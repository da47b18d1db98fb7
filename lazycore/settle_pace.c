/* See settle_pace.h. */
#include "lazycore/settle_pace.h"

#define NS_PER_MS UINT64_C(1000000)
enum {
    IDLE_PART = 10, /* who uses less of a processor than that does not work */
    IDLE_WAIT = 16  /* intervals, before that is asked again */
};

static uint64_t
at_most_last(uint64_t wait_ms)
{
    return wait_ms < LZ_SETTLE_LAST_MS ? wait_ms : LZ_SETTLE_LAST_MS;
}

static uint64_t
interval_ms(const struct lz_settle_pace *pace)
{
    return pace->interval_ms == 0 ? LZ_SETTLE_FIRST_MS : pace->interval_ms;
}

uint64_t
settle_pace_wait_ms(const struct lz_settle_pace *pace)
{
    if (pace->idle > LZ_SETTLE_IDLE)
        return LZ_SETTLE_LAST_MS;
    return at_most_last(interval_ms(pace) * (pace->idle > 0 ? IDLE_WAIT : 1));
}

bool
settle_pace_due(struct lz_settle_pace *pace, uint64_t cpu_ns, uint64_t loads)
{
    uint64_t least = settle_pace_wait_ms(pace) * NS_PER_MS / IDLE_PART;
    bool works = cpu_ns - pace->cpu_ns > least;
    if (loads != pace->loads)
        pace->loaded_ns = cpu_ns;
    pace->idle = works ? 0 : pace->idle + 1;
    pace->cpu_ns = cpu_ns;
    pace->loads = loads;
    return works && cpu_ns >= LZ_SETTLE_AFTER_MS * NS_PER_MS &&
           cpu_ns - pace->loaded_ns >= LZ_SETTLE_QUIET_MS * NS_PER_MS;
}

void
settle_pace_looked(struct lz_settle_pace *pace, uint64_t loads)
{
    pace->loads = loads;
    pace->looks++;
    if (pace->looks % LZ_SETTLE_BURSTS == 0)
        pace->interval_ms = at_most_last(2 * interval_ms(pace));
}
