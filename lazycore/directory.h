/* What the files of a directory are, known by reading it once.
 *
 * importlib asks stat() for each file that a FileFinder's listing has. Where
 * it has asked often enough in one directory, that is read: what it says of
 * its entries holds as long as the listing does, which is of the same time of
 * modification. Needs the GIL; runs no Python code, leaves no exception.
 */
#ifndef LAZYCORE_DIRECTORY_H
#define LAZYCORE_DIRECTORY_H

#include "lazycore/engine.h"

struct lz_directory;

/* Whether PATH was last modified at MTIME, seconds, by importlib's measure. */
bool directory_is_of(struct lz_engine *engine, PyObject *path, double mtime);
/* What is known of PATH: borrowed until the next call, or NULL. LISTING is
 * what a FileFinder has cached of it, and found fresh, MTIME the time that it
 * is of, in seconds. */
struct lz_directory *directory_get(struct lz_engine *engine, PyObject *path,
                                   PyObject *listing, double mtime);
/* These accept NULL, and know nothing then. */
/* Whether any entry may end in SUFFIX. */
bool directory_may_have(const struct lz_directory *directory,
                        PyObject *suffix);
/* Whether FILE, which the listing has, is a regular file for certain. If not,
 * ask stat(); asking often has the directory read. */
bool directory_has_file(struct lz_directory *directory, PyObject *file);
void directories_free(struct lz_engine *engine);

#endif
