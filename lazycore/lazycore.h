/* The engine as the host sees it: what needs Python.
 *
 * Every call needs the GIL unless it says otherwise. The same functions
 * stand behind the Python module `lazycore`.
 */
#ifndef LAZYCORE_LAZYCORE_H
#define LAZYCORE_LAZYCORE_H

#include <Python.h>
#include <stdbool.h>

#include "lazycore/annotations.h"
#include "lazycore/core.h"

/* For PyImport_AppendInittab("lazycore", PyInit_lazycore). */
PyMODINIT_FUNC PyInit_lazycore(void);

/* Make CORE the one the module uses. Before Py_Initialize; no GIL. The core
 * must outlive the interpreter. */
void lazycore_attach(struct lz_core *core);

/* Hook the import system: after site, before the service. Repeatable.
 * 0, or -1 with ERROR (subinterpreter, free-threaded build, ...). */
int lazycore_install(struct lz_error *error) LZ_NEEDS_GIL;
int lazycore_uninstall(struct lz_error *error) LZ_NEEDS_GIL;

/* What one name of a load request came to. Strings malloc'd. */
struct lz_load_result {
    char *name;
    bool loaded;  /* 1 it is in sys.modules now */
    bool already; /* it was before */
    uint64_t wall_ns;
    uint64_t cpu_ns;       /* of all threads */
    int64_t bytes;         /* growth of private memory, to the page */
    uint64_t modules;      /* module bodies that ran, this one included */
    struct lz_error error; /* kind NONE on success */
    char *file;            /* where it was raised, or NULL */
    int line;              /* 0 unknown */
};

enum { LZ_LOAD_INJECT = 1u };

/* Whether modules may be loaded on this thread, which is the host's and not
 * the service's: 0; -1 with ERROR, which ends with INSTEAD, where gevent or
 * eventlet has replaced the locks of _thread. What a module makes there
 * belongs to the thread that loads it, and importlib's own locks are for
 * greenlets of one thread. */
int lazycore_may_load(const char *instead,
                      struct lz_error *error) LZ_NEEDS_GIL;

/* Load the module NAME: a proxy, or any name that can be imported.
 * 0 with *ret_result, success or not; -1 only on lack of memory. */
int lazycore_load(const char *name, unsigned flags,
                  struct lz_load_result *ret_result) LZ_NEEDS_GIL;
void lazycore_load_result_done(struct lz_load_result *result);

/* Reload: DESIGN 5. */
#define LZ_VERDICT_TABLE(LZ_VERDICT)                                          \
    LZ_VERDICT(APPLIED, "applied", 0)                                         \
    LZ_VERDICT(UNCHANGED, "unchanged", 11)                                    \
    LZ_VERDICT(NOT_LOADED, "not_loaded", 12)                                  \
    LZ_VERDICT(REFUSED, "refused", 13)                                        \
    LZ_VERDICT(FAILED, "failed", 14)                                          \
    LZ_VERDICT(INCONCLUSIVE, "inconclusive", 15)

enum lz_verdict {
#define LZ_VERDICT(id, string, exit_status) LZ_VERDICT_##id,
    LZ_VERDICT_TABLE(LZ_VERDICT)
#undef LZ_VERDICT
        LZ_VERDICTS
};

const char *lz_verdict_string(enum lz_verdict verdict);

struct lz_reload_options {
    bool force;      /* run it even where the source has not changed */
    bool strict;     /* refuse where a class or function becomes another */
    bool forget;     /* keep no generation to roll back to */
    bool hold;       /* nobody reloads it until core->sources releases it */
    bool dependents; /* and all that imported it, as one transaction */
};

struct lz_reload_result {
    char *name; /* malloc'd */
    enum lz_verdict verdict;
    char text[512];              /* why, for a person */
    char *file;                  /* location of a failure, or NULL */
    int line, column;            /* 0 unknown */
    char *traceback;             /* malloc'd or NULL */
    uint64_t wall_ns;            /* the whole transaction */
    uint64_t pause_ns;           /* step 3 and 4, GIL never released */
    uint64_t old_hash, new_hash; /* of the source, 0 unknown */
    uint64_t functions_kept, classes_kept; /* identity kept */
    uint64_t names_rebound; /* bound elsewhere by from-import, step 4 */
    char **unrepaired;      /* malloc'd "holder: name" lines */
    size_t unrepaired_count;
    char **replaced; /* malloc'd: what could not keep its identity, and why */
    size_t replaced_count;
    char **again; /* malloc'd: what lists of other modules got once more */
    size_t again_count;
    uint64_t generation;  /* serial of the transaction that was applied */
    uint64_t generations; /* kept to roll back to, afterwards */
    struct lz_reload_result *others; /* further modules of the transaction,
                                        in the order of their bodies */
    size_t other_count;
};

/* Bounds of what is kept to roll back to. The newest generation of a module
 * is kept whatever it takes. */
enum {
    LZ_GENERATIONS_MAX = 3,                  /* of one module */
    LZ_GENERATIONS_BYTES = 64 * 1024 * 1024, /* of all, as estimated */
    LZ_RELOAD_MODULES_MAX = 500              /* of one transaction */
};

/* 0 with *ret_result; -1 with ERROR where no verdict could be reached. The
 * verdict is that of the transaction: that of NAME unless another module
 * made it fail, whose name and place are then in it. */
int lazycore_reload(const char *name, const struct lz_reload_options *options,
                    struct lz_reload_result *ret_result,
                    struct lz_error *error) LZ_NEEDS_GIL;
/* Go back to the generation before the one that runs, with all modules of
 * its transaction; runs none of their code. SERIAL not 0: only if that one
 * runs. Returns as above. */
int lazycore_rollback(const char *name, uint64_t serial,
                      struct lz_reload_result *ret_result,
                      struct lz_error *error) LZ_NEEDS_GIL;
void lazycore_reload_result_done(struct lz_reload_result *result);

/* What a pending module would come to, had it to be loaded now. */
#define LZ_VERIFY_TABLE(LZ_VERIFY)                                            \
    LZ_VERIFY(OK, "ok")                                                       \
    LZ_VERIFY(MISSING, "missing")       /* nothing is there any more */       \
    LZ_VERIFY(MOVED, "moved")           /* the finders have another file */   \
    LZ_VERIFY(BROKEN, "broken")         /* does not compile */                \
    LZ_VERIFY(UNREADABLE, "unreadable") /* its loader fails */

enum lz_verify_status {
#define LZ_VERIFY(id, string) LZ_VERIFY_##id,
    LZ_VERIFY_TABLE(LZ_VERIFY)
#undef LZ_VERIFY
        LZ_VERIFY_COUNT
};

const char *lz_verify_string(enum lz_verify_status status);

struct lz_verify_result {
    enum lz_verify_status status;
    char text[512];   /* why, for a person; empty where all is well */
    char *file;       /* malloc'd: of the module, or of what is broken in it;
                         NULL without a location */
    int line, column; /* of what does not compile; 0 unknown */
    bool changed;     /* the file is newer than the import statement */
};

/* Find and compile the pending module NAME, executing nothing of it. 1 with
 * *ret_result, 0 it is not pending. */
int lazycore_verify(const char *name,
                    struct lz_verify_result *ret_result) LZ_NEEDS_GIL;
void lazycore_verify_result_done(struct lz_verify_result *result);

/* The pending Python exception as an lz_error (with traceback), cleared. The
 * one place where that is done. */
void lz_error_from_python(struct lz_error *error,
                          enum lz_error_kind kind) LZ_NEEDS_GIL;

#endif
