/* See fork.h. */
#include "lazycore/fork.h"

#include "lazycore/engine.h"

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
fork_in_parent(PyObject *module, PyObject *Py_UNUSED(unused))
{
    struct lz_engine *engine = engine_of_module(module);
    const struct lz_listener *listener =
        engine == NULL ? NULL : &engine->core->listener;
    if (listener != NULL && listener->event != NULL)
        listener->event(listener->arg, LZ_EVENT_FORK, NULL, NULL,
                        last_child());
    Py_RETURN_NONE;
}

/* Forked: our locks may have been held by a thread that is not here. */
PyObject *
fork_in_child(PyObject *module, PyObject *Py_UNUSED(unused))
{
    struct lz_engine *engine = engine_of_module(module);
    if (engine != NULL)
        core_after_fork(engine->core);
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
    PyObject *child = PyObject_GetAttrString(module, "_after_fork");
    PyObject *parent = PyObject_GetAttrString(module, "_forked");
    if (child != NULL && parent != NULL)
        kwargs = Py_BuildValue("{sOsO}", "after_in_child", child,
                               "after_in_parent", parent);
    if (function != NULL && args != NULL && kwargs != NULL) {
        PyObject *done = PyObject_Call(function, args, kwargs);
        result = done == NULL ? -1 : 0;
        Py_XDECREF(done);
    }
    Py_XDECREF(parent);
    Py_XDECREF(child);
    Py_XDECREF(function);
    Py_XDECREF(posix);
    Py_XDECREF(kwargs);
    Py_XDECREF(args);
    return result;
}
