/* What modules that are pending would import: their code read, never run. */
#ifndef LAZYCORE_FORESEE_H
#define LAZYCORE_FORESEE_H

#include "lazycore/engine.h"

/* Stand in, and leave, the slot for attributes of modules. */
void foresee_install(PyObject *module);
/* The module that NAME, imported LEVEL packages up from PACKAGE, is: a new
 * reference, or NULL, without an exception where there is no such package. */
PyObject *foresee_absolute(PyObject *package, PyObject *name, int level);
/* The spec of NAME, which is not loaded: a new reference, or NULL, with an
 * exception only where it interrupts. Makes no target. */
PyObject *foresee_spec(struct lz_engine *engine, PyObject *name);
void foresee_uninstall(void);
/* MODULE is being freed. */
void foresee_forget(PyObject *module);
/* Whether loading NAME, which is not loaded, would import anything that is
 * neither loaded, nor of its own package, nor of the standard library. -1 with
 * an exception. */
int foresee_strays(struct lz_engine *engine, PyObject *name);
/* Whether NAME, which is not loaded, or what it leads to within its package,
 * imports SOUGHT. -1 with an exception. */
int foresee_leads_to(struct lz_engine *engine, PyObject *name,
                     PyObject *sought);

#endif
