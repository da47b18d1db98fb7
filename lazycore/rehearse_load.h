/* Loads rehearsed: what loading modules would do, found out in a forked copy.
 *
 * The names are loaded one after the other in one copy, so that what the
 * first brings is there for the second, as in a real load. Needs the GIL.
 */
#ifndef LAZYCORE_REHEARSE_LOAD_H
#define LAZYCORE_REHEARSE_LOAD_H

#include "lazycore/rehearse.h"

enum { LZ_REHEARSED_NAMES = 1000 }; /* listed of one load */

#define LZ_REHEARSED_TABLE(LZ_REHEARSED)                                      \
    LZ_REHEARSED(LOADS, "loads")               /* it would load */            \
    LZ_REHEARSED(ALREADY, "already")           /* it is loaded */             \
    LZ_REHEARSED(FAILS, "fails")               /* its code raised, or left */ \
    LZ_REHEARSED(INCONCLUSIVE, "inconclusive") /* .error says why */

enum lz_rehearsed_verdict {
#define LZ_REHEARSED(id, string) LZ_REHEARSED_##id,
    LZ_REHEARSED_TABLE(LZ_REHEARSED)
#undef LZ_REHEARSED
};

const char *lz_rehearsed_string(enum lz_rehearsed_verdict verdict);

/* Strings belong to the list, which must not be moved. */
struct lz_rehearsed {
    const char *name;
    enum lz_rehearsed_verdict verdict;
    uint64_t wall_ns, cpu_ns; /* CPU time of all threads */
    int64_t bytes;            /* growth of private memory, to the page */
    const char **modules;     /* bodies that ran, in order of their end */
    size_t module_count;      /* listed */
    uint64_t modules_total;
    const char **threads; /* started; "(native)" one that Python did not */
    size_t thread_count;
    enum lz_error_kind kind; /* NONE where it loads */
    const char *error;       /* for a person */
    const char *traceback;   /* or NULL */
    const char *file;        /* where it was raised, or NULL */
    int line;
};

struct lz_rehearsed_list {
    struct lz_rehearsed *items; /* at least one for each name asked for */
    size_t count;
    struct lz_rehearsal_outcome outcome;
};

/* Rehearse loading NAMES; RECURSIVE: and what is pending below them. Of SETUP
 * the body and its argument are not looked at. 0, or -1 with ERROR. */
int lazycore_rehearse_load(const struct lz_rehearsal *setup,
                           const char *const *names, size_t count,
                           bool recursive, struct lz_rehearsed_list *ret_list,
                           struct lz_error *error) LZ_NEEDS_GIL;
void lz_rehearsed_list_done(struct lz_rehearsed_list *list);

#endif
