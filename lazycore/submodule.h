/* Submodules and their parents: submodule.c.
 *
 * A parent shows a submodule that some statement imported, as eager code
 * would have it, before it is loaded. Needs the GIL.
 */
#ifndef LAZYCORE_SUBMODULE_H
#define LAZYCORE_SUBMODULE_H

#include "lazycore/engine.h"

/* importlib._bootstrap._find_and_load_unlocked */
PyObject *submodule_find_and_load_unlocked(PyObject *module,
                                           PyObject *const *args,
                                           Py_ssize_t nargs);
/* Make submodule CHILD (a full name) appear on its parent as eager code
 * would have it: now if the parent is loaded, else when it is. */
int submodule_publish(struct lz_engine *engine, PyObject *child);
/* The same for CHILDREN, a list, now that a package above has loaded. */
void submodule_publish_all(struct lz_engine *engine, PyObject *children);
/* Whether the loaded parent of CHILD has a value of its own under the name
 * that eager code would give to the submodule now. */
bool submodule_is_taken(struct lz_engine *engine, PyObject *child);
/* Whether `import a.b` has no more to do than to show b on a: nobody imports
 * a module of the standard library for what its body does to others. -1 with
 * an exception. */
int submodule_only_shows(struct lz_engine *engine, PyObject *name);

#endif
