/* The pool of strings: one copy each, and not for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lazycore/pool.h"

static void
test_pool_shares(void **state)
{
    struct lz_pool *pool = pool_new();

    (void)state;
    assert_non_null(pool);
    const char *one = pool_get(pool, "text and more", 4);
    const char *two = pool_get(pool, "text", 4);
    assert_ptr_equal(one, two);
    assert_string_equal(one, "text");
    assert_int_equal(pool_count(pool), 1);
    pool_put(pool, one);
    assert_int_equal(pool_count(pool), 1);
    pool_put(pool, pool_hold(two));
    pool_put(pool, two);
    assert_int_equal(pool_count(pool), 0);
    pool_put(pool, NULL);
    pool_free(pool);
    pool_free(NULL);
}

/* Strings that the pool takes for each other at a glance: of one length, and
 * with one end. */
static void
test_pool_keeps_apart(void **state)
{
    enum { COUNT = 40 };
    struct lz_pool *pool = pool_new();
    const char *held[COUNT];

    (void)state;
    assert_non_null(pool);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++) {
            char text[] = "?/same/end";
            text[0] = (char)('0' + i);
            held[i] = pool_get(pool, text, sizeof(text) - 1);
            assert_string_equal(held[i], text);
            assert_ptr_equal(held[i], pool_get(pool, text, sizeof(text) - 1));
            pool_put(pool, held[i]);
        }
        assert_int_equal(pool_count(pool), COUNT);
        for (int i = 0; i < COUNT; i++) {
            pool_put(pool, held[i]);
        }
        assert_int_equal(pool_count(pool), 0);
        const char *empty = pool_get(pool, "", 0);
        assert_ptr_equal(empty, pool_get(pool, "x", 0));
        pool_put(pool, empty);
        pool_put(pool, empty);
        assert_int_equal(pool_bytes(pool), 0);
    }
    pool_free(pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool_shares),
        cmocka_unit_test(test_pool_keeps_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
