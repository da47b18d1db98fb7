/* What finalizers will need once nothing can be imported any more. Needs the
 * GIL. */
#ifndef LAZYCORE_LAST_H
#define LAZYCORE_LAST_H

#include <Python.h>

/* lazycore._at_exit(), which the interpreter calls at exit: all callbacks of
 * atexit, and then, with what finalizers need, those that come with that. */
PyObject *last_at_exit(PyObject *module, PyObject *unused);

#endif
