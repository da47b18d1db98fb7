/* The operator's queue: order, deadlines, bounds, the end; and events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "daemon/event.h"
#include "daemon/operator.h"
#include "tests/unit/daemon_fake_pyhost.h"

struct fixture {
    struct operator_thread *op;
    sem_t done;    /* posted for each job that is done */
    sem_t running; /* posted by a job that runs */
};

struct test_job {
    struct operator_job job; /* first */
    struct fixture *fixture;
    int order; /* when it ran, from 1; 0: never */
};

static int ran;
static long wrong_s; /* seconds that the time of day is off by */

/* The C library's, for all of this program. */
int
clock_gettime(clockid_t clock, struct timespec *now)
{
    int rc = (int)syscall(SYS_clock_gettime, clock, now);

    now->tv_sec += clock == CLOCK_REALTIME ? wrong_s : 0;
    return rc;
}

static void
run(struct operator_job *job)
{
    struct test_job *test = (struct test_job *)(void *)job;

    test->order = ++ran;
    (void)sem_post(&test->fixture->running);
}

static void
notify(void *arg)
{
    struct fixture *fixture = arg;

    (void)sem_post(&fixture->done);
}

static int
set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    ran = 0;
    *state = fixture;
    if (fixture == NULL) {
        return -1;
    }
    (void)sem_init(&fixture->done, 0, 0);
    (void)sem_init(&fixture->running, 0, 0);
    fixture->op = operator_new(notify, fixture);
    if (fixture->op == NULL || operator_start(fixture->op) < 0) {
        return -1;
    }
    operator_await(fixture->op);
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *fixture = *state;

    if (operator_stop(fixture->op)) {
        operator_free(fixture->op);
    }
    free(fixture);
    return 0;
}

static struct test_job
make_job(struct fixture *fixture, const char *what)
{
    struct test_job test = {.job.run = run, .fixture = fixture};

    (void)snprintf(test.job.what, sizeof(test.job.what), "%s", what);
    return test;
}

static void
test_jobs_run_in_order(void **state)
{
    struct fixture *fixture = *state;
    struct test_job jobs[3];

    pyhost_gil_enter();
    for (int i = 0; i < 3; i++) {
        jobs[i] = make_job(fixture, "work");
        assert_int_equal(operator_submit(fixture->op, &jobs[i].job), 0);
    }
    assert_null(operator_take(fixture->op));
    pyhost_gil_leave();
    for (int i = 0; i < 3; i++) {
        (void)sem_wait(&fixture->done);
        assert_ptr_equal(operator_take(fixture->op), &jobs[i].job);
        assert_int_equal(jobs[i].order, i + 1);
        assert_false(jobs[i].job.abandoned);
    }
}

/* Submit JOB and wait until the operator wants the GIL for it, which the
 * caller holds: the next one that is submitted stays behind it. */
static void
submit_waiting(struct fixture *fixture, struct test_job *job)
{
    static sem_t wanted;

    (void)sem_init(&wanted, 0, 0);
    fake_gil_wanted = &wanted;
    assert_int_equal(operator_submit(fixture->op, &job->job), 0);
    (void)sem_wait(&wanted);
    fake_gil_wanted = NULL;
}

static void
test_abandoned_before_it_began(void **state)
{
    struct fixture *fixture = *state;
    struct test_job first = make_job(fixture, "load of 'slow'");
    struct test_job second = make_job(fixture, "load of 'other'");
    char why[256];

    pyhost_gil_enter();
    submit_waiting(fixture, &first);
    assert_int_equal(operator_submit(fixture->op, &second.job), 0);
    /* Queued: it is ours again at once. */
    assert_true(operator_abandon(fixture->op, &second.job, why, sizeof(why)));
    assert_non_null(strstr(why, "load of 'slow'"));
    /* Waiting for the GIL: it comes back without having run. */
    assert_false(operator_abandon(fixture->op, &first.job, why, sizeof(why)));
    assert_non_null(strstr(why, "interpreter lock"));
    pyhost_gil_leave();
    (void)sem_wait(&fixture->done);
    assert_ptr_equal(operator_take(fixture->op), &first.job);
    assert_true(first.job.abandoned);
    assert_int_equal(first.order, 0);
    assert_int_equal(second.order, 0);
}

static sem_t proceed;

static void
run_slowly(struct operator_job *job)
{
    run(job);
    (void)sem_wait(&proceed);
}

static void
test_abandoned_while_it_runs(void **state)
{
    struct fixture *fixture = *state;
    struct test_job slow = make_job(fixture, "load of 'slow'");
    char why[256];

    (void)sem_init(&proceed, 0, 0);
    slow.job.run = run_slowly;
    assert_int_equal(operator_submit(fixture->op, &slow.job), 0);
    (void)sem_wait(&fixture->running);
    assert_false(operator_abandon(fixture->op, &slow.job, why, sizeof(why)));
    assert_non_null(strstr(why, "load of 'slow'"));
    assert_non_null(strstr(why, "goes on"));
    (void)sem_post(&proceed);
    (void)sem_wait(&fixture->done);
    assert_ptr_equal(operator_take(fixture->op), &slow.job);
    assert_true(slow.job.abandoned);
    assert_int_equal(slow.order, 1);
}

static void
test_queue_is_bounded(void **state)
{
    struct fixture *fixture = *state;
    struct test_job first = make_job(fixture, "first");
    struct test_job *jobs = calloc(LZ_OPERATOR_JOBS + 1, sizeof(*jobs));
    struct test_job *extra = &jobs[LZ_OPERATOR_JOBS];

    assert_non_null(jobs);
    pyhost_gil_enter();
    submit_waiting(fixture, &first);
    for (int i = 0; i <= LZ_OPERATOR_JOBS; i++) {
        jobs[i] = make_job(fixture, "more");
        assert_int_equal(operator_submit(fixture->op, &jobs[i].job),
                         i < LZ_OPERATOR_JOBS ? 0 : -EAGAIN);
    }
    pyhost_gil_leave();
    for (int i = 0; i <= LZ_OPERATOR_JOBS; i++) {
        (void)sem_wait(&fixture->done);
    }
    assert_int_equal(extra->order, 0);
    assert_int_equal(ran, LZ_OPERATOR_JOBS + 1);
    while (operator_take(fixture->op) != NULL) {
    }
    free(jobs);
}

static void
test_nothing_after_stop(void **state)
{
    struct fixture *fixture = *state;
    struct test_job job = make_job(fixture, "late");

    assert_true(operator_stop(fixture->op));
    assert_int_equal(operator_submit(fixture->op, &job.job), -ESHUTDOWN);
    assert_int_equal(job.order, 0);
}

/* Jobs of which much may come wait while they are held, and until what was
 * done has been taken; others pass. */
static void
test_long_jobs_wait(void **state)
{
    struct fixture *fixture = *state;
    struct test_job jobs[4];

    for (int i = 0; i < 4; i++) {
        jobs[i] = make_job(fixture, "work");
        jobs[i].job.is_long = i != 1;
    }
    operator_hold(fixture->op, true);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(operator_submit(fixture->op, &jobs[i].job), 0);
    }
    (void)sem_wait(&fixture->done);
    assert_ptr_equal(operator_take(fixture->op), &jobs[1].job);
    operator_hold(fixture->op, false);
    (void)sem_wait(&fixture->done);
    jobs[3].job.is_long = false;
    assert_int_equal(operator_submit(fixture->op, &jobs[3].job), 0);
    (void)sem_wait(&fixture->done);
    assert_ptr_equal(operator_take(fixture->op), &jobs[0].job);
    assert_ptr_equal(operator_take(fixture->op), &jobs[3].job);
    (void)sem_wait(&fixture->done);
    assert_ptr_equal(operator_take(fixture->op), &jobs[2].job);
    assert_int_equal(jobs[1].order, 1);
    assert_int_equal(jobs[0].order, 2);
    assert_int_equal(jobs[3].order, 3);
    assert_int_equal(jobs[2].order, 4);
}

static void
run_a_while(struct operator_job *job)
{
    const struct timespec a_while = {.tv_nsec = 20000000};

    run(job);
    (void)nanosleep(&a_while, NULL);
}

/* What is on its way to the disk is awaited, whatever the time of day is set
 * to meanwhile. */
static void
test_end_awaits_the_disk(void **state)
{
    struct fixture *fixture = *state;
    struct operator_thread *disk = operator_new_plain("disk", notify, fixture);
    struct test_job job = make_job(fixture, "save");

    job.job.run = run_a_while;
    assert_non_null(disk);
    assert_int_equal(operator_start(disk), 0);
    assert_int_equal(operator_submit(disk, &job.job), 0);
    (void)sem_wait(&fixture->running);
    wrong_s = -86400;
    bool ended = operator_stop(disk);
    wrong_s = 0;
    assert_true(ended);
    assert_ptr_equal(operator_take(disk), &job.job);
    operator_free(disk);
}

/* --- events ------------------------------------------------------------- */

static void
test_no_event_without_listener(void **state)
{
    struct wire_event event = {.event = WIRE_EVENT_LOAD, .name = "m"};
    uint64_t lost[WIRE_EVENTS];
    struct event_queue queue;

    (void)state;
    event_queue_init(&queue);
    atomic_store(&queue.wanted, 1u << WIRE_EVENT_FAIL);
    assert_false(event_post(&queue, &event));
    assert_null(event_take(&queue, lost));
    assert_int_equal(event_sequence(&queue), 0);
    event_queue_done(&queue);
}

static void
test_events_are_copies_in_order(void **state)
{
    char name[] = "first";
    struct wire_event event = {.event = WIRE_EVENT_LOAD, .name = name};
    uint64_t lost[WIRE_EVENTS];
    struct event_queue queue;
    struct event_item *item, *next;

    (void)state;
    event_queue_init(&queue);
    atomic_store(&queue.wanted, 1u << WIRE_EVENT_LOAD);
    assert_true(event_post(&queue, &event));
    name[0] = 'X';
    event.name = "second";
    /* The loop has been woken already. */
    assert_false(event_post(&queue, &event));
    item = event_take(&queue, lost);
    assert_string_equal(event_of(item)->name, "first");
    assert_int_equal(event_of(item)->sequence, 1);
    assert_true(event_of(item)->time_ns > 0);
    next = event_next(item);
    assert_string_equal(event_of(next)->name, "second");
    assert_int_equal(event_of(next)->sequence, 2);
    assert_null(event_next(next));
    assert_int_equal(lost[WIRE_EVENT_LOAD], 0);
    event_free(item);
    event_free(next);
    event_queue_done(&queue);
}

static void
test_events_beyond_the_bound_are_counted(void **state)
{
    struct wire_event event = {.event = WIRE_EVENT_FAIL, .name = "m"};
    uint64_t lost[WIRE_EVENTS];
    struct event_queue queue;
    struct event_item *item;
    unsigned count = 0;

    (void)state;
    event_queue_init(&queue);
    atomic_store(&queue.wanted, 1u << WIRE_EVENT_FAIL);
    for (int i = 0; i < LZ_EVENT_QUEUE + 3; i++) {
        (void)event_post(&queue, &event);
    }
    item = event_take(&queue, lost);
    while (item != NULL) {
        struct event_item *next = event_next(item);

        event_free(item);
        item = next;
        count++;
    }
    assert_int_equal(count, LZ_EVENT_QUEUE);
    assert_int_equal(lost[WIRE_EVENT_FAIL], 3);
    assert_int_equal(event_sequence(&queue), LZ_EVENT_QUEUE + 3);
    event_queue_done(&queue);
}

#define WITH_OPERATOR(test)                                                   \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_OPERATOR(test_jobs_run_in_order),
        WITH_OPERATOR(test_abandoned_before_it_began),
        WITH_OPERATOR(test_abandoned_while_it_runs),
        WITH_OPERATOR(test_queue_is_bounded),
        WITH_OPERATOR(test_nothing_after_stop),
        WITH_OPERATOR(test_long_jobs_wait),
        WITH_OPERATOR(test_end_awaits_the_disk),
        cmocka_unit_test(test_no_event_without_listener),
        cmocka_unit_test(test_events_are_copies_in_order),
        cmocka_unit_test(test_events_beyond_the_bound_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
