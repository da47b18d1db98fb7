/* The standard library: what belongs to it, and what of it is sure to load.
 * Needs the GIL.
 */
#ifndef LAZYCORE_STANDARD_H
#define LAZYCORE_STANDARD_H

#include "lazycore/engine.h"

/* What of PATH comes after the folder of the standard library and a slash, ""
 * for the folder itself; NULL where it is not in there. */
const char *standard_below(struct lz_engine *engine, const char *path);
/* Whether what was FOUND is where the standard library is, or built in. */
bool standard_has(struct lz_engine *engine, PyObject *found);
/* Whether CODE is that of a module of the standard library, which NS is by
 * its name. */
bool standard_has_code(struct lz_engine *engine, const struct lz_namespace *ns,
                       PyCodeObject *code);
/* Whether an import of NAME, which was FOUND (or NULL), does not fail: built
 * in, or listed in certain.def, and what it needs is there. May run Python
 * code; leaves no exception. */
bool standard_is_certain(struct lz_engine *engine, PyObject *name,
                         PyObject *found);
/* Whether nothing hides a module of it from what imports it. The same. */
bool standard_is_whole(struct lz_engine *engine);
/* Whether NAME is certain, and its code binds all names that STATEMENT takes
 * from it, whatever way it takes. The same. */
bool standard_binds(struct lz_engine *engine, PyObject *name,
                    const struct lz_statement *statement);

#endif
