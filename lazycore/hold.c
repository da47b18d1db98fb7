/* See hold.h. What Python keeps for a signal is a HeldHandler, which calls the
 * service's handler or notes that it has to be called.
 *
 * All that is kept belongs to a thread: handlers run on the main one, which
 * in a forked child is the one that has forked. A load that goes on for too
 * long may wait for the very signal, or for ever: a timer sends it once more.
 */
#include "lazycore/hold.h"

#include "lazycore/engine.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id /* of timer_create(2), not in all headers */
#define sigev_notify_thread_id _sigev_un._tid
#endif

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
    int timed;        /* the signal that the timer sends, or 0 */
    timer_t timer;
} hold;

static uint64_t
bit_of(int number)
{
    return UINT64_C(1) << (number - 1);
}

/* The timer */

/* Send NUMBER to this thread again when the load has taken too long. */
static void
start_timer(int number)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID,
                             .sigev_signo = number};
    uint64_t end_ns = hold.since_ns + HOLD_MAX_NS;
    struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(end_ns / 1000000000),
                     .tv_nsec = (long)(end_ns % 1000000000)}};
    event.sigev_notify_thread_id = gettid();
    if (hold.timed != 0 ||
        timer_create(CLOCK_MONOTONIC, &event, &hold.timer) < 0)
        return;
    hold.timed = number;
    (void)timer_settime(hold.timer, TIMER_ABSTIME, &when, NULL);
}

/* The signal that it has sent, which is on its way or was handled, or 0. */
static int
stop_timer(void)
{
    struct itimerspec left = {0};
    int number = hold.timed;
    if (number == 0)
        return 0;
    bool fired = timer_gettime(hold.timer, &left) == 0 &&
                 left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0;
    (void)timer_delete(hold.timer);
    hold.timed = 0;
    return fired ? number : 0;
}

/* Loads */

void
hold_begin(void)
{
    if (hold.depth++ > 0)
        return;
    hold.load++;
    hold.since_ns = usage_wall_ns();
}

/* What waits is as if it came now. */
static void
trip_waiting(void)
{
    for (int number = 1; hold.waiting != 0 && number < NSIG; number++) {
        if ((hold.waiting & bit_of(number)) != 0)
            (void)PyErr_SetInterruptEx(number);
        hold.waiting &= ~bit_of(number);
    }
}

/* Whether the outermost has ended, and handlers wait for that. */
static bool
ends_waiting(void)
{
    if (--hold.depth > 0 || hold.waiting == 0)
        return false;
    int sent = stop_timer();
    if (sent != 0)
        hold.waiting &= ~bit_of(sent);
    return hold.waiting != 0;
}

void
hold_end(void)
{
    if (ends_waiting())
        trip_waiting();
}

void
hold_after_fork(void)
{
    hold.waiting = hold.since_ns = 0;
    hold.timed = 0; /* it is the parent's */
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

/* Whether a call of HANDLER can look up no name and call nothing: C code, and
 * a function that is there to do nothing. */
static bool
is_inert(PyObject *handler)
{
    if (PyCFunction_Check(handler))
        return true;
    if (!PyFunction_Check(handler) || PyFunction_GET_DEFAULTS(handler) != NULL)
        return false;
    const PyCodeObject *code =
        (const PyCodeObject *)PyFunction_GET_CODE(handler);
    return PyTuple_GET_SIZE(code->co_names) == 0 && code->co_nfreevars == 0;
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
        PyObject *done =
            new == NULL || new == old
                ? NULL
                : PyObject_CallFunction(engine->signal, "iO", number, new);
        Py_XDECREF(done);
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
hold_install(struct lz_engine *engine)
{
    change_handlers(engine, wrap);
}

void
hold_uninstall(struct lz_engine *engine)
{
    change_handlers(engine, unwrap_new);
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
hold_finish(struct lz_engine *engine)
{
    if (!ends_waiting() || lz_is_finalizing())
        return 0;
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    int result = 0;
    for (int number = 1; result == 0 && hold.waiting != 0 && number < NSIG;
         number++) {
        bool waits = (hold.waiting & bit_of(number)) != 0;
        hold.waiting &= ~bit_of(number);
        if (waits)
            result = call_handler(engine, number);
    }
    /* A look-up of an attribute would take this for its own answer. */
    if (result < 0 && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        lz_postpone();
        result = 0;
    }
    trip_waiting();
    if (result == 0)
        PyErr_Restore(type, error, traceback);
    else if (type != NULL)
        chain(type, error, traceback);
    return result;
}

/* The type */

static bool
took_too_long(void)
{
    return usage_wall_ns() - hold.since_ns >= HOLD_MAX_NS;
}

static bool
must_wait(const struct lz_held *ours)
{
    return hold.depth > 0 && ours->load != hold.load && !lz_is_finalizing() &&
           !took_too_long();
}

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
    if (number > 0 && number < NSIG && must_wait(ours)) {
        hold.waiting |= bit_of((int)number);
        start_timer((int)number);
        Py_RETURN_NONE;
    }
    if (number > 0 && number < NSIG)
        hold.waiting &= ~bit_of((int)number);
    if (hold.depth > 0 && took_too_long())
        trip_waiting();
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
