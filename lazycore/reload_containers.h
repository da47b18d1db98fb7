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

/* reload_before.c: what one of them held. */
struct lz_before {
    PyObject *const *items; /* of the container */
    size_t count;
    bool pairs, filled;
    struct lz_ptrmap places; /* key -> value, or member -> itself */
    PyObject *index;         /* dict: plain key -> value */
};

void before_begin(struct lz_before *before,
                  const struct lz_containers *containers,
                  const struct lz_container *kept);
void before_done(struct lz_before *before);
/* 1 it had OBJECT, as a key or member, and *RET_VALUE, borrowed, is what that
 * stood for; 0 it had not; -1 no memory to tell. Leaves no exception. */
int before_find(struct lz_before *before, PyObject *object,
                PyObject **ret_value);
/* Whether hashing and comparing KEY runs no Python code. */
bool before_is_plain(PyObject *key);

/* reload_pending.c: what PROXY waits for, to be put in its place again: its
 * value where it has one, else a copy that no load finds. A new reference, or
 * NULL with an exception. */
PyObject *pending_keep(struct lz_engine *engine, struct lz_proxy *proxy);
/* NAME of the namespace DICT is pending as COPY says. 0 or -1. */
int pending_put_back(struct lz_transaction *transaction, PyObject *dict,
                     PyObject *name, struct lz_proxy *copy);

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
    bool lacking;             /* memory: an answer may be wrong */
};

void made_begin(struct lz_made *made, struct lz_reload *items, size_t count,
                bool live);
void made_done(struct lz_made *made);
/* Whether OBJECT is one of their functions or classes, an instance of one, or
 * holds one of these. Leaves no exception. */
bool made_has(struct lz_made *made, PyObject *object);

#endif
