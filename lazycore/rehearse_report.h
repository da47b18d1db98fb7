/* What a forked child tells its parent: items of numbers and strings.
 *
 * The child puts an item's values and ends it; an item is written whole, so
 * what it said before it was killed can be read. The parent reads values in
 * the same order. Code under rehearsal may write to any descriptor, so the
 * reader trusts nothing: past the end, or past nonsense, it gives 0 and NULL
 * and remembers. Plain C; one thread each.
 */
#ifndef LAZYCORE_REHEARSE_REPORT_H
#define LAZYCORE_REHEARSE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LZ_REPORT_MAX = 1024 * 1024,       /* bytes of all items */
    LZ_REPORT_STRING_MAX = 64 * 1024,  /* bytes of a string; cut */
    LZ_REPORT_ITEM_MAX = LZ_REPORT_MAX /* a larger one is not written */
};

/* --- the child ----------------------------------------------------------- */

struct lz_report {
    int fd;
    uint64_t inode; /* of the pipe: FD may have become something else */
    unsigned char *data;
    size_t size, capacity;
    bool failed; /* no memory for this item */
};

/* To the pipe FD. */
void report_open(struct lz_report *report, int fd);
void report_put(struct lz_report *report, uint64_t number);
/* NULL stays NULL. */
void report_put_string(struct lz_report *report, const char *string);
/* Write the item. 0 or -1: nobody will read it. */
int report_end_item(struct lz_report *report);
void report_done(struct lz_report *report);

/* --- the parent ---------------------------------------------------------- */

struct lz_report_reader {
    const unsigned char *item, *end; /* of what is left */
    const unsigned char *at, *item_end;
    bool bad; /* this item ended before its reader, or is nonsense */
};

/* DATA stays the caller's, and strings point into it. */
void report_read(struct lz_report_reader *reader, const void *data,
                 size_t size);
/* To the next whole item: false where there is none. */
bool report_next_item(struct lz_report_reader *reader);
uint64_t report_get(struct lz_report_reader *reader);
/* Borrowed from the data, or NULL. */
const char *report_get_string(struct lz_report_reader *reader);

#endif
