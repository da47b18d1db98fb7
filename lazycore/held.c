/* See held.h. */
#include "lazycore/held.h"

#include "lazycore/engine.h"
#include "lazycore/hold.h"

#include <signal.h>

struct lz_held {
    PyObject_HEAD PyObject *handler;
    uint64_t load; /* that was under way when it was installed, or 0 */
};

static struct lz_held *
as_ours(const struct lz_engine *engine, PyObject *handler)
{
    return Py_TYPE(handler) == engine->handler_type ? (struct lz_held *)handler
                                                    : NULL;
}

/* What the service has put there: HANDLER is stolen. */
static PyObject *
unwrap(const struct lz_engine *engine, PyObject *handler)
{
    const struct lz_held *ours =
        handler == NULL ? NULL : as_ours(engine, handler);
    if (ours != NULL)
        Py_SETREF(handler, Py_NewRef(ours->handler));
    return handler;
}

/* Whether CODE does nothing but return a constant. */
static bool
does_nothing(PyCodeObject *code)
{
    PyObject *bytes = lz_code_bytes(code);
    const unsigned char *units =
        bytes == NULL ? NULL : (const unsigned char *)PyBytes_AS_STRING(bytes);
    Py_ssize_t at = 0;
    while (units != NULL && at < PyBytes_GET_SIZE(bytes) &&
           lz_op_is_idle(units[at]))
        at += 2;
    bool result = units != NULL && at >= PyBytes_GET_SIZE(bytes);
    Py_XDECREF(bytes);
    lz_forgive();
    return result;
}

/* Whether a call of HANDLER can look up no name: C code, and a function that
 * is there to do nothing. */
static bool
is_inert(PyObject *handler)
{
    return PyCFunction_Check(handler) ||
           (PyFunction_Check(handler) &&
            does_nothing((PyCodeObject *)PyFunction_GET_CODE(handler)));
}

/* HANDLER may be anything, which is the interpreter's to refuse. */
static PyObject *
wrap(struct lz_engine *engine, PyObject *handler)
{
    if (!PyCallable_Check(handler) || PyLong_Check(handler) ||
        as_ours(engine, handler) != NULL || is_inert(handler))
        return Py_NewRef(handler);
    struct lz_held *ours =
        PyObject_GC_New(struct lz_held, engine->handler_type);
    if (ours == NULL)
        return NULL;
    ours->handler = Py_NewRef(handler);
    ours->load = hold_current();
    PyObject_GC_Track((PyObject *)ours);
    return (PyObject *)ours;
}

static PyObject *
set_handler(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    struct lz_engine *engine = engine_of_module(module);
    if (engine == NULL || engine->signal == NULL)
        return engine_gone();
    if (nargs != 2)
        return PyObject_Vectorcall(engine->signal, args, (size_t)nargs, NULL);
    long number = PyLong_Check(args[0]) ? PyLong_AsLong(args[0]) : 0;
    if (number == -1)
        PyErr_Clear(); /* the interpreter says so, too */
    if (number > 0 && number < NSIG && PyLong_Check(args[1]))
        hold_drop((int)number);
    PyObject *handler = wrap(engine, args[1]);
    PyObject *old = handler == NULL
                        ? NULL
                        : PyObject_CallFunctionObjArgs(engine->signal, args[0],
                                                       handler, NULL);
    Py_XDECREF(handler);
    return unwrap(engine, old);
}

static PyObject *
get_handler(PyObject *module, PyObject *number)
{
    struct lz_engine *engine = engine_of_module(module);
    if (engine == NULL || engine->getsignal == NULL)
        return engine_gone();
    return unwrap(engine, PyObject_CallOneArg(engine->getsignal, number));
}

PyMethodDef held_methods[] = {
    {"signal", (PyCFunction)(void (*)(void))set_handler, METH_FASTCALL,
     PyDoc_STR("signal($module, signalnum, handler, /)\n--\n\nSet the action "
               "for the given signal.")},
    {"getsignal", get_handler, METH_O,
     PyDoc_STR("getsignal($module, signalnum, /)\n--\n\nReturn the current "
               "action for the given signal.")},
    {NULL, NULL, 0, NULL},
};

/* Python keeps HANDLER for NUMBER from now on, and calls are restarted if they
 * were: signal.siginterrupt(). */
static void
replace_handler(struct lz_engine *engine, int number, PyObject *handler)
{
    struct sigaction action;
    bool restarts = sigaction(number, NULL, &action) == 0 &&
                    (action.sa_flags & SA_RESTART) != 0;
    PyObject *done =
        PyObject_CallFunction(engine->signal, "iO", number, handler);
    if (done != NULL && restarts && sigaction(number, NULL, &action) == 0) {
        action.sa_flags |= SA_RESTART;
        (void)sigaction(number, &action, NULL);
    }
    Py_XDECREF(done);
}

/* Each handler that is there becomes what CHANGE makes of it. Not in another
 * thread than the main one: they stay then. */
static void
change_handlers(struct lz_engine *engine,
                PyObject *(*change)(struct lz_engine *engine,
                                    PyObject *handler))
{
    for (int number = 1; engine->getsignal != NULL && number < NSIG;
         number++) {
        PyObject *old = PyObject_CallFunction(engine->getsignal, "i", number);
        PyObject *new = old == NULL ? NULL : change(engine, old);
        if (new != NULL &&new != old)
            replace_handler(engine, number, new);
        Py_XDECREF(new);
        Py_XDECREF(old);
        lz_forgive();
    }
}

static PyObject *
unwrap_new(struct lz_engine *engine, PyObject *handler)
{
    return unwrap(engine, Py_NewRef(handler));
}

void
held_install(struct lz_engine *engine)
{
    change_handlers(engine, wrap);
}

void
held_uninstall(struct lz_engine *engine)
{
    change_handlers(engine, unwrap_new);
}

int
held_run(struct lz_engine *engine, int number)
{
    PyObject *handler =
        unwrap(engine, PyObject_CallFunction(engine->getsignal, "i", number));
    PyObject *frame = (PyObject *)PyEval_GetFrame(); /* borrowed */
    PyObject *done = NULL;
    if (handler != NULL && (PyLong_Check(handler) || handler == Py_None))
        done = Py_NewRef(Py_None); /* it is ignored, or not Python's */
    else if (handler != NULL)
        done = PyObject_CallFunction(handler, "iO", number,
                                     frame == NULL ? Py_None : frame);
    Py_XDECREF(done);
    Py_XDECREF(handler);
    return done == NULL ? -1 : 0;
}

/* The type */

static PyObject *
handler_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    struct lz_held *ours = (struct lz_held *)self;
    PyObject *first =
        PyTuple_GET_SIZE(args) == 2 ? PyTuple_GET_ITEM(args, 0) : NULL;
    long number =
        first != NULL && PyLong_Check(first) ? PyLong_AsLong(first) : -1;
    if (number == -1 && PyErr_Occurred())
        return NULL;
    if (number > 0 && number < NSIG && hold_takes((int)number, ours->load))
        Py_RETURN_NONE;
    PyObject *handler = Py_NewRef(ours->handler);
    PyObject *result = PyObject_Call(handler, args, kwargs);
    Py_DECREF(handler);
    return result;
}

static int
handler_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((struct lz_held *)self)->handler);
    return 0;
}

static int
handler_clear(PyObject *self)
{
    Py_CLEAR(((struct lz_held *)self)->handler);
    return 0;
}

static void
handler_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    (void)handler_clear(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyType_Slot handler_slots[] = {
    {Py_tp_doc, LZ_CHARS("A signal handler that waits for loads.")},
    {Py_tp_call, (void *)handler_call},
    {Py_tp_traverse, (void *)handler_traverse},
    {Py_tp_clear, (void *)handler_clear},
    {Py_tp_dealloc, (void *)handler_dealloc},
    {0, NULL},
};

PyType_Spec lz_held_spec = {
    .name = "lazycore.HeldHandler",
    .basicsize = sizeof(struct lz_held),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = handler_slots,
};
