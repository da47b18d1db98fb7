/* Verify: whether a pending module can still be found and compiles.
 *
 * Reads and compiles what its import statement found, as the first use will,
 * and asks the finders again where it is now. Runs nothing of the module and
 * writes no bytecode. What is to be done about it is the operator's. Needs
 * the GIL.
 */
#include "lazycore/api.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

struct verify {
    struct lz_engine *engine;
    PyObject *name;
    PyObject *spec;   /* kept by the statement */
    PyObject *loader; /* or None: a namespace package */
    PyObject *origin; /* str, or NULL: no location */
    bool compiling;   /* an exception is about the source */
    struct lz_verify_result *result;
};

const char *
lz_verify_string(enum lz_verify_status status)
{
    static const char *const strings[] = {
#define LZ_VERIFY(id, string) (string),
        LZ_VERIFY_TABLE(LZ_VERIFY)
#undef LZ_VERIFY
    };
    return strings[status];
}

static void __attribute__((format(printf, 3, 4)))
conclude(struct verify *verify, enum lz_verify_status status,
         const char *format, ...)
{
    va_list args;
    verify->result->status = status;
    va_start(args, format);
    (void)vsnprintf(verify->result->text, sizeof(verify->result->text), format,
                    args);
    va_end(args);
}

/* TEXT as a malloc'd string: NULL where it is no str. Clears errors. */
static char *
copy_text(PyObject *text)
{
    PyObject *bytes =
        text != NULL && PyUnicode_Check(text)
            ? PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace")
            : NULL;
    char *copy = bytes == NULL ? NULL : strdup(PyBytes_AS_STRING(bytes));
    lz_forgive();
    Py_XDECREF(bytes);
    return copy;
}

static PyObject *
get(PyObject *object, const char *name)
{
    PyObject *value = PyObject_GetAttrString(object, name);
    if (value == NULL && PyErr_ExceptionMatches(PyExc_AttributeError))
        lz_forgive();
    return value;
}

/* --- reading and compiling ------------------------------------------------
 */

/* Whether LOADER gets its code from source exactly as importlib's own do: 1,
 * 0, or -1. Its get_code() would take a bytecode file that may be stale, and
 * write one. */
static int
reads_source(PyObject *loader)
{
    PyObject *external = PyImport_ImportModule("_frozen_importlib_external");
    PyObject *base = external == NULL ? NULL : get(external, "SourceLoader");
    int answer = base == NULL ? -1 : PyObject_IsInstance(loader, base);
    if (answer == 1) {
        PyObject *theirs = get(base, "get_code");
        PyObject *its = get((PyObject *)Py_TYPE(loader), "get_code");
        answer = PyErr_Occurred() ? -1 : theirs == its;
        Py_XDECREF(theirs);
        Py_XDECREF(its);
    }
    Py_XDECREF(base);
    Py_XDECREF(external);
    return answer;
}

static int
compile_source(struct verify *verify)
{
    PyObject *code = NULL;
    PyObject *data =
        PyObject_CallMethod(verify->loader, "get_data", "O", verify->origin);
    if (data != NULL) {
        verify->compiling = true;
        code = PyObject_CallMethod(verify->loader, "source_to_code", "OO",
                                   data, verify->origin);
        verify->compiling = code == NULL;
    }
    Py_XDECREF(data);
    Py_XDECREF(code);
    return code == NULL ? -1 : 0;
}

/* What has no code, an extension, is at least there to be read. */
static int
check_readable(struct verify *verify)
{
    PyObject *path = NULL;
    int result = -1;
    if (verify->origin == NULL)
        return 0;
    if (PyUnicode_FSConverter(verify->origin, &path)) {
        result = access(PyBytes_AS_STRING(path), R_OK);
        if (result != 0)
            PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError,
                                                 verify->origin);
    }
    Py_XDECREF(path);
    return result;
}

/* By whatever way the loader has. 0, or -1 with an exception. */
static int
read_code(struct verify *verify)
{
    struct lz_engine *engine = verify->engine;
    if (verify->loader == engine->builtin_importer ||
        verify->loader == engine->frozen_importer)
        return 0;
    int source = verify->origin == NULL ? 0 : reads_source(verify->loader);
    if (source != 0)
        return source < 0 ? -1 : compile_source(verify);
    PyObject *get_code = get(verify->loader, "get_code");
    if (get_code == NULL) {
        if (PyErr_Occurred())
            return -1;
        conclude(verify, LZ_VERIFY_OK, "its loader does not show its code");
        return 0;
    }
    PyObject *code = PyObject_CallOneArg(get_code, verify->name);
    Py_DECREF(get_code);
    if (code == NULL)
        return -1;
    int result = code == Py_None ? check_readable(verify) : 0;
    Py_DECREF(code);
    return result;
}

/* --- what went wrong ------------------------------------------------------
 */

static int
get_number(PyObject *object, const char *name)
{
    PyObject *value = get(object, name);
    long number =
        value != NULL && PyLong_Check(value) ? PyLong_AsLong(value) : 0;
    Py_XDECREF(value);
    lz_forgive();
    return number > 0 && number <= INT_MAX ? (int)number : 0;
}

static void
note_syntax_error(struct verify *verify, PyObject *error)
{
    struct lz_verify_result *result = verify->result;
    PyObject *message = get(error, "msg");
    PyObject *file = get(error, "filename");
    char *text = copy_text(message);
    char *path = copy_text(file);
    conclude(verify, LZ_VERIFY_BROKEN, "%s: %s", Py_TYPE(error)->tp_name,
             text == NULL ? "does not compile" : text);
    if (path != NULL) {
        free(result->file);
        result->file = path;
    }
    result->line = get_number(error, "lineno");
    result->column = get_number(error, "offset");
    free(text);
    Py_XDECREF(file);
    Py_XDECREF(message);
}

/* Whether ERROR may mean that nothing is there any more. A zip's loader has
 * an ImportError for that. */
static bool
says_gone(PyObject *error)
{
    if (PyErr_GivenExceptionMatches(error, PyExc_ImportError))
        return true;
    return PyErr_GivenExceptionMatches(error, PyExc_FileNotFoundError) ||
           PyErr_GivenExceptionMatches(error, PyExc_NotADirectoryError);
}

/* Where the finders have the module now: 1 with a spec, 0 nowhere, -1 they
 * do not say. Clears errors. */
static int
search_again(struct verify *verify, PyObject **ret_spec)
{
    *ret_spec = find_spec_only(verify->engine, verify->name, NULL);
    if (*ret_spec == NULL) {
        lz_forgive();
        return -1;
    }
    if (*ret_spec == Py_None) {
        Py_CLEAR(*ret_spec);
        return 0;
    }
    return 1;
}

/* The location of SPEC where it is not the one that was kept: malloc'd. */
static char *
other_place(struct verify *verify, PyObject *spec)
{
    PyObject *origin = found_file(verify->engine, spec);
    char *place = NULL;
    if (origin != NULL && (verify->origin == NULL ||
                           PyUnicode_Compare(origin, verify->origin) != 0))
        place = copy_text(origin);
    lz_forgive();
    Py_XDECREF(origin);
    return place;
}

static void
note_gone(struct verify *verify, const char *text)
{
    PyObject *spec;
    int found = search_again(verify, &spec);
    char *place = found > 0 ? other_place(verify, spec) : NULL;
    Py_XDECREF(spec);
    if (place != NULL)
        conclude(verify, LZ_VERIFY_MOVED,
                 "what the statement found is gone, '%.300s' is there now",
                 place);
    else if (found > 0)
        conclude(verify, LZ_VERIFY_UNREADABLE, "%s", text);
    else
        conclude(verify, LZ_VERIFY_MISSING, "%s", text);
    free(place);
}

/* "Type: message", without the traceback module: it may not be loaded. */
static void
describe(PyObject *error, char *text, size_t size)
{
    PyObject *string = error == NULL ? NULL : PyObject_Str(error);
    char *message = copy_text(string);
    lz_forgive();
    (void)snprintf(text, size, "%s: %s",
                   error == NULL ? "error" : Py_TYPE(error)->tp_name,
                   message == NULL ? "" : message);
    free(message);
    Py_XDECREF(string);
}

/* The pending exception as a result; one of a signal handler goes on. */
static void
note_failure(struct verify *verify)
{
    char text[sizeof(verify->result->text)];
    PyObject *error = lz_take_error();
    describe(error, text, sizeof(text));
    if (error != NULL && PyErr_GivenExceptionMatches(error, PyExc_SyntaxError))
        note_syntax_error(verify, error);
    else if (verify->compiling)
        conclude(verify, LZ_VERIFY_BROKEN, "%s", text);
    else if (error != NULL && says_gone(error))
        note_gone(verify, text);
    else
        conclude(verify, LZ_VERIFY_UNREADABLE, "%s", text);
    lz_raise(error);
    /* Elsewhere it cannot come from a signal handler. */
    if (lz_in_main_thread())
        lz_forgive();
    else
        PyErr_Clear();
}

/* --- where it is now ------------------------------------------------------
 */

/* Its code is there; do the finders still think of the same file? */
static void
compare(struct verify *verify)
{
    PyObject *spec;
    int found = search_again(verify, &spec);
    char *place = found > 0 ? other_place(verify, spec) : NULL;
    if (place != NULL)
        conclude(verify, LZ_VERIFY_MOVED,
                 "the finders have '%.300s' now; the first use still takes "
                 "what the statement found",
                 place);
    else if (found == 0 && verify->result->text[0] == '\0')
        conclude(verify, LZ_VERIFY_OK,
                 "no finder has it any more, but what was found is there");
    free(place);
    Py_XDECREF(spec);
}

/* Whether one folder of the namespace package is still there. Iterating over
 * its path would ask for its parent, which may be pending. */
static bool
has_folder(PyObject *places)
{
    PyObject *list = PySequence_List(places);
    bool there = false;
    for (Py_ssize_t i = 0; list != NULL && !there && i < PyList_GET_SIZE(list);
         i++) {
        PyObject *path = NULL;
        if (PyUnicode_FSConverter(PyList_GET_ITEM(list, i), &path))
            there = access(PyBytes_AS_STRING(path), R_OK | X_OK) == 0;
        Py_XDECREF(path);
    }
    there = there || list == NULL; /* unknown: its parent is pending */
    lz_forgive();
    Py_XDECREF(list);
    return there;
}

static void
verify_namespace(struct verify *verify)
{
    PyObject *places = get(verify->spec, "submodule_search_locations");
    if (places == NULL || places == Py_None)
        conclude(verify, LZ_VERIFY_UNREADABLE, "its spec has no loader");
    else if (has_folder(places))
        compare(verify);
    else
        conclude(verify, LZ_VERIFY_MISSING,
                 "no folder of this namespace package is there");
    lz_forgive();
    Py_XDECREF(places);
}

/* Whether the file was written after the statement found it. */
static bool
is_newer(struct verify *verify)
{
    struct lz_module *module;
    struct timespec now, real;
    struct stat status;
    PyObject *path = NULL;
    bool newer = false;
    if (verify->origin == NULL ||
        registry_show(verify->engine->core->registry,
                      PyUnicode_AsUTF8(verify->name), &module) <= 0)
        return false;
    if (clock_gettime(CLOCK_MONOTONIC, &now) == 0 &&
        clock_gettime(CLOCK_REALTIME, &real) == 0 && module->met_ns > 0 &&
        PyUnicode_FSConverter(verify->origin, &path) &&
        stat(PyBytes_AS_STRING(path), &status) == 0) {
        int64_t second = INT64_C(1000000000);
        int64_t age = (int64_t)now.tv_sec * second + now.tv_nsec -
                      (int64_t)module->met_ns;
        int64_t met = (int64_t)real.tv_sec * second + real.tv_nsec - age;
        int64_t written =
            (int64_t)status.st_mtim.tv_sec * second + status.st_mtim.tv_nsec;
        newer = written > met;
    }
    lz_forgive();
    Py_XDECREF(path);
    registry_modules_free(module, 1);
    return newer;
}

static void
verify_spec(struct verify *verify)
{
    verify->loader =
        PyObject_GetAttr(verify->spec, verify->engine->names.loader);
    verify->origin = found_file(verify->engine, verify->spec);
    verify->result->file = copy_text(verify->origin);
    if (verify->loader == Py_None) {
        verify_namespace(verify);
    } else if (verify->loader == NULL || read_code(verify) < 0) {
        note_failure(verify);
    } else {
        compare(verify);
    }
    verify->result->changed = is_newer(verify);
    Py_CLEAR(verify->loader);
    Py_CLEAR(verify->origin);
}

static int
verify_target(PyObject *module, PyObject *name,
              struct lz_verify_result *ret_result)
{
    struct verify verify = {.engine = engine_of_module(module),
                            .name = name,
                            .result = ret_result};
    struct lz_target *target =
        verify.engine == NULL ? NULL : target_get(verify.engine, name);
    if (target == NULL)
        return 0;
    verify.spec = target_spec(verify.engine, target);
    Py_DECREF(target);
    lz_forgive();
    if (verify.spec == NULL)
        return 0;
    verify_spec(&verify);
    Py_DECREF(verify.spec);
    return 1;
}

int
lazycore_verify(const char *name, struct lz_verify_result *ret_result)
{
    int result = 0;
    *ret_result = (struct lz_verify_result){0};
    PyObject *module = PyImport_ImportModule("lazycore");
    PyObject *text = PyUnicode_DecodeUTF8(name, (Py_ssize_t)strlen(name),
                                          "surrogateescape");
    if (module != NULL && text != NULL)
        result = verify_target(module, text, ret_result);
    lz_forgive();
    Py_XDECREF(text);
    Py_XDECREF(module);
    return result;
}

void
lazycore_verify_result_done(struct lz_verify_result *result)
{
    if (result == NULL)
        return;
    free(result->file);
    result->file = NULL;
}

PyObject *
api_verify(PyObject *module, PyObject *argument)
{
    struct lz_verify_result result = {0};
    PyObject *answer = NULL;
    if (!PyUnicode_Check(argument)) {
        PyErr_Format(PyExc_TypeError, "verify() takes a name, not %.100s",
                     Py_TYPE(argument)->tp_name);
        return NULL;
    }
    if (verify_target(module, argument, &result) > 0)
        answer = Py_BuildValue("{ss,ss,sz,si,si,sO}", "status",
                               lz_verify_string(result.status), "text",
                               result.text, "file", result.file, "line",
                               result.line, "column", result.column, "changed",
                               result.changed ? Py_True : Py_False);
    else if (!PyErr_Occurred())
        answer = Py_NewRef(Py_None);
    lazycore_verify_result_done(&result);
    return answer;
}
