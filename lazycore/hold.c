/* See hold.h. What Python keeps for a signal is a HeldHandler, which calls the
 * service's handler or notes that it has to be called.
 *
 * All that is kept belongs to a thread: handlers run on the main one, which
 * in a forked child is the one that has forked.
 */
#include "lazycore/hold.h"

#include "lazycore/engine.h"

#include <signal.h>

/* A load that takes longer may wait for the very signal, or for ever. */
static const uint64_t HOLD_MAX_NS = 1000000000;

struct lz_held {
    PyObject_HEAD PyObject *handler;
    uint64_t load; /* that was under way when it was installed, or 0 */
};

static _Thread_local struct {
    unsigned depth;
    uint64_t load; /* the number of the outermost; they are never reused */
    uint64_t since_ns;
    uint64_t waiting; /* bit N - 1: signal N */
    bool delivering;
} hold;

/* Loads */

void
hold_begin(void)
{
    if (hold.depth++ > 0)
        return;
    hold.load++;
    hold.since_ns = usage_wall_ns();
}

static int
deliver_pending(void *arg)
{
    PyObject *module = arg;
    struct lz_engine *engine = engine_of_module(module);
    int result = engine == NULL ? 0 : hold_deliver(engine);
    Py_DECREF(module);
    return result;
}

/* Soon, should nobody come by who can raise what a handler raises. */
static void
post_delivery(struct lz_engine *engine)
{
    Py_INCREF(engine->module);
    if (Py_AddPendingCall(deliver_pending, engine->module) < 0)
        Py_DECREF(engine->module);
}

void
hold_end(struct lz_engine *engine)
{
    if (--hold.depth == 0 && hold.waiting != 0)
        post_delivery(engine);
}

void
hold_after_fork(void)
{
    hold.waiting = 0;
}

/* Handlers */

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

/* HANDLER may be anything, which is the interpreter's to refuse. */
static PyObject *
wrap(struct lz_engine *engine, PyObject *handler)
{
    if (!PyCallable_Check(handler) || PyLong_Check(handler) ||
        handler == engine->interrupt_handler)
        return Py_NewRef(handler);
    struct lz_held *ours =
        PyObject_GC_New(struct lz_held, engine->handler_type);
    if (ours == NULL)
        return NULL;
    ours->handler = Py_NewRef(handler);
    ours->load = hold.depth > 0 ? hold.load : 0;
    PyObject_GC_Track((PyObject *)ours);
    return (PyObject *)ours;
}

PyObject *
hold_signal(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    struct lz_engine *engine = engine_of_module(module);
    if (engine == NULL || engine->signal == NULL)
        return engine_gone();
    if (nargs != 2)
        return PyObject_Vectorcall(engine->signal, args, (size_t)nargs, NULL);
    PyObject *handler = wrap(engine, args[1]);
    PyObject *old = handler == NULL
                        ? NULL
                        : PyObject_CallFunctionObjArgs(engine->signal, args[0],
                                                       handler, NULL);
    Py_XDECREF(handler);
    return unwrap(engine, old);
}

PyObject *
hold_getsignal(PyObject *module, PyObject *number)
{
    struct lz_engine *engine = engine_of_module(module);
    if (engine == NULL || engine->getsignal == NULL)
        return engine_gone();
    return unwrap(engine, PyObject_CallOneArg(engine->getsignal, number));
}

void
hold_uninstall(struct lz_engine *engine)
{
    for (int number = 1; engine->getsignal != NULL && number < NSIG;
         number++) {
        PyObject *handler =
            PyObject_CallFunction(engine->getsignal, "i", number);
        const struct lz_held *ours =
            handler == NULL ? NULL : as_ours(engine, handler);
        PyObject *done = ours == NULL
                             ? NULL
                             : PyObject_CallFunction(engine->signal, "iO",
                                                     number, ours->handler);
        Py_XDECREF(done);
        Py_XDECREF(handler);
        lz_forgive(); /* not in the main thread: it goes on as before */
    }
}

/* Delivery */

/* The handler that SIGNAL has now, which may be another than when it came. */
static int
call_handler(struct lz_engine *engine, int number)
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

/* What is raised now came while ERROR, with the others, was on its way: steals
 * those. */
static void
chain(PyObject *type, PyObject *error, PyObject *traceback)
{
    PyObject *type2, *error2, *traceback2;
    PyErr_Fetch(&type2, &error2, &traceback2);
    PyErr_NormalizeException(&type, &error, &traceback);
    PyErr_NormalizeException(&type2, &error2, &traceback2);
    if (traceback != NULL)
        (void)PyException_SetTraceback(error, traceback);
    PyException_SetContext(error2, error);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    PyErr_Restore(type2, error2, traceback2);
}

int
hold_deliver(struct lz_engine *engine)
{
    if (hold.waiting == 0 || hold.depth > 0 || hold.delivering ||
        lz_is_finalizing())
        return 0;
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    int result = 0;
    hold.delivering = true;
    for (int number = 1; result == 0 && hold.waiting != 0 && number < NSIG;
         number++) {
        uint64_t bit = UINT64_C(1) << (number - 1);
        bool waits = (hold.waiting & bit) != 0;
        hold.waiting &= ~bit;
        if (waits)
            result = call_handler(engine, number);
    }
    hold.delivering = false;
    if (hold.waiting != 0)
        post_delivery(engine);
    if (result == 0)
        PyErr_Restore(type, error, traceback);
    else if (type != NULL)
        chain(type, error, traceback);
    return result;
}

/* The type */

static bool
must_wait(const struct lz_held *ours)
{
    return hold.depth > 0 && ours->load != hold.load && !lz_is_finalizing() &&
           usage_wall_ns() - hold.since_ns < HOLD_MAX_NS;
}

static PyObject *
handler_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    struct lz_held *ours = (struct lz_held *)self;
    PyObject *number =
        PyTuple_GET_SIZE(args) == 2 ? PyTuple_GET_ITEM(args, 0) : NULL;
    long signal =
        number != NULL && PyLong_Check(number) ? PyLong_AsLong(number) : -1;
    if (signal == -1 && PyErr_Occurred())
        return NULL;
    if (signal > 0 && signal < NSIG && must_wait(ours)) {
        hold.waiting |= UINT64_C(1) << (signal - 1);
        Py_RETURN_NONE;
    }
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
