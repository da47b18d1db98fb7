/* See limit.h. */
#include "ctl/wire/limit.h"

static const struct wire_limit limits[] = {
#define WIRE_LIMIT(id, key, value, meaning) {(key), (value), (meaning)},
#include "ctl/wire/limits.def"
#undef WIRE_LIMIT
};

const struct wire_limit *
wire_limits(size_t *ret_count)
{
    *ret_count = sizeof limits / sizeof limits[0];
    return limits;
}
