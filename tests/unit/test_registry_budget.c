/* What the registry may take: 1 KiB a module, shared strings once. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/registry_fixture.h"

/* However long its strings are, a module takes at most 1 KiB, and what
 * modules share is stored once. */
static void
test_a_module_takes_a_kibibyte(void **state)
{
    enum { MANY = 3000, LONG = 900 };
    char name[LONG], file[LONG], function[LONG], text[LONG];
    struct lz_registry_stats stats;
    struct lz_module *module;
    struct mallinfo2 before = mallinfo2();

    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof(name), "m%d.%0*d", i, 120, i);
        (void)snprintf(file, sizeof(file), "/%0*d.py", 600, i);
        (void)snprintf(function, sizeof(function), "f%0*d", 500, i);
        (void)snprintf(text, sizeof(text), "Error: %0*d", 480, i);
        struct lz_place place = {.file = file, .function = function};
        struct lz_load one = {.name = name,
                              .error = text,
                              .thread = function,
                              .rule = file,
                              .trigger = place};
        registry_proxy(*state, name, file, &place);
        registry_loaded(*state, &one, file);
        one.error = NULL;
        registry_loaded(*state, &one, file);
    }
    struct mallinfo2 after = mallinfo2();
    size_t bytes =
        after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
    assert_true(bytes <= (size_t)MANY * LZ_REGISTRY_MODULE_BYTES +
                             LZ_REGISTRY_RESERVE_BYTES);
    registry_stats(*state, &stats);
    assert_int_equal(stats.modules[LZ_STATE_REAL], MANY);
    assert_int_equal(registry_show(*state, name, &module), 1);
    assert_int_equal(module->loads, 1);
    assert_int_equal(module->failures, 1);
    registry_modules_free(module, 1);
}

/* As long as names and paths are what they are, nothing is left out. */
static void
test_usual_modules_keep_everything(void **state)
{
    enum { MANY = 3000 };
    char name[100], file[200], text[200];
    struct lz_module *module;

    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof(name), "a.package.of.some.depth.%030d", i);
        (void)snprintf(file, sizeof(file), "/usr/lib/python3/%s.py", name);
        (void)snprintf(text, sizeof(text), "ImportError: %0100d", i);
        struct lz_place place = {
            .file = file, .function = "handle", .line = 7};
        struct lz_load one = {.name = name,
                              .error = text,
                              .parent = "a.package",
                              .thread = "MainThread",
                              .trigger = place,
                              .rule = "package a"};
        registry_proxy(*state, name, file, &place);
        registry_loaded(*state, &one, file);
        one.error = NULL;
        registry_loaded(*state, &one, file);
        assert_int_equal(registry_show(*state, name, &module), 1);
        assert_string_equal(module->file, file);
        assert_string_equal(module->statement.file, file);
        assert_string_equal(module->trigger.function, "handle");
        assert_string_equal(module->thread, "MainThread");
        assert_string_equal(module->parent, "a.package");
        assert_string_equal(module->rule, "package a");
        assert_string_equal(module->last_error, text);
        registry_modules_free(module, 1);
    }
}

static void
test_first_use_is_the_first(void **state)
{
    struct lz_module *module;

    registry_proxy(*state, "json", NULL, NULL);
    registry_first_use(*state, "json", 5);
    registry_first_use(*state, "unknown", 5);
    struct lz_load one = {.name = "json", .started_ns = 100, .wall_ns = 10};
    registry_loaded(*state, &one, NULL);
    registry_first_use(*state, "json", 12);
    registry_first_use(*state, "json", 99);
    assert_int_equal(registry_show(*state, "json", &module), 1);
    assert_int_equal(module->first_use_ns, 12);
    assert_int_equal(module->started_ns, 100);
    assert_int_equal(module->loaded_ns, 110);
    registry_modules_free(module, 1);
    assert_int_equal(registry_show(*state, "unknown", &module), 0);
}

int
main(void)
{
#define TEST(function)                                                        \
    cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_module_takes_a_kibibyte),
        TEST(test_usual_modules_keep_everything),
        TEST(test_first_use_is_the_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
