/* Deferring within a package by the record of effects. Needs the GIL. */
#ifndef LAZYCORE_RECORD_H
#define LAZYCORE_RECORD_H

#include "lazycore/engine.h"

/* Whether NAME, found at FILE (or NULL), may be deferred within its own
 * package: it is recorded to be free of effects, and what it would import
 * that is not has been imported now. 1, 0 (also where that has loaded NAME
 * itself) or -1 with an exception. Runs Python code. */
int record_allows(struct lz_engine *engine, PyObject *name, PyObject *file);
/* Whether NAME, the same, may be loaded at any time, in any thread: it is
 * recorded to be free, and whatever it imports in its package and is not has
 * been imported. 1, 0 or -1 with an exception. */
int record_is_free(struct lz_engine *engine, PyObject *name, PyObject *file);
/* Whether the import of NAME, the same, cannot end in an ImportError, if the
 * standard library is whole: so it is recorded for this Python. Leaves no
 * exception. */
bool record_is_sure(struct lz_engine *engine, PyObject *name, PyObject *file);
/* Whether NAME, a submodule of PACKAGE, if it is one, is recorded, or PACKAGE
 * is in a ledger: what that has nothing of may have effects. */
bool record_has(struct lz_engine *engine, PyObject *package, PyObject *name);
/* NAME is loaded, maybe again or from elsewhere: nothing is known of it and
 * its submodules any more. */
void record_forget(struct lz_engine *engine, PyObject *name);

#endif
