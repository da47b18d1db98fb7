/* Where an import was asked for, and what to call it in plain C: place.c.
 * Needs the GIL; runs no Python code but what a thread's name may be.
 */
#ifndef LAZYCORE_PLACE_H
#define LAZYCORE_PLACE_H

#include <Python.h>
#include <stdbool.h>
#include <stddef.h>

struct lz_engine;

/* Text of a str for plain C: borrowed, or NULL without an exception. */
const char *place_text(PyObject *string);
enum { LZ_THREAD_NAME_SIZE = 64 };
/* Who imports: the Python frame outside importlib nearest to us, and this
 * thread by the name that threading has for it, else the system's. */
struct lz_caller {
    PyObject *file, *function, *globals; /* strong, or NULL: no such frame */
    int line;
    char thread[LZ_THREAD_NAME_SIZE];
};
/* What is found is used up by place_caller_done(), or by place_caller_keep():
 * for place_caller_of() the same NAME next on this thread, to which it then
 * belongs. That looks itself where nothing was kept. */
void place_caller(struct lz_engine *engine, struct lz_caller *ret_caller);
void place_caller_keep(PyObject *name, struct lz_caller *caller);
void place_caller_of(struct lz_engine *engine, PyObject *name,
                     struct lz_caller *ret_caller);
void place_caller_done(struct lz_caller *caller);
/* The threads that threading knows, by their idents: a borrowed dict, or NULL
 * (no exception). Needs the GIL. */
PyObject *place_threads(struct lz_engine *engine);
/* Nobody will ask for what was kept for NAME. */
void place_caller_forget(PyObject *name);
void place_thread_name(struct lz_engine *engine, char *ret_name, size_t size);
/* The same, kept for the next place_caller() on this thread; there until the
 * next call on it. */
const char *place_thread_note(struct lz_engine *engine);
/* Where the pending exception, which stays, was raised, importlib aside: a
 * syntax error says itself. The file malloc'd, or NULL. */
void place_of_error(char **ret_file, int *ret_line);
/* "Type: message" of the pending exception, which stays. */
void place_error_text(char *ret_text, size_t size);
/* Who called for an import, past importlib's own. */
enum lz_asker {
    LZ_ASKER_OTHER,
    LZ_ASKER_IGNORED,       /* of a module that an ignored package covers */
    LZ_ASKER_EDITS_MODULES, /* the same, and it writes to sys.modules */
    LZ_ASKER_CODECS         /* the search of the package encodings */
};
enum lz_asker place_asker(struct lz_engine *engine);

/* Whether an import is what looks an attribute up: importlib's own look at a
 * package before it imports the submodule, or IMPORT_FROM. */
bool place_in_import(void);

#endif
