/* Modules that code takes from sys.modules by their names.
 *
 * `sys.modules["a.b"]`, `sys.modules.pop("a.b")` and the like find in eager
 * code what statements have imported, and nothing where those wait. So what
 * the code of a module names like that is loaded when its `import sys` is met,
 * and is imported at its statement from then on. Needs the GIL.
 */
#ifndef LAZYCORE_TAKEN_H
#define LAZYCORE_TAKEN_H

#include "lazycore/engine.h"

/* The current frame is at `import sys`: note what its code takes, and load
 * what of it waits. One that fails will do so at its first use, but for what
 * is to end the program: -1. Runs Python code. */
int taken_load(struct lz_engine *engine);
/* Whether NAME was noted. */
bool taken_has(struct lz_engine *engine, PyObject *name);

#endif
