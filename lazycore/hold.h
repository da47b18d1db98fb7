/* Signals wait for a load that a first use has asked for.
 *
 * A signal handler of the service's runs on top of whatever its main thread
 * does. On top of such a load it would not find the names that wait for it,
 * and what it raises would end the load half-way; eagerly, no load would be
 * there. So it runs right after it. Not held: KeyboardInterrupt's handler,
 * what the load itself has installed, and anything once the load has taken
 * HOLD_MAX_NS. Needs the GIL.
 */
#ifndef LAZYCORE_HOLD_H
#define LAZYCORE_HOLD_H

#include <Python.h>
#include <stdbool.h>

struct lz_engine;

extern PyType_Spec lz_held_spec;

/* A load of that kind begins on this thread, and ends: nests. */
void hold_begin(void);
void hold_end(struct lz_engine *engine);
/* Run the handlers that have waited on this thread, unless a load still goes
 * on; with an exception set, as part of its way up. 0, or -1 with what one of
 * them has raised. */
int hold_deliver(struct lz_engine *engine);
/* In a forked child signals begin anew. */
void hold_after_fork(void);

/* _signal.signal and _signal.getsignal, while installed: the service gets back
 * what it has put there. */
PyObject *hold_signal(PyObject *module, PyObject *const *args,
                      Py_ssize_t nargs);
PyObject *hold_getsignal(PyObject *module, PyObject *number);
/* Those functions are the interpreter's own again: so are the handlers. */
void hold_uninstall(struct lz_engine *engine);

#endif
