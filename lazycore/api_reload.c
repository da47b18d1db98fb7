/* reload() and rollback() of the Python module `lazycore`.
 *
 * Their results are dicts. Needs the GIL.
 */
#include "lazycore/api.h"

static PyObject *
lines_list(char *const *lines, size_t count)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < count; i++) {
        PyObject *line = PyUnicode_FromString(lines[i]);
        if (line == NULL || PyList_Append(list, line) < 0)
            Py_CLEAR(list);
        Py_XDECREF(line);
    }
    return list;
}

static PyObject *result_dict(const struct lz_reload_result *result);

static PyObject *
others_list(const struct lz_reload_result *result)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < result->other_count; i++) {
        PyObject *other = result_dict(&result->others[i]);
        if (other == NULL || PyList_Append(list, other) < 0)
            Py_CLEAR(list);
        Py_XDECREF(other);
    }
    return list;
}

static PyObject *
result_dict(const struct lz_reload_result *result)
{
    PyObject *unrepaired =
        lines_list(result->unrepaired, result->unrepaired_count);
    PyObject *replaced = lines_list(result->replaced, result->replaced_count);
    PyObject *again = lines_list(result->again, result->again_count);
    PyObject *others = others_list(result);
    if (unrepaired == NULL || replaced == NULL || again == NULL ||
        others == NULL) {
        Py_XDECREF(unrepaired);
        Py_XDECREF(replaced);
        Py_XDECREF(again);
        Py_XDECREF(others);
        return NULL;
    }
    return Py_BuildValue(
        "{sz,ss,ss,sz,si,si,sz,sK,sK,sK,sK,sK,sK,sK,sK,sK,sN,sN,sN,sN}",
        "name", result->name, "verdict", lz_verdict_string(result->verdict),
        "text", result->text, "file", result->file, "line", result->line,
        "column", result->column, "traceback", result->traceback, "wall_ns",
        (unsigned long long)result->wall_ns, "pause_ns",
        (unsigned long long)result->pause_ns, "old_hash",
        (unsigned long long)result->old_hash, "new_hash",
        (unsigned long long)result->new_hash, "functions_kept",
        (unsigned long long)result->functions_kept, "classes_kept",
        (unsigned long long)result->classes_kept, "names_rebound",
        (unsigned long long)result->names_rebound, "generation",
        (unsigned long long)result->generation, "generations",
        (unsigned long long)result->generations, "unrepaired", unrepaired,
        "replaced", replaced, "again", again, "others", others);
}

/* The name of a module, given as one, as a proxy or by name: a new str. */
static PyObject *
name_of(struct lz_engine *engine, PyObject *what)
{
    if (proxy_check(engine, what))
        return Py_NewRef(((struct lz_proxy *)what)->name);
    if (PyUnicode_Check(what))
        return Py_NewRef(what);
    return PyObject_GetAttr(what, engine->names.name);
}

static PyObject *
answer(int status, struct lz_reload_result *result, struct lz_error *error)
{
    PyObject *dict = NULL;
    if (status < 0)
        PyErr_SetString(PyExc_ImportError, error->traceback != NULL
                                               ? error->traceback
                                               : error->text);
    else
        dict = result_dict(result);
    lazycore_reload_result_done(result);
    lz_error_done(error);
    return dict;
}

PyObject *
api_reload(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {LZ_CHARS("module"),     LZ_CHARS("force"),
                               LZ_CHARS("strict"),     LZ_CHARS("forget"),
                               LZ_CHARS("dependents"), NULL};
    PyObject *what;
    int force = 0, strict = 0, forget = 0, dependents = 0;
    lz_called_by_python();
    struct lz_engine *engine = engine_or_raise(module);
    if (engine == NULL || !PyArg_ParseTupleAndKeywords(
                              args, kwargs, "O|p$ppp:reload", keywords, &what,
                              &force, &strict, &forget, &dependents))
        return NULL;
    PyObject *name = name_of(engine, what);
    const char *text = name == NULL ? NULL : PyUnicode_AsUTF8(name);
    PyObject *dict = NULL;
    if (text != NULL) {
        struct lz_reload_options options = {
            .force = force != 0,
            .strict = strict != 0,
            .forget = forget != 0,
            .dependents = dependents != 0,
        };
        struct lz_error error = {0};
        struct lz_reload_result result;
        int status = lazycore_reload(text, &options, &result, &error);
        if (status == 0)
            change_reload(engine, "reload", &result);
        dict = answer(status, &result, &error);
    }
    Py_XDECREF(name);
    return dict;
}

PyObject *
api_rollback(PyObject *module, PyObject *what)
{
    lz_called_by_python();
    struct lz_engine *engine = engine_or_raise(module);
    PyObject *name = engine == NULL ? NULL : name_of(engine, what);
    const char *text = name == NULL ? NULL : PyUnicode_AsUTF8(name);
    PyObject *dict = NULL;
    if (text != NULL) {
        struct lz_error error = {0};
        struct lz_reload_result result;
        int status = lazycore_rollback(text, 0, &result, &error);
        if (status == 0)
            change_reload(engine, "rollback", &result);
        dict = answer(status, &result, &error);
    }
    Py_XDECREF(name);
    return dict;
}
