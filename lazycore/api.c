/* The functions of the Python module `lazycore` that ask and steer.
 *
 * Thin: each turns arguments into a call of the engine or of the plain-C core
 * and the answer into Python objects. Needs the GIL.
 */
#include "lazycore/api.h"

#include <string.h>

PyObject *
api_pending(PyObject *module, PyObject *argument)
{
    struct lz_engine *engine = engine_or_raise(module);
    if (engine == NULL)
        return NULL;
    if (!PyModule_Check(argument)) {
        PyErr_Format(PyExc_TypeError, "pending() takes a module, not %.100s",
                     Py_TYPE(argument)->tp_name);
        return NULL;
    }
    return namespace_pending(engine, PyModule_GetDict(argument));
}

/* Raise what a load request came to. */
static void
raise_error(const struct lz_error *error, PyObject *type)
{
    PyErr_SetString(type,
                    error->traceback != NULL ? error->traceback : error->text);
}

PyObject *
api_load(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {LZ_CHARS("name"), LZ_CHARS("inject"), NULL};
    const char *name;
    int inject = 0;
    lz_called_by_python();
    if (engine_or_raise(module) == NULL ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "s|p:load", keywords, &name,
                                     &inject))
        return NULL;
    struct lz_load_result result;
    if (lazycore_load(name, inject ? LZ_LOAD_INJECT : 0, &result) < 0)
        return PyErr_NoMemory();
    PyObject *count = NULL;
    if (result.error.kind == LZ_ERROR_NONE)
        count = PyLong_FromUnsignedLongLong(result.modules);
    else
        raise_error(&result.error, PyExc_ImportError);
    lazycore_load_result_done(&result);
    return count;
}

PyObject *
api_inject(PyObject *module, PyObject *Py_UNUSED(unused))
{
    struct lz_engine *engine = engine_or_raise(module);
    Py_ssize_t count = engine == NULL ? -1 : inject_all(engine);
    return count < 0 ? NULL : PyLong_FromSsize_t(count);
}

PyObject *
api_ignore_module(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {LZ_CHARS("fullname"), LZ_CHARS("pathname"),
                               NULL};
    const char *name, *path = NULL;
    struct lz_engine *engine = engine_or_raise(module);
    if (engine == NULL ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "s|z:ignore_module",
                                     keywords, &name, &path))
        return NULL;
    return PyBool_FromLong(ignore_match(engine->core->ignore, name, path) !=
                           LZ_REASON_LAZY);
}

PyObject *
api_stats(PyObject *module, PyObject *Py_UNUSED(unused))
{
    struct lz_registry_stats stats;
    struct lz_engine *engine = engine_or_raise(module);
    if (engine == NULL)
        return NULL;
    load_sweep(engine);
    registry_stats(engine->core->registry, &stats);
    PyObject *dict = PyDict_New();
    const struct {
        const char *key;
        uint64_t value;
    } rows[] = {
        {"proxies", stats.modules[LZ_STATE_PROXY]},
        {"proxy_peak", stats.proxy_peak},
        {"proxy_total", stats.proxy_total},
        {"reals", stats.modules[LZ_STATE_REAL]},
        {"eager", stats.modules[LZ_STATE_EAGER]},
        {"ignored", stats.modules[LZ_STATE_IGNORED]},
        {"existing", stats.modules[LZ_STATE_EXISTING]},
        {"lost", stats.modules[LZ_STATE_LOST]},
        {"failed", stats.failed},
        {"names_pending", stats.names_pending},
        {"names_resolved", stats.names_resolved},
        {"builtins_proxied", stats.builtins_proxied},
        {"builtins_imported", stats.builtins_imported},
        {"builtins_absent", stats.builtins_absent},
        {"loads", stats.loads},
        {"loads_failed", stats.loads_failed},
        {"loads_wall_ns", stats.loads_wall_ns},
    };
    for (size_t i = 0; dict != NULL && i < sizeof(rows) / sizeof(rows[0]);
         i++) {
        PyObject *value = PyLong_FromUnsignedLongLong(rows[i].value);
        if (value == NULL ||
            PyDict_SetItemString(dict, rows[i].key, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(value);
    }
    return dict;
}

PyObject *
api_getattr(PyObject *module, PyObject *name)
{
    struct lz_engine *engine = engine_of_module(module);
    if (engine != NULL && PyUnicode_Check(name) &&
        PyUnicode_CompareWithASCIIString(name, "proxyTally") == 0) {
        struct lz_registry_stats stats;
        registry_stats(engine->core->registry, &stats);
        return PyLong_FromUnsignedLongLong(stats.proxy_total);
    }
    return PyErr_Format(PyExc_AttributeError,
                        "module 'lazycore' has no attribute %R", name);
}

PyObject *
api_show(PyObject *module, PyObject *argument)
{
    struct lz_engine *engine = engine_or_raise(module);
    const char *name = engine == NULL ? NULL : PyUnicode_AsUTF8(argument);
    if (name == NULL)
        return NULL;
    struct lz_level_info level = levels_explain(engine->core->levels, name);
    struct lz_module *found;
    int result = registry_show(engine->core->registry, name, &found);
    if (result < 0)
        return PyErr_NoMemory();
    if (result == 0)
        Py_RETURN_NONE;
    PyObject *dict = Py_BuildValue(
        "{ss,ss,ss,ss,sz,sz,si,sz,sz,sz,si,sz,sK,sK,sK,sL,sL,sK,sz,sK,ss,"
        "ss,ss}",
        "name", found->name, "state", lz_state_string(found->state), "reason",
        lz_reason_string(found->reason), "why", lz_reason_text(found->reason),
        "file", found->file, "statement_file", found->statement.file,
        "statement_line", found->statement.line, "parent", found->parent,
        "thread", found->thread, "trigger_file", found->trigger.file,
        "trigger_line", found->trigger.line, "trigger_function",
        found->trigger.function, "sequence",
        (unsigned long long)found->sequence, "wall_ns",
        (unsigned long long)found->wall_ns, "cpu_ns",
        (unsigned long long)found->cpu_ns, "bytes", (long long)found->bytes,
        "blocks", (long long)found->blocks, "failures",
        (unsigned long long)found->failures, "last_error", found->last_error,
        "names_pending", (unsigned long long)found->names_pending, "level",
        lz_level_string(level.level), "level_source",
        lz_level_source_string(level.source), "level_why", level.why);
    registry_modules_free(found, 1);
    return dict;
}

PyObject *
api_level(PyObject *module, PyObject *args)
{
    const char *package, *text = NULL;
    struct lz_engine *engine = engine_or_raise(module);
    if (engine == NULL ||
        !PyArg_ParseTuple(args, "s|z:level", &package, &text))
        return NULL;
    if (text != NULL) {
        enum lz_level level;
        struct lz_error error = {0};
        if (lz_level_from_string(text, &level) == 0) {
            PyErr_Format(PyExc_ValueError,
                         "no level '%s': use 'eager', 'outer' or 'full'",
                         text);
            return NULL;
        }
        if (levels_set(engine->core->levels, package, level, &error) < 0) {
            PyErr_SetString(PyExc_ValueError, error.text);
            lz_error_done(&error);
            return NULL;
        }
        change_rule(engine, "level.set", NULL, package, text);
    }
    return PyUnicode_FromString(
        lz_level_string(levels_get(engine->core->levels, package, NULL)));
}

static PyObject *
no_such_rule(const char *name)
{
    PyObject *names = PyUnicode_FromString(policy_rule_string(0));
    for (int rule = 1; names != NULL && rule < LZ_RULES; rule++)
        Py_SETREF(names, PyUnicode_FromFormat(
                             "%U, %s", names,
                             policy_rule_string((enum lz_rule)rule)));
    if (names != NULL)
        PyErr_Format(PyExc_ValueError, "no rule '%s': use one of %U", name,
                     names);
    Py_XDECREF(names);
    return NULL;
}

PyObject *
api_rule(PyObject *module, PyObject *args)
{
    const char *name;
    PyObject *on = Py_None;
    struct lz_engine *engine = engine_or_raise(module);
    if (engine == NULL || !PyArg_ParseTuple(args, "s|O:rule", &name, &on))
        return NULL;
    int rule = 0;
    while (rule < LZ_RULES &&
           strcmp(policy_rule_string((enum lz_rule)rule), name) != 0)
        rule++;
    if (rule == LZ_RULES)
        return no_such_rule(name);
    if (on != Py_None) {
        int truth = PyObject_IsTrue(on);
        if (truth < 0)
            return NULL;
        engine->rule_off[rule] = truth == 0;
        change_rule(engine, "rule", NULL, name, truth == 0 ? "off" : "on");
    }
    return PyBool_FromLong(!engine->rule_off[rule]);
}

PyObject *
api_explain_level(PyObject *module, PyObject *argument)
{
    struct lz_engine *engine = engine_or_raise(module);
    const char *name = engine == NULL ? NULL : PyUnicode_AsUTF8(argument);
    if (name == NULL)
        return NULL;
    struct lz_level_info info = levels_explain(engine->core->levels, name);
    return Py_BuildValue("{ss,ss,ss}", "level", lz_level_string(info.level),
                         "source", lz_level_source_string(info.source), "why",
                         info.why);
}
