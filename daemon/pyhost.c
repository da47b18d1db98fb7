/* CPython inside lazyd.
 *
 * Start-up is python3's own, given python3's own argument list; lazycore is
 * hooked in right after `site`. Stopping uses a real-time signal number that
 * is never sent: its Python handler raises SystemExit, and tripping it is
 * what a signal handler may do. So getsignal(SIGTERM) stays what it is under
 * python3. Only pyhost_gil_enter/leave take and give the GIL elsewhere.
 */
#include "daemon/pyhost.h"

#include <Python.h>

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "ctl/wire/message.h"
#include "daemon/arena.h"
#include "lazycore/lazycore.h"

/* A module that serves from within its import is interrupted all the same,
 * after that many tries. */
enum { POSTPONE_MAX = 10 };

static const char importlib_file[] = "<frozen importlib";

/* One interpreter a process, so one of these. */
static struct {
    pid_t owner;
    atomic_bool interrupted;       /* SystemExit has been raised */
    int postponed;                 /* how often it was not; main thread */
    PyThreadState *main;           /* in pyhost_without_gil */
    PyThreadState *operator_state; /* outside of gil_enter/leave */
} host;

static int
stop_signal(void)
{
    return SIGRTMAX - 7;
}

/* Whether importlib is at work in this thread. What is raised there can get
 * lost: in weakref callbacks, in attribute look-ups that forgive. */
static bool
is_importing(void) LZ_UNCHECKED
{
    PyFrameObject *frame = PyEval_GetFrame();
    bool found = false;

    Py_XINCREF(frame);
    while (frame != NULL && !found) {
        PyFrameObject *back = PyFrame_GetBack(frame);
        PyCodeObject *code = PyFrame_GetCode(frame);
        const char *file = PyUnicode_AsUTF8(code->co_filename);

        found = file != NULL &&
                strncmp(file, importlib_file, sizeof(importlib_file) - 1) == 0;
        PyErr_Clear();
        Py_DECREF(code);
        Py_DECREF(frame);
        frame = back;
    }
    Py_XDECREF(frame);
    return found;
}

static PyObject *
on_stop(PyObject *module, PyObject *args)
{
    (void)module;
    (void)args;
    if (getpid() != host.owner || atomic_load(&host.interrupted) ||
        (host.postponed < POSTPONE_MAX && is_importing())) {
        host.postponed++;
        Py_RETURN_NONE;
    }
    atomic_store(&host.interrupted, true);
    PyErr_SetNone(PyExc_SystemExit);
    return NULL;
}

static PyMethodDef on_stop_method = {"_lazyd_stop", on_stop, METH_VARARGS,
                                     "Raise SystemExit: lazyd was asked to "
                                     "stop."};

/* _signal, not signal: the latter is Python code that the service may never
 * need. */
static int
install_stop_handler(void) LZ_NEEDS_GIL
{
    PyObject *module = NULL;
    PyObject *handler = NULL;
    PyObject *previous = NULL;
    int rc = -1;

    module = PyImport_ImportModule("_signal");
    if (module == NULL) {
        goto done;
    }
    handler = PyCFunction_New(&on_stop_method, NULL);
    if (handler == NULL) {
        goto done;
    }
    previous =
        PyObject_CallMethod(module, "signal", "iO", stop_signal(), handler);
    if (previous == NULL) {
        goto done;
    }
    rc = 0;
done:
    Py_XDECREF(previous);
    Py_XDECREF(handler);
    Py_XDECREF(module);
    return rc;
}

void
pyhost_interrupt(void)
{
    if (!atomic_load(&host.interrupted)) {
        (void)PyErr_SetInterruptEx(stop_signal());
    }
}

bool
pyhost_is_interrupted(void)
{
    return atomic_load(&host.interrupted);
}

const char *
pyhost_version(void)
{
    return PY_VERSION;
}

static int
fail_status(PyStatus status, struct lz_error *error)
{
    if (PyStatus_IsExit(status)) {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "python refused its arguments");
    }
    return lz_error_set(error, LZ_ERROR_INTERNAL, "cannot start python: %s",
                        status.err_msg != NULL ? status.err_msg : "unknown");
}

/* Py_GetArgcArgv() tells what stands in memory, as python3's does: by that
 * setproctitle() finds where to write. */
static PyStatus
tell_words(PyConfig *config, const struct pyhost_setup *setup)
{
    PyStatus status = PyStatus_Ok();
    int i;

    for (i = 0; i < setup->word_count && !PyStatus_Exception(status); i++) {
        wchar_t *word = Py_DecodeLocale(setup->words[i], NULL);

        status = word == NULL
                     ? PyStatus_NoMemory()
                     : PyWideStringList_Append(&config->orig_argv, word);
        PyMem_RawFree(word);
    }
    return status;
}

/* sys.orig_argv is as python3's for the service. */
static int
set_orig_argv(const struct pyhost_setup *setup) LZ_NEEDS_GIL
{
    PyObject *list = PyList_New(0);
    int rc = list == NULL ? -1 : 0;
    int i;

    for (i = 0; i < setup->argc && rc == 0; i++) {
        PyObject *word = PyUnicode_DecodeFSDefault(setup->argv[i]);

        rc = word == NULL ? -1 : PyList_Append(list, word);
        Py_XDECREF(word);
    }
    if (rc == 0) {
        rc = PySys_SetObject("orig_argv", list);
    }
    Py_XDECREF(list);
    return rc;
}

static int
initialize(const struct pyhost_setup *setup, struct lz_error *error)
{
    PyPreConfig preconfig;
    PyConfig config;
    PyStatus status;
    int rc;

    PyPreConfig_InitPythonConfig(&preconfig);
    status =
        Py_PreInitializeFromBytesArgs(&preconfig, setup->argc, setup->argv);
    if (PyStatus_Exception(status)) {
        return fail_status(status, error);
    }
    PyConfig_InitPythonConfig(&config);
    status = PyConfig_SetBytesArgv(&config, setup->argc, setup->argv);
    if (!PyStatus_Exception(status)) {
        status = PyConfig_SetBytesString(&config, &config.program_name,
                                         setup->argv[0]);
    }
    if (!PyStatus_Exception(status)) {
        status = tell_words(&config, setup);
    }
    if (!PyStatus_Exception(status)) {
        status = Py_InitializeFromConfig(&config);
    }
    rc = PyStatus_Exception(status) ? fail_status(status, error) : 0;
    PyConfig_Clear(&config);
    return rc;
}

int
pyhost_start(const struct pyhost_setup *setup,
             struct lz_error *error) LZ_UNCHECKED
{
    if (PyImport_AppendInittab("lazycore", PyInit_lazycore) < 0) {
        return lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
    }
    lazycore_attach(setup->core);
    host.owner = getpid();
    if (initialize(setup, error) < 0) {
        return -1;
    }
    if (setup->finished != NULL && Py_AtExit(setup->finished) < 0) {
        (void)lz_error_set(error, LZ_ERROR_INTERNAL,
                           "python has no room for an exit function");
        goto fail;
    }
    if (set_orig_argv(setup) < 0 || install_stop_handler() < 0) {
        lz_error_from_python(error, LZ_ERROR_INTERNAL);
        goto fail;
    }
    if (setup->lazy && lazycore_install(error) < 0) {
        goto fail;
    }
    return 0;
fail:
    (void)Py_FinalizeEx();
    return -1;
}

int
pyhost_run(void)
{
    return Py_RunMain();
}

void
pyhost_abandon(void)
{
    (void)Py_FinalizeEx();
}

void
pyhost_without_gil(void (*wait)(void *arg), void *arg)
{
    host.main = PyEval_SaveThread();
    wait(arg);
    PyEval_RestoreThread(host.main);
}

static const char check_program[] =
    "import importlib.machinery, importlib.util, pkgutil, sys\n"
    "if path is None:\n"
    "    sys.path.insert(0, '')\n"
    "    spec = importlib.util.find_spec(module)\n"
    "    if spec is None:\n"
    "        raise ImportError(f'No module named {module!r}')\n"
    "    if as_main and spec.submodule_search_locations is not None:\n"
    "        name = module + '.__main__'\n"
    "        spec = importlib.util.find_spec(name)\n"
    "        if spec is None:\n"
    "            raise ImportError(f'No module named {name!r}; {module!r} is "
    "a package and cannot be directly executed')\n"
    "    if hasattr(spec.loader, 'get_code'):\n"
    "        sys.dont_write_bytecode = True\n"
    "        spec.loader.get_code(spec.name)\n"
    "elif (importer := pkgutil.get_importer(path)) is not None:\n"
    "    spec = importer.find_spec('__main__')\n"
    "    if spec is None:\n"
    "        raise ImportError(f'can\\'t find __main__ in {path!r}')\n"
    "    sys.dont_write_bytecode = True\n"
    "    spec.loader.get_code('__main__')\n"
    "elif not path.endswith('.pyc'):\n"
    "    loader = importlib.machinery.SourceFileLoader('__main__', path)\n"
    "    loader.source_to_code(loader.get_data(path), path)\n";

int
pyhost_check(const char *path, const char *module, bool as_main,
             struct lz_error *error) LZ_UNCHECKED
{
    PyObject *names = NULL;
    PyObject *path_object = NULL;
    PyObject *result = NULL;
    int rc = -1;

    if (path != NULL) {
        path_object = PyUnicode_DecodeFSDefault(path);
    } else {
        path_object = Py_NewRef(Py_None);
    }
    if (path_object == NULL) {
        goto done;
    }
    names = Py_BuildValue("{sOszsOss}", "path", path_object, "module", module,
                          "as_main", as_main ? Py_True : Py_False, "__name__",
                          "lazyd_check");
    if (names == NULL || PyDict_SetItemString(names, "__builtins__",
                                              PyEval_GetBuiltins()) < 0) {
        goto done;
    }
    result = PyRun_String(check_program, Py_file_input, names, names);
    rc = result != NULL ? 0 : -1;
done:
    if (rc < 0) {
        lz_error_from_python(error, LZ_ERROR_LOAD_FAILED);
    }
    Py_XDECREF(result);
    Py_XDECREF(names);
    Py_XDECREF(path_object);
    return rc;
}

/* --- the operator thread ------------------------------------------------ */

void
pyhost_thread_begin(void) LZ_UNCHECKED
{
    /* Never released: the thread keeps its state until Python ends. */
    (void)PyGILState_Ensure();
    host.operator_state = PyEval_SaveThread();
}

void
pyhost_gil_enter(void) LZ_UNCHECKED
{
    PyEval_RestoreThread(host.operator_state);
}

void
pyhost_gil_leave(void) LZ_UNCHECKED
{
    host.operator_state = PyEval_SaveThread();
}

/* An error of lazycore as one on the wire; its strings go to ARENA. */
static int
copy_failure(struct arena *arena, const struct lz_error *error,
             struct wire_failure *ret_failure)
{
    *ret_failure = (struct wire_failure){0};
    if (error->kind == LZ_ERROR_NONE) {
        return 0;
    }
    ret_failure->kind = lz_error_kind_string(error->kind);
    ret_failure->text = arena_strdup(arena, error->text);
    ret_failure->traceback = arena_strdup(arena, error->traceback);
    return ret_failure->text == NULL ? -ENOMEM : 0;
}

int
pyhost_may_load(const char *instead, struct lz_error *error)
{
    return lazycore_may_load(instead, error);
}

int
pyhost_load(const char *name, bool inject, struct arena *arena,
            struct wire_load_result *ret_result)
{
    struct lz_load_result result = {0};
    int rc;

    if (lazycore_load(name, inject ? LZ_LOAD_INJECT : 0, &result) < 0) {
        return -ENOMEM;
    }
    *ret_result = (struct wire_load_result){
        .name = arena_strdup(arena, name),
        .loaded = result.loaded,
        .already = result.already,
        .wall_ns = result.wall_ns,
        .modules = result.modules,
    };
    rc = copy_failure(arena, &result.error, &ret_result->error);
    if (ret_result->name == NULL) {
        rc = -ENOMEM;
    }
    lazycore_load_result_done(&result);
    return rc;
}

int
pyhost_verify(const char *name, struct arena *arena,
              struct wire_verify_result *ret_result)
{
    struct lz_verify_result result = {0};

    if (lazycore_verify(name, &result) == 0) {
        return 0;
    }
    *ret_result = (struct wire_verify_result){
        .name = arena_strdup(arena, name),
        .status = lz_verify_string(result.status),
        .text = arena_strdup(arena, result.text),
        .file = arena_strdup(arena, result.file),
        .line = result.line,
        .column = result.column,
        .changed = result.changed,
    };
    lazycore_verify_result_done(&result);
    return ret_result->name == NULL || ret_result->text == NULL ? -ENOMEM : 1;
}

int64_t
pyhost_blocks(void)
{
    PyObject *function_borrowed = PySys_GetObject("getallocatedblocks");
    PyObject *count = NULL;
    int64_t blocks = -1;

    if (function_borrowed == NULL) {
        return -1;
    }
    count = PyObject_CallNoArgs(function_borrowed);
    if (count != NULL) {
        blocks = PyLong_AsLongLong(count);
        Py_DECREF(count);
    }
    PyErr_Clear();
    return blocks;
}
