/* Loads under way and waits for module locks, readable without the GIL.
 *
 * A thread enters what it begins and takes it out again; readers get copies.
 * Entries are on the heap, since greenlets move stacks; their strings are
 * borrowed from who entered them. One mutex of its own, held for a link or a
 * copy. Plain C.
 */
#ifndef LAZYCORE_FLIGHT_H
#define LAZYCORE_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LZ_FLIGHTS_MAX = 10000 }; /* more at one time are not entered */

enum lz_flight_kind {
    LZ_FLIGHT_LOAD, /* finding or running a module; its lock is held */
    LZ_FLIGHT_LOCK  /* taking a module's lock */
};

struct lz_flight {
    enum lz_flight_kind kind;
    const char *module;
    const char *thread; /* name */
    const char *file;   /* what needs it, or NULL */
    const char *function;
    int line;
    long tid; /* of the kernel's */
    uint64_t since_ns;
    long holder;               /* LOCK: tid of who loads it, in copies */
    const char *holder_thread; /* its name, or NULL */
    uint64_t holder_since_ns;
};

struct lz_flights;
struct lz_flight_entry;

/* NULL on lack of memory. */
struct lz_flights *flights_new(void);
void flights_free(struct lz_flights *flights);
/* Enter FLIGHT, whose .module, .file and .function live until flight_end;
 * .thread is copied, .tid and .since_ns are filled in. NULL where it is not
 * entered. */
struct lz_flight_entry *flight_begin(struct lz_flights *flights,
                                     const struct lz_flight *flight);
/* Accepts NULL. */
void flight_end(struct lz_flights *flights, struct lz_flight_entry *entry);

/* Copies by thread, outermost first; a LOCK only where another thread has the
 * module under way, which is then its holder. 0 or -ENOMEM. Any thread. */
int flights_list(struct lz_flights *flights, struct lz_flight **ret_list,
                 size_t *ret_count);
void flights_list_free(struct lz_flight *list, size_t count);

/* Around fork(), see core.h. */
void flights_before_fork(struct lz_flights *flights);
void flights_after_fork_parent(struct lz_flights *flights);
void flights_after_fork(struct lz_flights *flights);

#endif
