/* A queue, a thread and a condition.
 *
 * The lock is never held while Python runs or the GIL is awaited.
 */
#include "daemon/operator.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/descriptors.h"
#include "daemon/pyhost.h"
#include "lazycore/thread.h"

struct job_list {
    struct operator_job *first, *last;
    size_t count;
};

struct operator_thread {
    struct lz_mutex lock;
    pthread_cond_t changed;
    struct job_list queued, done;
    struct operator_job *current;
    const char *name; /* of the thread */
    bool begun, stopping, started;
    bool held;  /* long jobs are not begun */
    bool plain; /* no GIL */
    bool left;  /* inside Python at the end; main thread */
    pthread_t thread;
    void (*notify)(void *arg);
    void *arg;
};

static void
list_append(struct job_list *list, struct operator_job *job)
{
    job->next = NULL;
    if (list->last != NULL) {
        list->last->next = job;
    } else {
        list->first = job;
    }
    list->last = job;
    list->count++;
}

static struct operator_job *
list_pop(struct job_list *list)
{
    struct operator_job *job = list->first;

    if (job != NULL) {
        list->first = job->next;
        if (list->first == NULL) {
            list->last = NULL;
        }
        list->count--;
    }
    return job;
}

static bool
list_remove(struct job_list *list, struct operator_job *job)
{
    struct operator_job *previous = NULL;

    for (struct operator_job *j = list->first; j != NULL; j = j->next) {
        if (j == job) {
            if (previous != NULL) {
                previous->next = job->next;
            } else {
                list->first = job->next;
            }
            if (list->last == job) {
                list->last = previous;
            }
            list->count--;
            return true;
        }
        previous = j;
    }
    return false;
}

struct operator_thread *
operator_new(void (*notify)(void *arg), void *arg)
{
    struct operator_thread *op = calloc(1, sizeof(*op));

    if (op != NULL) {
        lz_mutex_init(&op->lock);
        (void)pthread_cond_init(&op->changed, NULL);
        op->name = "lazyd-operator";
        op->notify = notify;
        op->arg = arg;
    }
    return op;
}

struct operator_thread *
operator_new_plain(const char *name, void (*notify)(void *arg), void *arg)
{
    struct operator_thread *op = operator_new(notify, arg);

    if (op != NULL) {
        op->plain = true;
        op->name = name;
    }
    return op;
}

/* The first that may begin, taken out of the queue, or NULL. */
static struct operator_job *
pop_queued(struct operator_thread *op)
{
    struct operator_job *job = op->queued.first;

    while (job != NULL && job->is_long &&
           (op->held || op->done.first != NULL)) {
        job = job->next;
    }
    if (job != NULL) {
        (void)list_remove(&op->queued, job);
    }
    return job;
}

/* The job to run next, or NULL at the end. */
static struct operator_job *
next_job(struct operator_thread *op)
{
    struct operator_job *job = NULL;

    lz_mutex_lock(&op->lock);
    while (!op->stopping && (job = pop_queued(op)) == NULL) {
        (void)pthread_cond_wait(&op->changed, &op->lock.raw);
    }
    if (job != NULL) {
        job->state = op->plain ? JOB_RUNNING : JOB_WAITING;
        op->current = job;
    }
    lz_mutex_unlock(&op->lock);
    return job;
}

/* Whether JOB is still wanted, now that it could be run. */
static bool
begin_job(struct operator_thread *op, struct operator_job *job)
{
    bool wanted;

    lz_mutex_lock(&op->lock);
    wanted = !job->abandoned;
    if (wanted) {
        job->state = JOB_RUNNING;
        job->ran = true;
    }
    lz_mutex_unlock(&op->lock);
    return wanted;
}

static void
finish_job(struct operator_thread *op, struct operator_job *job)
{
    lz_mutex_lock(&op->lock);
    job->state = JOB_DONE;
    op->current = NULL;
    list_append(&op->done, job);
    (void)pthread_cond_broadcast(&op->changed);
    lz_mutex_unlock(&op->lock);
    op->notify(op->arg);
}

static void
run_wanted(struct operator_thread *op, struct operator_job *job)
{
    if (begin_job(op, job)) {
        job->run(job);
    }
}

static void
run_job(struct operator_thread *op, struct operator_job *job)
{
    if (op->plain) {
        run_wanted(op, job);
    } else {
        pyhost_gil_enter();
        run_wanted(op, job);
        pyhost_gil_leave();
    }
    finish_job(op, job);
}

static void *
operator_main(void *arg)
{
    struct operator_thread *op = arg;
    struct operator_job *job;

    if (op->plain) {
        descriptors_join();
    } else {
        pyhost_thread_begin();
    }
    lz_mutex_lock(&op->lock);
    op->begun = true;
    (void)pthread_cond_broadcast(&op->changed);
    lz_mutex_unlock(&op->lock);
    while ((job = next_job(op)) != NULL) {
        run_job(op, job);
    }
    return NULL;
}

int
operator_start(struct operator_thread *op)
{
    int rc = thread_start(&op->thread, op->name, operator_main, op);

    op->started = rc == 0;
    return rc;
}

void
operator_await(struct operator_thread *op)
{
    lz_mutex_lock(&op->lock);
    while (!op->begun) {
        (void)pthread_cond_wait(&op->changed, &op->lock.raw);
    }
    lz_mutex_unlock(&op->lock);
}

int
operator_submit(struct operator_thread *op, struct operator_job *job)
{
    int rc = 0;

    lz_mutex_lock(&op->lock);
    if (op->stopping) {
        rc = -ESHUTDOWN;
    } else if (op->queued.count >= LZ_OPERATOR_JOBS) {
        rc = -EAGAIN;
    } else {
        job->state = JOB_QUEUED;
        job->abandoned = false;
        job->ran = false;
        list_append(&op->queued, job);
        (void)pthread_cond_broadcast(&op->changed);
    }
    lz_mutex_unlock(&op->lock);
    return rc;
}

struct operator_job *
operator_take(struct operator_thread *op)
{
    struct operator_job *job;

    lz_mutex_lock(&op->lock);
    job = list_pop(&op->done);
    if (job != NULL && op->done.first == NULL && op->queued.first != NULL) {
        (void)pthread_cond_broadcast(&op->changed);
    }
    lz_mutex_unlock(&op->lock);
    return job;
}

void
operator_hold(struct operator_thread *op, bool hold)
{
    lz_mutex_lock(&op->lock);
    op->held = hold;
    (void)pthread_cond_broadcast(&op->changed);
    lz_mutex_unlock(&op->lock);
}

bool
operator_abandon(struct operator_thread *op, struct operator_job *job,
                 char *why, size_t why_size)
{
    bool ours = false;

    lz_mutex_lock(&op->lock);
    switch (job->state) {
    case JOB_QUEUED:
        (void)snprintf(why, why_size, "waiting behind another request (%s)",
                       op->current != NULL ? op->current->what : "not begun");
        ours = list_remove(&op->queued, job);
        break;
    case JOB_WAITING:
        (void)snprintf(why, why_size,
                       "waiting for Python's interpreter lock, which a "
                       "thread of the service holds; it will not be run");
        break;
    case JOB_RUNNING:
    case JOB_DONE:
        (void)snprintf(why, why_size, "%s, which has begun and goes on",
                       job->what);
        break;
    }
    job->abandoned = true;
    lz_mutex_unlock(&op->lock);
    return ours;
}

bool
operator_ran(struct operator_thread *op, const struct operator_job *job)
{
    bool ran;

    lz_mutex_lock(&op->lock);
    ran = job->ran;
    lz_mutex_unlock(&op->lock);
    return ran;
}

bool
operator_is_self(const struct operator_thread *op)
{
    return op->started && pthread_equal(op->thread, pthread_self());
}

void
operator_describe(struct operator_thread *op, struct operator_job *job,
                  const char *format, ...)
{
    va_list arguments;

    lz_mutex_lock(&op->lock);
    va_start(arguments, format);
    (void)vsnprintf(job->what, sizeof(job->what), format, arguments);
    va_end(arguments);
    lz_mutex_unlock(&op->lock);
}

/* What is on its way to a disk is worth a moment. */
static void
await_disk(struct operator_thread *op)
{
    struct timespec until;
    int rc = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LZ_OPERATOR_PATIENCE_MS / 1000;
    while (rc == 0 && (op->current != NULL || !op->begun)) {
        rc = pthread_cond_clockwait(&op->changed, &op->lock.raw,
                                    CLOCK_MONOTONIC, &until);
    }
}

bool
operator_stop(struct operator_thread *op)
{
    bool idle;

    if (op == NULL || !op->started) {
        return true;
    }
    if (op->left) {
        return false;
    }
    lz_mutex_lock(&op->lock);
    op->stopping = true;
    if (op->plain) {
        await_disk(op);
    }
    idle = op->current == NULL && op->begun;
    (void)pthread_cond_broadcast(&op->changed);
    lz_mutex_unlock(&op->lock);
    if (idle) {
        (void)pthread_join(op->thread, NULL);
        op->started = false;
    } else {
        (void)pthread_detach(op->thread);
        op->left = true;
    }
    return idle;
}

void
operator_free(struct operator_thread *op)
{
    if (op == NULL) {
        return;
    }
    (void)pthread_cond_destroy(&op->changed);
    lz_mutex_done(&op->lock);
    free(op);
}
