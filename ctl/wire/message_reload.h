/* The messages of `reload`, `rollback`, `confirm` and `drift`.
 *
 * Part of message.h, which says whose the strings are.
 */
#ifndef WIRE_MESSAGE_RELOAD_H
#define WIRE_MESSAGE_RELOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_reload_params {
    const char *name;
    bool force, strict, forget, dependents, dry_run;
    double confirm; /* seconds until it rolls back by itself; negative: not */
};

struct wire_name_params { /* rollback, confirm */
    const char *name;
};

struct wire_drift_params {
    const char *match; /* glob, or NULL: all */
    bool all;          /* those that have not drifted, too */
};

/* A further module of the same transaction. */
struct wire_reload_other {
    const char *name, *verdict, *text;
    uint64_t old_hash, new_hash;
    const char **unrepaired;
    size_t unrepaired_count;
    const char **replaced;
    size_t replaced_count;
    const char **again;
    size_t again_count;
};

struct wire_reload { /* rollback, too */
    const char *name;
    bool dry_run;
    const char *verdict; /* "applied", ... */
    const char *text;
    const char *file; /* of a failure */
    int line, column;
    const char *traceback;
    uint64_t wall_ns, pause_ns;
    uint64_t old_hash, new_hash; /* written as 16 hex digits */
    uint64_t functions_kept, classes_kept, names_rebound;
    const char **unrepaired;
    size_t unrepaired_count;
    const char **replaced; /* could not keep its identity, and why */
    size_t replaced_count;
    const char **again; /* lists of other modules that it is in once more */
    size_t again_count;
    uint64_t generation;  /* serial of the transaction; 0 nothing changed */
    uint64_t generations; /* kept of the module, to roll back to */
    double confirm;       /* seconds until it rolls back by itself; 0: never */
    struct wire_reload_other *others;
    size_t other_count;
};

struct wire_confirm {
    const char *name;
    double left; /* seconds that were left */
};

struct wire_drift_row {
    const char *name, *file;
    const char *drift; /* "none", "changed", "missing", "unknown" */
    int64_t since_ns;  /* CLOCK_REALTIME, when the file was written; or 0 */
    uint64_t old_hash, new_hash;
};

struct wire_drift {
    struct wire_drift_row *modules; /* drifted; with `all` every one */
    size_t module_count;
    uint64_t total; /* modules looked at */
    uint64_t drifted, unknown;
};

#endif
