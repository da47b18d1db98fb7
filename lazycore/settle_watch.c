/* See settle_watch.h. */
#include "lazycore/settle_watch.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "lazycore/compat.h"
#include "lazycore/settle.h"
#include "lazycore/thread.h"
#include "lazycore/usage.h"

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

struct lz_watch {
    struct lz_core *core;
    struct lz_watch_pace pace; /* the thread's, until it is joined */
    pthread_t thread;
    struct lz_mutex lock;
    pthread_cond_t ends;
    bool over LZ_GUARDED;
    bool alone LZ_GUARDED; /* nobody joins the thread */
};

/* In CPython 3.11 a child deletes the states of the threads that it has not,
 * before it makes the lock for them anew: it waits for ever where a thread of
 * its parent was being given one, which takes no GIL. Forks, between their
 * hooks, keep ours from that. */
static struct {
    struct lz_mutex lock;
    unsigned forks LZ_GUARDED;
} births = {.lock = {PTHREAD_MUTEX_INITIALIZER}};

/* A state for this thread, not attached: NULL while a thread forks. */
static PyThreadState *LZ_UNCHECKED
state_new(void)
{
    PyThreadState *state = NULL;
    lz_mutex_lock(&births.lock);
    if (births.forks == 0)
        state = PyThreadState_New(PyInterpreterState_Main());
    lz_mutex_unlock(&births.lock);
    return state;
}

/* STATE is attached. */
static void
state_delete(PyThreadState *state)
{
    PyThreadState_Clear(state);
    PyThreadState_DeleteCurrent();
}

/* Who holds the lock may be waiting for the GIL: where tracemalloc traces, to
 * note the state's memory. */
static void LZ_UNCHECKED
fork_begins(void)
{
    PyThreadState *state = NULL;
    if (pthread_mutex_trylock(&births.lock.raw) != 0) {
        state = PyEval_SaveThread();
        lz_mutex_lock(&births.lock);
    }
    births.forks++;
    lz_mutex_unlock(&births.lock);
    if (state != NULL)
        PyEval_RestoreThread(state);
}

static void LZ_UNCHECKED
fork_ends(bool child)
{
    if (child)
        lz_mutex_init(&births.lock);
    lz_mutex_lock(&births.lock);
    if (child)
        births.forks = 0;
    else if (births.forks > 0) /* its hook was there before it */
        births.forks--;
    lz_mutex_unlock(&births.lock);
}

/* Until then; whether it is to end. */
static bool LZ_UNCHECKED
sleep_or_end(struct lz_watch *watch, uint64_t until_ns)
{
    struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_S),
                             .tv_nsec = (long)(until_ns % NS_PER_S)};
    lz_mutex_lock(&watch->lock);
    while (!watch->over &&
           pthread_cond_clockwait(&watch->ends, &watch->lock.raw,
                                  CLOCK_MONOTONIC, &until) != ETIMEDOUT)
        ;
    bool over = watch->over;
    lz_mutex_unlock(&watch->lock);
    return over;
}

static void
watch_free(struct lz_watch *watch)
{
    (void)pthread_cond_destroy(&watch->ends);
    lz_mutex_done(&watch->lock);
    free(watch);
}

static bool LZ_UNCHECKED
is_over(struct lz_watch *watch)
{
    lz_mutex_lock(&watch->lock);
    bool over = watch->over;
    lz_mutex_unlock(&watch->lock);
    return over;
}

/* Looks, and settles one after the other what they have shown; whether
 * anything was loaded, and in *RET_SLOW whether something is left. */
static bool LZ_NEEDS_GIL
look(struct lz_watch *watch, bool *ret_slow)
{
    bool loaded = false, more = true;
    for (unsigned looks = LZ_SETTLE_BURST; more; looks = 0) {
        struct lz_settled settled;
        settle_burst(looks, &settled);
        loaded |= settled.modules > 0;
        more = !is_over(watch) &&
               (settled.name != NULL || settled.why[0] != '\0');
        free(settled.name);
        *ret_slow = settled.slow;
    }
    return loaded;
}

/* The thread has one state from its first load to its end: what it has loaded
 * may have put things of a thread's own there. Until then Python knows of it
 * while it looks only. */
static void *
watch_main(void *arg) LZ_UNCHECKED
{
    struct lz_watch *watch = arg;
    struct lz_settle_pace *pace = &watch->pace.pace;
    PyThreadState *state = NULL;
    bool keeps = false;
    while (!sleep_or_end(watch, watch->pace.next_ns)) {
        bool due = settle_pace_due(pace, usage_process_cpu_ns(),
                                   registry_loads(watch->core->registry));
        watch->pace.next_ns =
            usage_wall_ns() + settle_pace_wait_ms(pace) * NS_PER_MS;
        if (due && state == NULL)
            state = state_new();
        if (!due || state == NULL)
            continue;
        PyEval_RestoreThread(state);
        bool slow;
        keeps = look(watch, &slow) || keeps;
        if (!is_over(watch)) /* else there may be no engine */
            settle_pace_looked(pace, registry_loads(watch->core->registry),
                               slow);
        if (keeps) {
            (void)PyEval_SaveThread();
        } else {
            state_delete(state);
            state = NULL;
        }
    }
    if (state != NULL && !lz_is_finalizing()) {
        PyEval_RestoreThread(state);
        state_delete(state);
    }
    lz_mutex_lock(&watch->lock);
    bool alone = watch->alone;
    lz_mutex_unlock(&watch->lock);
    if (alone)
        watch_free(watch);
    return NULL;
}

void
settle_watch_start(struct lz_engine *engine)
{
    struct lz_settle *settle = engine->settle;
    if (settle == NULL || settle->watch != NULL || settle->over ||
        !engine->installed || !engine->core->settles)
        return;
    settle->wanted = false;
    struct lz_watch *watch = calloc(1, sizeof(*watch));
    if (watch == NULL)
        return;
    watch->core = engine->core;
    watch->pace = settle->pace;
    lz_mutex_init(&watch->lock);
    (void)pthread_cond_init(&watch->ends, NULL);
    if (thread_start(&watch->thread, "lazycore", watch_main, watch) == 0)
        settle->watch = watch;
    else
        watch_free(watch);
}

/* WATCH has no work any more; ALONE: nobody joins it. */
static void LZ_UNCHECKED
end(struct lz_watch *watch, bool alone)
{
    lz_mutex_lock(&watch->lock);
    watch->over = true;
    watch->alone = alone;
    (void)pthread_cond_broadcast(&watch->ends);
    lz_mutex_unlock(&watch->lock);
}

/* The pace that the thread of WATCH, which is freed, had come to. */
static struct lz_watch_pace
join(struct lz_watch *watch)
{
    end(watch, false);
    (void)pthread_join(watch->thread, NULL);
    struct lz_watch_pace pace = watch->pace;
    watch_free(watch);
    return pace;
}

void
settle_watch_stop(struct lz_engine *engine)
{
    struct lz_settle *settle = engine->settle;
    struct lz_watch *watch = settle == NULL ? NULL : settle->watch;
    if (settle != NULL)
        settle->wanted = false;
    if (watch == NULL)
        return;
    settle->watch = NULL;
    pthread_t thread = watch->thread;
    if (settle->target != NULL || pthread_equal(thread, pthread_self())) {
        end(watch, true);
        (void)pthread_detach(thread);
        return;
    }
    settle->stops++;
    PyThreadState *state = PyEval_SaveThread();
    struct lz_watch_pace pace = join(watch);
    PyEval_RestoreThread(state);
    settle->stops--;
    settle->pace = pace;
}

void
settle_watch_done(struct lz_engine *engine)
{
    struct lz_watch *watch = engine->settle->watch;
    engine->settle->watch = NULL;
    if (watch != NULL)
        (void)join(watch);
}

void
settle_watch_before_fork(struct lz_engine *engine)
{
    struct lz_settle *settle = engine->settle;
    fork_begins();
    if (settle == NULL || settle->watch == NULL || !LZ_FORK_COUNTS_THREADS)
        return;
    settle->watched = true;
    if (settle->target == NULL && !settle->busy)
        settle_watch_stop(engine);
}

void
settle_watch_after_fork(struct lz_engine *engine, bool child)
{
    struct lz_settle *settle = engine->settle;
    fork_ends(child);
    if (settle == NULL)
        return;
    bool watched = settle->watched || settle->watch != NULL;
    settle->watched = false;
    if (child) {
        settle->watch = NULL; /* its thread is not here; never freed */
        settle->stops = 0;
        settle->pace = (struct lz_watch_pace){0};
        settle->wanted = (watched || settle->wanted) &&
                         engine->core->settles &&
                         PyThread_get_thread_ident() == settle->main_thread;
    } else if (watched) {
        settle_watch_start(engine);
    }
}

void
settle_watch_in_child(struct lz_engine *engine)
{
    if (usage_process_cpu_ns() >= LZ_SETTLE_QUIET_MS * NS_PER_MS)
        settle_watch_start(engine);
}
