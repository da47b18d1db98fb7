/* Every message as a C struct: parameters, replies, notifications.
 *
 * JSON is seen by nobody but this library: requests arrive as union
 * wire_params, replies leave as union wire_reply. Strings are borrowed: in a
 * request they live as long as the request, in a reply the daemon keeps them
 * until it is written, in lazyctl they live as long as the document. NULL is
 * written as null. The keys are the members' names.
 */
#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/wire/message_explain.h"
#include "ctl/wire/message_reload.h"
#include "ctl/wire/message_threads.h"

enum { WIRE_PROTOCOL = 1 };

/* --- parameters --------------------------------------------------------- */

enum wire_sort {
    WIRE_SORT_NAME,
    WIRE_SORT_TIME,
    WIRE_SORT_MEMORY,
    WIRE_SORT_ORDER
};

struct wire_list_params {
    const char *state; /* "proxy", "real", ..., "used" or NULL: all */
    const char *match; /* glob, or NULL */
    int sort;          /* enum wire_sort */
    int64_t limit;     /* 0: no limit */
    bool failed;
};

struct wire_show_params {
    const char *name;
};

struct wire_why_params {
    const char *name;
};

struct wire_unused_params {
    const char *match; /* glob, or NULL */
    int64_t limit;     /* 0: no limit */
};

enum wire_trace_format {
    WIRE_TRACE_IMPORTTIME,
    WIRE_TRACE_CHROME,
    WIRE_TRACE_SPEEDSCOPE,
    WIRE_TRACE_FOLDED,
    WIRE_TRACE_SVG
};

enum wire_trace_by { WIRE_BY_TIME, WIRE_BY_MEMORY };

struct wire_trace_params {
    /* lazyctl's own */
    int format;         /* enum wire_trace_format */
    int by;             /* enum wire_trace_by */
    const char *output; /* path, or NULL: standard output */
    /* Loads after this number in the order of loading, and how many at
     * most; 0: as many as one reply holds. */
    int64_t after, limit;
};

struct wire_report_params {
    bool verbose;
};

struct wire_load_params {
    const char **names;
    size_t name_count;
    bool recursive, inject;
    bool dry_run;
    int64_t budget_ms; /* after it, no other name is begun; 0 none */
    double deadline;   /* seconds, of a dry run */
    int64_t memory;    /* MiB that one may take; 0 no limit */
};

struct wire_verify_params {
    const char *match; /* glob, or NULL: all that is pending */
    int64_t limit;     /* 0: no limit */
    bool all;          /* those that are as they should be, too */
};

struct wire_ignore_params { /* add and remove */
    const char *kind;       /* "name", "package" or "path" */
    const char **values;
    size_t value_count;
    bool load, dry_run; /* add only */
};

struct wire_ignore_save_params {
    const char *path; /* absolute */
};

struct wire_level_set_params {
    const char *package;
    const char *level; /* "eager", "outer" or "full" */
};

#define WIRE_EVENT_TABLE(WIRE_EVENT)                                          \
    WIRE_EVENT(LOAD, "load")                                                  \
    WIRE_EVENT(FAIL, "fail")                                                  \
    WIRE_EVENT(RELOAD, "reload")                                              \
    WIRE_EVENT(IGNORE, "ignore")                                              \
    WIRE_EVENT(FORK, "fork")                                                  \
    WIRE_EVENT(CLIENT, "client")

enum wire_event_kind {
#define WIRE_EVENT(id, string) WIRE_EVENT_##id,
    WIRE_EVENT_TABLE(WIRE_EVENT)
#undef WIRE_EVENT
        WIRE_EVENTS
};

struct wire_subscribe_params {
    unsigned events; /* bit 1u << wire_event_kind; never 0 once read */
};

struct wire_stop_params {
    double timeout; /* seconds; negative: what lazyd was started with */
};

struct wire_warm_params { /* of lazyctl only */
    const char *match;    /* or a file, or all */
    const char *file;
    bool all;
    double rate; /* modules a second; 0 no limit */
    int64_t budget_ms;
};

struct wire_record_params { /* of lazyctl only */
    const char *output;     /* NULL: stdout */
};

struct wire_help_params { /* of lazyctl only */
    const char **command;
    size_t word_count;
    bool words; /* the table for the shell's completion */
};

struct wire_nothing {
    char unused;
};

union wire_params {
    struct wire_nothing none;
    struct wire_list_params list;
    struct wire_show_params show;
    struct wire_why_params why;
    struct wire_unused_params unused;
    struct wire_trace_params trace;
    struct wire_report_params report;
    struct wire_load_params load;
    struct wire_verify_params verify;
    struct wire_reload_params reload;
    struct wire_name_params rollback;
    struct wire_name_params confirm;
    struct wire_drift_params drift;
    struct wire_ignore_params ignore_add;
    struct wire_ignore_params ignore_remove;
    struct wire_ignore_save_params ignore_save;
    struct wire_level_set_params level_set;
    struct wire_subscribe_params subscribe;
    struct wire_stop_params stop;
    struct wire_warm_params warm;
    struct wire_record_params record;
    struct wire_help_params help;
};

/* --- notifications ------------------------------------------------------ */

struct wire_hello {
    const char *server; /* "lazyd" */
    const char *version;
    int protocol; /* WIRE_PROTOCOL */
    const char **capabilities;
    size_t capability_count;
    int64_t pid;
    const char *app;
};

/* One event; what does not belong to its kind stays 0 and is left out. */
struct wire_event {
    int event;         /* enum wire_event_kind */
    uint64_t sequence; /* counts all events of the server, from 1 */
    uint64_t dropped;  /* events this subscriber has lost so far */
    uint64_t time_ns;  /* CLOCK_REALTIME */
    const char *name;  /* module */
    const char *parent;
    const char *thread;
    const char *reason;
    struct wire_place trigger;
    uint64_t wall_ns, wall_self_ns;
    int64_t bytes;
    const char *error;   /* fail: "Type: message" */
    const char *verdict; /* reload */
    const char *action;  /* reload: rollback; ignore: add, remove, level;
                            client: connect, ... */
    const char *kind;    /* ignore: kind of the rule */
    const char *value;   /* ignore: the rule, or the level */
    int64_t pid;         /* fork: the child; else the peer; 0 unknown */
    int64_t uid;         /* of the peer; negative unknown */
};

/* --- replies ------------------------------------------------------------ */

struct wire_ping {
    bool pong; /* true */
    int64_t pid;
};

struct wire_version {
    const char *server;
    const char *version;
    int protocol;
    const char *python;
};

struct wire_stats_modules {
    uint64_t proxies, proxy_peak, proxy_total;
    uint64_t reals, eager, ignored, existing, lost, failed;
};

struct wire_stats_names {
    uint64_t pending, resolved;
};

struct wire_stats_builtins {
    uint64_t proxied, imported, absent;
};

struct wire_stats_loads {
    uint64_t count, failed, wall_ns;
    uint64_t blocked; /* on threads that must not load */
};

/* Hot namespaces: looks for them, those whose names were loaded, and the
 * module bodies that ran for that. */
struct wire_stats_settled {
    uint64_t looks, namespaces, modules;
};

/* Negative means not known (yet) and is written as null. */
struct wire_stats_memory {
    int64_t rss, pss, private_dirty, peak_rss, python_blocks;
    int64_t pss_age_ns, private_dirty_age_ns, python_blocks_age_ns;
};

struct wire_stats_rehearsals {
    uint64_t count;         /* copies forked */
    uint64_t last_pause_ns; /* the service stood still for the last */
    uint64_t longest_pause_ns;
};

struct wire_stats_control {
    uint64_t clients;  /* connected now */
    uint64_t requests; /* read, good or bad */
    uint64_t dropped;  /* clients, for a limit */
    uint64_t refused;  /* connections, and requests with a fault */
};

struct wire_stats { /* "limits" is added by the writer */
    struct wire_stats_modules modules;
    struct wire_stats_names names;
    struct wire_stats_builtins builtins;
    struct wire_stats_loads loads;
    struct wire_stats_settled settled;
    struct wire_stats_memory memory;
    struct wire_stats_rehearsals rehearsals;
    struct wire_stats_control control;
    int64_t pid;
    uint64_t uptime_ns;
    const char *python, *version, *app, *socket;
};

/* The seed's lines: WIRE_GROUP(ID, key, the seed's words). */
#define WIRE_GROUP_TABLE(WIRE_GROUP)                                          \
    WIRE_GROUP(PROXIES, "proxies", "proxy imported")                          \
    WIRE_GROUP(EXISTING, "existing", "fully imported (before lazy imports)")  \
    WIRE_GROUP(REALS, "reals", "fully imported (via lazy imports)")           \
    WIRE_GROUP(IGNORED, "ignored", "fully imported (via ignore sets)")        \
    WIRE_GROUP(EAGER, "eager", "fully imported (by rule)")                    \
    WIRE_GROUP(LOST, "lost", "fully imported (lost track of these)")          \
    WIRE_GROUP(BUILTINS_PROXIED, "builtins_proxied", "builtins (proxied)")    \
    WIRE_GROUP(BUILTINS_IMPORTED, "builtins_imported",                        \
               "builtins (fully imported)")                                   \
    WIRE_GROUP(BUILTINS_ABSENT, "builtins_absent", "builtins (not imported)")

enum wire_group_id {
#define WIRE_GROUP(id, key, text) WIRE_GROUP_##id,
    WIRE_GROUP_TABLE(WIRE_GROUP)
#undef WIRE_GROUP
        WIRE_GROUPS
};

struct wire_group {
    const char *key;  /* wire_group_key(id) */
    const char *text; /* wire_group_text(id) */
    uint64_t count;
    const char **names; /* sorted; NULL where they are not listed */
    size_t name_count;
};

struct wire_report {
    bool verbose;
    int64_t rss;
    uint64_t proxy_peak, proxy_total;
    struct wire_group *groups; /* in the table's order */
    size_t group_count;
    struct wire_module *costly; /* verbose: the dearest loads, most first */
    size_t costly_count;
};

struct wire_failure { /* written as null where kind is NULL */
    const char *kind, *text, *traceback;
};

struct wire_load_result {
    const char *name;
    bool loaded;  /* it is in sys.modules now */
    bool already; /* it was before */
    uint64_t wall_ns;
    uint64_t modules; /* bodies that ran */
    struct wire_failure error;
    /* Of a dry run only; "loads", "already", "fails" or "inconclusive". */
    const char *verdict;
    uint64_t cpu_ns;
    int64_t bytes;       /* growth of private memory */
    const char **bodies; /* that would run, in order of their end */
    size_t body_count;
    const char **threads; /* that would start */
    size_t thread_count;
    const char *file; /* of a failure */
    int line;
};

struct wire_load {
    struct wire_load_result *results;
    size_t result_count;
    uint64_t loaded, failed; /* counts of the above */
    bool dry_run;            /* nothing was loaded; .loaded would be */
    uint64_t left;           /* names not begun: the budget was used up */
    uint64_t inconclusive;
    uint64_t pause_ns; /* that the service stood still for it */
};

struct wire_verify_result {
    const char *name;
    const char *status; /* "ok", "missing", "moved", "broken", "unreadable" */
    const char *text;   /* why; empty where all is well */
    const char *file;   /* of the module, or of what is broken in it */
    int line, column;
    bool changed; /* the file is newer than the import statement */
};

struct wire_verify {
    struct wire_verify_result *results; /* not ok; with `all` every one */
    size_t result_count;
    uint64_t total; /* pending modules that match, before the limit */
    uint64_t ok, failed, changed; /* of those looked at */
};

struct wire_rule {
    const char *kind, *value;
    uint64_t hits;
    bool builtin; /* the set started with it */
};

struct wire_ignore_list {
    struct wire_rule *rules;
    size_t rule_count;
};

struct wire_ignore_edit {
    const char *kind;
    bool dry_run;
    const char **changed; /* values added or removed */
    size_t changed_count;
    const char **unchanged; /* were there already, or were not there */
    size_t unchanged_count;
    const char **pending; /* modules still proxies that the rules match */
    size_t pending_count;
    struct wire_load_result *results; /* add with load: those, loaded */
    size_t result_count;
};

struct wire_ignore_save {
    const char *path;
    uint64_t rules;
};

struct wire_level {
    const char *package, *level, *source;
};

struct wire_level_list {
    const char *fallback; /* level of what is not listed: "outer" */
    struct wire_level *levels;
    size_t level_count;
};

struct wire_level_set {
    const char *package, *level, *previous;
};

struct wire_subscribe {
    unsigned events;
    uint64_t sequence; /* of the last event before the subscription */
};

/* The connection stays open until the server ends: its end says so. */
struct wire_stop {
    bool stopping; /* true */
    int64_t pid;
    double timeout; /* seconds until it is ended hard */
};

struct wire_command_info {
    const char *method, *words, *arguments, *help;
    bool python, stream, mutates;
};

struct wire_commands { /* the writer takes it from the table */
    struct wire_command_info *commands;
    size_t command_count;
};

union wire_reply {
    struct wire_nothing none;
    struct wire_commands commands;
    struct wire_ping ping;
    struct wire_version version;
    struct wire_stats stats;
    struct wire_list list;
    struct wire_module show;
    struct wire_why why;
    struct wire_unused unused;
    struct wire_trace trace;
    struct wire_report report;
    struct wire_load load;
    struct wire_threads threads;
    struct wire_verify verify;
    struct wire_reload reload;
    struct wire_confirm confirm;
    struct wire_drift drift;
    struct wire_ignore_list ignore_list;
    struct wire_ignore_edit ignore_edit;
    struct wire_ignore_save ignore_save;
    struct wire_level_list level_list;
    struct wire_level_set level_set;
    struct wire_subscribe subscribe;
    struct wire_stop stop;
};

const char *wire_event_string(enum wire_event_kind kind);
const char *wire_group_key(enum wire_group_id id);
const char *wire_group_text(enum wire_group_id id);

#endif
