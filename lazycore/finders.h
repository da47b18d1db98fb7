/* importlib's own finders and loaders, and whether they are as they were.
 *
 * Needs the GIL. */
#ifndef LAZYCORE_FINDERS_H
#define LAZYCORE_FINDERS_H

#include "lazycore/engine.h"

/* Learn them. 0 or -1. */
int finders_init(struct lz_engine *engine);
/* False where FINDER is such a class and a program has replaced its
 * find_spec. */
bool finders_is_own(struct lz_engine *engine, PyObject *finder);

#endif
