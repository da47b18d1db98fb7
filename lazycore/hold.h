/* Signals wait for a load that a first use has asked for.
 *
 * A signal handler of the service's runs on top of whatever its main thread
 * does. On top of such a load it would not find the names that wait for it,
 * and what it raises would end the load half-way; eagerly, no load would be
 * there. So it runs right after it, or once the load has taken HOLD_MAX_NS.
 * Not held: what runs no code of the service's, as KeyboardInterrupt's handler
 * and asyncio's, and what the load itself has installed (held.h). Needs the
 * GIL; all that is kept belongs to a thread.
 */
#ifndef LAZYCORE_HOLD_H
#define LAZYCORE_HOLD_H

#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

struct lz_engine;

/* A first use begins to load on this thread. Nests. */
void hold_begin(void);
/* It has ended, or what it has raised has been seen to: the handlers that have
 * waited run between two instructions, soon. */
void hold_end(struct lz_engine *engine);
/* The same, where the load may fail: VALUE, a reference that is given up, or
 * NULL is what came of it. 0, or -1 with what must get through
 * (KeyboardInterrupt, SystemExit); nothing but its own exception is forgiven.
 */
int hold_end_forgiving(struct lz_engine *engine, PyObject *value);
/* The same, and they run now; with an exception set, as part of its way up. 0,
 * or -1 with what one of them has raised. */
int hold_finish(struct lz_engine *engine);
/* In a forked child signals begin anew, and wait for nothing that goes on. */
void hold_after_fork(void);

/* The number of the load under way on this thread, or 0. */
uint64_t hold_current(void);
/* Signal NUMBER has come, for a handler that was installed in the load
 * INSTALLED_IN, or 0: whether that is noted and the handler is to wait. */
bool hold_takes(int number, uint64_t installed_in);
/* Signal NUMBER is to have no handler of Python's: it does not wait for one.
 * The timer must not meet such, as Python compares what is there with SIG_IGN,
 * for which it needs a thread state. */
void hold_drop(int number);

#endif
