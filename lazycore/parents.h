/* Parents before submodules, so that threads lock modules in one order. */
#ifndef LAZYCORE_PARENTS_H
#define LAZYCORE_PARENTS_H

#include "lazycore/engine.h"

/* Import what the submodule NAME needs first. 0, or -1 with an exception. */
int parents_import(struct lz_engine *engine, PyObject *name);
/* Import NAME; its parents are there. 0, or -1 with an exception. */
int import_alone(PyObject *name);
/* NAME imported with its parents: the module as importlib lets this thread
 * have it, whole unless its body waits for this thread. Each caller gets the
 * error of a load of its own, not what another thread's failed load left
 * behind. A new reference, or NULL with an exception. */
PyObject *import_settled(struct lz_engine *engine, PyObject *name);
/* importlib._bootstrap._find_and_load */
PyObject *parents_find_and_load(PyObject *module, PyObject *const *args,
                                Py_ssize_t nargs);

#endif
