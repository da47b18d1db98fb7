/* The table of pointers: what was put is found, what was not is missed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lazycore/ptrmap.h"

enum { COUNT = 20000 };

static char objects[2 * COUNT][16];

static void
test_put_and_get(void **state)
{
    struct lz_ptrmap map = {0};

    (void)state;
    assert_null(ptrmap_get(&map, objects[0]));
    assert_false(ptrmap_has(&map, objects[0]));
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(ptrmap_put(&map, objects[i], objects[COUNT + i]), 0);
    }
    assert_int_equal(map.count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_ptr_equal(ptrmap_get(&map, objects[i]), objects[COUNT + i]);
        assert_null(ptrmap_get(&map, objects[COUNT + i]));
        assert_false(ptrmap_has(&map, objects[COUNT + i]));
    }
    ptrmap_done(&map);
    assert_int_equal(map.count, 0);
    assert_null(ptrmap_get(&map, objects[0]));
}

static void
test_replace(void **state)
{
    struct lz_ptrmap map = {0};

    (void)state;
    assert_int_equal(ptrmap_put(&map, objects[0], objects[1]), 0);
    assert_int_equal(ptrmap_put(&map, objects[0], objects[2]), 0);
    assert_int_equal(ptrmap_put(&map, objects[3], NULL), 0);
    assert_int_equal(map.count, 2);
    assert_ptr_equal(ptrmap_get(&map, objects[0]), objects[2]);
    assert_null(ptrmap_get(&map, objects[3]));
    assert_true(ptrmap_has(&map, objects[3]));
    ptrmap_done(&map);
}

/* Walking the slots meets each key once. */
static void
test_slots(void **state)
{
    struct lz_ptrmap map = {0};
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(ptrmap_put(&map, objects[i], objects[i]), 0);
    }
    for (size_t i = 0; i < map.room; i++) {
        if (map.slots[i].key != NULL) {
            assert_ptr_equal(map.slots[i].key, map.slots[i].value);
            seen++;
        }
    }
    assert_int_equal(seen, COUNT);
    ptrmap_done(&map);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_and_get),
        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_slots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
