/* Named limits of the protocol, one table (limits.def).
 *
 * Both programs use the constants; `stats` writes the table. No state; any
 * thread.
 */
#ifndef WIRE_LIMIT_H
#define WIRE_LIMIT_H

#include <stddef.h>

enum {
#define WIRE_LIMIT(id, key, value, meaning) WIRE_LIMIT_##id = (value),
#include "ctl/wire/limits.def"
#undef WIRE_LIMIT
};

struct wire_limit {
    const char *key;
    long value;
    const char *meaning;
};

/* The table; *RET_COUNT rows, static. */
const struct wire_limit *wire_limits(size_t *ret_count);

#endif
