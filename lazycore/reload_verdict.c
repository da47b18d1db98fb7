/* Reload: what came of it, in words and with its place.
 *
 * Responsible for the verdict of one module, for the lists in it, which have
 * a bound, and for where a failure is. Needs the GIL.
 */
#include "lazycore/reload.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A list of what was not done, and a line of it. */
enum { LINES_MAX = 100, LINE_MAX_BYTES = 256 };

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

static void
free_lines(char **lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(lines[i]);
    }
    free(lines);
}

void
lazycore_reload_result_done(struct lz_reload_result *result)
{
    if (result == NULL) {
        return;
    }
    free_lines(result->unrepaired, result->unrepaired_count);
    free_lines(result->replaced, result->replaced_count);
    free_lines(result->again, result->again_count);
    for (size_t i = 0; i < result->other_count; i++) {
        lazycore_reload_result_done(&result->others[i]);
    }
    free(result->others);
    free(result->name);
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

const char *
reload_text(PyObject *text, const char *otherwise)
{
    const char *utf8 =
        text != NULL && PyUnicode_Check(text) ? PyUnicode_AsUTF8(text) : NULL;

    lz_forgive();
    return utf8 == NULL ? otherwise : utf8;
}

/* --- lists -------------------------------------------------------------- */

static int add_line(char ***lines, size_t *count, const char *format,
                    va_list args) __attribute__((format(printf, 3, 0)));

static int
add_line(char ***lines, size_t *count, const char *format, va_list args)
{
    char line[LINE_MAX_BYTES];

    if (*count >= LINES_MAX) {
        return 0;
    }
    (void)vsnprintf(line, sizeof(line), format, args);
    if (*lines == NULL) {
        *lines = calloc(LINES_MAX, sizeof(char *));
    }
    char *copy = *lines == NULL ? NULL : strdup(line);
    if (copy == NULL) {
        (void)PyErr_NoMemory();
        return -1;
    }
    (*lines)[(*count)++] = copy;
    return 0;
}

int
reload_unrepaired(struct lz_publish *publish, const char *format, ...)
{
    struct lz_reload_result *result = publish->reload->result;
    va_list args;

    va_start(args, format);
    int rc =
        add_line(&result->unrepaired, &result->unrepaired_count, format, args);
    va_end(args);
    return rc;
}

int
reload_replaced(struct lz_publish *publish, const char *format, ...)
{
    struct lz_reload_result *result = publish->reload->result;
    va_list args;

    va_start(args, format);
    int rc =
        add_line(&result->replaced, &result->replaced_count, format, args);
    va_end(args);
    return rc;
}

int
reload_again(struct lz_reload *reload, const char *format, ...)
{
    struct lz_reload_result *result = reload->result;
    va_list args;

    va_start(args, format);
    int rc = add_line(&result->again, &result->again_count, format, args);
    va_end(args);
    return rc;
}

/* --- success ------------------------------------------------------------ */

void
reload_applied(struct lz_reload *reload)
{
    struct lz_reload_result *result = reload->result;
    char more[160] = "";

    if (result->unrepaired_count > 0) {
        (void)snprintf(more, sizeof(more),
                       "; %zu references to what was replaced remain",
                       result->unrepaired_count);
    }
    char classes[sizeof(result->text)]; /* that were replaced */
    memcpy(classes, result->text, strlen(result->text) + 1);
    (void)reload_verdict(reload, LZ_VERDICT_APPLIED, "'%s' runs its %s%s%s",
                         reload_text(reload->name, "?"),
                         reload->generation == NULL ? "new code"
                                                    : "previous code again",
                         more, classes);
}

/* --- failure ------------------------------------------------------------ */

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
locate_traceback(struct lz_reload *reload, PyObject *error)
{
    PyTracebackObject *best = NULL, *last = NULL;
    PyObject *traceback = PyException_GetTraceback(error);

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
    Py_XDECREF(traceback);
}

/* A syntax error of the reloaded file says where itself; one that its body
 * met in another file does too, and has more in its traceback. */
static void
locate(struct lz_reload *reload, PyObject *error)
{
    if (PyObject_TypeCheck(error, (PyTypeObject *)PyExc_SyntaxError)) {
        PyObject *file = PyObject_GetAttrString(error, "filename");
        reload->result->file = text_copy(file);
        reload->result->line = int_attribute(error, "lineno");
        reload->result->column = int_attribute(error, "offset");
        Py_XDECREF(file);
        lz_forgive();
    } else {
        locate_traceback(reload, error);
    }
}

int
reload_failed(struct lz_reload *reload)
{
    struct lz_error error = {0};
    PyObject *value = lz_take_error();
    if (value != NULL) {
        locate(reload, value);
    }
    lz_raise(value);
    lz_error_from_python(&error, LZ_ERROR_LOAD_FAILED);
    (void)reload_verdict(reload, LZ_VERDICT_FAILED, "%s", error.text);
    reload->result->traceback = error.traceback;
    error.traceback = NULL;
    lz_error_done(&error);
    return 0;
}
