/* The command line of lazyd as plain data.
 *
 * Responsible for the syntax and for what can be judged from the words alone;
 * whether files exist is judged by those who open them. Strings are those of
 * argv, borrowed; lists are owned. Main thread, before anything else.
 */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lazycore/core.h"

enum {
    LZ_STOP_TIMEOUT_MS = 10 * 1000,
    LZ_START_TIMEOUT_MS = 90 * 1000,
    LZ_RUN_TIMEOUT_MS = 60 * 1000
};

struct string_list {
    const char **items;
    size_t count;
};

struct ignore_option {
    enum lz_ignore_kind kind;
    const char *value;
};

struct level_option {
    char *package; /* owned */
    enum lz_level level;
};

struct options {
    const char *app;
    const char *name; /* NULL: from the app */
    const char *socket_path;
    const char *pidfile;
    const char *log;
    const char *chdir;
    const char *venv;
    const char *ignore_file;
    const char *level_file;
    const char *warm_file;
    const char *socket_group;
    const char *level_file_out; /* of --check-levels; NULL: to stdout */
    const char *probe;          /* the same; NULL: no service */
    struct string_list python_path;
    struct string_list no_load_threads;
    struct string_list x_options;
    struct string_list w_options;
    struct string_list args; /* the service's own */
    struct ignore_option *ignores;
    size_t ignore_count;
    struct level_option *levels;
    size_t level_count;
    uint64_t stop_timeout_ms;
    uint64_t start_timeout_ms;
    uint64_t run_timeout_ms;
    uint64_t ready_after_ms;
    bool has_ready_after;
    int verbose;
    bool foreground;
    bool lazy;
    bool settle; /* hot namespaces */
    bool no_socket;
    bool wait_ready;
    bool check;
    bool check_levels;
};

/* Read ARGV. 0, or -1 with ERROR; --help, --version and what argp itself
 * refuses end the process unless ARGP_FLAGS has ARGP_NO_EXIT. */
int options_parse(struct options *options, int argc, char **argv,
                  unsigned argp_flags, struct lz_error *error);
void options_done(struct options *options);

/* Seconds as a person writes them ("10", "0.5") in milliseconds. 0 or
 * -EINVAL. */
int options_seconds(const char *text, uint64_t *ret_ms);

/* The long name of each option, by its row; "" for a heading or an option
 * without one, NULL past the end. For the manual page's check. */
const char *options_long_name(size_t row);

#endif
