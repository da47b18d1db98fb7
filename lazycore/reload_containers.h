/* What dicts, lists and sets of the program held before a reload ran code.
 *
 * For reload_containers.c, which notes it, and reload_undo.c, which takes out
 * what a failed body has put there since. Needs the GIL.
 */
#ifndef LAZYCORE_RELOAD_CONTAINERS_H
#define LAZYCORE_RELOAD_CONTAINERS_H

#include "lazycore/reload.h"

struct lz_container {
    PyObject *object;    /* strong: a dict, list or set, or of a subclass */
    size_t first, count; /* of the items: keys and values, or members */
};

struct lz_containers {
    struct lz_container *list;
    size_t count, room;
    PyObject **items; /* strong */
    size_t item_count, item_room;
    struct lz_ptrmap seen;
};

#endif
