/* Searching for a module as importlib does, with its listings of directories.
 * Needs the GIL. */
#ifndef LAZYCORE_SEARCH_H
#define LAZYCORE_SEARCH_H

#include "lazycore/engine.h"

/* What importlib finds for NAME on PATH (None: top-level), without our own
 * finder, as found.c has it: a new reference, None, or NULL with an
 * exception. */
PyObject *search_find(struct lz_engine *engine, PyObject *name,
                      PyObject *path);
/* The same as a spec, or None. */
PyObject *search_spec(struct lz_engine *engine, PyObject *name,
                      PyObject *path);
/* STATEMENT of FRAME is about to be deferred. Where it follows right upon
 * the last one of this thread, no code ran in between, and directories that
 * were looked at are not looked at again. */
void search_begin(PyFrameObject *frame, const struct lz_statement *statement);
/* It was. */
void search_end(PyFrameObject *frame, const struct lz_statement *statement);
/* Code runs on this thread. */
void search_break(void);

#endif
