/* Reload: the transaction of DESIGN 5, and its verdict in words.
 *
 * Responsible for the order of the steps and for running the new body in a
 * namespace of its own. While it runs, sys.modules has the live module under
 * the name: code that asks there gets the old one, as it would in a reload
 * by importlib. Leaves reading, pairing and putting in place to reload_*.c.
 * Needs the GIL; one reload of a module at a time.
 */
#include "lazycore/reload.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The list of what could not be repaired, and a line of it. */
enum { UNREPAIRED_MAX = 100, LINE_MAX_BYTES = 256 };

static const char *const verdict_strings[LZ_VERDICTS] = {
#define LZ_VERDICT(id, string, exit_status) [LZ_VERDICT_##id] = (string),
    LZ_VERDICT_TABLE(LZ_VERDICT)
#undef LZ_VERDICT
};

const char *
lz_verdict_string(enum lz_verdict verdict)
{
    return verdict_strings[(unsigned)verdict < LZ_VERDICTS
                               ? verdict
                               : LZ_VERDICT_INCONCLUSIVE];
}

void
lazycore_reload_result_done(struct lz_reload_result *result)
{
    if (result == NULL) {
        return;
    }
    for (size_t i = 0; i < result->unrepaired_count; i++) {
        free(result->unrepaired[i]);
    }
    free(result->unrepaired);
    free(result->file);
    free(result->traceback);
    *result = (struct lz_reload_result){0};
}

int
reload_verdict(struct lz_reload *reload, enum lz_verdict verdict,
               const char *format, ...)
{
    va_list args;

    reload->result->verdict = verdict;
    va_start(args, format);
    (void)vsnprintf(reload->result->text, sizeof(reload->result->text), format,
                    args);
    va_end(args);
    lz_forgive(); /* PyUnicode_AsUTF8 of a name that is no UTF-8 */
    return 0;
}

int
reload_unrepaired(struct lz_publish *publish, const char *format, ...)
{
    struct lz_reload_result *result = publish->reload->result;
    char line[LINE_MAX_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (result->unrepaired_count >= UNREPAIRED_MAX) {
        return 0;
    }
    if (result->unrepaired == NULL) {
        result->unrepaired = calloc(UNREPAIRED_MAX, sizeof(char *));
    }
    char *copy = result->unrepaired == NULL ? NULL : strdup(line);
    if (copy == NULL) {
        (void)PyErr_NoMemory();
        return -1;
    }
    result->unrepaired[result->unrepaired_count++] = copy;
    return 0;
}

/* --- failure ----------------------------------------------------------------
 */

static int
int_attribute(PyObject *object, const char *name)
{
    PyObject *value = PyObject_GetAttrString(object, name);
    long number =
        value != NULL && PyLong_Check(value) ? PyLong_AsLong(value) : 0;

    Py_XDECREF(value);
    lz_forgive();
    return number > 0 && number < INT32_MAX ? (int)number : 0;
}

static char *
text_copy(PyObject *text)
{
    const char *utf8 =
        text != NULL && PyUnicode_Check(text) ? PyUnicode_AsUTF8(text) : NULL;

    lz_forgive();
    return utf8 == NULL ? NULL : strdup(utf8);
}

/* The innermost frame that runs the reloaded file, else the innermost. */
static void
locate_traceback(struct lz_reload *reload, PyObject *traceback)
{
    PyTracebackObject *best = NULL, *last = NULL;

    for (PyTracebackObject *at = (PyTracebackObject *)traceback; at != NULL;
         at = at->tb_next) {
        PyCodeObject *code = PyFrame_GetCode(at->tb_frame);
        if (PyUnicode_Check(code->co_filename) &&
            PyUnicode_Compare(code->co_filename, reload->origin) == 0) {
            best = at;
        }
        last = at;
        Py_DECREF(code);
    }
    best = best != NULL ? best : last;
    if (best != NULL) {
        PyCodeObject *code = PyFrame_GetCode(best->tb_frame);
        reload->result->file = text_copy(code->co_filename);
        reload->result->line = int_attribute((PyObject *)best, "tb_lineno");
        Py_DECREF(code);
    }
}

/* A syntax error of the reloaded file says where itself; one that its body
 * met in another file does too, and has more in its traceback. */
static void
locate(struct lz_reload *reload, PyObject *error, PyObject *traceback)
{
    if (PyObject_TypeCheck(error, (PyTypeObject *)PyExc_SyntaxError)) {
        PyObject *file = PyObject_GetAttrString(error, "filename");
        reload->result->file = text_copy(file);
        reload->result->line = int_attribute(error, "lineno");
        reload->result->column = int_attribute(error, "offset");
        Py_XDECREF(file);
        lz_forgive();
    } else if (traceback != NULL && PyTraceBack_Check(traceback)) {
        locate_traceback(reload, traceback);
    }
}

static int failed(struct lz_reload *reload) LZ_NEEDS_GIL;

/* The pending exception becomes the verdict. Always 0. */
static int
failed(struct lz_reload *reload)
{
    struct lz_error error = {0};
    PyObject *type, *value, *traceback;

    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (value != NULL) {
        locate(reload, value, traceback);
    }
    PyErr_Restore(type, value, traceback);
    lz_error_from_python(&error, LZ_ERROR_LOAD_FAILED);
    (void)reload_verdict(reload, LZ_VERDICT_FAILED, "%s", error.text);
    reload->result->traceback = error.traceback;
    error.traceback = NULL;
    lz_error_done(&error);
    return 0;
}

/* --- compiling and running --------------------------------------------------
 */

static PyObject *
compile_source(struct lz_reload *reload)
{
    if (PyObject_HasAttrString(reload->loader, "source_to_code")) {
        return PyObject_CallMethod(reload->loader, "source_to_code", "OO",
                                   reload->source, reload->origin);
    }
    PyObject *builtins = PyImport_ImportModule("builtins");
    PyObject *code =
        builtins == NULL
            ? NULL
            : PyObject_CallMethod(builtins, "compile", "OOsii", reload->source,
                                  reload->origin, "exec", 0, 1);
    Py_XDECREF(builtins);
    return code;
}

/* What the import system put in the live module, for the new body to find. */
static PyObject *
fresh_namespace(struct lz_reload *reload)
{
    static const char *const names[] = {
        "__name__", "__loader__", "__package__", "__spec__",
        "__path__", "__file__",   "__cached__",  "__builtins__",
    };
    PyObject *fresh = PyDict_New();
    bool fine =
        fresh != NULL && PyDict_SetItemString(fresh, "__doc__", Py_None) == 0;

    for (size_t i = 0; fine && i < sizeof(names) / sizeof(names[0]); i++) {
        PyObject *value = reload_live_borrowed(reload, names[i]);
        if (value == NULL) {
            continue;
        }
        /* A body that extends its __path__ must not extend the live one. */
        PyObject *own = PyList_CheckExact(value)
                            ? PyList_GetSlice(value, 0, PY_SSIZE_T_MAX)
                            : Py_NewRef(value);
        fine = own != NULL && PyDict_SetItemString(fresh, names[i], own) == 0;
        Py_XDECREF(own);
    }
    if (!fine) {
        Py_CLEAR(fresh);
    }
    return fresh;
}

/* The body may have put another object in sys.modules: that is not a reload
 * of this module. 0, or -1 with an exception. */
static int
check_place(struct lz_reload *reload)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *now = PyDict_GetItemWithError(modules, reload->name);

    if (now == reload->module) {
        return 0;
    }
    if (!PyErr_Occurred() &&
        PyDict_SetItem(modules, reload->name, reload->module) == 0) {
        PyErr_Format(PyExc_ImportError,
                     "the new body replaces '%U' in sys.modules",
                     reload->name);
    }
    return -1;
}

static int execute(struct lz_reload *reload) LZ_NEEDS_GIL;

static int
execute(struct lz_reload *reload)
{
    reload->code = compile_source(reload);
    if (reload->code == NULL) {
        return failed(reload);
    }
    if (!PyCode_Check(reload->code)) {
        PyErr_SetString(PyExc_TypeError, "the loader compiled no code");
        return failed(reload);
    }
    reload->fresh = fresh_namespace(reload);
    if (reload->fresh == NULL) {
        return -1;
    }
    PyObject *done =
        PyEval_EvalCode(reload->code, reload->fresh, reload->fresh);
    if (done == NULL) {
        return failed(reload);
    }
    Py_DECREF(done);
    return check_place(reload) < 0 ? failed(reload) : 1;
}

static void
applied(struct lz_reload *reload)
{
    struct lz_reload_result *result = reload->result;
    char more[160] = "";

    if (result->unrepaired_count > 0) {
        (void)snprintf(more, sizeof(more),
                       "; %zu references to what was replaced remain",
                       result->unrepaired_count);
    }
    size_t used = strlen(result->text); /* classes that were replaced */
    char classes[sizeof(result->text)];
    memcpy(classes, result->text, used + 1);
    (void)reload_verdict(reload, LZ_VERDICT_APPLIED,
                         "'%s' runs its new code%s%s",
                         PyUnicode_AsUTF8(reload->name), more, classes);
}

static int run_steps(struct lz_reload *reload) LZ_NEEDS_GIL;

/* 0 with a verdict, -1 with an exception. */
static int
run_steps(struct lz_reload *reload)
{
    int status = reload_find(reload);

    if (status == 1) {
        status = reload_read(reload);
        if (status < 0) {
            return failed(reload);
        }
    }
    if (status == 1) {
        status = execute(reload);
    }
    if (status != 1) {
        return status;
    }
    if (reload_find_constants(reload) < 0 || reload_publish(reload) < 0) {
        return -1;
    }
    applied(reload);
    return reload_remember(reload);
}

/* --- the door ---------------------------------------------------------------
 */

/* Names of the modules being reloaded, each with the process that does: a
 * forked child has not its parent's threads. A dict in the interpreter's.
 * Borrowed; NULL with an exception. */
static PyObject *
running_borrowed(void)
{
    PyObject *all = PyInterpreterState_GetDict(PyInterpreterState_Get());
    PyObject *running =
        all == NULL ? NULL : PyDict_GetItemString(all, "lazycore.reloading");

    if (all == NULL || running != NULL) {
        return running;
    }
    running = PyDict_New();
    if (running != NULL &&
        PyDict_SetItemString(all, "lazycore.reloading", running) < 0) {
        Py_CLEAR(running);
    }
    Py_XDECREF(running); /* ALL has it */
    return running;
}

/* 1 this process reloads NAME, 0 it does not, -1. */
static int
is_running(PyObject *running, PyObject *name)
{
    PyObject *pid = PyDict_GetItemWithError(running, name);

    if (pid == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    return PyLong_AsLong(pid) == (long)getpid();
}

static int
set_running(PyObject *running, PyObject *name)
{
    PyObject *pid = PyLong_FromLong((long)getpid());
    int status = pid == NULL ? -1 : PyDict_SetItem(running, name, pid);

    Py_XDECREF(pid);
    return status;
}

static void
tell(struct lz_reload *reload)
{
    const char *name = PyUnicode_AsUTF8(reload->name);
    struct lz_core *core = reload->engine->core;

    lz_forgive();
    if (name == NULL) {
        return;
    }
    struct lz_load load = {
        .name = name,
        .wall_ns = reload->result->wall_ns,
        .wall_self_ns = reload->result->wall_ns,
    };
    if (reload->result->verdict == LZ_VERDICT_FAILED) {
        load.error = reload->result->text;
    } else if (reload->result->verdict != LZ_VERDICT_APPLIED) {
        return;
    }
    registry_loaded(core->registry, &load, NULL);
    if (core->listener.event != NULL) {
        core->listener.event(core->listener.arg, LZ_EVENT_RELOAD, name, &load,
                             0);
    }
}

static void
reload_done(struct lz_reload *reload)
{
    Py_XDECREF(reload->constants);
    Py_XDECREF(reload->fresh);
    Py_XDECREF(reload->code);
    Py_XDECREF(reload->source);
    Py_XDECREF(reload->origin);
    Py_XDECREF(reload->loader);
    Py_XDECREF(reload->spec);
    Py_XDECREF(reload->live);
    Py_XDECREF(reload->module);
    Py_XDECREF(reload->name);
}

static int reload_alone(struct lz_reload *reload) LZ_NEEDS_GIL;

/* One at a time for a module: its own body may ask for a reload, too. */
static int
reload_alone(struct lz_reload *reload)
{
    PyObject *running = running_borrowed();
    int busy = running == NULL ? -1 : is_running(running, reload->name);

    if (busy == 1) {
        return reload_verdict(reload, LZ_VERDICT_INCONCLUSIVE,
                              "'%s' is being reloaded right now; try again",
                              PyUnicode_AsUTF8(reload->name));
    }
    if (busy < 0 || set_running(running, reload->name) < 0) {
        return -1;
    }
    uint64_t start = usage_wall_ns();
    int status = run_steps(reload);
    reload->result->wall_ns = usage_wall_ns() - start;
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    if (PyDict_DelItem(running, reload->name) < 0) {
        lz_forgive();
    }
    if (status == 0) {
        tell(reload);
    }
    PyErr_Restore(type, error, traceback);
    return status;
}

int
lazycore_reload(const char *name, bool force,
                struct lz_reload_result *ret_result, struct lz_error *error)
{
    struct lz_reload reload = {.force = force, .result = ret_result};
    PyObject *own = PyImport_ImportModule("lazycore");
    int status = -1;

    *ret_result = (struct lz_reload_result){0};
    reload.engine = own == NULL ? NULL : engine_of_module(own);
    reload.name = PyUnicode_FromString(name);
    if (reload.engine != NULL && reload.name != NULL) {
        status = reload_alone(&reload);
    }
    if (status < 0) {
        if (PyErr_ExceptionMatches(PyExc_ModuleNotFoundError)) {
            lz_forgive();
            (void)lz_error_set(error, LZ_ERROR_NO_SUCH_MODULE,
                               "no module is named '%s'", name);
        }
        if (PyErr_Occurred()) {
            lz_error_from_python(error, LZ_ERROR_INTERNAL);
        }
        (void)lz_error_set(error, LZ_ERROR_INTERNAL,
                           "the reload of '%s' ended without a cause", name);
        lazycore_reload_result_done(ret_result);
    }
    reload_done(&reload);
    Py_XDECREF(own);
    return status;
}
