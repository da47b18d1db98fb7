/* TARGET: which of its four forms, and whether it can be there at all.
 *
 * A path that exists wins over a module of that name, but for a package in
 * the current folder. Modules are found later, by Python. Main thread.
 */
#include "daemon/app.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "a", "a.b.c": names of Python; anything beyond ASCII may be a letter. */
static bool
is_dotted(const char *text, size_t length)
{
    bool start = true;

    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '.' && !start) {
            start = true;
        } else if (isalpha(c) || c == '_' || c >= 0x80 ||
                   (!start && isdigit(c))) {
            start = false;
        } else {
            return false;
        }
    }
    return !start;
}

/* The last part of PATH without its ending; NULL on lack of memory. */
static char *
stem_of_path(const char *path)
{
    size_t end = strlen(path);
    size_t begin, dot;

    while (end > 1 && path[end - 1] == '/') {
        end--;
    }
    begin = end;
    while (begin > 0 && path[begin - 1] != '/') {
        begin--;
    }
    for (dot = end; dot > begin + 1 && path[dot - 1] != '.'; dot--) {
    }
    return strndup(path + begin, (dot > begin + 1 ? dot - 1 : end) - begin);
}

/* "." and "..": the folder has a name all the same. */
static char *
stem_of_folder(const char *path)
{
    char *real = realpath(path, NULL);
    const char *last = real != NULL ? strrchr(real, '/') : NULL;
    char *stem = strdup(last != NULL ? last + 1 : path);

    free(real);
    return stem;
}

static bool
has_file(const char *folder, const char *name)
{
    char *path;
    bool there;

    if (asprintf(&path, "%s/%s", folder, name) < 0) {
        return false;
    }
    there = access(path, F_OK) == 0;
    free(path);
    return there;
}

static bool
has_main(const char *folder)
{
    return has_file(folder, "__main__.py") || has_file(folder, "__main__.pyc");
}

/* A folder whose bare name is a module's: meant is the module, unless it is
 * no package and can be run. */
static bool
is_package(const char *target, const struct stat *st)
{
    return S_ISDIR(st->st_mode) && is_dotted(target, strlen(target)) &&
           (has_file(target, "__init__.py") || !has_main(target));
}

static int
resolve_path(const char *target, const struct stat *st, struct app *app,
             struct lz_error *error)
{
    if (S_ISDIR(st->st_mode) && !has_main(target)) {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "app '%s' is a folder without __main__.py: name a "
                            "file in it, or a dotted module",
                            target);
    }
    if (access(target, R_OK) < 0) {
        return lz_error_set_errno(error, errno, "cannot read app '%s'",
                                  target);
    }
    app->kind = APP_FILE;
    /* Python would take a leading '-' for an option. */
    if (asprintf(&app->path, "%s%s", target[0] == '-' ? "./" : "", target) <
        0) {
        app->path = NULL;
    }
    app->stem =
        S_ISDIR(st->st_mode) ? stem_of_folder(target) : stem_of_path(target);
    if (app->path == NULL || app->stem == NULL) {
        return lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
    }
    return 0;
}

static int
resolve_module(const char *target, struct app *app, struct lz_error *error)
{
    const char *colon = strchr(target, ':');
    size_t length = colon != NULL ? (size_t)(colon - target) : strlen(target);
    const char *dot;

    if (!is_dotted(target, length) ||
        (colon != NULL && !is_dotted(colon + 1, strlen(colon + 1)))) {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "app '%s' is no file, and cannot be a dotted "
                            "module or MODULE:CALLABLE",
                            target);
    }
    app->kind = colon != NULL ? APP_CALLABLE : APP_MODULE;
    app->module = strndup(target, length);
    app->callable = colon != NULL ? strdup(colon + 1) : NULL;
    dot = memrchr(target, '.', length);
    app->stem =
        strndup(dot != NULL ? dot + 1 : target,
                dot != NULL ? (size_t)(target + length - dot - 1) : length);
    if (app->module == NULL || app->stem == NULL ||
        (colon != NULL && app->callable == NULL)) {
        return lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
    }
    return 0;
}

/* A word that can only be meant as a path. */
static bool
looks_like_path(const char *target)
{
    static const char *const endings[] = {".py", ".pyc", ".pyz", ".zip"};
    size_t length = strlen(target);

    if (strchr(target, '/') != NULL) {
        return true;
    }
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t n = strlen(endings[i]);

        if (length > n && strcmp(target + length - n, endings[i]) == 0) {
            return true;
        }
    }
    return false;
}

int
app_resolve(const char *target, struct app *app, struct lz_error *error)
{
    struct stat st;

    *app = (struct app){.target = target};
    if (stat(target, &st) == 0 && !is_package(target, &st)) {
        return resolve_path(target, &st, app, error);
    }
    if (looks_like_path(target)) {
        return lz_error_set_errno(error, errno, "cannot open app '%s'",
                                  target);
    }
    return resolve_module(target, app, error);
}

void
app_done(struct app *app)
{
    if (app == NULL) {
        return;
    }
    free(app->path);
    free(app->module);
    free(app->callable);
    free(app->stem);
    *app = (struct app){0};
}
