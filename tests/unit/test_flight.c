/* Loads and waits under way: entered, seen, taken out, carried over a fork. */
#include "lazycore/flight.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct lz_flight
load(const char *module, enum lz_flight_kind kind)
{
    return (struct lz_flight){.kind = kind,
                              .module = module,
                              .thread = "main",
                              .file = "a.py",
                              .function = "f",
                              .line = 3};
}

static size_t
count(struct lz_flights *flights)
{
    struct lz_flight *list;
    size_t number;
    assert_int_equal(flights_list(flights, &list, &number), 0);
    flights_list_free(list, number);
    return number;
}

static void
test_loads(void **state)
{
    struct lz_flights *flights = flights_new();
    struct lz_flight outer = load("a", LZ_FLIGHT_LOAD);
    struct lz_flight inner = load("b", LZ_FLIGHT_LOAD);
    struct lz_flight *list;
    size_t number;
    (void)state;
    struct lz_flight_entry *first = flight_begin(flights, &outer);
    struct lz_flight_entry *second = flight_begin(flights, &inner);
    assert_int_equal(flights_list(flights, &list, &number), 0);
    assert_int_equal(number, 2);
    assert_string_equal(list[0].module, "a");
    assert_string_equal(list[1].module, "b");
    assert_string_equal(list[1].thread, "main");
    assert_string_equal(list[1].file, "a.py");
    assert_int_equal(list[1].tid, gettid());
    assert_true(list[0].since_ns <= list[1].since_ns);
    flights_list_free(list, number);
    flight_end(flights, first); /* greenlets return in any order */
    assert_int_equal(count(flights), 1);
    flight_end(flights, second);
    flight_end(flights, NULL);
    assert_int_equal(count(flights), 0);
    flights_free(flights);
}

struct other {
    struct lz_flights *flights;
    pthread_barrier_t begun, done;
};

static void *
wait_elsewhere(void *arg)
{
    struct other *other = arg;
    struct lz_flight a = load("a", LZ_FLIGHT_LOCK);
    struct lz_flight free_one = load("c", LZ_FLIGHT_LOCK);
    a.thread = free_one.thread = "other";
    struct lz_flight_entry *first = flight_begin(other->flights, &a);
    struct lz_flight_entry *second = flight_begin(other->flights, &free_one);
    (void)pthread_barrier_wait(&other->begun);
    (void)pthread_barrier_wait(&other->done);
    flight_end(other->flights, second);
    flight_end(other->flights, first);
    return NULL;
}

/* In the child only what its one thread has begun. */
static void
check_fork(struct lz_flights *flights)
{
    int status;
    flights_before_fork(flights);
    pid_t pid = fork();
    if (pid == 0) {
        struct lz_flight *list;
        size_t number;
        flights_after_fork(flights);
        bool right = flights_list(flights, &list, &number) == 0 &&
                     number == 1 && list[0].tid == gettid() &&
                     strcmp(list[0].module, "a") == 0;
        _exit(right ? 0 : 1);
    }
    flights_after_fork_parent(flights);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void
test_waits(void **state)
{
    struct other other = {.flights = flights_new()};
    struct lz_flight mine = load("a", LZ_FLIGHT_LOAD);
    struct lz_flight own = load("a", LZ_FLIGHT_LOCK);
    struct lz_flight *list;
    size_t number;
    pthread_t thread;
    (void)state;
    struct lz_flight_entry *entry = flight_begin(other.flights, &mine);
    struct lz_flight_entry *again = flight_begin(other.flights, &own);
    (void)pthread_barrier_init(&other.begun, NULL, 2);
    (void)pthread_barrier_init(&other.done, NULL, 2);
    assert_int_equal(pthread_create(&thread, NULL, wait_elsewhere, &other), 0);
    (void)pthread_barrier_wait(&other.begun);
    /* Nobody waits for itself, nor for a lock that nobody has. */
    assert_int_equal(flights_list(other.flights, &list, &number), 0);
    assert_int_equal(number, 2);
    size_t at = list[0].kind == LZ_FLIGHT_LOCK ? 0 : 1;
    assert_int_equal(list[at].kind, LZ_FLIGHT_LOCK);
    assert_string_equal(list[at].module, "a");
    assert_string_equal(list[at].thread, "other");
    assert_int_equal(list[at].holder, gettid());
    assert_string_equal(list[at].holder_thread, "main");
    flights_list_free(list, number);
    flight_end(other.flights, again);
    check_fork(other.flights);
    (void)pthread_barrier_wait(&other.done);
    (void)pthread_join(thread, NULL);
    flight_end(other.flights, entry);
    assert_int_equal(count(other.flights), 0);
    (void)pthread_barrier_destroy(&other.begun);
    (void)pthread_barrier_destroy(&other.done);
    flights_free(other.flights);
}

static void
test_bound(void **state)
{
    struct lz_flights *flights = flights_new();
    struct lz_flight_entry **entries =
        calloc(LZ_FLIGHTS_MAX + 1, sizeof *entries);
    struct lz_flight one = load("a", LZ_FLIGHT_LOAD);
    (void)state;
    assert_non_null(entries);
    for (int i = 0; i <= LZ_FLIGHTS_MAX; i++) {
        entries[i] = flight_begin(flights, &one);
    }
    assert_null(entries[LZ_FLIGHTS_MAX]);
    assert_int_equal(count(flights), LZ_FLIGHTS_MAX);
    for (int i = 0; i <= LZ_FLIGHTS_MAX; i++) {
        flight_end(flights, entries[i]);
    }
    assert_int_equal(count(flights), 0);
    free(entries);
    flights_free(flights);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loads),
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
