/* What a generation is made of: for the files of reload that keep them.
 *
 * Needs the GIL.
 */
#ifndef LAZYCORE_RELOAD_GENERATION_H
#define LAZYCORE_RELOAD_GENERATION_H

#include "lazycore/reload.h"

/* A generation, a tuple. Lists are of pairs, one after the other. */
enum {
    GEN_SERIAL,    /* int: of the transaction that replaced it */
    GEN_NAMESPACE, /* dict */
    GEN_PENDING,   /* list: name, its proxy */
    GEN_PAIRS,     /* list: object that stayed, one with its old contents */
    GEN_CLASSES,   /* list: class that stayed, dict of its old attributes */
    GEN_MEMBERS,   /* list: member that stayed, dict of its old fields */
    GEN_SOURCE,    /* bytes: struct lz_source */
    GEN_BYTES,     /* int: what its body took, estimated */
    GEN_CLASS,     /* the module's class */
    GEN_PARTS
};

/* What the engine has under a module's name: a list. */
enum {
    HELD_MODULE, /* weak reference */
    HELD_BYTES,  /* int: what the body that runs took */
    HELD_FIRST   /* generations, the newest last */
};

static inline PyObject *
reload_part_borrowed(PyObject *generation, int index)
{
    return PyTuple_GET_ITEM(generation, index);
}

#endif
