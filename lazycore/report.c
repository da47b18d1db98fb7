/* lazycore.report(): the seed's lines, on sys.stderr.
 *
 * verbose 0 prints nothing, 1 a line for each load, 2 the whole state with
 * it; a call from Python with another argument prints the state at 1 already.
 * Needs the GIL.
 */
#include "lazycore/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory in use in MB: what memory_query_func says, else the resident set.
 * Negative where it is not known. */
static double
memory_mb(struct lz_engine *engine)
{
    PyObject *function =
        PyObject_GetAttrString(engine->module, "memory_query_func");
    double result = -1.0;
    if (function != NULL && function != Py_None) {
        PyObject *value = PyObject_CallNoArgs(function);
        result = value == NULL ? -1.0 : PyFloat_AsDouble(value);
        Py_XDECREF(value);
    } else {
        result = usage_resident_mb();
    }
    if (PyErr_Occurred())
        lz_forgive();
    Py_XDECREF(function);
    return result;
}

static void
write_line(const char *text)
{
    PyObject *file = PySys_GetObject("stderr"); /* borrowed */
    if (file == NULL || file == Py_None)
        return;
    Py_INCREF(file);
    if (PyFile_WriteString(text, file) < 0 ||
        PyFile_WriteString("\n", file) < 0)
        lz_forgive();
    Py_DECREF(file);
}

static void
write_object(PyObject *line)
{
    const char *text = line == NULL ? NULL : PyUnicode_AsUTF8(line);
    if (text != NULL)
        write_line(text);
    lz_forgive();
    Py_XDECREF(line);
}

/* "LABEL COUNT [names]" of the modules that QUERY selects; BUILTIN: only
 * names in sys.builtin_module_names. */
static void
write_modules(struct lz_engine *engine, const char *label, unsigned states,
              bool builtin)
{
    struct lz_query query = {.states = states};
    struct lz_module *modules;
    size_t count, total;
    if (registry_list(engine->core->registry, &query, &modules, &count,
                      &total) < 0)
        return;
    PyObject *names = PyList_New(0);
    for (size_t i = 0; names != NULL && i < count; i++) {
        if (builtin && !modules[i].builtin)
            continue;
        PyObject *name = PyUnicode_FromString(modules[i].name);
        if (name == NULL || PyList_Append(names, name) < 0)
            Py_CLEAR(names);
        Py_XDECREF(name);
    }
    registry_modules_free(modules, count);
    if (names != NULL)
        write_object(PyUnicode_FromFormat("%s %zd %R", label,
                                          PyList_GET_SIZE(names), names));
    Py_XDECREF(names);
}

static void
write_absent_builtins(struct lz_engine *engine)
{
    PyObject *builtins = PySys_GetObject("builtin_module_names");
    PyObject *names = PyList_New(0);
    Py_ssize_t size = builtins != NULL && PyTuple_Check(builtins)
                          ? PyTuple_GET_SIZE(builtins)
                          : 0;
    for (Py_ssize_t i = 0; names != NULL && i < size; i++) {
        PyObject *name = PyTuple_GET_ITEM(builtins, i);
        const char *text = PyUnicode_AsUTF8(name);
        struct lz_module *module = NULL;
        int found = text == NULL
                        ? -1
                        : registry_show(engine->core->registry, text, &module);
        if (found == 0 && PyList_Append(names, name) < 0)
            lz_forgive();
        if (found == 1)
            registry_modules_free(module, 1);
    }
    if (names != NULL)
        write_object(PyUnicode_FromFormat("builtins (not imported) %zd %R",
                                          PyList_GET_SIZE(names), names));
    Py_XDECREF(names);
    lz_forgive();
}

static void
write_state(struct lz_engine *engine)
{
    const unsigned real = 1u << LZ_STATE_REAL, proxy = 1u << LZ_STATE_PROXY;
    const unsigned existing = 1u << LZ_STATE_EXISTING;
    const unsigned eager = 1u << LZ_STATE_EAGER;
    const unsigned ignored = 1u << LZ_STATE_IGNORED;
    struct lz_registry_stats stats;
    char line[128];
    load_sweep(engine);
    registry_stats(engine->core->registry, &stats);
    write_modules(engine, "proxy imported", proxy, false);
    (void)snprintf(line, sizeof(line),
                   "proxy imported (maximum size reached) %llu",
                   (unsigned long long)stats.proxy_peak);
    write_line(line);
    write_modules(engine, "fully imported (pre lazyimport)", existing, false);
    write_modules(engine, "fully imported (via lazyimport)", real, false);
    write_modules(engine, "fully imported (via allowed bypass)", ignored,
                  false);
    write_modules(engine, "fully imported (by rule)", eager, false);
    write_modules(engine, "fully imported (lost track of these)",
                  1u << LZ_STATE_LOST, false);
    write_modules(engine, "builtins (proxied)", proxy, true);
    write_modules(engine, "builtins (fully imported)",
                  real | existing | eager | ignored, true);
    write_absent_builtins(engine);
}

/* The module's attribute `verbose`: 0, 1 or 2. */
static int
verbosity(struct lz_engine *engine)
{
    PyObject *value =
        PyDict_GetItemString(PyModule_GetDict(engine->module), "verbose");
    int result = value == NULL ? 0 : PyObject_IsTrue(value);
    if (result == 1 && PyLong_Check(value) && PyLong_AsLong(value) > 1)
        result = 2;
    lz_forgive();
    return result;
}

static void
report(struct lz_engine *engine, PyObject *what, bool loaded)
{
    int verbose = verbosity(engine);
    if (verbose == 0)
        return;
    PyObject *error = lz_take_error();
    char memory[64] = "";
    double mb = memory_mb(engine);
    if (mb >= 0)
        (void)snprintf(memory, sizeof(memory), " (now using %0.3f Mb)", mb);
    write_object(PyUnicode_FromFormat(loaded ? "lazyimport: %U%s"
                                             : "lazyimport report: %U%s",
                                      what, memory));
    if (verbose > 1 || !loaded)
        write_state(engine);
    lz_raise(error);
}

void
report_load(struct lz_engine *engine, PyObject *name)
{
    if (verbosity(engine) == 0)
        return;
    PyObject *what = PyUnicode_FromFormat("load %U", name);
    if (what != NULL)
        report(engine, what, true);
    lz_forgive();
    Py_XDECREF(what);
}

PyObject *
report_python(PyObject *module, PyObject *args)
{
    PyObject *what = NULL;
    if (!PyArg_ParseTuple(args, "|U:report", &what))
        return NULL;
    struct lz_engine *engine = engine_of_module(module);
    if (engine == NULL)
        Py_RETURN_NONE;
    what = what == NULL ? PyUnicode_FromString("") : Py_NewRef(what);
    PyObject *prefix = PyUnicode_FromString("load ");
    if (what != NULL && prefix != NULL)
        report(engine, what,
               PyUnicode_Tailmatch(what, prefix, 0, PY_SSIZE_T_MAX, -1) == 1);
    Py_XDECREF(prefix);
    Py_XDECREF(what);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}
