/* What loads are charged with: their time, CPU time and memory, with and
 * without that of the loads nested in them. Needs the GIL.
 */
#ifndef LAZYCORE_CHARGE_H
#define LAZYCORE_CHARGE_H

#include "lazycore/registry.h"
#include "lazycore/usage.h"

struct lz_engine;

/* Of one load. On the heap: greenlets return in any order. */
struct lz_charge {
    struct lz_charge *outer; /* of the load that it is nested in, or NULL */
    struct lz_charge *next;  /* the engine's list of those that have ended */
    const void *thread;      /* compared only */
    struct lz_registry_entry *entry; /* where it is told, or NULL */
    struct lz_usage start, end;
    struct lz_usage nested; /* what the loads in it came to; no point in time*/
    bool renested;          /* that was corrected */
};

/* Those that have ended, oldest first, until what they were charged with is
 * right. */
struct lz_charges {
    struct lz_charge *first, *last;
    size_t count;
    struct lz_charge *spare; /* used up */
};

/* A load begins. NULL, without an exception: it is charged with nothing, since
 * accounting is off or memory lacks. */
struct lz_charge *charge_begin(struct lz_engine *engine,
                               struct lz_charge *outer);
/* It ends: the fields of RET that tell what it took. CHARGE may be NULL, here
 * and below. INNER goes on although it is nested in it, or is NULL. */
void charge_end(struct lz_engine *engine, struct lz_charge *charge,
                struct lz_charge *inner, struct lz_load *ret);
/* That is told in ENTRY, or nowhere (NULL). CHARGE is used up. */
void charge_told(struct lz_engine *engine, struct lz_charge *charge,
                 struct lz_registry_entry *entry);
/* Forget those that have ended. */
void charges_done(struct lz_engine *engine);

#endif
