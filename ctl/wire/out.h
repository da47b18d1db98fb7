/* A growing buffer that JSON is written into, with commas put in for you.
 *
 * A failure (no memory, over the limit) sticks, so callers write on and ask
 * once at the end. Strings are made valid UTF-8: a byte that is not becomes
 * U+FFFD. Private to ctl/wire. One thread for each object.
 */
#ifndef WIRE_OUT_H
#define WIRE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/wire/line.h"

struct wire_out {
    struct wire_line line;
    size_t capacity, max;
    int status; /* 0, -ENOMEM or -EMSGSIZE */
};

void wire_out_init(struct wire_out *out, size_t max);
void wire_out_done(struct wire_out *out);
/* Add '\n' and hand the buffer over: 0 or the status that stuck. */
int wire_out_line(struct wire_out *out, struct wire_line *ret_line);

void wire_out_open(struct wire_out *out, char bracket);
void wire_out_close(struct wire_out *out, char bracket);
/* KEY needs no escapes. */
void wire_out_key(struct wire_out *out, const char *key);
/* Already JSON: a literal, or a value as a peer wrote it. */
void wire_out_raw(struct wire_out *out, const char *json);
void wire_out_string(struct wire_out *out,
                     const char *string); /* NULL: null */
void wire_out_bool(struct wire_out *out, bool value);
void wire_out_i64(struct wire_out *out, int64_t value);
void wire_out_u64(struct wire_out *out, uint64_t value);
void wire_out_double(struct wire_out *out, double value);

#endif
