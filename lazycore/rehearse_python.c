/* lazycore.rehearse(): rehearsed loads as Python sees them. */
#include "lazycore/api.h"
#include "lazycore/rehearse_load.h"

#include <stdlib.h>

static PyObject *
names_list(const char **names, size_t count)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < count; i++) {
        PyObject *name = PyUnicode_FromString(names[i]);
        if (name == NULL || PyList_Append(list, name) < 0)
            Py_CLEAR(list);
        Py_XDECREF(name);
    }
    return list;
}

static PyObject *
item_dict(const struct lz_rehearsed *item)
{
    bool fine = item->kind == LZ_ERROR_NONE;
    PyObject *modules = names_list(item->modules, item->module_count);
    PyObject *threads = names_list(item->threads, item->thread_count);
    if (modules == NULL || threads == NULL) {
        Py_XDECREF(modules);
        Py_XDECREF(threads);
        return NULL;
    }
    return Py_BuildValue(
        "{ss,ss,sK,sK,sL,sN,sN,sz,sz,sz,si}", "name", item->name, "verdict",
        lz_rehearsed_string(item->verdict), "wall_ns",
        (unsigned long long)item->wall_ns, "cpu_ns",
        (unsigned long long)item->cpu_ns, "bytes", (long long)item->bytes,
        "modules", modules, "threads", threads, "error",
        fine ? NULL : item->error, "traceback", item->traceback, "file",
        item->file, "line", item->line);
}

static PyObject *
list_dict(const struct lz_rehearsed_list *list)
{
    PyObject *results = PyList_New(0);
    for (size_t i = 0; results != NULL && i < list->count; i++) {
        PyObject *item = item_dict(&list->items[i]);
        if (item == NULL || PyList_Append(results, item) < 0)
            Py_CLEAR(results);
        Py_XDECREF(item);
    }
    if (results == NULL)
        return NULL;
    return Py_BuildValue("{sN,sK,sK,sI}", "results", results, "pause_ns",
                         (unsigned long long)list->outcome.pause_ns, "wall_ns",
                         (unsigned long long)list->outcome.wall_ns, "tries",
                         list->outcome.tries);
}

/* The strings of SEQUENCE, borrowed from it: malloc'd, or NULL. */
static const char **
names_of(PyObject *sequence, size_t *ret_count)
{
    size_t count = (size_t)PySequence_Fast_GET_SIZE(sequence);
    const char **names = calloc(count + 1, sizeof(*names));
    if (names == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        PyObject *name = PySequence_Fast_GET_ITEM(sequence, (Py_ssize_t)i);
        names[i] = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
        if (names[i] == NULL) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_TypeError, "names must be str");
            free(names);
            return NULL;
        }
    }
    *ret_count = count;
    return names;
}

static PyObject *LZ_NEEDS_GIL
rehearse_names(const struct lz_rehearsal *setup, PyObject *sequence,
               bool recursive)
{
    size_t count = 0;
    PyObject *result = NULL;
    struct lz_rehearsed_list list;
    struct lz_error error = {0};
    const char **names = names_of(sequence, &count);
    if (names == NULL)
        return NULL;
    if (lazycore_rehearse_load(setup, names, count, recursive, &list, &error) <
        0) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_OSError, error.text);
        lz_error_done(&error);
    } else {
        result = list_dict(&list);
        lz_rehearsed_list_done(&list);
    }
    free(names);
    return result;
}

PyObject *
api_rehearse(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {LZ_CHARS("names"), LZ_CHARS("deadline"),
                               LZ_CHARS("memory"), LZ_CHARS("recursive"),
                               NULL};
    PyObject *names;
    double deadline = 20;
    unsigned long long memory = 0;
    int recursive = 0;
    struct lz_engine *engine = engine_of_module(module);
    lz_called_by_python();
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|dKp:rehearse", keywords,
                                     &names, &deadline, &memory, &recursive))
        return NULL;
    if (engine == NULL || !(deadline > 0 && deadline < 1e6)) {
        PyErr_SetString(PyExc_ValueError,
                        "deadline must be a number of seconds above 0");
        return NULL;
    }
    struct lz_rehearsal setup = {.core = engine->core,
                                 .deadline_ms = (uint64_t)(deadline * 1e3),
                                 .memory_bytes = memory};
    PyObject *sequence =
        PySequence_Fast(names, "names must be a sequence of str");
    if (sequence == NULL)
        return NULL;
    PyObject *result = rehearse_names(&setup, sequence, recursive != 0);
    Py_DECREF(sequence);
    return result;
}
