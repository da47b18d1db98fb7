/* The rows of the record of effects, and behind them those of a ledger, by one
 * index. Plain C; the rows stay while the core does. */
#ifndef LAZYCORE_RECORD_ROW_H
#define LAZYCORE_RECORD_ROW_H

#include "lazycore/engine.h"

/* What is known of a module: of the record, and behind it of the ledger, by
 * one index. */
struct lz_row {
    const char *name;
    uint64_t bytes;
    uint64_t hash; /* 0: the size alone tells */
    unsigned count;
    bool package, free, sure;
};

unsigned record_count(const struct lz_engine *engine);
struct lz_row record_row(const struct lz_engine *engine, unsigned index);
/* The index of the module that the one at INDEX imports as number WHICH. */
unsigned record_import(const struct lz_engine *engine, unsigned index,
                       unsigned which);
/* That of NAME, the ledger's if it has it, or -1. */
int record_find(const struct lz_engine *engine, const char *name);
/* The one after INDEX, of another version of the module, or -1. */
int record_next(unsigned index);

#endif
