/* Pending modules that may have effects, loaded all at once where eager code
 * would notice that they have not been. Needs the GIL. */
#ifndef LAZYCORE_OWN_H
#define LAZYCORE_OWN_H

#include "lazycore/engine.h"

/* Load those of the program's own: not those of packages that the catalogue
 * knows, nor what is free of effects and leads to nothing else. In the order
 * of their statements; what fails is tried again where it is used. Nothing
 * while a body is under way, which eager code may have begun before them. 1:
 * there were some, 0, or -1 with KeyboardInterrupt or SystemExit. */
int own_load(struct lz_engine *engine);
/* The same for what a statement earlier than NAME's, or than now, waits for in
 * the package of NAME, unless its level is full: its modules are loaded in the
 * order in which eager code has begun them, of which cycles may depend.
 * Nothing while another thread loads something. 0 or -1. */
int own_load_earlier(struct lz_engine *engine, PyObject *name);
/* In a child: who asked may not be here. */
void own_after_fork(struct lz_engine *engine);

#endif
