/* The option table of lazyd, read with glibc's argp.
 *
 * Responsible for syntax, values and what excludes what; says it in one
 * lz_error. Leaves files, modules and names of groups to their users.
 * Main thread.
 */
#include "daemon/options.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/wire/paths.h"
#include "daemon/options_table.h"

const char *
options_long_name(size_t row)
{
    size_t rows = sizeof(option_table) / sizeof(option_table[0]) - 1;

    if (row >= rows) {
        return NULL;
    }
    return option_table[row].name != NULL ? option_table[row].name : "";
}

static const char doc[] =
    "Run a Python service with lazy imports.\v"
    "lazyd returns 0 once the control socket answers and the service has "
    "begun and settled: its main thread waits for something, or has run for "
    "two seconds, or it has called lazycore.ready(). A service that ends "
    "before that is reported, with what it wrote, and lazyd returns 1; "
    "wrong options give 2.";

struct parse {
    struct options *options;
    struct lz_error *error;
};

static int
list_add(struct string_list *list, const char *item)
{
    const char **items =
        realloc(list->items, (list->count + 1) * sizeof(*items));

    if (items == NULL) {
        return -ENOMEM;
    }
    items[list->count] = item;
    list->items = items;
    list->count++;
    return 0;
}

int
options_seconds(const char *text, uint64_t *ret_ms)
{
    char *end;
    double seconds;

    errno = 0;
    seconds = strtod(text, &end);
    if (end == text || *end != '\0' || errno != 0 || !isfinite(seconds) ||
        seconds < 0 || seconds > 1e6) {
        return -EINVAL;
    }
    *ret_ms = (uint64_t)(seconds * 1000.0 + 0.5);
    return 0;
}

static int
add_ignore(struct parse *parse, enum lz_ignore_kind kind, const char *value)
{
    struct options *options = parse->options;
    struct ignore_option *ignores;

    if (ignore_check(kind, value, parse->error) < 0) {
        return EINVAL;
    }
    ignores = realloc(options->ignores,
                      (options->ignore_count + 1) * sizeof(*ignores));
    if (ignores == NULL) {
        return ENOMEM;
    }
    ignores[options->ignore_count].kind = kind;
    ignores[options->ignore_count].value = value;
    options->ignores = ignores;
    options->ignore_count++;
    return 0;
}

static int
add_level(struct parse *parse, const char *value)
{
    struct options *options = parse->options;
    const char *equals = strchr(value, '=');
    enum lz_level level;
    struct level_option *levels;
    char *package;

    if (equals == NULL || equals == value ||
        !lz_level_from_string(equals + 1, &level)) {
        (void)lz_error_set(parse->error, LZ_ERROR_INVALID,
                           "--level '%s' is not PACKAGE=eager, outer or full",
                           value);
        return EINVAL;
    }
    package = strndup(value, (size_t)(equals - value));
    levels =
        realloc(options->levels, (options->level_count + 1) * sizeof(*levels));
    if (levels != NULL) {
        options->levels = levels;
    }
    if (levels == NULL || package == NULL) {
        free(package);
        return ENOMEM;
    }
    levels[options->level_count].package = package;
    levels[options->level_count].level = level;
    options->level_count++;
    return 0;
}

static int
set_seconds(struct parse *parse, const char *option, const char *value,
            uint64_t *ret_ms)
{
    if (options_seconds(value, ret_ms) < 0) {
        (void)lz_error_set(parse->error, LZ_ERROR_INVALID,
                           "--%s '%s' is not a number of seconds", option,
                           value);
        return EINVAL;
    }
    return 0;
}

static int
set_name(struct parse *parse, const char *value)
{
    char text[512];

    if (wire_paths_check_name(value, text) < 0) {
        (void)lz_error_set(parse->error, LZ_ERROR_INVALID, "%s", text);
        return EINVAL;
    }
    parse->options->name = value;
    return 0;
}

static int
set_switch(struct parse *parse, const char *option, const char *value,
           bool *ret)
{
    *ret = strcmp(value, "on") == 0;
    if (!*ret && strcmp(value, "off") != 0) {
        (void)lz_error_set(parse->error, LZ_ERROR_INVALID,
                           "%s '%s' is neither on nor off", option, value);
        return EINVAL;
    }
    return 0;
}

static int
add_argument(struct parse *parse, const struct argp_state *state, char *value)
{
    if (state->quoted == 0 || state->next <= state->quoted) {
        (void)lz_error_set(parse->error, LZ_ERROR_INVALID,
                           "unexpected '%s': TARGET is given with --app, the "
                           "service's arguments after --",
                           value);
        return EINVAL;
    }
    return -list_add(&parse->options->args, value);
}

/* Options of the imports and of Python; ARGP_ERR_UNKNOWN for others. */
static error_t
parse_import_option(int key, char *value, struct parse *parse)
{
    struct options *options = parse->options;

    switch (key) {
    case KEY_LAZY:
        return set_switch(parse, "--lazy", value, &options->lazy);
    case KEY_SETTLE:
        return set_switch(parse, "--settle", value, &options->settle);
    case KEY_LEVEL:
        return add_level(parse, value);
    case KEY_LEVEL_FILE:
        options->level_file = value;
        return 0;
    case KEY_IGNORE_NAME:
        return add_ignore(parse, LZ_IGNORE_NAME, value);
    case KEY_IGNORE_PACKAGE:
        return add_ignore(parse, LZ_IGNORE_PACKAGE, value);
    case KEY_IGNORE_PATH:
        return add_ignore(parse, LZ_IGNORE_PATH, value);
    case KEY_IGNORE_FILE:
        options->ignore_file = value;
        return 0;
    case KEY_NO_LOAD_THREAD:
        return -list_add(&options->no_load_threads, value);
    case KEY_VENV:
        options->venv = value;
        return 0;
    case KEY_PYTHON_PATH:
        return -list_add(&options->python_path, value);
    case 'X':
        return -list_add(&options->x_options, value);
    case 'W':
        return -list_add(&options->w_options, value);
    case 'v':
        options->verbose += options->verbose < 2;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Options that are kept as they are; ARGP_ERR_UNKNOWN for others. */
static error_t
parse_plain_option(int key, char *value, struct options *options)
{
    switch (key) {
    case KEY_APP:
        options->app = value;
        return 0;
    case 's':
        options->socket_path = value;
        return 0;
    case 'p':
        options->pidfile = value;
        return 0;
    case 'l':
        options->log = value;
        return 0;
    case 'C':
        options->chdir = value;
        return 0;
    case 'F':
        options->foreground = true;
        return 0;
    case KEY_SOCKET_GROUP:
        options->socket_group = value;
        return 0;
    case KEY_NO_SOCKET:
        options->no_socket = true;
        return 0;
    case KEY_WAIT_READY:
        options->wait_ready = true;
        return 0;
    case KEY_WARM:
        options->warm_file = value;
        options->wait_ready = true;
        return 0;
    case KEY_CHECK:
        options->check = true;
        return 0;
    case KEY_CHECK_LEVELS:
        options->check_levels = true;
        return 0;
    case KEY_PROBE:
        options->probe = value;
        return 0;
    case 'o':
        options->level_file_out = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t
parse_option(int key, char *value, struct argp_state *state)
{
    struct parse *parse = state->input;
    error_t rc;

    switch (key) {
    case 'n':
        return set_name(parse, value);
    case KEY_STOP_TIMEOUT:
        return set_seconds(parse, "stop-timeout", value,
                           &parse->options->stop_timeout_ms);
    case KEY_START_TIMEOUT:
        return set_seconds(parse, "start-timeout", value,
                           &parse->options->start_timeout_ms);
    case KEY_READY_AFTER:
        parse->options->has_ready_after = true;
        return set_seconds(parse, "ready-after", value,
                           &parse->options->ready_after_ms);
    case KEY_RUN_TIMEOUT:
        return set_seconds(parse, "run-timeout", value,
                           &parse->options->run_timeout_ms);
    case ARGP_KEY_ARG:
        return add_argument(parse, state, value);
    default:
        rc = parse_plain_option(key, value, parse->options);
        if (rc == ARGP_ERR_UNKNOWN) {
            rc = parse_import_option(key, value, parse);
        }
        return rc;
    }
}

static int
check_levels_together(const struct options *options, struct lz_error *error)
{
    if (!options->check_levels &&
        (options->probe != NULL || options->level_file_out != NULL ||
         options->has_ready_after ||
         options->run_timeout_ms != LZ_RUN_TIMEOUT_MS)) {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "--probe, --ready-after, --run-timeout and "
                            "--level-file-out are for --check-levels");
    }
    if (options->check_levels && (options->check || !options->lazy)) {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "--check-levels excludes --check and --lazy=off");
    }
    if (options->has_ready_after && options->probe == NULL) {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "--ready-after is for a service: give --probe");
    }
    return 0;
}

/* What words alone cannot tell: one option against another. */
static int
check_together(const struct options *options, struct lz_error *error)
{
    if (options->app == NULL || options->app[0] == '\0') {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "nothing to run: give --app TARGET");
    }
    if (options->no_socket &&
        (options->socket_path != NULL || options->socket_group != NULL)) {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "--no-socket excludes --socket and "
                            "--socket-group");
    }
    return check_levels_together(options, error);
}

int
options_parse(struct options *options, int argc, char **argv,
              unsigned argp_flags, struct lz_error *error)
{
    static const struct argp argp = {.options = option_table,
                                     .parser = parse_option,
                                     .args_doc = "--app TARGET [-- ARG...]",
                                     .doc = doc};
    struct parse parse = {options, error};
    error_t rc;

    *options = (struct options){.lazy = true,
                                .settle = true,
                                .stop_timeout_ms = LZ_STOP_TIMEOUT_MS,
                                .start_timeout_ms = LZ_START_TIMEOUT_MS,
                                .run_timeout_ms = LZ_RUN_TIMEOUT_MS};
    argp_program_version = "lazyd " LAZYD_VERSION;
    argp_err_exit_status = 2;
    rc = argp_parse(&argp, argc, argv, argp_flags, NULL, &parse);
    if (rc == ENOMEM) {
        return lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
    }
    if (rc != 0) {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "wrong options: see 'lazyd --help'");
    }
    return check_together(options, error);
}

void
options_done(struct options *options)
{
    if (options == NULL) {
        return;
    }
    for (size_t i = 0; i < options->level_count; i++) {
        free(options->levels[i].package);
    }
    free(options->levels);
    free(options->ignores);
    free(options->python_path.items);
    free(options->no_load_threads.items);
    free(options->x_options.items);
    free(options->w_options.items);
    free(options->args.items);
    *options = (struct options){0};
}
