/* When hot namespaces are looked for: by the CPU time and the loads told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lazycore/settle_pace.h"

#define MS UINT64_C(1000000)

/* A process, from its start. */
struct process {
    struct lz_settle_pace pace;
    uint64_t cpu_ns, loads, wall_ms;
    bool slow; /* by what each look finds */
};

/* It goes on until the next question, using PERCENT of a processor; whether a
 * look is due, which is done, too. */
static bool
next(struct process *process, unsigned percent)
{
    uint64_t wait_ms = settle_pace_wait_ms(&process->pace);

    process->wall_ms += wait_ms;
    process->cpu_ns += wait_ms * MS * percent / 100;
    if (!settle_pace_due(&process->pace, process->cpu_ns, process->loads)) {
        return false;
    }
    settle_pace_looked(&process->pace, process->loads, process->slow);
    return true;
}

static void
test_starts(void **state)
{
    struct process process = {0};

    (void)state;
    while (!next(&process, 100)) {
        assert_in_range(process.cpu_ns, 0, LZ_SETTLE_AFTER_MS * MS);
    }
    assert_in_range(process.cpu_ns, LZ_SETTLE_AFTER_MS * MS,
                    (LZ_SETTLE_AFTER_MS + LZ_SETTLE_FIRST_MS) * MS);
}

/* One that loads modules all the time has not started yet. */
static void
test_loads(void **state)
{
    struct process process = {0};
    uint64_t last_ns;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        process.loads++;
        assert_false(next(&process, 100));
    }
    last_ns = process.cpu_ns;
    while (!next(&process, 100)) {
    }
    assert_in_range(process.cpu_ns - last_ns, LZ_SETTLE_QUIET_MS * MS,
                    (LZ_SETTLE_QUIET_MS + LZ_SETTLE_FIRST_MS) * MS);
}

/* What a look has loaded is not the process's own doing. */
static void
test_own_loads(void **state)
{
    struct process process = {0};

    (void)state;
    while (!next(&process, 100)) {
    }
    for (int i = 0; i < 10; i++) {
        process.loads++;
        settle_pace_looked(&process.pace, process.loads, false);
        assert_true(next(&process, 100));
    }
}

/* One that sleeps is asked seldom in the end, and never looked at. */
static void
test_sleeps(void **state)
{
    struct process process = {0};

    (void)state;
    while (!next(&process, 100)) {
    }
    for (int i = 0; i < 2 * LZ_SETTLE_IDLE; i++) {
        assert_false(next(&process, 1));
    }
    assert_int_equal(settle_pace_wait_ms(&process.pace), LZ_SETTLE_LAST_MS);
    assert_true(next(&process, 100));
    assert_in_range(settle_pace_wait_ms(&process.pace), LZ_SETTLE_FIRST_MS,
                    LZ_SETTLE_LAST_MS / 4);
}

/* Short pauses, as a server makes, do not make it a sleeper. */
static void
test_works_again(void **state)
{
    struct process process = {0};
    uint64_t before_ms;

    (void)state;
    while (!next(&process, 100)) {
    }
    for (int i = 0; i < 10; i++) {
        assert_false(next(&process, 0));
        before_ms = process.wall_ms;
        assert_true(next(&process, 100));
        assert_in_range(process.wall_ms - before_ms, LZ_SETTLE_FIRST_MS,
                        LZ_SETTLE_LAST_MS);
    }
}

/* Looks until the process has used SECONDS, which loads nothing. */
static unsigned
looks_within(struct process *process, unsigned seconds, unsigned percent)
{
    unsigned looks = 0;

    while (process->cpu_ns < seconds * 1000 * MS) {
        looks += next(process, percent);
    }
    return looks;
}

static void
test_seldom_later(void **state)
{
    struct process process = {0};

    (void)state;
    assert_in_range(looks_within(&process, 1, 100), 25, 45);
    assert_in_range(looks_within(&process, 12, 100), 35, 50);
    assert_in_range(looks_within(&process, 112, 100), 90, 110);
    assert_int_equal(settle_pace_wait_ms(&process.pace), LZ_SETTLE_LAST_MS);
}

/* There is something to be won. */
static void
test_more_while_slow(void **state)
{
    struct process process = {.slow = true};

    (void)state;
    assert_in_range(looks_within(&process, 12, 100), 200, 260);
    process.slow = false;
    assert_in_range(looks_within(&process, 24, 100), 8, 16);
}

/* It is the CPU time that looks are paid from. */
static void
test_little_work(void **state)
{
    struct process busy = {0}, other = {0};
    unsigned looks = looks_within(&busy, 10, 100);

    (void)state;
    assert_in_range(looks_within(&other, 10, 25), looks * 8 / 10, looks);
}

/* Later loads are of something new, which may be hot as well. */
static void
test_later_loads(void **state)
{
    struct process process = {0};

    (void)state;
    (void)looks_within(&process, 100, 100);
    process.loads++;
    (void)next(&process, 100);
    assert_int_equal(settle_pace_wait_ms(&process.pace), LZ_SETTLE_FIRST_MS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starts),
        cmocka_unit_test(test_loads),
        cmocka_unit_test(test_own_loads),
        cmocka_unit_test(test_sleeps),
        cmocka_unit_test(test_works_again),
        cmocka_unit_test(test_seldom_later),
        cmocka_unit_test(test_more_while_slow),
        cmocka_unit_test(test_little_work),
        cmocka_unit_test(test_later_loads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
