/* Pending modules that may have effects, loaded all at once where eager code
 * would notice that they have not been. Needs the GIL. */
#ifndef LAZYCORE_OWN_H
#define LAZYCORE_OWN_H

#include "lazycore/engine.h"

/* Load those of the program's own: not those of packages that the catalogue
 * knows, nor what is free of effects and leads to nothing else, nor what
 * another thread loads. In the order of their statements; what fails is tried
 * again where it is used. Whether any was loaded. */
bool own_load(struct lz_engine *engine);
/* The same for what a statement earlier than NAME's, or than now, waits for in
 * the package of NAME, unless its level is full: its modules are loaded in the
 * order in which eager code has begun them, of which cycles may depend. */
void own_load_earlier(struct lz_engine *engine, PyObject *name);

#endif
