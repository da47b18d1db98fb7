/* What the threads run, seen at moments that do not depend on it.
 *
 * Who waits for the GIL gets it as soon as its thread waits for something,
 * and only after the switch interval otherwise. Looking then would see again
 * and again the one place where a service talks to its database. So a look
 * waits for a random while first and then has the GIL given up at once.
 */
#ifndef LAZYCORE_SETTLE_LOOK_H
#define LAZYCORE_SETTLE_LOOK_H

#include "lazycore/settle.h"

/* Gives the GIL up and comes back within some 2 ms; threads have short turns
 * meanwhile. Leaves no exception. */
void settle_await_any_moment(struct lz_engine *engine);
/* Threads have short turns until the end of a load, so that ours need not wait
 * long for each of its own. Leave no exception. */
void settle_load_begins(struct lz_engine *engine);
void settle_load_ends(struct lz_engine *engine);
/* sys.getswitchinterval() says nothing of the short turns, from here on, and
 * is what it was before. 0, or -1 with an exception. */
int settle_patch_interval(struct lz_engine *engine);
int settle_unpatch_interval(struct lz_engine *engine);
/* sys.getswitchinterval() meanwhile */
PyObject *settle_get_interval(PyObject *module, PyObject *unused);
/* Count what the threads run now. */
void settle_look(struct lz_engine *engine);
/* The hottest namespace by all looks, a new reference, if any is hot and may
 * be settled; else NULL. */
struct lz_namespace *settle_hottest(struct lz_engine *engine);
/* Whether enough was seen for that of those that may be settled, together. */
bool settle_is_slow(struct lz_engine *engine);

#endif
