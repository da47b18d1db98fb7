/* lazycore.ready(), and what the host wants loaded before the service is
 * ready, in the call of lazycore.ready(): all import statements of the start
 * have run by then, and a server that forks has not.
 */
#include "lazycore/api.h"

#include <string.h>

/* Load NAME. 0, or -1 with an exception that must go on: one that ends the
 * service, or is another's business. */
static int
warm_one(struct lz_engine *engine, const char *text)
{
    const struct lz_listener *listener = &engine->core->listener;
    char error[600];
    PyObject *name = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text),
                                          "surrogateescape");
    int result = name == NULL ? -1 : host_import(engine, name);
    Py_XDECREF(name);
    if (result < 0) {
        if (!PyErr_ExceptionMatches(PyExc_Exception))
            return -1;
        place_error_text(error, sizeof(error));
        PyErr_Clear();
    }
    if (listener->warmed != NULL)
        listener->warmed(listener->arg, text, result < 0 ? error : NULL);
    return PyErr_CheckSignals();
}

static int
warm_up(struct lz_engine *engine)
{
    struct lz_core *core = engine->core;
    const char *const *names = core->warm;
    size_t count = core->warm_count;
    const struct lz_listener *listener = &core->listener;
    uint64_t begin = usage_wall_ns();
    core->warm_count = 0; /* once, and not in the call of one of them */
    if (count == 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (warm_one(engine, names[i]) < 0)
            return -1;
    }
    if (listener->warm_end != NULL)
        listener->warm_end(listener->arg, usage_wall_ns() - begin);
    return 0;
}

PyObject *
warm_ready(PyObject *module, PyObject *Py_UNUSED(unused))
{
    struct lz_engine *engine = engine_or_raise(module);
    if (engine == NULL || warm_up(engine) < 0)
        return NULL;
    atomic_store(&engine->core->ready, 1);
    const struct lz_listener *listener = &engine->core->listener;
    if (listener->ready != NULL)
        listener->ready(listener->arg);
    Py_RETURN_NONE;
}
