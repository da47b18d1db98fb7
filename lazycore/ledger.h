/* What a level file says of the bodies of a program's own modules.
 *
 * A line a module: whether its body changes anything outside its own
 * namespace, which source that was read from, and what it imports of its own
 * package. As the record of effects (effects.h), but made at run time, for
 * sources of these very hashes. Written before Python starts, only read
 * after that: no lock. Plain C; any thread.
 */
#ifndef LAZYCORE_LEDGER_H
#define LAZYCORE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lazycore/error.h"

enum {
    LZ_LEDGER_ROWS_MAX = 20000,
    LZ_LEDGER_NAME_MAX = 1000,    /* bytes of a module's name */
    LZ_LEDGER_IMPORTS_MAX = 2000, /* of one module */
    LZ_LEDGER_LINE_MAX = 131072   /* bytes of a line */
};

struct lz_ledger_row {
    char *name;
    uint64_t hash;  /* source_hash of the source; never 0 */
    uint64_t bytes; /* and its size */
    bool package;   /* a package's __init__.py */
    bool free;
    char **names;      /* what its body imports, parents first; malloc'd */
    unsigned *imports; /* the same by index, once the ledger is closed */
    unsigned count;
    int line; /* of the file */
};

struct lz_ledger;

/* Empty, and closed. NULL on lack of memory. */
struct lz_ledger *ledger_new(void);
void ledger_free(struct lz_ledger *ledger);
/* Forget all rows. */
void ledger_clear(struct lz_ledger *ledger);
/* Add what stands behind the word "module" in line NUMBER: "NAME free|effects
 * package|file HASH BYTES IMPORT,...|-". TEXT is changed. 0, or -1 with ERROR,
 * which says what is wrong, but not where. */
int ledger_add(struct lz_ledger *ledger, char *text, int number,
               struct lz_error *error);
/* All rows are there: each import has one, no module has two. 0, or -1 with
 * ERROR and the line in *RET_NUMBER; then the ledger is empty. */
int ledger_close(struct lz_ledger *ledger, int *ret_number,
                 struct lz_error *error);
/* Rows of a closed ledger, in the order of their names. */
unsigned ledger_count(const struct lz_ledger *ledger);
const struct lz_ledger_row *ledger_row(const struct lz_ledger *ledger,
                                       unsigned index);
/* The index of NAME, or -1. */
int ledger_find(const struct lz_ledger *ledger, const char *name);

#endif
