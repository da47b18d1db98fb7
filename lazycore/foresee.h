/* What modules that are pending would import: their code read, never run. */
#ifndef LAZYCORE_FORESEE_H
#define LAZYCORE_FORESEE_H

#include "lazycore/engine.h"

/* The module that NAME, imported LEVEL packages up from PACKAGE, is: a new
 * reference, or NULL, without an exception where there is no such package. */
PyObject *foresee_absolute(PyObject *package, PyObject *name, int level);
/* The spec of NAME, which is not loaded: a new reference, or NULL, with an
 * exception only where it interrupts. Makes no target. PACKAGES: a dict that
 * keeps the specs of packages for the next of some calls, or NULL. */
PyObject *foresee_spec(struct lz_engine *engine, PyObject *name,
                       PyObject *packages);
/* Whether loading NAME, which is not loaded, would import anything that is
 * neither loaded, nor of its own package, nor of the standard library. -1 with
 * an exception. */
int foresee_strays(struct lz_engine *engine, PyObject *name);
/* Whether NAME, which is not loaded, or what it leads to within its package,
 * imports SOUGHT. -1 with an exception. */
int foresee_leads_to(struct lz_engine *engine, PyObject *name,
                     PyObject *sought);
/* Whether eager code would have loaded the submodule FULL by now, because a
 * module that is pending imports it. -1 with an exception. */
int foresee_submodule(struct lz_engine *engine, PyObject *full);
/* Whether this thread reads: it may itself miss attributes of modules, which
 * are not to be followed. */
bool foresee_is_reading(void);
/* Clear what cannot be read or loaded. 0, or -1 where KeyboardInterrupt or
 * SystemExit is pending, which stays. */
int foresee_clear(void);

#endif
