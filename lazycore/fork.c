/* See fork.h. */
#include "lazycore/fork.h"

#include "lazycore/engine.h"
#include "lazycore/own.h"
#include "lazycore/settle_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The process that this thread forked last, or 0. */
static long
last_child(void)
{
    char text[4096];
    FILE *file = fopen("/proc/thread-self/children", "re");
    if (file == NULL)
        return 0;
    size_t size = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    while (size > 0 && text[size - 1] == ' ')
        size--;
    text[size] = '\0';
    const char *last = strrchr(text, ' ');
    return strtol(last == NULL ? text : last, NULL, 10);
}

PyObject *
fork_before(PyObject *module, PyObject *Py_UNUSED(unused))
{
    struct lz_engine *engine = engine_of_module(module);
    lz_called_by_python();
    if (engine != NULL)
        settle_watch_before_fork(engine);
    Py_RETURN_NONE;
}

PyObject *
fork_in_parent(PyObject *module, PyObject *Py_UNUSED(unused))
{
    struct lz_engine *engine = engine_of_module(module);
    const struct lz_listener *listener =
        engine == NULL ? NULL : &engine->core->listener;
    if (listener != NULL && listener->event != NULL)
        listener->event(listener->arg, LZ_EVENT_FORK, NULL, NULL,
                        last_child());
    if (engine != NULL)
        settle_watch_after_fork(engine, false);
    Py_RETURN_NONE;
}

/* Whether the module lock of NAME is held by a thread that is not here.
 * Greenlets have idents of their own where _thread is patched, but their loads
 * are on this thread's list. -1 with an exception. */
static int
is_orphan(PyObject *name, PyObject *lock, PyObject *ident)
{
    PyObject *owner = PyObject_GetAttrString(lock, "owner");
    if (owner == NULL)
        return -1;
    int result = owner != Py_None && PyLong_Check(owner) &&
                 PyUnicode_Check(name) && !load_runs_here(name);
    if (result == 1) {
        int same = PyObject_RichCompareBool(owner, ident, Py_EQ);
        result = same < 0 ? -1 : !same;
    }
    if (result == 1)
        result = PyLong_AsUnsignedLongMask(owner) !=
                 (unsigned long)PyThread_get_thread_ident();
    Py_DECREF(owner);
    return result;
}

/* Take what is below the package NAME out of sys.modules: it is the package's
 * own load that would bind it there. 0 or -1. */
static int
drop_below(PyObject *name)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *names = PyMapping_Keys(modules);
    PyObject *prefix = PyUnicode_FromFormat("%U.", name);
    int result = names == NULL || prefix == NULL ? -1 : 0;
    Py_ssize_t count = names == NULL ? 0 : PyList_GET_SIZE(names);
    for (Py_ssize_t i = 0; result == 0 && i < count; i++) {
        PyObject *other = PyList_GET_ITEM(names, i);
        if (PyUnicode_Check(other) &&
            PyUnicode_Tailmatch(other, prefix, 0, PY_SSIZE_T_MAX, -1) == 1 &&
            !load_runs_here(other))
            result = PyObject_DelItem(modules, other);
    }
    Py_XDECREF(prefix);
    Py_XDECREF(names);
    return result;
}

/* NAME was being loaded by a thread that is not here: forget its lock, and
 * what is there of it. 0 or -1. */
static int
drop_load(struct lz_engine *engine, PyObject *locks, PyObject *name)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *module = load_peek_module(name);
    int result = PyDict_DelItem(locks, name);
    if (result == 0 && module != NULL && module != Py_None &&
        load_initializing(engine, module)) {
        result = PyObject_DelItem(modules, name);
        target_failed(engine, name);
        if (result == 0)
            result = drop_below(name);
    }
    Py_XDECREF(module);
    return result;
}

/* A module that another thread was loading would be waited for for ever: it
 * is as if that had not begun. 0 or -1. */
static int
drop_loads(struct lz_engine *engine)
{
    PyObject *locks =
        PyObject_GetAttrString(engine->bootstrap, "_module_locks");
    PyObject *thread = PyObject_GetAttrString(engine->bootstrap, "_thread");
    PyObject *ident =
        thread == NULL ? NULL : PyObject_CallMethod(thread, "get_ident", NULL);
    PyObject *items = locks == NULL || ident == NULL || !PyDict_Check(locks)
                          ? NULL
                          : PyDict_Items(locks);
    int result = items == NULL ? -1 : 0;
    Py_ssize_t count = items == NULL ? 0 : PyList_GET_SIZE(items);
    for (Py_ssize_t i = 0; result == 0 && i < count; i++) {
        PyObject *name = PyTuple_GET_ITEM(PyList_GET_ITEM(items, i), 0);
        PyObject *lock = PyObject_CallNoArgs(
            PyTuple_GET_ITEM(PyList_GET_ITEM(items, i), 1));
        if (lock == NULL)
            result = -1;
        else if (lock != Py_None)
            result = is_orphan(name, lock, ident);
        if (result == 1)
            result = drop_load(engine, locks, name);
        Py_XDECREF(lock);
    }
    Py_XDECREF(items);
    Py_XDECREF(ident);
    Py_XDECREF(thread);
    Py_XDECREF(locks);
    return result;
}

/* Forked: our locks, and importlib's, may have been held by a thread that is
 * not here. */
PyObject *
fork_in_child(PyObject *module, PyObject *Py_UNUSED(unused))
{
    struct lz_engine *engine = engine_of_module(module);
    if (engine != NULL) {
        core_after_fork(engine->core);
        load_after_fork(engine);
        own_after_fork(engine);
    }
    if (engine != NULL && engine->installed && drop_loads(engine) < 0)
        lz_forgive();
    if (engine != NULL)
        settle_watch_after_fork(engine, true);
    Py_RETURN_NONE;
}

int
fork_register(PyObject *module)
{
    int result = -1;
    PyObject *args = PyTuple_New(0), *kwargs = NULL;
    PyObject *posix = PyImport_ImportModule("posix");
    PyObject *function =
        posix == NULL ? NULL
                      : PyObject_GetAttrString(posix, "register_at_fork");
    PyObject *before = PyObject_GetAttrString(module, "_forks");
    PyObject *child = PyObject_GetAttrString(module, "_after_fork");
    PyObject *parent = PyObject_GetAttrString(module, "_forked");
    if (before != NULL && child != NULL && parent != NULL)
        kwargs = Py_BuildValue("{sOsOsO}", "before", before, "after_in_child",
                               child, "after_in_parent", parent);
    if (function != NULL && args != NULL && kwargs != NULL) {
        PyObject *done = PyObject_Call(function, args, kwargs);
        result = done == NULL ? -1 : 0;
        Py_XDECREF(done);
    }
    Py_XDECREF(parent);
    Py_XDECREF(child);
    Py_XDECREF(before);
    Py_XDECREF(function);
    Py_XDECREF(posix);
    Py_XDECREF(kwargs);
    Py_XDECREF(args);
    return result;
}
