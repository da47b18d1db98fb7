/* One reload in progress, shared by the files of reload. Needs the GIL.
 *
 * reload.c drives the steps of DESIGN 5, reload_verdict.c words what came of
 * them; the source is read in reload_source.c and run in reload_run.c, behind
 * the view of reload_view.c; what it leaves elsewhere when it fails goes by
 * reload_containers.c and reload_undo.c; old and new objects are paired in
 * reload_pair.c and moved in reload_move.c, all in one step that
 * reload_publish.c takes or takes back; what refers to them elsewhere is found
 * in reload_walk.c and repaired in reload_repair.c, reload_class.c and
 * reload_constant.c; what may run Python code waits for reload_after.c. What
 * was replaced is kept, for a while, in reload_generation.c.
 */
#ifndef LAZYCORE_RELOAD_H
#define LAZYCORE_RELOAD_H

#include "lazycore/engine.h"
#include "lazycore/ptrmap.h"
#include "lazycore/sources.h"

struct lz_transaction;
struct lz_publish;
struct lz_containers;

/* One module of a transaction. */
struct lz_reload {
    struct lz_engine *engine;
    struct lz_transaction *transaction;
    PyObject *name;   /* exact str */
    PyObject *module; /* the live module */
    PyObject *live;   /* its dict */
    PyObject *spec, *loader, *origin;
    PyObject *source; /* bytes */
    PyObject *code;
    PyObject *stand_in;   /* a module nobody else has: FRESH is its dict */
    PyObject *fresh;      /* the dict the new body ran in, or a generation's */
    PyObject *generation; /* what is gone back to, or NULL */
    PyObject *constants;  /* list of rows: reload_constant.c's */
    PyObject *suspects;   /* list of rows: who imports the module and has its
                             value under a name that no statement explains */
    PyObject *foreign;    /* list: values that others have from elsewhere */
    PyTypeObject *class;  /* the live module's while it is viewed, or NULL */
    PyObject *class_before; /* the module's in GENERATION: borrowed */
    bool force;
    bool takes_back; /* its body is of a transaction that failed */
    bool running;    /* it is in the table of what is being reloaded */
    bool viewed;     /* this thread sees the stand-in in the module's place */
    int64_t bytes;   /* that its body took */
    struct lz_source identity; /* of SOURCE, or of GENERATION's */
    struct lz_reload_result *result;
    struct lz_publish *publish; /* while step 3 lasts */
};

/* Modules that are replaced together, or not at all. On the heap: a forked
 * child, in which the thread is not, still finds it in the engine's list. */
struct lz_transaction {
    struct lz_transaction *next; /* the engine's */
    struct lz_engine *engine;
    unsigned long thread; /* whose bodies run */
    long pid;
    bool strict, forget, hold;
    bool changed;               /* step 3 has begun to change what is live */
    struct lz_reserve *reserve; /* memory put aside, or NULL */
    uint64_t serial;            /* of the generation that it makes */
    uint64_t undoes;            /* or of the transaction that it takes back */
    PyObject *objects; /* list: all that the collector tracks, in the step */
    struct lz_containers *containers; /* what they held before the bodies */
    struct lz_reload *items;
    size_t count;
};

/* --- reload_transaction.c ----------------------------------------------- */

/* With room for COUNT modules. NULL with an exception. */
struct lz_transaction *transaction_new(struct lz_engine *engine, size_t count);
void transaction_free(struct lz_transaction *transaction);
/* Room for COUNT. Not while it is begun. 0 or -1. */
int transaction_grow(struct lz_transaction *transaction, size_t count);
/* Add the module NAME (taken; NULL: an exception is set), which reports to
 * RESULT. 0 or -1. */
int transaction_add(struct lz_transaction *transaction, PyObject *name,
                    struct lz_reload_result *result);
/* Take the last one out again; its result stays. */
void transaction_drop_last(struct lz_transaction *transaction);
/* Step: nobody else reloads this module meanwhile. */
int transaction_claim(struct lz_reload *reload);
/* Around the bodies: this thread's view of the modules. The end may run
 * code. */
void transaction_begin(struct lz_transaction *transaction);
void transaction_end(struct lz_transaction *transaction);
void transaction_tell(struct lz_transaction *transaction);
/* Step 3 of all: as reload_publish, with verdicts. */
int transaction_publish(struct lz_transaction *transaction) LZ_NEEDS_GIL;
/* It fails because REPORTED has: say so of the module that was asked for. */
void transaction_blame(struct lz_transaction *transaction,
                       const struct lz_reload *reported);
/* STATUS as the host gets it: 0, or -1 with ERROR from the exception.
 * TRANSACTION (may be NULL) is freed. */
int transaction_answer(struct lz_transaction *transaction, const char *name,
                       int status, struct lz_reload_result *ret_result,
                       struct lz_error *error) LZ_NEEDS_GIL;

/* --- steps -------------------------------------------------------------- */

/* 1 go on; 0 the result has its verdict; -1 with an exception. */
int reload_find(struct lz_reload *reload);
int reload_find_live(struct lz_reload *reload); /* only its module */
int reload_read(struct lz_reload *reload);
/* The module is this transaction's, found, and its source read. */
int reload_prepare(struct lz_reload *reload) LZ_NEEDS_GIL;
int reload_compile(struct lz_reload *reload) LZ_NEEDS_GIL;
int reload_execute(struct lz_reload *reload) LZ_NEEDS_GIL;
/* reload_dependents.c: the modules that imported the first one, in the order
 * of their bodies. What cannot be reloaded is left out, and told of. */
int reload_add_dependents(struct lz_transaction *transaction) LZ_NEEDS_GIL;
/* reload_containers.c: note what tables hold that the compiled bodies can
 * reach. 0 or -1. */
int reload_note_containers(struct lz_transaction *transaction);
/* It is not needed any more. May run code. */
void reload_forget_containers(struct lz_transaction *transaction);
/* reload_again.c: the bodies have run: say what lists have twice now. 0 or -1.
 */
int reload_note_again(struct lz_transaction *transaction);
/* reload_undo.c: a body has failed: what it put there goes. Leaves no
 * exception. May run code. */
void reload_undo_containers(struct lz_transaction *transaction);
/* What it runs now is what IDENTITY says. */
void reload_remember(struct lz_reload *reload);
/* Put the fresh namespaces in the live ones' places: 1. 0 where the
 * transaction is strict and forbids it; -1 with an exception: only where
 * memory ran out. */
int reload_publish(struct lz_transaction *transaction) LZ_NEEDS_GIL;
/* A body has failed: whoever got one of its functions or classes gets what
 * is live instead. Leaves no exception. */
void reload_take_back(struct lz_transaction *transaction) LZ_NEEDS_GIL;

/* --- reload_verdict.c --------------------------------------------------- */

/* Fill verdict and text (printf). Always 0. */
int reload_verdict(struct lz_reload *reload, enum lz_verdict verdict,
                   const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The pending exception becomes the verdict. Always 0. */
int reload_failed(struct lz_reload *reload) LZ_NEEDS_GIL;
void reload_applied(struct lz_reload *reload);
/* Forget that something could not be read. 0, or -1 where KeyboardInterrupt
 * or SystemExit is pending, or memory lacks. */
int reload_forgive(void);
/* Add a line to the result's list, which has a bound. 0 or -1. */
int reload_unrepaired(struct lz_publish *publish, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same for what could not keep its identity. */
int reload_replaced(struct lz_publish *publish, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same for what was registered once more. */
int reload_again(struct lz_reload *reload, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* TEXT as UTF-8, or OTHERWISE; leaves no exception. */
const char *reload_text(PyObject *text, const char *otherwise);

/* --- reload_source.c ---------------------------------------------------- */

/* What KEY is in the live module's dict, running no code: borrowed. NULL, with
 * an exception only where memory lacks. */
PyObject *reload_live_borrowed(struct lz_reload *reload, const char *key);

/* The module of SPEC is about to be read and run: note what its source file
 * is, so that a later reload knows whether it changed. Called before the
 * loader reads it: a file that changes in between must count as changed.
 * Leaves no exception and keeps one that is set. */
void reload_note_source(struct lz_engine *engine, PyObject *spec);
/* Whether it is known what the module runs. */
bool reload_recall(struct lz_reload *reload, struct lz_source *ret_source);

/* --- reload_view.c ------------------------------------------------------ */

/* From now on the transaction's thread finds the stand-in's attributes in
 * the live module. Leaves it as it is where that cannot be. */
void reload_view_begin(struct lz_reload *reload);
void reload_view_end(struct lz_reload *reload);
/* Whether MODULE is viewed by some thread: else of exactly a module's kind. */
bool reload_is_view(PyObject *module);
/* Make CLASS that of the live module. May run code. 0 or -1. */
int reload_set_module_class(struct lz_reload *reload, PyObject *class);

/* --- reload_generation.c ------------------------------------------------ */

/* What the live module is, before the step changes it: 0 or -1. In the
 * step; runs no code. */
int reload_keep(struct lz_publish *publish);
/* The step is done: the generation is the module's newest. 0 or -1. */
int reload_kept(struct lz_publish *publish);
/* Before the step: what goes back. */
int reload_restore(struct lz_reload *reload);
/* In the step: what old objects become is what the generation says. */
int reload_pair_generation(struct lz_publish *publish);
/* NAME's newest generation, if it is of MODULE (NULL: of any): borrowed, with
 * the serial of what replaced it; or NULL, without an exception. */
PyObject *reload_newest_borrowed(struct lz_engine *engine, PyObject *name,
                                 PyObject *module, uint64_t *ret_serial);
/* Whether HELD, a value of the engine's generations, has what SERIAL
 * replaced. */
bool reload_has_generation(PyObject *held, uint64_t serial);
/* Module NAME is loaded anew: its generations are those of another. Leaves no
 * exception. May run code. */
void reload_forget_generations(struct lz_engine *engine, PyObject *name);

/* --- publishing --------------------------------------------------------- */

/* What step 3 and 4 work on, a module each. Everything in it that is no dict
 * or list of its own is borrowed: KEEP and GRAVEYARD hold the objects. */
struct lz_publish {
    struct lz_reload *reload;
    const struct lz_publish *before; /* of the transaction's last module */
    bool takes_back;                 /* only references are repaired */
    /* How far the changes have come: after a failure they go on from here. */
    size_t step, moved_at;
    bool walked;               /* who refers to what changes is known */
    size_t listed;             /* lines of unrepaired before the step */
    PyObject *get_objects;     /* gc's */
    PyObject *keep;            /* list: what the maps point to */
    PyObject *graveyard;       /* list: what was replaced; dies at the end */
    PyObject *late;            /* list of (container, key, key it becomes,
                                  value it gets or ...): keys that may run
                                  code when they are hashed */
    PyObject *made;            /* the generation that was live, or NULL */
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
int reload_put(struct lz_ptrmap *map, PyObject *key, void *value);
/* reload_replace.c: OLD stood under NAME, where NEW is now, or nothing
 * (NULL). */
int reload_replace(struct lz_publish *publish, PyObject *name, PyObject *old,
                   PyObject *new);
/* All of the namespace. 0 or -1. */
int reload_replace_all(struct lz_publish *publish);
/* What the live module has under KEY: borrowed, running no code. */
PyObject *reload_live_value_borrowed(struct lz_publish *publish,
                                     PyObject *key);
/* NEW moves into OLD. 0 or -1. */
int reload_move(struct lz_publish *publish, PyObject *old, PyObject *new);
/* The old object that NEW becomes, or NEW: borrowed. */
PyObject *reload_mapped_borrowed(const struct lz_publish *publish,
                                 PyObject *object);
/* Whether OLD's class keeps this attribute of its own. */
bool reload_class_keeps(PyTypeObject *type, PyObject *key, PyObject *value);
/* Whether OBJECT is a function or class that says it is of the reloaded
 * module. */
bool reload_is_own(const struct lz_publish *publish, PyObject *object);
/* Whether the body of the module has no say about KEY of its namespace. */
bool reload_keeps_name(PyObject *key);

/* What FUNCTION refers to is nobody's reference to repair. */
void reload_disown(struct lz_publish *publish, PyObject *function);
/* reload_move.c: put the new objects' contents in the old ones. 0 or -1. */
int reload_move_all(struct lz_publish *publish);
/* Set (NULL: delete) an attribute of a class, past its metaclass. */
int reload_set_class_attribute(struct lz_publish *publish, PyTypeObject *type,
                               PyObject *key, PyObject *value);

/* reload_adopt.c: functions of the fresh body read the live namespace from
 * now on; what it made of a class that moved is of the old class. 0 or -1. */
int reload_adopt_functions(struct lz_publish *publish);
int reload_adopt_instances(struct lz_publish *publish);

/* reload_own.c: fill ours: what the transaction and the generations hold. */
int reload_own(struct lz_publish *publish);
/* reload_walk.c: fill functions, instances, children, holders. */
int reload_walk(struct lz_publish *publish);

/* reload_repair.c: step 4 and the references to what moved. */
int reload_repair(struct lz_publish *publish);
/* reload_persist.c: put memory aside for what must come to its end. 0 or
 * -1. */
int reload_reserve(struct lz_transaction *transaction);
void reload_release(struct lz_transaction *transaction);
/* Call CHANGE, which fails where memory lacks and goes on where it was, and
 * give up what was put aside, until it does not fail: 0, or -1 with an
 * exception. */
int reload_persist(struct lz_transaction *transaction,
                   int (*change)(void *arg), void *arg);

/* reload_constant.c. Before the step: who has which value by from-import;
 * in it: give them the new one. 0 or -1. */
int reload_find_constants(struct lz_reload *reload);
int reload_rebind_constants(struct lz_publish *publish);
/* Whether OBJECT is one that anyone may share. */
bool reload_is_constant(PyObject *object);

/* reload_imports.c: "module:name" for each `from module import name` in the
 * code of the module that DICT is of, "module:" for `import module`: a new
 * set, empty where nothing can be read, or NULL with an exception. */
PyObject *reload_read_imports(struct lz_engine *engine, PyObject *dict);

/* reload_class.c: bases of classes that did not move themselves. */
int reload_rebase(struct lz_publish *publish, PyObject *child);
int reload_repair_type(struct lz_publish *publish, PyTypeObject *type);
/* Say how many classes could not keep their identity. */
int reload_count_replaced(struct lz_publish *publish);
/* 1 the identity of all classes and functions is kept, 0 the verdict says
 * which not and why. */
int reload_is_strict(struct lz_publish *publish);
/* What a line calls OBJECT, a key of moved or replaced. */
const char *reload_name_of(const struct lz_publish *publish, PyObject *object);

/* reload_after.c: the rest, which may run Python code. 0 or -1. */
int reload_after(struct lz_publish *publish);
void reload_collect_young(void);

/* Keep OBJECT (may be NULL) alive until the step is over. 0 or -1. */
int reload_bury(struct lz_publish *publish, PyObject *object);

#endif
