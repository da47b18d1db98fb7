/* Modules that were imported ahead of the import that needs them, and failed.
 *
 * Where a statement is to wait, what has effects among the modules that it
 * leads to is imported first (record.c). If that fails the statement does not
 * wait, and meets the same import where eager code has it: there it raises
 * what it has raised, and the module's body does not run again. For the
 * thread, and as long as the statement's own import takes. Needs the GIL.
 */
#ifndef LAZYCORE_AHEAD_H
#define LAZYCORE_AHEAD_H

#include <Python.h>
#include <stdbool.h>

/* The import of NAME, for the statement that the current frame is at, has
 * failed with the exception that is pending, which is taken. */
void ahead_failed(PyObject *name);
/* Whether NAME is such a module on this thread now. */
bool ahead_has_failed(PyObject *name);
/* Raise what NAME has raised, once: true, else nothing is known of it. */
bool ahead_raise(PyObject *name);
/* The statement that FRAME is at has been executed. */
void ahead_forget(PyFrameObject *frame);

#endif
