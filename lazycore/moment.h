/* When things happen in an eager program.
 *
 * What a late body does, one that runs at a first use, eager code has done at
 * its statement: before whatever the program has done since. Moments order
 * statements that wait, and what bodies register, as eager code would have
 * come to them. Needs the GIL.
 */
#ifndef LAZYCORE_MOMENT_H
#define LAZYCORE_MOMENT_H

#include <stdint.h>

struct lz_engine;

/* Number .at[0] of all that happens; what a late body does is number .at[1] of
 * its statement, and so on; 0 behind that. The deepest numbers may be equal.
 */
enum { LZ_MOMENT_DEPTH = 8 };
struct lz_moment {
    uint32_t at[LZ_MOMENT_DEPTH];
};

/* A late body under way. */
struct lz_late {
    struct lz_moment moment; /* of its statement */
    unsigned depth;          /* numbers of it; 0: none is under way */
    uint32_t count;          /* of what has happened in it */
};

/* Something happens on this thread: a moment of its own. */
struct lz_moment moment_new(struct lz_engine *engine);
/* When eager code has done what a statement of MOMENT waits for and what now
 * does on this thread: at the earlier of the two. */
struct lz_moment moment_until_now(const struct lz_engine *engine,
                                  struct lz_moment moment);
/* Later than all that has happened on this thread, and earlier than what will.
 */
struct lz_moment moment_now(const struct lz_engine *engine);
/* Less than 0, 0, or more where MOMENT is before OTHER, the same, or after. */
int moment_compare(struct lz_moment moment, struct lz_moment other);

/* The late body of a statement of MOMENT begins on this thread, as of
 * moment_until_now(); hands back what moment_leave() is to have. */
struct lz_late moment_enter(const struct lz_engine *engine,
                            struct lz_moment moment);
/* The same for what is done now and for none of them. */
struct lz_late moment_enter_now(void);
void moment_leave(struct lz_late saved);

#endif
