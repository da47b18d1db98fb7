/* The messages that explain modules: `list`, `show`, `why`, `unused`, `trace`.
 *
 * Part of message.h, which says whose the strings are.
 */
#ifndef WIRE_MESSAGE_EXPLAIN_H
#define WIRE_MESSAGE_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Items of a list for its writer, who has none of them in memory: NULL at the
 * end. An item is NEXT's until the next one. */
struct wire_source {
    const void *(*next)(void *arg);
    void *arg;
};

struct wire_place {
    const char *file; /* NULL: the place is unknown, written as null */
    int line;
    const char *function;
    const char *module; /* whose file that is, where it was asked for */
};

struct wire_child {
    const char *name;
    const char *reason;
    uint64_t wall_ns;
    int64_t bytes;
};

/* A module: `list` writes part of it, `show` all. */
struct wire_module {
    const char *name;
    const char *state;  /* "proxy", ... */
    const char *reason; /* stable key */
    const char *reason_text;
    bool builtin;
    const char *file;
    struct wire_place statement; /* the import statement that met it first */
    struct wire_place trigger;   /* what first needed it */
    const char *parent;          /* module whose load this one is nested in */
    const char *thread;
    uint64_t sequence;          /* order of loading; 0 not loaded */
    uint64_t met_ns, loaded_ns; /* CLOCK_MONOTONIC; 0 never */
    uint64_t started_ns;        /* when its body began */
    uint64_t first_use_ns;      /* what its first use took; 0: no use did */
    const char *rule;           /* "package xml": what made it eager */
    uint64_t wall_ns, wall_self_ns, cpu_ns, cpu_self_ns;
    int64_t bytes, bytes_self, blocks, blocks_self;
    uint64_t loads, failures;
    uint64_t blocked; /* loads on threads that must not load */
    const char *last_error;
    uint64_t names_pending;
    /* Of its package; show only. */
    const char *level, *level_source, *level_why;
    /* What was loaded while its body ran; show only. */
    struct wire_child *children;
    size_t child_count;
    uint64_t child_total; /* before the limit */
    uint64_t pulled;      /* the children, theirs, and so on */
    uint64_t waiting;     /* proxies that its statements made and still are */
    uint64_t generations; /* kept to roll back to; show only */
    bool unconfirmed;     /* its last reload waits to be; show only */
};

struct wire_list {
    struct wire_module *modules;
    size_t module_count;
    struct wire_source source; /* of a writer's, which may set TOTAL */
    uint64_t total;            /* before the limit */
};

/* A module on the way to another. */
struct wire_step {
    const char *name;
    const char *state, *reason, *reason_text, *rule;
    const char *link; /* to the step before: "none", "load", "use", ... */
    const char *file;
    struct wire_place statement, trigger;
    const char *parent, *thread;
    uint64_t sequence, met_ns, loaded_ns;
    uint64_t wall_ns, first_use_ns, failures;
    const char *last_error;
};

struct wire_why {
    const char *name;
    const char *app;         /* what lazyd was told to run */
    struct wire_step *steps; /* from the service's first statement down */
    size_t step_count;
    bool cut; /* the first ones are left out */
};

struct wire_unused_module {
    const char *name;
    const char *file;
    struct wire_place statement;
    int64_t file_bytes; /* of the source or extension; negative unknown */
    /* Estimates; negative where there is nothing to go by. */
    int64_t estimated_bytes, estimated_ns;
};

/* What went into the estimate: modules of one kind that this process has
 * loaded. */
struct wire_sample {
    const char *kind; /* "source" or "extension" */
    uint64_t modules, file_bytes;
    uint64_t wall_ns; /* their own, in all */
    int64_t bytes;
};

struct wire_unused {
    struct wire_unused_module *modules; /* the largest estimate first */
    size_t module_count;
    struct wire_source source;
    uint64_t total;     /* before the limit; the sums are over all */
    uint64_t estimated; /* of them have an estimate */
    int64_t estimated_bytes, estimated_ns;
    struct wire_sample *samples;
    size_t sample_count;
};

struct wire_trace_load {
    const char *name, *parent, *thread, *reason, *file;
    struct wire_place trigger;
    uint64_t sequence, started_ns;
    uint64_t wall_ns, wall_self_ns, cpu_ns, cpu_self_ns;
    int64_t bytes, bytes_self, blocks, blocks_self;
};

struct wire_trace {
    int64_t pid;
    const char *app;
    uint64_t total;                /* loads after `after` */
    struct wire_trace_load *loads; /* in the order of loading: nested first */
    size_t load_count;
    struct wire_source source; /* of a writer's, which sets NEXT */
    uint64_t next; /* `after` of the next page; 0: this was the last */
};

#endif
