/* Modules that were imported ahead of the import that needs them, and failed.
 *
 * Where a statement is to wait, what has effects among the modules that it
 * leads to is imported first (record.c). If that fails the statement does not
 * wait, and meets the same import where eager code has it: there it raises
 * what it has raised, and no body runs again. For the thread, and as long as
 * the statement's own import takes. Needs the GIL.
 */
#ifndef LAZYCORE_AHEAD_H
#define LAZYCORE_AHEAD_H

#include <Python.h>
#include <stdbool.h>

/* For the statement that the current frame is at, something is imported ahead;
 * hands back what ahead_end() is to have. */
PyFrameObject *ahead_begin(void);
/* It is there; or it has failed, with the exception that is pending, which is
 * taken. */
void ahead_end(PyFrameObject *saved, bool failed);
/* A load of NAME has failed, with the exception that is pending. */
void ahead_note(PyObject *name);
/* Whether NAME is such a module on this thread now. */
bool ahead_has_failed(PyObject *name);
/* lazycore._raise_ahead(name): raise what the load of NAME has raised, once
 * for all loads that have failed by that. */
PyObject *ahead_raise(PyObject *module, PyObject *name);
/* The statement that FRAME is at has been executed. */
void ahead_forget(PyFrameObject *frame);

#endif
