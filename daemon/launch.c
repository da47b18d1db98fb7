/* The command line of python3 for a service, and the python3 itself.
 *
 * MODULE:CALLABLE becomes a -c program with the meaning of a console script:
 * import, call without arguments, exit with what comes back. Main thread.
 */
#include "daemon/launch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Runs in __main__, whose namespace it leaves as `python3 -c` makes it. The
 * first line is all that a traceback of the service can show of it. */
static const char callable_program[] =
    "def _run():\n"
    "    import functools, importlib, sys\n"
    "    module = importlib.import_module('%s')\n"
    "    sys.argv[0] = getattr(module, '__file__', None) or '%s'\n"
    "    call = functools.reduce(getattr, '%s'.split('.'), module)\n"
    "    globals().pop('_run')\n"
    "    sys.exit(call())\n"
    "_run()\n";

static int
push(struct launch *launch, char *word)
{
    char **argv;

    if (word == NULL) {
        return -ENOMEM;
    }
    argv = realloc(launch->argv, ((size_t)launch->argc + 2) * sizeof(*argv));
    if (argv == NULL) {
        free(word);
        return -ENOMEM;
    }
    launch->argv = argv;
    argv[launch->argc++] = word;
    argv[launch->argc] = NULL;
    return 0;
}

static int
push_copy(struct launch *launch, const char *word)
{
    return push(launch, strdup(word));
}

static int
push_each(struct launch *launch, const char *option,
          const struct string_list *list)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < list->count; i++) {
        if (option != NULL) {
            rc = push_copy(launch, option);
        }
        if (rc == 0) {
            rc = push_copy(launch, list->items[i]);
        }
    }
    return rc;
}

static int
push_app(struct launch *launch, const struct app *app)
{
    char *program;

    switch (app->kind) {
    case APP_MODULE:
        return push_copy(launch, "-m") < 0 ? -ENOMEM
                                           : push_copy(launch, app->module);
    case APP_CALLABLE:
        if (asprintf(&program, callable_program, app->module, app->module,
                     app->callable) < 0) {
            return -ENOMEM;
        }
        if (push_copy(launch, "-c") < 0) {
            free(program);
            return -ENOMEM;
        }
        return push(launch, program);
    case APP_FILE:
        break;
    }
    return push_copy(launch, app->path);
}

/* The python3 of a virtual environment, which must be for this Python. */
static int
find_venv(const char *venv, char **ret_program, struct lz_error *error)
{
    char *program = NULL;
    char *packages = NULL;
    char *config = NULL;
    int rc = -1;

    if (asprintf(&config, "%s/pyvenv.cfg", venv) < 0 ||
        asprintf(&packages, "%s/lib/python" LAZYD_PYTHON_XY, venv) < 0 ||
        asprintf(&program, "%s/bin/python3", venv) < 0) {
        (void)lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
        goto done;
    }
    if (access(config, R_OK) < 0 || access(program, X_OK) < 0) {
        (void)lz_error_set(error, LZ_ERROR_INVALID,
                           "'%s' is no virtual environment: make one with "
                           "python3 -m venv",
                           venv);
        goto done;
    }
    if (access(packages, F_OK) < 0) {
        (void)lz_error_set(error, LZ_ERROR_INVALID,
                           "virtual environment '%s' is not for Python "
                           "%s: make it anew with %s",
                           venv, LAZYD_PYTHON_XY, LAZYD_PYTHON);
        goto done;
    }
    *ret_program = program;
    program = NULL;
    rc = 0;
done:
    free(program);
    free(packages);
    free(config);
    return rc;
}

/* The name `python3` for LAZYD_PYTHON, as a service knows it that is started
 * by hand: a link beside it. Else that itself. NULL on lack of memory. */
static char *
name_of_python(void)
{
    char *link = NULL;
    char *file = NULL;
    const char *slash = strrchr(LAZYD_PYTHON, '/');

    if (asprintf(&link, "%.*s/python3", (int)(slash - LAZYD_PYTHON),
                 LAZYD_PYTHON) < 0) {
        return NULL;
    }
    file = realpath(link, NULL);
    if (file == NULL || strcmp(file, LAZYD_PYTHON) != 0) {
        free(link);
        link = strdup(LAZYD_PYTHON);
    }
    free(file);
    return link;
}

static int
find_program(const struct options *options, char **ret_program,
             struct lz_error *error)
{
    if (options->venv != NULL) {
        return find_venv(options->venv, ret_program, error);
    }
    if (access(LAZYD_PYTHON, X_OK) < 0) {
        return lz_error_set_errno(error, errno,
                                  "cannot find python3 at '%s': install it, "
                                  "or give --venv",
                                  LAZYD_PYTHON);
    }
    *ret_program = name_of_python();
    if (*ret_program == NULL) {
        return lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
    }
    return 0;
}

int
launch_init(struct launch *launch, const struct options *options,
            const struct app *app, struct lz_error *error)
{
    char *program = NULL;

    *launch = (struct launch){0};
    if (find_program(options, &program, error) < 0) {
        return -1;
    }
    if (push(launch, program) < 0 ||
        push_each(launch, "-X", &options->x_options) < 0 ||
        push_each(launch, "-W", &options->w_options) < 0 ||
        push_app(launch, app) < 0 ||
        push_each(launch, NULL, &options->args) < 0) {
        launch_done(launch);
        return lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
    }
    return 0;
}

void
launch_done(struct launch *launch)
{
    if (launch == NULL) {
        return;
    }
    for (int i = 0; i < launch->argc; i++) {
        free(launch->argv[i]);
    }
    free(launch->argv);
    *launch = (struct launch){0};
}
