/* From options to what they stand for. Main thread, before Python. */
#include "daemon/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/wire/paths.h"
#include "daemon/folder.h"

/* A line "module ...", of what is known of a module's body. */
static int
apply_module_line(char *fields, struct lz_ledger *ledger, const char *path,
                  int number, struct lz_error *error)
{
    struct lz_error why = {0};

    if (ledger_add(ledger, fields, number, &why) == 0) {
        return 0;
    }
    (void)lz_error_set(error, why.kind, "'%s' line %d %s", path, number,
                       why.text);
    return -1;
}

/* One line "PACKAGE=LEVEL" or "module ..."; empty and comment lines are
 * none. */
static int
apply_level_line(char *line, struct lz_core *core, const char *path,
                 int number, struct lz_error *error)
{
    enum lz_level level;
    char *package = line + strspn(line, " \t");
    char *equals;

    line[strcspn(line, "#\r\n")] = '\0';
    for (size_t n = strlen(line);
         n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'); n--) {
        line[n - 1] = '\0';
    }
    if (*package == '\0') {
        return 0;
    }
    if (strncmp(package, "module", 6) == 0 &&
        (package[6] == ' ' || package[6] == '\t')) {
        return apply_module_line(package + 7, core->ledger, path, number,
                                 error);
    }
    equals = strchr(package, '=');
    if (equals == NULL || !lz_level_from_string(equals + 1, &level)) {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "'%s' line %d is not PACKAGE=eager, outer or "
                            "full, nor 'module ...'",
                            path, number);
    }
    *equals = '\0';
    return levels_set(core->levels, package, level, error);
}

static int
close_ledger(struct lz_ledger *ledger, const char *path,
             struct lz_error *error)
{
    struct lz_error why = {0};
    int number = 0;

    if (ledger_close(ledger, &number, &why) == 0) {
        return 0;
    }
    return lz_error_set(error, why.kind, "'%s' line %d %s", path, number,
                        why.text);
}

/* Whether LINE, read from FILE, is all there: it is not where it has a NUL, or
 * was longer than there was room for. */
static bool
is_whole_line(const char *line, FILE *file)
{
    size_t length = strlen(line);

    return length <= LZ_LEDGER_LINE_MAX && length > 0 &&
           (line[length - 1] == '\n' || feof(file));
}

static int
apply_level_file(const char *path, struct lz_core *core,
                 struct lz_error *error)
{
    FILE *file = fopen(path, "re");
    const int size = LZ_LEDGER_LINE_MAX + 2; /* one more, and the end */
    char *line;
    int number = 0;
    int rc = 0;

    if (file == NULL) {
        return lz_error_set_errno(error, errno, "cannot open level file '%s'",
                                  path);
    }
    line = malloc((size_t)size);
    if (line == NULL) {
        rc = lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
    }
    while (rc == 0 && fgets(line, size, file) != NULL) {
        number++;
        rc = !is_whole_line(line, file)
                 ? lz_error_set(error, LZ_ERROR_LIMIT,
                                "'%s' line %d is longer than %d bytes, or is "
                                "no text",
                                path, number, LZ_LEDGER_LINE_MAX)
                 : apply_level_line(line, core, path, number, error);
    }
    if (rc == 0 && ferror(file)) {
        rc = lz_error_set(error, LZ_ERROR_IO, "cannot read level file '%s'",
                          path);
    }
    if (rc == 0) {
        rc = close_ledger(core->ledger, path, error);
    } else {
        ledger_clear(core->ledger);
    }
    free(line);
    (void)fclose(file);
    return rc;
}

/* Each --python-path before what the environment says. */
static int
apply_python_path(const struct string_list *list, struct lz_error *error)
{
    const char *old = getenv("PYTHONPATH");
    char *path = strdup(old != NULL ? old : "");

    for (size_t i = list->count; path != NULL && i > 0; i--) {
        char *longer = NULL;

        if (asprintf(&longer, "%s%s%s", list->items[i - 1],
                     *path != '\0' ? ":" : "", path) < 0) {
            longer = NULL;
        }
        free(path);
        path = longer;
    }
    if (path == NULL ||
        (list->count > 0 && setenv("PYTHONPATH", path, 1) < 0)) {
        free(path);
        return lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
    }
    free(path);
    return 0;
}

int
settings_foresight(const struct options *options, struct lz_core *core,
                   struct wire_names *ret_warm, struct lz_error *error)
{
    char text[512];

    core->no_load = options->no_load_threads.items;
    core->no_load_count = options->no_load_threads.count;
    core->no_load_from_ready = options->wait_ready;
    if (options->warm_file == NULL) {
        return 0;
    }
    if (wire_names_read(options->warm_file, ret_warm, text) < 0) {
        return lz_error_set(error, LZ_ERROR_INVALID, "--warm: %s", text);
    }
    core->warm = (const char *const *)ret_warm->items;
    core->warm_count = ret_warm->count;
    return 0;
}

int
settings_apply(const struct options *options, struct lz_core *core,
               struct lz_error *error)
{
    if (options->ignore_file != NULL &&
        ignore_load(core->ignore, options->ignore_file, error) < 0) {
        return -1;
    }
    if (options->level_file != NULL &&
        apply_level_file(options->level_file, core, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < options->ignore_count; i++) {
        if (ignore_add(core->ignore, options->ignores[i].kind,
                       options->ignores[i].value, error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < options->level_count; i++) {
        if (levels_set(core->levels, options->levels[i].package,
                       options->levels[i].level, error) < 0) {
            return -1;
        }
    }
    atomic_store(&core->verbose, options->verbose);
    return apply_python_path(&options->python_path, error);
}

static int
no_memory(struct lz_error *error)
{
    return lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
}

/* The socket, and the pidfile that lies beside it, in the runtime folder. */
static int
default_socket(const struct options *options, const char *name,
               struct paths *paths, struct lz_error *error)
{
    char text[512];
    char *folder = NULL;
    int rc = 0;

    if (folder_runtime(&folder, error) < 0) {
        return -1;
    }
    if (wire_paths_socket(name, &paths->socket, text) < 0) {
        rc = lz_error_set(error, LZ_ERROR_INVALID, "%s", text);
    } else if (options->pidfile == NULL &&
               asprintf(&paths->pidfile, "%s/%s.pid", folder, name) < 0) {
        paths->pidfile = NULL;
        rc = no_memory(error);
    }
    free(folder);
    return rc;
}

int
settings_paths(const struct options *options, const char *stem,
               struct paths *paths, struct lz_error *error)
{
    const char *name = options->name != NULL ? options->name : stem;
    bool default_log = options->log == NULL && !options->foreground;
    bool by_name = !options->no_socket && options->socket_path == NULL;
    char text[512];

    *paths = (struct paths){0};
    if ((by_name || default_log) && wire_paths_check_name(name, text) < 0) {
        return lz_error_set(error, LZ_ERROR_INVALID, "%s (give --name)", text);
    }
    if (by_name && default_socket(options, name, paths, error) < 0) {
        return -1;
    }
    if (default_log && folder_log(name, &paths->log, error) < 0) {
        return -1;
    }
    if ((options->socket_path != NULL &&
         (paths->socket = folder_absolute(options->socket_path)) == NULL) ||
        (options->pidfile != NULL &&
         (paths->pidfile = folder_absolute(options->pidfile)) == NULL) ||
        (options->log != NULL &&
         (paths->log = folder_absolute(options->log)) == NULL)) {
        return no_memory(error);
    }
    return 0;
}

void
paths_done(struct paths *paths)
{
    free(paths->socket);
    free(paths->pidfile);
    free(paths->log);
    *paths = (struct paths){0};
}
