/* Whether the body of a module changes anything outside its own namespace,
 * read from its bytecode.
 *
 * The code is got from the loader as a load would get it, and followed by an
 * interpreter of abstract values; nothing of it runs. What is not understood
 * counts as a change. Definitions, constants and imports are free; so are
 * calls into the standard library that are known to register, print and
 * change nothing (body_known.def), calls of functions whose code can be
 * followed, and classes whose bases are builtins, of the standard library or
 * free themselves. Free does not mean that it cannot raise: a body whose
 * names are there and whose modules are found is taken to run, as it does
 * eagerly; loggers, caches of `re`, `typing` and the like are no changes.
 * Needs the GIL; runs importlib's code, and finders.
 */
#ifndef LAZYCORE_BODY_H
#define LAZYCORE_BODY_H

#include "lazycore/engine.h"

enum { LZ_BODY_WHY_SIZE = 160 };

/* What was found of one module; lives as long as its reader. */
struct lz_body {
    bool free;
    char why[LZ_BODY_WHY_SIZE]; /* not: "line N: ...", or no line */
    PyObject *file;             /* of the source */
    PyObject *imports; /* list: modules that the body imports, parents first;
                          the standard library's too */
    PyObject *maybe;   /* list: and those that it imports on some ways only */
    bool for_effect;   /* it imports of other packages what it does not use */
};

/* Modules that were read, for questions that belong together. */
struct lz_reader;

/* NULL with an exception. With WITHIN, a top-level package, no other is read:
 * what is said rests on its own sources and the standard library. */
struct lz_reader *body_reader_new(struct lz_engine *engine,
                                  const char *within);
/* READER ends with SystemExit before the first body at which ASKED says so:
 * what it would answer is not wanted any more. */
void body_reader_gives_up(struct lz_reader *reader,
                          bool (*asked)(const struct lz_engine *engine));
void body_reader_free(struct lz_reader *reader);
/* The body of NAME, loaded or not: borrowed, or NULL with an exception. */
const struct lz_body *body_read(struct lz_reader *reader, PyObject *name);
/* Whether NAME, which is not loaded, may be loaded at any time, in any thread:
 * its body is free, and all that it imports is loaded, of its package and may
 * be too, or of the standard library and ASKED says so. 1, 0 with *RET_WHY, or
 * -1 with an exception. */
int body_may_run(struct lz_reader *reader, PyObject *name,
                 bool (*asked)(const char *module),
                 char ret_why[LZ_BODY_WHY_SIZE]);
/* At the interpreter's end: write lines for a ledger to the core's ledger_fd,
 * if it has one. Leaves no exception. */
void body_write_ledger(struct lz_engine *engine);
/* lazycore.body() */
PyObject *body_python(PyObject *module, PyObject *args, PyObject *kwargs);

#endif
