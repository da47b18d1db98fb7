/* The child of a scene, and its lives; see scene.h. */
#include "tests/embed/scene.h"

#include <Python.h>

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lazycore/lazycore.h"

enum { SCENE_SECONDS = 60, SCENE_ERRORS_MAX = 8192 };

static int
complain(const char *what, const char *why)
{
    (void)fprintf(stderr, "%s: %s\n", what, why);
    return -1;
}

/* As python3 would, with this folder and the current one on sys.path. */
static int
start_python(void)
{
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.write_bytecode = 0;
    PyStatus status =
        PyConfig_SetBytesString(&config, &config.program_name, EMBED_PYTHON);
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status))
        return complain("Py_InitializeFromConfig",
                        status.err_msg == NULL ? "" : status.err_msg);
    return PyRun_SimpleString("import sys\n"
                              "sys.path[:0] = ['.', '" EMBED_FOLDER "']\n"
                              "del sys\n");
}

static int
run_script(const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", EMBED_FOLDER, name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return complain(path, "cannot be opened");
    return PyRun_SimpleFileEx(file, path, 1);
}

static int
call(int (*hook)(struct lz_core *core), struct lz_core *core)
{
    return hook == NULL ? 0 : hook(core);
}

static int
play(const struct scene *scene, struct lz_core *core)
{
    struct lz_error error = {0};
    int rc = start_python();
    if (rc < 0)
        return rc;
    lz_called_by_python();
    if (lazycore_install(&error) < 0)
        rc = complain("lazycore_install", error.text);
    lz_error_done(&error);
    if (rc == 0)
        rc = call(scene->begin, core);
    if (rc == 0)
        rc = run_script(scene->script);
    if (call(scene->end, core) < 0)
        rc = -1;
    if (Py_FinalizeEx() < 0)
        rc = complain("Py_FinalizeEx", "could not flush");
    return rc < 0 ? rc : call(scene->after, core);
}

static int
live(const struct scene *scene)
{
    struct lz_core *core = core_new();
    if (core == NULL)
        return -1;
    lazycore_attach(core);
    int rc = play(scene, core);
    lazycore_attach(NULL);
    core_free(core);
    return rc;
}

/* In the child: never returns. */
static void
run_child(const struct scene *scene, const char *folder)
{
    (void)alarm(SCENE_SECONDS);
    if (chdir(folder) < 0 || freopen("stderr", "we", stderr) == NULL ||
        dup2(fileno(stderr), STDERR_FILENO) < 0 ||
        PyImport_AppendInittab("lazycore", PyInit_lazycore) < 0)
        _exit(2);
    for (unsigned i = 0; i < scene->lives; i++) {
        if (live(scene) < 0) {
            (void)fprintf(stderr, "in life %u\n", i);
            _exit(1);
        }
    }
    (void)fflush(NULL);
    _exit(0);
}

static int
remove_one(const char *path, const struct stat *about, int type,
           struct FTW *walk)
{
    (void)about;
    (void)type;
    (void)walk;
    return remove(path);
}

static void
read_errors(const char *folder, char *text, size_t size)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/stderr", folder);
    FILE *file = fopen(path, "re");
    text[0] = '\0';
    if (file == NULL)
        return;
    text[fread(text, 1, size - 1, file)] = '\0';
    (void)fclose(file);
}

void
scene_run(const struct scene *scene)
{
    char folder[] = "/tmp/lazycore-embed-XXXXXX";
    char errors[SCENE_ERRORS_MAX];
    char left[128];
    int status = 0;
    assert_non_null(mkdtemp(folder));
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        run_child(scene, folder);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    read_errors(folder, errors, sizeof(errors));
    (void)snprintf(left, sizeof(left), "%s/%s", folder,
                   scene->leaves == NULL ? "" : scene->leaves);
    int there = access(left, F_OK);
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (status != 0 || errors[0] != '\0')
        fail_msg("%s: wait status %d: %s", scene->script, status, errors);
    if (there < 0)
        fail_msg("%s: left no '%s'", scene->script, scene->leaves);
}
