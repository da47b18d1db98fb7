/* See settle_pace.h. */
#include "lazycore/settle_pace.h"

#define NS_PER_MS UINT64_C(1000000)
enum {
    IDLE_PART = 10, /* who uses less of a processor than that does not work */
    IDLE_WAIT = 16  /* intervals, before that is asked again */
};

static uint64_t
clamp(uint64_t wait_ms)
{
    return wait_ms < LZ_SETTLE_FIRST_MS  ? LZ_SETTLE_FIRST_MS
           : wait_ms > LZ_SETTLE_LAST_MS ? LZ_SETTLE_LAST_MS
                                         : wait_ms;
}

uint64_t
settle_pace_wait_ms(const struct lz_settle_pace *pace)
{
    if (pace->idle > LZ_SETTLE_IDLE)
        return LZ_SETTLE_LAST_MS;
    return clamp(clamp(pace->interval_ms) * (pace->idle > 0 ? IDLE_WAIT : 1));
}

bool
settle_pace_due(struct lz_settle_pace *pace, uint64_t cpu_ns, uint64_t loads)
{
    uint64_t least = settle_pace_wait_ms(pace) * NS_PER_MS / IDLE_PART;
    bool works = cpu_ns - pace->cpu_ns > least;
    if (loads != pace->loads)
        pace->loaded_ns = cpu_ns;
    uint64_t quiet_ms = (cpu_ns - pace->loaded_ns) / NS_PER_MS;
    pace->loads = loads;
    pace->idle = works ? 0 : pace->idle + 1;
    pace->cpu_ns = cpu_ns;
    if (quiet_ms < LZ_SETTLE_QUIET_MS)
        pace->interval_ms = LZ_SETTLE_FIRST_MS;
    /* One that works all the time has used a little less than was waited. */
    uint64_t nearly_ns = clamp(pace->interval_ms) * NS_PER_MS * 9 / 10;
    if (!works || cpu_ns < LZ_SETTLE_AFTER_MS * NS_PER_MS ||
        quiet_ms < LZ_SETTLE_QUIET_MS || cpu_ns - pace->looked_ns < nearly_ns)
        return false;
    pace->looked_ns = cpu_ns;
    pace->interval_ms =
        clamp(quiet_ms / (pace->slow ? LZ_SETTLE_SLOW_PART : LZ_SETTLE_PART));
    return true;
}

void
settle_pace_looked(struct lz_settle_pace *pace, uint64_t loads, bool slow)
{
    pace->loads = loads;
    pace->slow = slow;
}
