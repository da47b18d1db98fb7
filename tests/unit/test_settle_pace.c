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
    settle_pace_looked(&process->pace, process->loads);
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
        settle_pace_looked(&process.pace, process.loads);
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
    assert_int_equal(settle_pace_wait_ms(&process.pace), LZ_SETTLE_FIRST_MS);
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
        assert_in_range(process.wall_ms - before_ms, LZ_SETTLE_FIRST_MS, 200);
    }
}

static void
test_seldom_later(void **state)
{
    struct process process = {0};
    uint64_t wait_ms = LZ_SETTLE_FIRST_MS;

    (void)state;
    while (!next(&process, 100)) {
    }
    for (int looks = 1; looks < 20 * LZ_SETTLE_BURSTS; looks++) {
        if (looks % LZ_SETTLE_BURSTS == 0) {
            wait_ms = wait_ms * 2 < LZ_SETTLE_LAST_MS ? wait_ms * 2
                                                      : LZ_SETTLE_LAST_MS;
        }
        assert_int_equal(settle_pace_wait_ms(&process.pace), wait_ms);
        assert_true(next(&process, 50));
    }
    assert_int_equal(wait_ms, LZ_SETTLE_LAST_MS);
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
