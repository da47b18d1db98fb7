/* Modules that go by two names in sys.modules.
 *
 * Who gives the modules of a package second names, as requests.packages does,
 * gives them to those that he finds loaded: eagerly also to what was pending
 * then, which must not become two modules. Needs the GIL.
 */
#ifndef LAZYCORE_ALIAS_H
#define LAZYCORE_ALIAS_H

#include "lazycore/engine.h"

/* Whether NAME, which is not loaded, is the second name of a module that some
 * statement has imported, or one that waits would import: true with that
 * module, a new reference, now loaded, or NULL with the exception of its load.
 * May run Python code. */
bool alias_find(struct lz_engine *engine, PyObject *name,
                PyObject **ret_module);

#endif
