/* daemon/minimise: every needed set up to a size is found, in few questions,
 * and a predicate may give up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "daemon/minimise.h"

enum { THINGS = 64 };

struct needed {
    uint64_t set; /* holds where all of these are chosen */
    uint64_t or_set;
    unsigned asked, give_up_at;
    size_t count;
};

static uint64_t
bits(const bool *chosen, size_t count)
{
    uint64_t set = 0;

    for (size_t i = 0; i < count; i++) {
        set |= (uint64_t)chosen[i] << i;
    }
    return set;
}

static int
holds(void *arg, const bool *chosen, size_t count)
{
    struct needed *needed = arg;
    uint64_t set = bits(chosen, count);

    assert_int_equal(count, needed->count);
    if (++needed->asked == needed->give_up_at) {
        return -ECANCELED;
    }
    return (set & needed->set) == needed->set ||
           (needed->or_set != 0 && (set & needed->or_set) == needed->or_set);
}

static uint64_t
find(struct needed *needed)
{
    bool chosen[THINGS];

    assert_int_equal(minimise(needed->count, holds, needed, chosen), 0);
    return bits(chosen, needed->count);
}

static void
test_every_set_of_six(void **state)
{
    (void)state;
    for (uint64_t set = 1; set < 64; set++) {
        struct needed needed = {.set = set, .count = 6};

        assert_int_equal(find(&needed), set);
    }
}

static void
test_one_of_many(void **state)
{
    (void)state;
    for (unsigned i = 0; i < THINGS; i++) {
        struct needed needed = {.set = UINT64_C(1) << i, .count = THINGS};

        assert_int_equal(find(&needed), needed.set);
        assert_true(needed.asked <= 12); /* 2 * log2 */
    }
}

static void
test_pairs_of_many(void **state)
{
    (void)state;
    for (unsigned i = 0; i < THINGS - 1; i += 7) {
        struct needed needed = {.set = UINT64_C(1) << i | UINT64_C(1)
                                                              << (THINGS - 1),
                                .count = THINGS};

        assert_int_equal(find(&needed), needed.set);
        assert_true(needed.asked < 100);
    }
}

/* Either of two sets will do: one of them, whole, and nothing else. */
static void
test_alternatives(void **state)
{
    struct needed needed = {.set = 0x30, .or_set = 0x8001, .count = 16};
    uint64_t found = find(&needed);

    (void)state;
    assert_true(found == needed.set || found == needed.or_set);
}

/* What it holds with depends on the parity too: no single one may be left
 * out of what is found. */
static int
holds_by_parity(void *arg, const bool *chosen, size_t count)
{
    uint64_t set = bits(chosen, count);

    (void)arg;
    return (set & 0x5) == 0x5 && __builtin_popcountll(set) % 2 == 0;
}

static void
test_not_monotone(void **state)
{
    bool chosen[8];

    (void)state;
    assert_int_equal(minimise(8, holds_by_parity, NULL, chosen), 0);
    assert_true(holds_by_parity(NULL, chosen, 8));
    for (size_t i = 0; i < 8; i++) {
        if (chosen[i]) {
            chosen[i] = false;
            assert_false(holds_by_parity(NULL, chosen, 8));
            chosen[i] = true;
        }
    }
}

static void
test_one_thing(void **state)
{
    struct needed needed = {.set = 1, .count = 1};

    (void)state;
    assert_int_equal(find(&needed), 1);
    assert_int_equal(needed.asked, 0);
}

static void
test_giving_up(void **state)
{
    bool chosen[THINGS];

    (void)state;
    for (unsigned i = 1; i < 8; i++) {
        struct needed needed = {.set = 0x11, .count = 8, .give_up_at = i};

        assert_int_equal(minimise(8, holds, &needed, chosen), -ECANCELED);
        assert_int_equal(needed.asked, i);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_set_of_six),
        cmocka_unit_test(test_one_of_many),
        cmocka_unit_test(test_pairs_of_many),
        cmocka_unit_test(test_alternatives),
        cmocka_unit_test(test_not_monotone),
        cmocka_unit_test(test_one_thing),
        cmocka_unit_test(test_giving_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
