/* See hold.h.
 *
 * Handlers run on the main thread, which in a forked child is the one that has
 * forked. A load that goes on for too long may wait for the very signal, or
 * for ever: a timer ends the waiting, by a signal of its own, which also ends
 * a call that sleeps.
 */
#include "lazycore/hold.h"

#include "lazycore/engine.h"
#include "lazycore/held.h"

#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id /* of timer_create(2), not in all headers */
#define sigev_notify_thread_id _sigev_un._tid
#endif

static const uint64_t HOLD_MAX_NS = 1000000000;

static _Thread_local struct {
    unsigned depth;
    uint64_t load; /* the number of the outermost; they are never reused */
    uint64_t since_ns;
    bool timed;
    timer_t timer;
} hold;

/* Bit N - 1: signal N waits, on thread TAKER, the only one that runs handlers.
 * Also written by the timer's signal there. */
static _Atomic uint64_t waiting;
static _Atomic pid_t taker;

static uint64_t
bit_of(int number)
{
    return UINT64_C(1) << (number - 1);
}

/* The timer */

/* Runs between any two machine instructions of the main thread. */
static void
on_timer(int signal)
{
    uint64_t bits = atomic_exchange(&waiting, 0);
    (void)signal;
    for (int number = 1; bits != 0; number++, bits >>= 1) {
        if ((bits & 1) != 0)
            (void)PyErr_SetInterruptEx(number);
    }
}

/* A real-time signal that nobody else uses, from the last one down, with
 * on_timer() for handler; 0: none. The handler stays: one more signal may be
 * on its way. */
static int
timer_signal(void)
{
    for (int number = SIGRTMAX; number >= SIGRTMIN; number--) {
        struct sigaction old, action = {.sa_handler = on_timer};
        if (sigaction(number, NULL, &old) < 0)
            continue;
        bool ours = old.sa_handler == on_timer;
        if (ours || (old.sa_handler == SIG_DFL &&
                     sigaction(number, &action, NULL) == 0))
            return number;
    }
    return 0;
}

static void
start_timer(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID,
                             .sigev_signo = hold.timed ? 0 : timer_signal()};
    uint64_t end_ns = hold.since_ns + HOLD_MAX_NS;
    struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(end_ns / 1000000000),
                     .tv_nsec = (long)(end_ns % 1000000000)}};
    event.sigev_notify_thread_id = gettid();
    if (event.sigev_signo == 0 ||
        timer_create(CLOCK_MONOTONIC, &event, &hold.timer) < 0)
        return;
    hold.timed = true;
    (void)timer_settime(hold.timer, TIMER_ABSTIME, &when, NULL);
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

/* Whether the outermost has ended, and handlers wait for that. */
static bool
ends_waiting(void)
{
    if (--hold.depth > 0)
        return false;
    if (hold.timed)
        (void)timer_delete(hold.timer);
    hold.timed = false;
    return atomic_load(&waiting) != 0 && atomic_load(&taker) == gettid();
}

void
hold_after_fork(void)
{
    atomic_store(&waiting, 0);
    hold.since_ns = 0;
    hold.timed = false; /* it is the parent's */
}

uint64_t
hold_current(void)
{
    return hold.depth > 0 ? hold.load : 0;
}

bool
hold_takes(int number, uint64_t installed_in)
{
    if (hold.depth == 0 || installed_in == hold.load || lz_is_finalizing() ||
        usage_wall_ns() - hold.since_ns >= HOLD_MAX_NS)
        return false;
    atomic_store(&taker, gettid());
    atomic_fetch_or(&waiting, bit_of(number));
    start_timer();
    return true;
}

void
hold_drop(int number)
{
    atomic_fetch_and(&waiting, ~bit_of(number));
}

/* Delivery */

static int run_waiting(struct lz_engine *engine);

static int
run_pending(void *arg)
{
    PyObject *module = arg;
    struct lz_engine *engine = engine_of_module(module);
    int result = engine == NULL || hold.depth > 0 ? 0 : run_waiting(engine);
    Py_DECREF(module);
    return result;
}

static void
run_soon(struct lz_engine *engine)
{
    Py_INCREF(engine->module);
    if (Py_AddPendingCall(run_pending, engine->module) < 0)
        Py_DECREF(engine->module);
}

/* By their numbers, as Python does it; after one that raises, the others come
 * soon. */
static int
run_waiting(struct lz_engine *engine)
{
    int result = 0;
    for (int number = 1;
         result == 0 && atomic_load(&waiting) != 0 && number < NSIG;
         number++) {
        uint64_t old = atomic_fetch_and(&waiting, ~bit_of(number));
        if ((old & bit_of(number)) != 0)
            result = held_run(engine, number);
    }
    if (atomic_load(&waiting) != 0)
        run_soon(engine);
    return result;
}

void
hold_end(struct lz_engine *engine)
{
    if (ends_waiting())
        run_soon(engine);
}

int
hold_end_forgiving(struct lz_engine *engine, PyObject *value)
{
    int result =
        value != NULL || PyErr_ExceptionMatches(PyExc_Exception) ? 0 : -1;
    if (result == 0)
        lz_forgive();
    Py_XDECREF(value);
    hold_end(engine);
    return result;
}

int
hold_finish(struct lz_engine *engine)
{
    if (!ends_waiting() || lz_is_finalizing())
        return 0;
    PyObject *error = lz_take_error();
    int result = run_waiting(engine);
    /* A look-up of an attribute would take this for its own answer. */
    if (result < 0 && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        lz_postpone();
        result = 0;
    }
    if (result < 0 && error != NULL) { /* it was on its way when this came */
        PyObject *raised = lz_take_error();
        PyException_SetContext(raised, error);
        error = raised;
    }
    if (error != NULL)
        lz_raise(error);
    return result;
}
