/* Signals wait for a load that a first use has asked for.
 *
 * A signal handler of the service's runs on top of whatever its main thread
 * does. On top of such a load it would not find the names that wait for it,
 * and what it raises would end the load half-way; eagerly, no load would be
 * there. So it runs right after it, or once the load has taken HOLD_MAX_NS.
 * Not held: what runs no code of the service's, as KeyboardInterrupt's handler
 * and asyncio's, and what the load itself has installed. Needs the GIL.
 */
#ifndef LAZYCORE_HOLD_H
#define LAZYCORE_HOLD_H

#include <Python.h>
#include <stdbool.h>

struct lz_engine;

extern PyType_Spec lz_held_spec;

/* A first use begins to load on this thread. Nests. */
void hold_begin(void);
/* It has ended, or what it has raised has been seen to: the handlers that have
 * waited run when the interpreter next looks for signals. */
void hold_end(void);
/* The same, and they run now; with an exception set, as part of its way up. 0,
 * or -1 with what one of them has raised. */
int hold_finish(struct lz_engine *engine);
/* In a forked child signals begin anew, and wait for nothing that goes on. */
void hold_after_fork(void);

/* _signal.signal and _signal.getsignal, while installed: the service gets back
 * what it has put there. */
PyObject *hold_signal(PyObject *module, PyObject *const *args,
                      Py_ssize_t nargs);
PyObject *hold_getsignal(PyObject *module, PyObject *number);
/* Those functions stand there from now on, and the handlers are held that are
 * there already; or neither. Leave no exception. */
void hold_install(struct lz_engine *engine);
void hold_uninstall(struct lz_engine *engine);

#endif
