/* One reload in progress, shared by the files of reload. Needs the GIL.
 *
 * reload.c drives the steps of DESIGN 5 and words the verdict; the source is
 * read in reload_source.c, old and new objects are paired in reload_pair.c,
 * put in place in reload_publish.c; what refers to them elsewhere is found in
 * reload_walk.c and repaired in reload_repair.c, reload_class.c and
 * reload_constant.c; what may run Python code waits for reload_after.c.
 */
#ifndef LAZYCORE_RELOAD_H
#define LAZYCORE_RELOAD_H

#include "lazycore/engine.h"
#include "lazycore/ptrmap.h"

/* What a source file was when it was read; kept for each loaded module. */
struct lz_source_identity {
    int64_t mtime_ns; /* -1: unknown, or too recent to be relied upon */
    int64_t ctime_ns; /* tells where the other was put back */
    int64_t size;
    uint64_t inode;
    uint64_t hash; /* of the text that runs, or 0 */
};

struct lz_reload {
    struct lz_engine *engine;
    PyObject *name;   /* exact str */
    PyObject *module; /* the live module */
    PyObject *live;   /* its dict */
    PyObject *spec, *loader, *origin;
    PyObject *source; /* bytes */
    PyObject *code;
    PyObject *fresh;     /* the dict the new body ran in */
    PyObject *constants; /* list: reload_constant.c's */
    bool force;
    struct lz_source_identity identity; /* of SOURCE */
    struct lz_reload_result *result;
};

/* Steps. 1 go on; 0 the result has its verdict; -1 with an exception. */
int reload_find(struct lz_reload *reload);
int reload_read(struct lz_reload *reload);
/* 0, or -1 with an exception. */
int reload_remember(struct lz_reload *reload);
/* Put the fresh namespace in the live one's place. 0, or -1 with an
 * exception: only where memory ran out. */
int reload_publish(struct lz_reload *reload);

/* Fill verdict and text (printf). Always 0. */
int reload_verdict(struct lz_reload *reload, enum lz_verdict verdict,
                   const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What KEY is in the live module's dict, running no code: borrowed. */
PyObject *reload_live_borrowed(struct lz_reload *reload, const char *key);

/* The module of SPEC is about to be read and run: note what its source file
 * is, so that a later reload knows whether it changed. Called before the
 * loader reads it: a file that changes in between must count as changed.
 * Leaves no exception and keeps one that is set. */
void reload_note_source(PyObject *spec);

/* --- publishing --------------------------------------------------------- */

/* What step 3 and 4 work on. Everything in it that is no dict or list of
 * its own is borrowed: KEEP and GRAVEYARD hold the objects. */
struct lz_publish {
    struct lz_reload *reload;
    PyObject *get_objects;     /* gc's */
    PyObject *keep;            /* list: what the maps point to */
    PyObject *graveyard;       /* list: what was replaced; dies at the end */
    PyObject *late;            /* list of (container, key, key it becomes,
                                  value it gets or ...): keys that may run
                                  code when they are hashed */
    struct lz_ptrmap moved;    /* new object -> old one that stays */
    struct lz_ptrmap taken;    /* old object -> new one that moves into it */
    struct lz_ptrmap replaced; /* old object -> new one that stays */
    struct lz_ptrmap names;    /* old object -> its name (str), replaced */
    struct lz_ptrmap classes;  /* new class -> old class that stays */
    struct lz_ptrmap watched;  /* keys of moved and of replaced */
    struct lz_ptrmap ours;     /* objects of this reload: no holders */
    PyObject *functions;       /* list: whose globals are the fresh dict */
    PyObject *instances;       /* list: whose class is a new paired one */
    PyObject *children;        /* list: classes with a paired one as base */
    PyObject *holders;         /* list: what refers to a key of moved or
                                  replaced */
    struct lz_ptrmap modules;  /* dict of a module -> its name (str) */
    struct lz_ptrmap types;    /* dict of a class -> the class */
    size_t old_instances;      /* of replaced classes */
    bool detached;             /* code runs on in the fresh dict */
};

/* reload_pair.c: fill moved, taken, classes, replaced, names. */
int reload_pair(struct lz_publish *publish);
/* The old object that NEW becomes, or NEW: borrowed. */
PyObject *reload_mapped_borrowed(const struct lz_publish *publish,
                                 PyObject *object);
/* Whether OLD's class keeps this attribute of its own. */
bool reload_class_keeps(PyTypeObject *type, PyObject *key, PyObject *value);

/* reload_walk.c: fill functions, instances, children, holders. */
int reload_walk(struct lz_publish *publish);

/* reload_repair.c: step 4 and the references to what moved. */
int reload_repair(struct lz_publish *publish);

/* reload_constant.c. Before the step: who has which constant by from-import;
 * in it: give them the new one. 0 or -1. */
int reload_find_constants(struct lz_reload *reload);
int reload_rebind_constants(struct lz_publish *publish);
/* Whether OBJECT is one that anyone may share. */
bool reload_is_constant(PyObject *object);

/* reload_class.c: bases of classes that did not move themselves. */
int reload_rebase(struct lz_publish *publish, PyObject *child);
int reload_repair_type(struct lz_publish *publish, PyTypeObject *type);
/* Say how many classes could not keep their identity. */
int reload_count_replaced(struct lz_publish *publish);
/* What a line calls OBJECT, a key of moved or replaced. */
const char *reload_name_of(const struct lz_publish *publish, PyObject *object);

/* reload_after.c: the rest, which may run Python code. 0 or -1. */
int reload_after(struct lz_publish *publish);
void reload_collect_young(void);

/* Keep OBJECT (may be NULL) alive until the step is over. 0 or -1. */
int reload_bury(struct lz_publish *publish, PyObject *object);
/* Set (NULL: delete) an attribute of a class, past its metaclass. */
int reload_set_class_attribute(struct lz_publish *publish, PyTypeObject *type,
                               PyObject *key, PyObject *value);
/* Add a line to the result's list, which has a bound. 0 or -1. */
int reload_unrepaired(struct lz_publish *publish, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
