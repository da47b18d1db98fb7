/* os.fork(): what the host is told, and what the child must put right. */
#ifndef LAZYCORE_FORK_H
#define LAZYCORE_FORK_H

#include <Python.h>

/* MODULE, ours, has _forks, _forked and _after_fork called. 0, or -1 with an
 * exception. */
int fork_register(PyObject *module);
/* lazycore._forks() */
PyObject *fork_before(PyObject *module, PyObject *unused);
/* lazycore._forked() */
PyObject *fork_in_parent(PyObject *module, PyObject *unused);
/* lazycore._after_fork() */
PyObject *fork_in_child(PyObject *module, PyObject *unused);

/* What stands in posix and os while installed: fork_call.c. */
extern PyMethodDef fork_methods[];

/* load.c: the loads of other threads do not go on here. */
struct lz_engine;
void load_after_fork(struct lz_engine *engine);

#endif
