/* What dicts, lists and sets of the program held before a reload ran code.
 *
 * For reload_containers.c, which notes it, reload_undo.c, which takes out what
 * a failed body has put there since, and reload_again.c, which tells what one
 * that did not fail has put there once more. Needs the GIL.
 */
#ifndef LAZYCORE_RELOAD_CONTAINERS_H
#define LAZYCORE_RELOAD_CONTAINERS_H

#include "lazycore/reload.h"

struct lz_container {
    PyObject *object;    /* strong: a dict, list or set, or of a subclass */
    PyObject *holder;    /* strong: what has it, or NULL */
    size_t first, count; /* of the items: keys and values, or members */
};

struct lz_containers {
    struct lz_container *list;
    size_t count, room;
    PyObject **items; /* strong */
    size_t item_count, item_room;
    struct lz_ptrmap seen;
};

/* reload_containers.c: whether one that held COUNT ITEMS had OBJECT. */
bool container_had(PyObject *const *items, size_t count, PyObject *object);

/* reload_made.c: what the bodies of COUNT modules have made. */
struct lz_made {
    struct lz_reload *items;
    size_t count;
    bool live;                /* those that run, not the new ones */
    bool attributes;          /* look at what instances have in a __dict__,
                                 which some get by that */
    struct lz_ptrmap bound;   /* classes that their namespaces have */
    struct lz_ptrmap decided; /* class -> itself where it is theirs, else the
                                 struct */
};

void made_begin(struct lz_made *made, struct lz_reload *items, size_t count,
                bool live);
void made_done(struct lz_made *made);
/* Whether OBJECT is one of their functions or classes, an instance of one, or
 * holds one of these. Leaves no exception. */
bool made_has(struct lz_made *made, PyObject *object);

#endif
