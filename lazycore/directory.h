/* What the files of a directory are, known by reading it once.
 *
 * importlib asks stat() for each file that a FileFinder's listing has. Where
 * it has asked often enough in one directory, that is read: what it says of
 * its entries holds as long as it is the same directory and has not changed.
 * Needs the GIL; runs no Python code, leaves no exception.
 */
#ifndef LAZYCORE_DIRECTORY_H
#define LAZYCORE_DIRECTORY_H

#include "lazycore/engine.h"

struct lz_directory;

/* Whether PATH was last modified at MTIME, seconds, by importlib's measure.
 * What was read of it before it changed in any way is forgotten. */
bool directory_is_of(struct lz_engine *engine, PyObject *path, double mtime);
/* What is known of PATH, last modified at MTIME: borrowed until the next call,
 * or NULL. */
struct lz_directory *directory_get(struct lz_engine *engine, PyObject *path,
                                   double mtime);
/* These accept NULL, and know nothing then. */
/* Whether any entry may end in SUFFIX. */
bool directory_may_have(const struct lz_directory *directory,
                        PyObject *suffix);
/* Whether FILE, one of so many ENTRIES that are listed, is a regular file for
 * certain. If not, ask stat(); asking often has the directory read. */
bool directory_has_file(struct lz_directory *directory, PyObject *file,
                        Py_ssize_t entries);
void directories_free(struct lz_engine *engine);

#endif
