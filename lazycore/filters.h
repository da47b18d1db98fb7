/* The filters of warnings that a module's body sees, and makes.
 *
 * Whoever imports a module and then says warnings.simplefilter("ignore"), or
 * "error", means neither what the import warns of, which was before, nor does
 * he want the module's own filters in front of his. So a body that runs at a
 * first use has the filters of its statement, and what it adds goes behind
 * what was added since. While other threads run it has the filters of now.
 * Needs the GIL.
 */
#ifndef LAZYCORE_FILTERS_H
#define LAZYCORE_FILTERS_H

#include "lazycore/engine.h"

/* The filters of now: a new reference to a tuple, or NULL (no exception). */
PyObject *filters_now(struct lz_engine *engine);
/* room_call() of LOAD, which loads what waits with FILTERS, or NULL. */
PyObject *filters_call(struct lz_engine *engine, PyObject *filters,
                       PyObject *(*load)(void *arg), void *arg);

#endif
