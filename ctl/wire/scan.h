/* Strict JSON checking (RFC 8259) before anything is built from it.
 *
 * The parser that builds trees is lenient and recurses; this looks at the
 * bytes first: grammar, depth, no NUL in strings, no lone surrogates. It
 * gives the members of the outermost object as byte ranges, so an id stays
 * the text its sender wrote. Private to ctl/wire. Any thread.
 */
#ifndef WIRE_SCAN_H
#define WIRE_SCAN_H

#include <stddef.h>

enum { WIRE_MEMBERS_MAX = 8 };

struct wire_member {
    const char *key; /* between its quotes, escapes not resolved */
    size_t key_length;
    const char *value;
    size_t value_length;
};

struct wire_scan {
    char type; /* of the outermost value: { [ " 0 t f n */
    struct wire_member members[WIRE_MEMBERS_MAX]; /* the first of them */
    size_t member_count; /* all of them; may be over WIRE_MEMBERS_MAX */
    size_t value_count;  /* values of all kinds, at every depth */
    const char *fault;   /* why it is not accepted */
    size_t offset;       /* where */
};

/* TEXT[LENGTH] must be NUL. 0, or -EBADMSG with fault and offset. */
int wire_scan(const char *text, size_t length, int depth_max,
              struct wire_scan *ret_scan);

/* The same, which gives up with -E2BIG at more than VALUES_MAX values; the
 * members before them are there. */
int wire_scan_few(const char *text, size_t length, int depth_max,
                  size_t values_max, struct wire_scan *ret_scan);

/* The member of that plain name, or NULL. */
const struct wire_member *wire_scan_find(const struct wire_scan *scan,
                                         const char *key);

#endif
