/* See settle_look.h. */
#include "lazycore/settle_look.h"

#include <sys/prctl.h>
#include <time.h>

enum {
    SIGHTINGS = 2, /* of a namespace before it may be called hot, */
    DEPTH = 64,    /* in so many frames of a thread */
    /* And the part of all CPU time that was seen in those that could be
     * settled, taken together: a hundredth. Up to half of that is lost. */
    SHARE = 100,
    WINDOW = 1024 /* looks, after which what was seen counts half */
};
/* How long a running thread keeps the GIL before a look, and while ours loads,
 * which asks for it after every file; nobody else is likely to set these. Then
 * how long a look may wait; the delays of those that follow on each other are
 * so far apart. */
enum { TURN_US = 21, LOAD_TURN_US = 53, DELAY_US = 1000, STEP_US = 617 };
#define ENOUGH_NS UINT64_C(50000000) /* CPU time before anything is hot */
#define GAP_NS UINT64_C(1000000000)  /* the most that one look counts */

/* CPU time of thread ID of this process by the kernel's own numbering of
 * clocks, which glibc uses too: one that has ended is an error, where a dead
 * pthread_t would be undefined. */
static uint64_t
thread_cpu_ns(unsigned long id)
{
    struct timespec time;
    clockid_t clock = (clockid_t)((~(unsigned)id << 3) | 6u);
    if (clock_gettime(clock, &time) < 0)
        return 0;
    return (uint64_t)time.tv_sec * UINT64_C(1000000000) +
           (uint64_t)time.tv_nsec;
}

/* What thread ID has used since the last look at it; 0 where that is not
 * known. */
static uint64_t
used_ns(struct lz_settle *settle, unsigned long id)
{
    size_t oldest = 0;
    uint64_t now = thread_cpu_ns(id);
    /* They come in one order at every look. */
    for (size_t n = 0; n < LZ_SETTLE_THREADS; n++) {
        size_t i = (settle->at + n) % LZ_SETTLE_THREADS;
        if (settle->threads[i].id == id) {
            uint64_t before = settle->threads[i].cpu_ns;
            settle->threads[i].cpu_ns = now;
            settle->threads[i].look = settle->look;
            settle->at = i + 1;
            if (now <
                before) /* another thread with the number of an old one */
                return 0;
            return now - before > GAP_NS ? GAP_NS : now - before;
        }
        if (settle->threads[i].look < settle->threads[oldest].look)
            oldest = i;
    }
    if (settle->threads[oldest].look < settle->look) {
        settle->threads[oldest].id = id;
        settle->threads[oldest].cpu_ns = now;
        settle->threads[oldest].look = settle->look;
    }
    return 0;
}

/* Count the namespaces, with names pending, that STATE's thread is in: USED_NS
 * is the innermost's. Those of its callers are seen as well: what it is come
 * back to over and over is known after few looks. */
static void
count_frames(struct lz_engine *engine, PyThreadState *state, uint64_t used_ns)
{
    uint64_t look = engine->settle->look;
    PyFrameObject *frame = PyThreadState_GetFrame(state);
    for (int depth = 0; frame != NULL && depth < DEPTH; depth++) {
        PyObject *globals = PyFrame_GetGlobals(frame);
        struct lz_namespace *ns = namespace_find(engine, globals);
        Py_DECREF(globals);
        bool slow = ns != NULL && ns->pending > 0;
        if (slow && depth == 0)
            ns->heat_ns += used_ns;
        if (slow && ns->look != look)
            ns->sightings++;
        if (slow)
            ns->look = look;
        PyFrameObject *caller = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = caller;
    }
    Py_XDECREF(frame);
    lz_forgive();
}

static void
halve(struct lz_engine *engine, struct lz_settle *settle)
{
    settle->total_ns /= 2;
    settle->walked_users = 0;
    for (struct lz_node *node = table_first(&engine->namespaces); node != NULL;
         node = table_next(node)) {
        struct lz_namespace *ns = namespace_of_node(node);
        ns->heat_ns /= 2;
        ns->sightings /= 2;
    }
}

static bool
may_settle(const struct lz_namespace *ns)
{
    return ns->pending > 0 && ns->refused != ns->pending;
}

/* What was seen in all namespaces that could be settled. */
static uint64_t
heat_of_all(struct lz_engine *engine)
{
    uint64_t result = 0;
    for (struct lz_node *node = table_first(&engine->namespaces); node != NULL;
         node = table_next(node)) {
        struct lz_namespace *ns = namespace_of_node(node);
        if (may_settle(ns))
            result += ns->heat_ns;
    }
    return result;
}

bool
settle_is_slow(struct lz_engine *engine)
{
    const struct lz_settle *settle = engine->settle;
    return settle->total_ns >= ENOUGH_NS &&
           heat_of_all(engine) >= settle->total_ns / SHARE;
}

/* The one that was seen longest of those that were seen often; or NULL. */
static struct lz_namespace *
find_hottest(struct lz_engine *engine)
{
    struct lz_namespace *result = NULL;
    for (struct lz_node *node = table_first(&engine->namespaces); node != NULL;
         node = table_next(node)) {
        struct lz_namespace *ns = namespace_of_node(node);
        if (may_settle(ns) && ns->sightings >= SIGHTINGS &&
            ns->heat_ns > (result == NULL ? 0 : result->heat_ns))
            result = ns;
    }
    return result;
}

struct lz_namespace *
settle_hottest(struct lz_engine *engine)
{
    struct lz_namespace *hottest =
        settle_is_slow(engine) ? find_hottest(engine) : NULL;
    Py_XINCREF(hottest);
    return hottest;
}

void
settle_look(struct lz_engine *engine)
{
    struct lz_settle *settle = engine->settle;
    /* A collection could run code, and a thread end meanwhile. */
    bool collects = PyGC_Disable() != 0;
    settle->look++;
    for (PyThreadState *state =
             PyInterpreterState_ThreadHead(PyInterpreterState_Get());
         state != NULL; state = PyThreadState_Next(state)) {
        uint64_t used = used_ns(settle, state->native_thread_id);
        settle->total_ns += used;
        if (used > 0)
            count_frames(engine, state, used);
    }
    if (settle->look % WINDOW == 0)
        halve(engine, settle);
    if (collects)
        (void)PyGC_Enable();
}

/* Not where the service has taken the functions away before install(). */
static bool
has_interval(const struct lz_settle *settle)
{
    return settle->get_interval != NULL && settle->set_interval != NULL;
}

static unsigned long
interval_now_us(const struct lz_settle *settle)
{
    PyObject *value = PyObject_CallNoArgs(settle->get_interval);
    double seconds = value == NULL ? 0 : PyFloat_AsDouble(value);
    Py_XDECREF(value);
    lz_forgive();
    return seconds > 0 ? (unsigned long)(seconds * 1e6 + 0.5) : 0;
}

/* The interpreter drops what is left of a microsecond, which may be nearly
 * one: 7 ms would become 6.999 ms. */
static void
set_interval_us(const struct lz_settle *settle, unsigned long interval_us)
{
    double seconds = ((double)interval_us + 0.25) * 1e-6;
    Py_XDECREF(PyObject_CallFunction(settle->set_interval, "d", seconds));
    lz_forgive();
}

/* Our function in the place of the interpreter's, or that back if nobody has
 * put another there, which may call ours. */
static int
patch_interval(struct lz_engine *engine, bool ours)
{
    PyObject *sys = PyImport_ImportModule("sys");
    PyObject *function =
        PyObject_GetAttrString(engine->module, "_getswitchinterval");
    PyObject *now = PySys_GetObject("getswitchinterval"); /* borrowed */
    int result = sys == NULL || function == NULL ? -1 : 0;
    PyObject **saved = &engine->settle->get_interval;
    if (result < 0 || now == NULL)
        ; /* the service has taken it away */
    else if (ours && *saved == NULL)
        result = engine_patch(sys, "getswitchinterval", function, saved);
    else if (now == (ours ? *saved : function))
        result =
            PySys_SetObject("getswitchinterval", ours ? function : *saved);
    Py_XDECREF(function);
    Py_XDECREF(sys);
    return result;
}

int
settle_patch_interval(struct lz_engine *engine)
{
    return patch_interval(engine, true);
}

PyObject *
settle_get_interval(PyObject *module, PyObject *Py_UNUSED(unused))
{
    struct lz_engine *engine = engine_or_raise(module);
    if (engine == NULL)
        return NULL;
    const struct lz_settle *settle = engine->settle;
    if (settle == NULL || settle->get_interval == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "lazycore was never installed");
        return NULL;
    }
    if (settle->awaiting > 0 && settle->interval_us != 0 &&
        interval_now_us(settle) == settle->turn_us)
        return PyFloat_FromDouble((double)settle->interval_us * 1e-6);
    return PyObject_CallNoArgs(settle->get_interval);
}

/* Not where the service has set another meanwhile. It may also set again what
 * it found while a look waited: the next look mends that. */
static void
give_interval_back(const struct lz_settle *settle)
{
    if (settle->interval_us != 0 && interval_now_us(settle) == settle->turn_us)
        set_interval_us(settle, settle->interval_us);
}

/* Whoever has begun turns. */
static void
turns_over(struct lz_settle *settle)
{
    if (settle->awaiting > 0)
        give_interval_back(settle);
    settle->awaiting = 0;
}

int
settle_unpatch_interval(struct lz_engine *engine)
{
    struct lz_settle *settle = engine->settle;
    if (settle == NULL || settle->get_interval == NULL)
        return 0;
    turns_over(settle); /* from here on they are seen */
    return patch_interval(engine, false);
}

void
settle_after_fork(struct lz_engine *engine)
{
    turns_over(engine->settle);
}

/* Short turns for all threads: so long, or as another thread asked for. */
static void
turns_begin(struct lz_settle *settle, unsigned long turn_us)
{
    if (!has_interval(settle))
        return;
    if (settle->awaiting++ == 0)
        settle->turn_us = turn_us;
    unsigned long before = interval_now_us(settle);
    if (before > settle->turn_us) {
        /* Who set ours again had found it meanwhile. */
        if (before != LOAD_TURN_US || settle->interval_us == 0)
            settle->interval_us = before;
        set_interval_us(settle, settle->turn_us);
    }
}

static void
turns_end(struct lz_settle *settle)
{
    /* 0 in a child, whose parent had begun them, after uninstall(), and where
     * they cannot be set. */
    if (settle->awaiting > 0 && --settle->awaiting == 0)
        give_interval_back(settle);
}

void
settle_load_begins(struct lz_engine *engine)
{
    turns_begin(engine->settle, LOAD_TURN_US);
}

void
settle_load_ends(struct lz_engine *engine)
{
    turns_end(engine->settle);
}

void
settle_await_any_moment(struct lz_engine *engine)
{
    struct lz_settle *settle = engine->settle;
    if (!has_interval(settle))
        return;
    turns_begin(settle, TURN_US);
    struct timespec delay = {
        .tv_nsec = (long)(settle->look * STEP_US % DELAY_US) * 1000};
    PyThreadState *state = PyEval_SaveThread();
    /* Otherwise the kernel adds 50 us to every wait. */
    int slack_ns = prctl(PR_GET_TIMERSLACK);
    (void)prctl(PR_SET_TIMERSLACK, 1);
    (void)nanosleep(&delay, NULL);
    PyEval_RestoreThread(state);
    (void)prctl(PR_SET_TIMERSLACK, slack_ns);
    turns_end(settle);
}
