/* What may be loaded at any time and in any thread. */
#ifndef LAZYCORE_SETTLE_RULES_H
#define LAZYCORE_SETTLE_RULES_H

#include "lazycore/engine.h"

enum { LZ_SETTLE_WHY_SIZE = 200 };

struct lz_reader;

/* Whether NAME, with its parents, loaded or not, may be: what is not loaded
 * is free of effects. 1, 0 with what is known of the reason in RET_WHY, or -1
 * with an exception. READER is for this question alone meanwhile. */
int settle_may_load(struct lz_engine *engine, struct lz_reader *reader,
                    PyObject *name, char ret_why[LZ_SETTLE_WHY_SIZE]);

/* Whether importing NAME, of the standard library, changes and prints nothing.
 */
bool settle_is_quiet(const char *name);

#endif
