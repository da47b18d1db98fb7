/* What Python keeps for a signal: a HeldHandler, which calls the service's
 * handler or notes that it has to be called (hold.h). Needs the GIL. */
#ifndef LAZYCORE_HELD_H
#define LAZYCORE_HELD_H

#include <Python.h>

struct lz_engine;

extern PyType_Spec lz_held_spec;

/* _signal.signal and _signal.getsignal, while installed: the service gets back
 * what it has put there. */
extern PyMethodDef held_methods[];
/* Those functions stand there from now on, and the handlers are held that are
 * there already; or neither. Leave no exception. */
void held_install(struct lz_engine *engine);
void held_uninstall(struct lz_engine *engine);
/* Call the service's handler of signal NUMBER, the one that it has now. 0, or
 * -1 with an exception. */
int held_run(struct lz_engine *engine, int number);

#endif
