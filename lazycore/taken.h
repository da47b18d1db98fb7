/* Modules that code takes from sys.modules by their names.
 *
 * `sys.modules["a.b"]`, `sys.modules.pop("a.b")` and the like find in eager
 * code what the statements before have imported, and nothing where those
 * wait. So from the first import statement of such a module's body on, what
 * it names like that is imported at its statement, there and elsewhere. And
 * where code walks what is in all of them, the look-up of sys.modules is asked
 * about (attribute.c). A body that copies entries to other names, as that of
 * requests.packages does, imports at its statements. Needs the GIL; runs no
 * Python code.
 */
#ifndef LAZYCORE_TAKEN_H
#define LAZYCORE_TAKEN_H

#include "lazycore/engine.h"

/* Note what CODE, which runs in NS, takes. 0 or -1. */
int taken_note(struct lz_engine *engine, struct lz_namespace *ns,
               PyCodeObject *code);
/* Whether NAME was noted, or what STATEMENT takes from it. */
bool taken_has(struct lz_engine *engine, PyObject *name,
               const struct lz_statement *statement);
/* Whether NAME is within a module whose body copies entries of sys.modules: it
 * may be what such an entry is called. */
bool taken_copied(struct lz_engine *engine, PyObject *name);

#endif
