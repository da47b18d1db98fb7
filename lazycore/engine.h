/* The engine's own types: state, targets, proxies, keys, namespaces.
 *
 * Private to lazycore. All of it needs the GIL. One `struct lz_engine` is the
 * module's state; every type of ours reaches it through its module, so there
 * is no global. Ownership:
 *
 *   module dict -> key -> proxy -> target -> found
 *                   key -> namespace -> module dict
 *   target => proxies that wait for it (intrusive list, borrowed)
 *
 * A *target* is a module that was found but has not been loaded. A *proxy*
 * stands for one value that will come from a target. A *key* is the str
 * subclass under which a namespace holds a proxy; while its proxy is pending,
 * the first look-up of the name goes through the key's comparison, which
 * loads. A *namespace* is what we know of one module's dict.
 */
#ifndef LAZYCORE_ENGINE_H
#define LAZYCORE_ENGINE_H

#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

#include "lazycore/bytecode.h"
#include "lazycore/charge.h"
#include "lazycore/compat.h"
#include "lazycore/dotted.h"
#include "lazycore/engine_names.h"
#include "lazycore/exits.h"
#include "lazycore/lazycore.h"
#include "lazycore/moment.h"
#include "lazycore/names.h"
#include "lazycore/place.h"
#include "lazycore/table.h"
#include "lazycore/usage.h"

/* importlib's own for files: source, bytecode, extension. */
enum { LZ_LOADER_CLASSES = 3 };

/* Rules of DESIGN 4.3 that can be switched off, to see what each is for and
 * what it costs: lazycore.rule(). Strings are in policy.c. */
enum lz_rule {
    LZ_RULE_GUARDED,      /* 4 */
    LZ_RULE_LATE,         /* 5 */
    LZ_RULE_FOR_EFFECT,   /* 6 */
    LZ_RULE_SAME_PACKAGE, /* 7 */
    LZ_RULE_NAMESPACES,   /* globals(), locals() and vars() bind */
    LZ_RULE_FORESIGHT,    /* foresee.c */
    LZ_RULE_SYS_MODULES,  /* entries that code takes by name */
    LZ_RULE_FORKS,        /* fork_call.c */
    LZ_RULE_ACCOUNTING,   /* 4.5: no rule, but what it costs is asked too */
    LZ_RULES
};

struct lz_proxy;
struct lz_key;

/* A module that was found and waits to be loaded. GC type LazyTarget. */
struct lz_target {
    PyObject_HEAD PyObject *name; /* full dotted name, exact str */
    PyObject *found;          /* kept for our finder, see found.c; NULL once
                                 loaded */
    PyObject *searched;       /* tuple: its package's path before that ran, and
                                 NULL once it has */
    PyObject *children;       /* list of submodule names to publish, or NULL */
    PyObject *filters;        /* of warnings, at the statement: filters.c */
    struct lz_moment moment;  /* of the statement */
    struct lz_proxy *waiters; /* borrowed, in the order of the statements */
    bool loaded;
    bool noted;        /* the registry knows it as a proxy */
    bool free, wanted; /* free of effects, and leads to nothing else; or not,
                          once asked: own.c, */
    bool taken;        /* which loads it now */
    bool failed; /* its last load did, or made a copy, or its package's path
                    has changed: it is searched for again */
    int64_t unfree_mtime_ns, unfree_bytes; /* of the source whose body is not
                                              free of effects, once asked */
    PyObject *published_on; /* weak reference to the parent that showed it, or
                               NULL: what is under that name there now, or is
                               not, came after the statement */
    uint64_t asked; /* turn of the last statement before its package loads */
};

enum lz_proxy_kind {
    LZ_PROXY_MODULE, /* the module .name itself */
    LZ_PROXY_ATTR,   /* attribute .attr of the target */
    LZ_PROXY_ALIAS   /* import a.b as c: a, then attribute b */
};

/* A value to come. GC types ModuleProxy and NameProxy. */
struct lz_proxy {
    PyObject_HEAD enum lz_proxy_kind kind : 8;
    unsigned resolvers : 24;  /* calls of proxy_resolve() under way; each
                                 holds a reference, and its caller one */
    int line;                 /* of the statement; its file is the key's
                                 namespace's */
    PyObject *name;           /* MODULE: name of the module that is the value;
                                 ALIAS: the dotted name walked */
    PyObject *attr;           /* ATTR: what to take from the target */
    struct lz_target *target; /* what must load for it; NULL: nothing more */
    PyObject *extras;         /* list of further targets, or NULL */
    PyObject *file;           /* co_filename of the statement */
    PyObject *value;          /* once it is resolved */
    struct lz_key *key;       /* borrowed: where it was stored, or NULL */
    struct lz_proxy *prev, *next; /* the target's waiters */
    struct lz_target *waits_for;  /* whose list it is on; borrowed */
};

/* The str under which a namespace holds a pending name. */
struct lz_key {
    PyUnicodeObject str;
    struct lz_namespace *ns; /* strong; NULL once cleared */
    struct lz_proxy *proxy;  /* strong; NULL once it is an ordinary name */
    int fresh;               /* stores of its statement still to come */
    bool quiet;              /* hash and compare without loading */
};

/* One module's dict in which names are or were pending. */
struct lz_namespace {
    PyObject_HEAD struct lz_engine
        *engine;        /* borrowed: the type holds the module */
    PyObject *dict;     /* strong */
    PyObject *name;     /* __name__ of its module */
    Py_ssize_t pending; /* keys whose proxy is set */
    Py_ssize_t busy;    /* look-ups of ours below us on some stack */
    bool queued;        /* waits for its dict to be rebuilt */
    bool leftovers;     /* holds keys of ours that are done */
    bool copies;        /* its code does, entries of sys.modules: taken.c */
    uint64_t heat_ns, look; /* settle.h: CPU time seen in it; seen last in */
    unsigned sightings;     /* how often, its callees' looks among them, */
    Py_ssize_t refused; /* and how many names are not to be loaded for that */
    PyCodeObject *code; /* code last analysed, or NULL */
    PyObject *code_bytes;
    PyObject *used;   /* set of names that its own body loads, once asked */
    int first_effect; /* byte offset, INT_MAX: there is none, */
    int effect_line;  /* and line; 0: what is behind it runs after it */
    struct lz_lines lines; /* of the code */
    struct lz_node node;   /* in the engine's table, by .dict */
};

/* What IMPORT_NAME gets for a deferred from-import or alias: IMPORT_FROM
 * takes the proxies from it. Lives for one statement. */
struct lz_from {
    PyObject_VAR_HEAD Py_ssize_t depth; /* ALIAS: look-ups still to come */
    PyObject *all;                      /* STAR: list of names, or NULL */
    struct {
        PyObject *attr;  /* strong */
        PyObject *value; /* strong */
    } entries[1];
};

struct lz_engine {
    struct lz_core *core;
    bool owns_core, installed, was_uninstalled;
    bool main_noted; /* the registry has the file of __main__ */
    bool sys_asked;  /* sys's attributes are not specialised: taken.c */
    bool walks;      /* .walker does, what is in sys.modules: hook_names.c */
    bool own_asks;   /* own.c loads a list; else it keeps no reader */
    bool rule_off[LZ_RULES];
    unsigned char *recorded;  /* record.c: what was seen of each module */
    bool stale_told;          /* and that the ledger is of other sources */
    struct lz_settle *settle; /* settle.h, once asked */
    PyObject *module;         /* borrowed: ourselves */
    PyTypeObject *target_type, *module_proxy_type, *name_proxy_type;
    PyTypeObject *key_type, *namespace_type, *from_type, *finder_type;
    PyTypeObject *set_type, *view_type; /* of live sets; reload_view.c */
    PyTypeObject *handler_type;         /* hold.c */
    struct lz_names names;
    PyObject *targets;           /* dict: name -> LazyTarget, not loaded */
    struct lz_table namespaces;  /* borrowed, by dict */
    struct lz_table directories; /* directory.c */
    PyObject *rebuild;           /* list of namespaces to rebuild */
    bool rebuild_posted;         /* a pending call will try again */
    int peek;                 /* comparisons are plain: no Python runs now */
    PyObject *finder;         /* on sys.meta_path while installed */
    PyObject *bootstrap;      /* importlib._bootstrap */
    PyObject *bootstrap_find; /* its _find_spec */
    PyObject *load_unlocked, *find_and_load_unlocked, *find_and_load;
    PyObject *binding_code; /* code of the original _find_and_load_unlocked*/
    PyObject *import;       /* the __import__ that was there before us */
    PyObject *import_over;  /* what stood over ours when that was taken away */
    bool import_is_builtin; /* and whether that is CPython's own */
    struct lz_namespace *outer; /* namespace last used outside any load */
    PyObject *saved_globals, *saved_locals, *saved_vars, *saved_dir;
    PyObject *saved_enter, *lock_unlock_module;    /* module_lock.c */
    PyObject *signal, *getsignal, *fork, *forkpty; /* _signal's; posix's */
    struct lz_exits exits;
    PyObject *saved_reload; /* importlib.reload, once importlib is there */
    PyObject *builtin_importer, *frozen_importer, *path_finder; /* search.c */
    PyObject *file_finder, *spec_class, *is_builtin, *is_frozen;
    PyObject *loader_classes[LZ_LOADER_CLASSES]; /* of files */
    PyObject *find_specs;                        /* finders.c: tuple */
    PyObject *builtin_names, *frozen_names;      /* sets */
    PyObject *plain_listings; /* dict: path -> set; standard.c, once asked */
    PyObject *sys_dict;
    PyObject *getallocatedblocks, *generations; /* reload_generation.c */
    struct lz_transaction *transactions;        /* reloads under way */
    uint64_t reload_serial;                     /* of the last one */
    struct lz_charges ended;                    /* charge.c */
    struct lz_resident resident; /* where the process's memory is read */
    double rates[LZ_GAUGES];     /* what a nanosecond of loads comes to */
    uint64_t walk_ns;            /* what counting blocks costs */
    PyObject *foreseen;          /* set of names that pending modules import */
    PyObject *taken;             /* taken.c: dict, or NULL */
    PyObject *copiers;           /* taken.c: set of modules, or NULL */
    PyObject *walker;            /* code that took sys.modules last */
    int walker_at;               /* and where; .walks */
    uint32_t moments;      /* moment.c: of what has happened in no late body */
    PyObject *filters;     /* filters.c: tuple, the last seen */
    uint64_t turn;         /* counts loads begun and targets asked for */
    uint64_t targets_made; /* targets ever made */
    uint64_t own_targets;  /* own.c has seen this many */
    struct lz_reader *own_reader; /* for its next question, or NULL */
    uint64_t foreseen_targets;    /* of which foreseen covers this many */
    Py_ssize_t loads_running;     /* bodies under way, on any thread */
    bool loads_lost;              /* on a thread that a fork left behind */
    Py_ssize_t modules_seen;      /* size of sys.modules at the last sweep */
};

/* Why the import under way on this thread happens; see load.c. */
struct lz_cause {
    PyObject *name; /* strong, or NULL: no statement behind it */
    enum lz_reason reason;
    enum lz_guard guard; /* rule 4: that of what it loads directly, too */
};

/* module.c */
/* The engine of an object of ours; NULL once the interpreter tears it down.*/
struct lz_engine *engine_of(PyObject *self);
struct lz_engine *engine_of_module(PyObject *module);
/* The same; NULL with a RuntimeError. */
struct lz_engine *engine_or_raise(PyObject *module);
PyObject *engine_gone(void); /* NULL with the same exception */
bool engine_enabled(const struct lz_engine *engine);
/* MODULE.NAME = REPLACEMENT, the old value in *ret_saved (dropped first). */
int engine_patch(PyObject *module, const char *name, PyObject *replacement,
                 PyObject **ret_saved);

/* path.c */
/* PATH as it is now where PARENT, which may change it, has yet to run: a new
 * tuple, else NULL, without an exception. */
PyObject *path_before(PyObject *parent, PyObject *path);
/* Whether to search for TARGET again; PATH is its package's, or NULL. */
bool path_is_stale(struct lz_target *target, PyObject *path);
/* A package has run and has made its path PATH: look at the targets that
 * CHILDREN names. NULL: where the package is, is not known any more. */
void path_check_children(struct lz_engine *engine, PyObject *children,
                         PyObject *path);

/* target.c */
extern PyType_Spec lz_target_spec;
/* A new reference to the target NAME, or NULL: unknown (no exception). */
struct lz_target *target_get(struct lz_engine *engine, PyObject *name);
struct lz_target *target_new(struct lz_engine *engine, PyObject *name,
                             PyObject *found);
/* The spec of TARGET, always the same one: a new reference. NULL with an
 * exception, or without one where TARGET has loaded. */
PyObject *target_spec(struct lz_engine *engine, struct lz_target *target);
/* Policy lets TARGET be lazy: the registry hears of a proxy, and of the
 * statement at STATEMENT_FILE (or NULL), LINE. */
void target_note(struct lz_engine *engine, struct lz_target *target,
                 PyObject *statement_file, int line);
void target_wait(struct lz_target *target, struct lz_proxy *proxy);
void target_unwait(struct lz_proxy *proxy);
/* The module once loaded: a new reference. Runs its code if need be. */
PyObject *target_import(struct lz_engine *engine, struct lz_target *target);
/* MODULE has loaded as NAME: publish children, bind waiters, forget. */
void target_loaded(struct lz_engine *engine, PyObject *name, PyObject *module);
/* The load of NAME has failed, with the exception that is pending, or made a
 * copy: where it is found may change before it is tried again. */
void target_failed(struct lz_engine *engine, PyObject *name);

/* find.c */
extern PyType_Spec lz_finder_spec;
/* Find module NAME, not loaded: 1 with a new reference to its target, 0 not
 * found this way (import it eagerly, which raises), -1 with an exception. */
int find_target(struct lz_engine *engine, PyObject *name,
                struct lz_target **ret_target);
/* The spec of NAME by whatever finder has it: a new reference, None, or NULL
 * with an exception. PACKAGES: as foresee_spec() has it. */
PyObject *find_spec_only(struct lz_engine *engine, PyObject *name,
                         PyObject *packages);
/* importlib._bootstrap._find_spec */
PyObject *find_kept_spec(PyObject *module, PyObject *const *args,
                         Py_ssize_t nargs, PyObject *kwnames);

/* found.c */
/* What a search finds is a spec, or the parts of one that nobody has asked
 * for yet: FILE, loaded by LOADER_CLASS of importlib's, in the directory
 * PACKAGE if it is a package (else NULL). A new reference. */
PyObject *found_new(struct lz_engine *engine, PyObject *loader_class,
                    PyObject *file, PyObject *package);
/* The ModuleSpec of NAME: a new reference, or NULL with an exception. */
PyObject *found_spec(struct lz_engine *engine, PyObject *name,
                     PyObject *found);
/* spec.origin where it is a location: a new reference or NULL, no error. */
PyObject *found_file(struct lz_engine *engine, PyObject *found);
/* spec.submodule_search_locations: a new reference; NULL, with an exception
 * only where one was raised, if it is no package. */
PyObject *found_locations(struct lz_engine *engine, PyObject *found);

/* proxy.c */
extern PyType_Spec lz_module_proxy_spec, lz_name_proxy_spec;
PyObject *lz_proxy_repr(PyObject *self);
bool proxy_check(const struct lz_engine *engine, PyObject *object);
struct lz_proxy *proxy_new(struct lz_engine *engine, enum lz_proxy_kind kind,
                           PyObject *name, PyObject *attr,
                           struct lz_target *target);
struct lz_proxy *proxy_copy(struct lz_engine *engine,
                            const struct lz_proxy *proxy);
int proxy_add_extra(struct lz_proxy *proxy, struct lz_target *target);
/* The value, a new reference; loads. */
PyObject *proxy_resolve(struct lz_engine *engine, struct lz_proxy *proxy);
/* VALUE is what PROXY stands for: its name gets it. 0 or -1. */
int proxy_settle(struct lz_engine *engine, struct lz_proxy *proxy,
                 PyObject *value);
/* MODULE, the target of WAITERS, has loaded: bind each if that can be done
 * now, else let it wait for its next target. Those that go on waiting are None
 * in that list then, which must hold the only reference that the caller has:
 * one more would look like a leak. Leaves no exception. */
void proxies_advance(struct lz_engine *engine, PyObject *waiters,
                     PyObject *module);
bool proxy_resolving_here(const struct lz_proxy *proxy);
PyObject *proxy_describe(const struct lz_proxy *proxy);

/* inject.c */
/* Replace the resolved PROXIES (a list) wherever they leaked to. The number
 * of places, or -1 with an exception. */
Py_ssize_t inject_values(struct lz_engine *engine, PyObject *proxies);
/* As above for one, if its references say that it leaked and the heap is
 * not too large. Leaves no exception. EXPECTED: references that are ours
 * beside those of its resolvers. */
void inject_leaked(struct lz_engine *engine, struct lz_proxy *proxy,
                   Py_ssize_t expected);

/* key.c */
extern PyType_Spec lz_key_spec;
struct lz_key *key_new(struct lz_engine *engine, struct lz_namespace *ns,
                       PyObject *name, struct lz_proxy *proxy);
/* Whether KEY, which is pending, is not there for this thread: what it runs
 * now is what brings its value. */
bool key_is_hidden(const struct lz_key *key);
/* The name is an ordinary one from now on. */
void key_settle(struct lz_key *key);
/* What KEY of a dict is to others: itself, or a str where it is one of ours. A
 * new reference, or NULL with an exception. */
PyObject *key_plain(struct lz_engine *engine, PyObject *key);

/* namespace.c */
extern PyType_Spec lz_namespace_spec;
/* What we know of DICT: borrowed, or NULL. */
struct lz_namespace *namespace_find(struct lz_engine *engine, PyObject *dict);
/* That of NODE, of the engine's table. */
struct lz_namespace *namespace_of_node(struct lz_node *node);
/* The next key of NS whose name is pending, borrowed, or NULL; *AT is for
 * PyDict_Next. */
struct lz_key *namespace_next_pending(struct lz_namespace *ns, Py_ssize_t *at);
/* The same, made where DICT is the dict of sys.modules[its __name__]: a new
 * reference, or NULL (with an exception only if PyErr_Occurred). */
struct lz_namespace *namespace_get(struct lz_engine *engine, PyObject *dict);
/* What NAME is in DICT, running no code: borrowed value or NULL;
 * *ret_key is the key of ours that it stands under, borrowed, or NULL. */
PyObject *namespace_peek_borrowed(struct lz_engine *engine, PyObject *dict,
                                  PyObject *name, struct lz_key **ret_key);
/* Put PROXY under NAME. 1 done, 0 NAME has an ordinary value, -1. */
int namespace_defer(struct lz_namespace *ns, PyObject *name,
                    struct lz_proxy *proxy, bool fresh);
/* VALUE takes the place of KEY's proxy, if that is still there. */
int namespace_bind(struct lz_key *key, PyObject *value);
/* Load all that is pending there; failures stay pending. */
int namespace_bind_all(struct lz_engine *engine, PyObject *dict);
/* Names still pending in DICT: a new list of exact str. */
PyObject *namespace_pending(struct lz_engine *engine, PyObject *dict);
/* rebuild.c: NS holds keys that are done. */
void rebuild_queue(struct lz_namespace *ns);
void namespace_settled(struct lz_namespace *ns);
void namespace_forget_code(struct lz_engine *engine, PyObject *dict);
/* Rebuild what is queued and not in use. */
void namespace_rebuild_queued(struct lz_engine *engine);
/* The same from a pending call, soon. */
void namespace_post_rebuild(struct lz_engine *engine);

/* policy.c */
const char *policy_rule_string(enum lz_rule rule);
/* Rules 2 to 5, which look at the statement. FILE rules come later. */
enum lz_reason policy_statement(struct lz_engine *engine,
                                struct lz_namespace *ns,
                                struct lz_statement *statement);
/* Read CODE, which runs in NS, once; NS remembers the last one. 0 or -1. */
int policy_analyse(struct lz_engine *engine, struct lz_namespace *ns,
                   PyCodeObject *code);
/* Whether NAME is of the top-level package that the code of NS belongs to. */
bool policy_is_own(struct lz_engine *engine, struct lz_namespace *ns,
                   PyObject *name);
/* Whether the statement itself sits in a try or with. */
bool policy_is_guarded(const struct lz_statement *statement);
enum lz_guard policy_guard(struct lz_engine *engine, struct lz_namespace *ns,
                           const struct lz_statement *statement);
/* The rest: whether NAME, FOUND (or NULL), which need not be the module that
 * STATEMENT says, may wait. 1, 0 with the reason, or -1 with an exception.
 * May run Python code. */
int policy_allows(struct lz_engine *engine, struct lz_namespace *ns,
                  const struct lz_statement *statement, PyObject *name,
                  PyObject *found, enum lz_reason *ret_reason);

/* defer.c */
extern PyType_Spec lz_from_spec;
/* Defer STATEMENT, which imports the absolute NAME. 1 with what IMPORT_NAME
 * is to push; 0 with the reason it must be eager, -1 with an exception. */
int defer_statement(struct lz_engine *engine, struct lz_namespace *ns,
                    const struct lz_statement *statement, PyObject *name,
                    PyObject **ret_value, enum lz_reason *ret_reason);
/* `from NAME import *`: what IMPORT_STAR is to read, with the names pending
 * in MODULE handed on as pending. A new reference. */
PyObject *defer_star(struct lz_engine *engine, struct lz_namespace *ns,
                     PyObject *module);

/* from.c */
struct lz_from *from_new(struct lz_engine *engine, Py_ssize_t count);

/* hook.c */
/* builtins.__import__ */
PyObject *hook_import(PyObject *module, PyObject *const *args,
                      Py_ssize_t nargs, PyObject *kwnames);
PyObject *hook_globals(PyObject *module, PyObject *unused);
PyObject *hook_locals(PyObject *module, PyObject *unused);
PyObject *hook_vars(PyObject *module, PyObject *const *args, Py_ssize_t n);
PyObject *hook_dir(PyObject *module, PyObject *const *args, Py_ssize_t n);
/* MODULE's __dict__ is asked for, or sys.modules: 0, or -1 with an exception.
 */
int hook_module_dict(struct lz_engine *engine, PyObject *module);
int hook_sys_modules(struct lz_engine *engine);
PyObject *hook_reload(PyObject *module, PyObject *const *args,
                      Py_ssize_t nargs, PyObject *kwnames);

/* load.c */
/* importlib._bootstrap._load_unlocked */
PyObject *load_unlocked(PyObject *module, PyObject *spec);
/* Set the cause for an import on this thread; hands back what to restore.*/
struct lz_cause load_cause_push(PyObject *name, enum lz_reason reason,
                                enum lz_guard guard);
void load_cause_pop(struct lz_cause saved);
/* Whether the body of MODULE, on whatever thread, has not come to its end.*/
bool load_initializing(struct lz_engine *engine, PyObject *module);
/* sys.modules[NAME] as it is now: PyImport_GetModule() waits for one that
 * another thread is loading. A new reference, or NULL, with an exception only
 * if PyErr_Occurred. */
PyObject *load_peek_module(PyObject *name);
/* sys.modules[NAME], unless another thread is loading it: as eager code, whose
 * imports were all done before there were threads, could never find it. A new
 * reference, or NULL. */
PyObject *load_module_here(struct lz_engine *engine, PyObject *name);
/* Whether no other thread runs a body. */
bool load_only_here(const struct lz_engine *engine);
/* Whether this thread is running the body of module NAME. */
bool load_runs_here(PyObject *name);
/* The outermost package above NAME that this thread is loading since a later
 * turn of the engine than TURN: a new reference, or NULL, no exception. */
PyObject *load_of_package(PyObject *name, uint64_t turn);
/* Whether what runs on this thread was imported by a module that an ignore
 * set covers, by a call: such a module may put sys.modules back afterwards,
 * as test.support's import_fresh_module does, so nothing may wait. */
bool load_must_finish(void);
/* Whether FRAME is importlib's, storing a submodule in its parent. */
bool load_stores_submodule(struct lz_engine *engine, PyFrameObject *frame);
/* The guard of the statement that is loading DICT's module. */
enum lz_guard load_guard(PyObject *dict);
void load_sweep(struct lz_engine *engine);
/* Keep NS, with the analysis of its code, while its module is loading. */
void load_keep_namespace(struct lz_engine *engine, struct lz_namespace *ns);

/* install.c */
/* The module IMPORTLIB has loaded: its reload() must take proxies. */
void engine_patch_reload(struct lz_engine *engine, PyObject *importlib);
int engine_install(struct lz_engine *engine);
int engine_uninstall(struct lz_engine *engine);

/* host.c */
/* Clear the pending exception, if any, where it does not matter. One that is
 * no Exception (a signal handler's KeyboardInterrupt or SystemExit, which may
 * come up in any Python code) is raised again soon on the same thread. */
void lz_forgive(void);
/* Whether this thread is the process's first, or has forked it. */
bool lz_in_main_thread(void);
void lz_main_thread_after_fork(void);
/* Raise the pending exception again soon on the same thread. */
void lz_postpone(void);

/* Import NAME in the operator's name. 0, or -1 with an exception. */
int host_import(struct lz_engine *engine, PyObject *name);

/* lazycore.inject(): for every proxy that is resolved and still held. */
Py_ssize_t inject_all(struct lz_engine *engine);

/* report.c */
PyObject *report_python(PyObject *module, PyObject *args);
void report_load(struct lz_engine *engine, PyObject *name);

#endif
