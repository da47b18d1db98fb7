/* Dotted names of modules, as str. Needs the GIL; runs no Python code. */
#ifndef LAZYCORE_DOTTED_H
#define LAZYCORE_DOTTED_H

#include <Python.h>
#include <stdbool.h>

/* Whether PREFIX, which is not empty, is NAME or a package that it is in. */
bool dotted_begins_with(PyObject *name, PyObject *prefix);
/* BASE and TAIL with BETWEEN, an ASCII character, in between: "." for names,
 * "/" for paths. A new reference, or NULL with an exception. */
PyObject *dotted_join(PyObject *base, Py_UCS4 between, PyObject *tail);
/* The package that NAME is in: a new reference. NULL where it is in none, as
 * importlib sees it ('.name'), or with an exception. */
PyObject *dotted_parent(PyObject *name);
/* What NAME is called there: a new reference, or NULL with an exception. */
PyObject *dotted_tail(PyObject *name);
/* The packages that NAME is in, outermost first, then NAME itself: a new
 * reference each. *AT is 0 at first. NULL, without an exception at the end. */
PyObject *dotted_next(PyObject *name, Py_ssize_t *at);

#endif
