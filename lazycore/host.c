/* The engine as the host calls it: lazycore.h over the Python module.
 *
 * Errors become struct lz_error here and nowhere else. Needs the GIL.
 */
#include "lazycore/parents.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The module `lazycore`, imported: a new reference. */
static PyObject *
own_module(void)
{
    return PyImport_ImportModule("lazycore");
}

/* Runs in the main thread between two instructions. */
static int
raise_postponed(void *error)
{
    lz_raise(error);
    return -1;
}

/* 1: this thread is, -1: it is not, 0: not asked yet. */
static _Thread_local int is_main;

bool
lz_in_main_thread(void)
{
    if (is_main == 0)
        is_main = getpid() == gettid() ? 1 : -1;
    return is_main > 0;
}

void
lz_main_thread_after_fork(void)
{
    is_main = 0;
}

void
lz_forgive(void)
{
    if (!PyErr_Occurred())
        return;
    if (PyErr_ExceptionMatches(PyExc_Exception))
        PyErr_Clear();
    else
        lz_postpone();
}

void
lz_postpone(void)
{
    PyObject *error = lz_take_error();
    if (lz_in_main_thread() && Py_AddPendingCall(raise_postponed, error) == 0)
        return;
    (void)PyThreadState_SetAsyncExc(PyThread_get_thread_ident(),
                                    (PyObject *)Py_TYPE(error));
    Py_DECREF(error);
}

/* traceback.format_exception as one malloc'd text, or NULL. */
static char *
format_traceback(PyObject *error)
{
    char *text = NULL;
    PyObject *traceback = PyImport_ImportModule("traceback");
    PyObject *lines =
        traceback == NULL
            ? NULL
            : PyObject_CallMethod(traceback, "format_exception", "O", error);
    PyObject *empty = PyUnicode_FromString("");
    PyObject *joined =
        lines == NULL || empty == NULL ? NULL : PyUnicode_Join(empty, lines);
    PyObject *bytes =
        joined == NULL
            ? NULL
            : PyUnicode_AsEncodedString(joined, "utf-8", "backslashreplace");
    if (bytes != NULL)
        text = strdup(PyBytes_AS_STRING(bytes));
    lz_forgive();
    Py_XDECREF(bytes);
    Py_XDECREF(joined);
    Py_XDECREF(empty);
    Py_XDECREF(lines);
    Py_XDECREF(traceback);
    return text;
}

void
lz_error_from_python(struct lz_error *error, enum lz_error_kind kind)
{
    PyObject *value = lz_take_error();
    PyObject *text = value == NULL ? NULL : PyObject_Str(value);
    lz_forgive();
    const char *message = text == NULL ? NULL : PyUnicode_AsUTF8(text);
    lz_forgive();
    const char *name = value == NULL ? "error" : Py_TYPE(value)->tp_name;
    if (error != NULL && error->kind == LZ_ERROR_NONE) {
        (void)lz_error_set(error, kind, "%s: %s", name,
                           message == NULL ? "" : message);
        if (value != NULL && error->traceback == NULL)
            error->traceback = format_traceback(value);
    }
    Py_XDECREF(text);
    Py_XDECREF(value);
}

static int LZ_NEEDS_GIL
call_own(const char *function, struct lz_error *error)
{
    PyObject *module = own_module();
    PyObject *done =
        module == NULL ? NULL : PyObject_CallMethod(module, function, NULL);
    Py_XDECREF(module);
    if (done == NULL) {
        lz_error_from_python(error, LZ_ERROR_INTERNAL);
        return -1;
    }
    Py_DECREF(done);
    return 0;
}

int
lazycore_install(struct lz_error *error)
{
    return call_own("install", error);
}

int
lazycore_uninstall(struct lz_error *error)
{
    return call_own("uninstall", error);
}

/* load */

/* Every proxy of ours that is resolved and still held by someone. */
static PyObject *
resolved_proxies(struct lz_engine *engine)
{
    PyObject *list = PyList_New(0);
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *objects =
        gc == NULL ? NULL : PyObject_CallMethod(gc, "get_objects", NULL);
    for (Py_ssize_t i = 0;
         list != NULL && objects != NULL && i < PyList_GET_SIZE(objects);
         i++) {
        PyObject *object = PyList_GET_ITEM(objects, i);
        if (proxy_check(engine, object) &&
            ((struct lz_proxy *)object)->value != NULL &&
            PyList_Append(list, object) < 0)
            Py_CLEAR(list);
    }
    if (objects == NULL)
        Py_CLEAR(list);
    Py_XDECREF(objects);
    Py_XDECREF(gc);
    return list;
}

Py_ssize_t
inject_all(struct lz_engine *engine)
{
    PyObject *proxies = resolved_proxies(engine);
    if (proxies == NULL)
        return -1;
    Py_ssize_t count =
        PyList_GET_SIZE(proxies) == 0 ? 0 : inject_values(engine, proxies);
    Py_DECREF(proxies);
    return count;
}

int
host_import(struct lz_engine *engine, PyObject *name)
{
    struct lz_target *target = target_get(engine, name);
    struct lz_cause saved = load_cause_push(
        name, target != NULL ? LZ_REASON_LAZY : LZ_REASON_NOT_A_STATEMENT,
        LZ_GUARD_NONE);
    Py_XDECREF(target);
    PyObject *module = import_settled(engine, name);
    load_cause_pop(saved);
    Py_XDECREF(module);
    return module == NULL ? -1 : 0;
}

/* Whether what is pending is that NAME, or a parent of it, was not found. */
static bool
is_not_found(PyObject *name)
{
    if (!PyErr_ExceptionMatches(PyExc_ModuleNotFoundError))
        return false;
    PyObject *error = lz_take_error();
    PyObject *missing =
        error == NULL ? NULL : PyObject_GetAttrString(error, "name");
    bool same = missing != NULL && PyUnicode_Check(missing) &&
                PyUnicode_GET_LENGTH(missing) > 0 &&
                dotted_begins_with(name, missing);
    lz_forgive();
    Py_XDECREF(missing);
    lz_raise(error);
    return same;
}

static void LZ_NEEDS_GIL
load_one(struct lz_engine *engine, PyObject *name, unsigned flags,
         struct lz_load_result *out)
{
    struct lz_registry_stats before, after;
    PyObject *module = PyImport_GetModule(name);
    out->already = module != NULL && module != Py_None;
    Py_XDECREF(module);
    lz_forgive();
    registry_stats(engine->core->registry, &before);
    out->bytes = usage_resident_bytes();
    uint64_t cpu = usage_process_cpu_ns(), start = usage_wall_ns();
    int rc = host_import(engine, name);
    if (rc == 0 && (flags & LZ_LOAD_INJECT) != 0 && inject_all(engine) < 0) {
        lz_error_from_python(&out->error, LZ_ERROR_INTERNAL);
    }
    out->loaded = rc == 0;
    out->wall_ns = usage_wall_ns() - start;
    out->cpu_ns = usage_process_cpu_ns() - cpu;
    out->bytes = usage_resident_bytes() - out->bytes;
    registry_stats(engine->core->registry, &after);
    out->modules = after.loads - before.loads;
    if (rc < 0) {
        place_of_error(&out->file, &out->line);
        lz_error_from_python(&out->error, is_not_found(name)
                                              ? LZ_ERROR_NO_SUCH_MODULE
                                              : LZ_ERROR_LOAD_FAILED);
    }
}

int
lazycore_load(const char *name, unsigned flags,
              struct lz_load_result *ret_result)
{
    *ret_result = (struct lz_load_result){0};
    ret_result->name = strdup(name);
    PyObject *module = own_module();
    PyObject *text = PyUnicode_DecodeUTF8(name, (Py_ssize_t)strlen(name),
                                          "surrogateescape");
    struct lz_engine *engine =
        module == NULL ? NULL : engine_of_module(module);
    if (ret_result->name != NULL && text != NULL && engine != NULL)
        load_one(engine, text, flags, ret_result);
    else if (PyErr_Occurred())
        lz_error_from_python(&ret_result->error, LZ_ERROR_INTERNAL);
    Py_XDECREF(text);
    Py_XDECREF(module);
    return ret_result->name == NULL ? -1 : 0;
}

void
lazycore_load_result_done(struct lz_load_result *result)
{
    if (result == NULL)
        return;
    free(result->name);
    free(result->file);
    result->name = result->file = NULL;
    lz_error_done(&result->error);
}
