/* The registry: states, totals, copies, bounds. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lazycore/registry_listing.h"
#include "lazycore/registry_tree.h"
#include "tests/unit/registry_fixture.h"

/* NAME's state as a string, or NULL where it is unknown. */
static const char *
state_of(struct lz_registry *registry, const char *name)
{
    struct lz_module *module;

    if (registry_show(registry, name, &module) != 1) {
        return NULL;
    }
    const char *string = lz_state_string(module->state);
    registry_modules_free(module, 1);
    return string;
}

static void
test_proxy_then_real(void **state)
{
    struct lz_place place = {.file = "app.py", .line = 3};
    struct lz_place later = {.file = "other.py", .line = 9};
    struct lz_module *module;

    registry_proxy(*state, "json", "/lib/json.py", &place);
    registry_proxy(*state, "json", "/lib/json.py", &later);
    assert_int_equal(stats_of(*state).modules[LZ_STATE_PROXY], 1);
    assert_int_equal(stats_of(*state).proxy_total, 1);
    load(*state, "json", LZ_REASON_LAZY);
    assert_int_equal(stats_of(*state).modules[LZ_STATE_PROXY], 0);
    assert_int_equal(stats_of(*state).modules[LZ_STATE_REAL], 1);
    assert_int_equal(stats_of(*state).proxy_peak, 1);
    registry_proxy(*state, "json", NULL, &later);
    assert_int_equal(stats_of(*state).modules[LZ_STATE_REAL], 1);
    assert_int_equal(stats_of(*state).proxy_total, 1);
    assert_int_equal(registry_show(*state, "json", &module), 1);
    assert_string_equal(module->statement.file, "app.py");
    assert_int_equal(module->statement.line, 3);
    assert_string_equal(module->file, "/lib/json.py");
    assert_int_equal(module->sequence, 1);
    assert_int_equal(module->loads, 1);
    assert_true(module->loaded_ns >= module->met_ns);
    registry_modules_free(module, 1);
}

/* A proxy that an eager rule loads in the end counts as real. */
static void
test_states_after_a_load(void **state)
{
    static const struct {
        int proxied;
        enum lz_reason reason;
        const char *state;
    } rows[] = {
        {0, LZ_REASON_LAZY, "real"},
        {0, LZ_REASON_GUARDED, "eager"},
        {0, LZ_REASON_NONE, "eager"},
        {0, LZ_REASON_OFF, "eager"},
        {0, LZ_REASON_IGNORE_NAME, "ignored"},
        {0, LZ_REASON_IGNORE_PACKAGE, "ignored"},
        {0, LZ_REASON_IGNORE_PATH, "ignored"},
        {0, LZ_REASON_LEVEL_EAGER, "ignored"},
        {1, LZ_REASON_GUARDED, "real"},
        {1, LZ_REASON_IGNORE_NAME, "real"},
    };
    char name[16];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)snprintf(name, sizeof(name), "m%zu", i);
        if (rows[i].proxied) {
            registry_proxy(*state, name, NULL, NULL);
        }
        load(*state, name, rows[i].reason);
        assert_string_equal(state_of(*state, name), rows[i].state);
    }
    struct lz_registry_stats stats = stats_of(*state);
    assert_int_equal(stats.modules[LZ_STATE_REAL], 3);
    assert_int_equal(stats.modules[LZ_STATE_EAGER], 3);
    assert_int_equal(stats.modules[LZ_STATE_IGNORED], 4);
    assert_int_equal(stats.modules[LZ_STATE_PROXY], 0);
    assert_int_equal(stats.loads, 10);
}

static void
test_eager_is_remembered_for_the_load(void **state)
{
    struct lz_place place = {.file = "a.py", .function = "f", .line = 4};
    struct lz_module *module;

    registry_eager(*state, "m", LZ_REASON_IGNORE_PACKAGE, &place);
    assert_null(state_of(*state, "m"));
    load(*state, "m", LZ_REASON_NONE);
    registry_eager(*state, "m", LZ_REASON_STAR, NULL);
    assert_int_equal(registry_show(*state, "m", &module), 1);
    assert_int_equal(module->state, LZ_STATE_IGNORED);
    assert_int_equal(module->reason, LZ_REASON_IGNORE_PACKAGE);
    assert_string_equal(module->statement.function, "f");
    registry_modules_free(module, 1);
}

static void
test_existing_and_lost(void **state)
{
    registry_existing(*state, "sys", NULL);
    registry_lost(*state, "sys", NULL);
    registry_lost(*state, "stray", "/stray.py");
    registry_proxy(*state, "sys", NULL, NULL);
    assert_string_equal(state_of(*state, "sys"), "existing");
    assert_string_equal(state_of(*state, "stray"), "lost");
    load(*state, "sys", LZ_REASON_NONE);
    assert_string_equal(state_of(*state, "sys"), "existing");
    /* Seen by a sweep while its body ran: the load explains it. */
    load(*state, "stray", LZ_REASON_GUARDED);
    assert_string_equal(state_of(*state, "stray"), "eager");
    assert_int_equal(stats_of(*state).modules[LZ_STATE_LOST], 0);
    registry_lost(*state, "gone", NULL);
    load_fails(*state, "gone", "E: x");
    assert_string_equal(state_of(*state, "gone"), "none");
    /* Loaded between an uninstall and an install. */
    registry_proxy(*state, "late", NULL, NULL);
    registry_existing(*state, "late", NULL);
    assert_string_equal(state_of(*state, "late"), "real");
    assert_int_equal(stats_of(*state).modules[LZ_STATE_PROXY], 0);
}

static void
test_failures(void **state)
{
    struct lz_module *module;
    char text[2 * LZ_REGISTRY_ERROR_MAX];

    registry_proxy(*state, "p", NULL, NULL);
    load_fails(*state, "p", "ValueError: one");
    load_fails(*state, "p", "ValueError: two");
    load_fails(*state, "q", "ValueError: three");
    struct lz_registry_stats stats = stats_of(*state);
    assert_int_equal(stats.failed, 2);
    assert_int_equal(stats.loads_failed, 3);
    assert_int_equal(stats.loads, 0);
    assert_string_equal(state_of(*state, "p"), "proxy");
    assert_string_equal(state_of(*state, "q"), "none");
    uint64_t sum = 0;
    for (int i = 0; i < LZ_STATE_COUNT; i++) {
        sum += stats.modules[i];
    }
    assert_int_equal(sum, 1);
    assert_int_equal(registry_show(*state, "p", &module), 1);
    assert_int_equal(module->failures, 2);
    assert_string_equal(module->last_error, "ValueError: two");
    registry_modules_free(module, 1);
    load(*state, "p", LZ_REASON_LAZY);
    assert_int_equal(stats_of(*state).failed, 1);
    /* A long text is cut before a character of two bytes, not inside. */
    memset(text, 'x', sizeof(text));
    text[LZ_REGISTRY_ERROR_MAX - 1] = '\xC3';
    text[LZ_REGISTRY_ERROR_MAX] = '\xA9';
    text[sizeof(text) - 1] = '\0';
    load_fails(*state, "q", text);
    assert_int_equal(registry_show(*state, "q", &module), 1);
    assert_int_equal(strlen(module->last_error), LZ_REGISTRY_ERROR_MAX - 1);
    registry_modules_free(module, 1);
}

static void
test_wall_time_counts_outermost_loads(void **state)
{
    struct lz_load inner = {.name = "b", .parent = "a", .wall_ns = 40};
    struct lz_load outer = {.name = "a", .wall_ns = 100};

    registry_loaded(*state, &inner, NULL);
    registry_loaded(*state, &outer, NULL);
    assert_int_equal(stats_of(*state).loads_wall_ns, 100);
    assert_int_equal(stats_of(*state).loads, 2);
}

static void
test_builtins(void **state)
{
    static const char *const names[] = {"sys", "time", "gc", "errno"};

    registry_existing(*state, "sys", NULL);
    registry_builtins(*state, names, 4);
    registry_builtins(*state, names, 4);
    registry_proxy(*state, "time", NULL, NULL);
    registry_proxy(*state, "json", NULL, NULL);
    struct lz_registry_stats stats = stats_of(*state);
    assert_int_equal(stats.builtins_proxied, 1);
    assert_int_equal(stats.builtins_imported, 1);
    assert_int_equal(stats.builtins_absent, 2);
    load(*state, "time", LZ_REASON_LAZY);
    load(*state, "gc", LZ_REASON_GUARDED);
    stats = stats_of(*state);
    assert_int_equal(stats.builtins_proxied, 0);
    assert_int_equal(stats.builtins_imported, 3);
    assert_int_equal(stats.builtins_absent, 1);
    assert_null(state_of(*state, "errno"));
}

static void
test_names_never_go_below_zero(void **state)
{
    registry_proxy(*state, "m", NULL, NULL);
    registry_names(*state, "m", 3, 0);
    registry_names(*state, "n", 1, 0);
    registry_names(*state, "m", -2, 2);
    assert_int_equal(stats_of(*state).names_pending, 2);
    registry_names(*state, "m", INT64_MIN, 1);
    assert_int_equal(stats_of(*state).names_pending, 1);
    assert_int_equal(stats_of(*state).names_resolved, 3);
}

static void
fill_for_lists(struct lz_registry *registry)
{
    struct lz_load one = {.name = "pkg.slow",
                          .reason = LZ_REASON_LAZY,
                          .wall_self_ns = 900,
                          .bytes_self = -5};
    struct lz_load two = {.name = "pkg.big",
                          .reason = LZ_REASON_GUARDED,
                          .wall_self_ns = 100,
                          .bytes_self = 5000};

    registry_loaded(registry, &one, NULL);
    registry_loaded(registry, &two, NULL);
    registry_proxy(registry, "alone", NULL, NULL);
    load_fails(registry, "broken", "E: x");
}

static void
expect_list(struct lz_registry *registry, struct lz_query query,
            const char *expected, size_t expected_total)
{
    struct lz_module *modules;
    size_t count, total;
    char line[256] = "";

    assert_int_equal(registry_list(registry, &query, &modules, &count, &total),
                     0);
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(line);
        (void)snprintf(line + used, sizeof(line) - used, "%s ",
                       modules[i].name);
    }
    registry_modules_free(modules, count);
    assert_string_equal(line, expected);
    assert_int_equal(total, expected_total);
}

static void
test_lists(void **state)
{
    fill_for_lists(*state);
    expect_list(*state, (struct lz_query){0}, "alone broken pkg.big pkg.slow ",
                4);
    expect_list(*state, (struct lz_query){.sort = LZ_SORT_TIME},
                "pkg.slow pkg.big alone broken ", 4);
    expect_list(*state, (struct lz_query){.sort = LZ_SORT_MEMORY},
                "pkg.big alone broken pkg.slow ", 4);
    expect_list(*state, (struct lz_query){.sort = LZ_SORT_ORDER},
                "pkg.slow pkg.big alone broken ", 4);
    expect_list(*state, (struct lz_query){.match = "pkg.*", .limit = 1},
                "pkg.big ", 2);
    expect_list(*state, (struct lz_query){.match = "*o*"},
                "alone broken pkg.slow ", 3);
    expect_list(*state, (struct lz_query){.failed = true}, "broken ", 1);
    expect_list(*state,
                (struct lz_query){.states = 1u << LZ_STATE_PROXY |
                                            1u << LZ_STATE_EAGER},
                "alone pkg.big ", 2);
    expect_list(*state, (struct lz_query){.states = 1u << LZ_STATE_LOST}, "",
                0);
}

/* What is selected stays, in its order; what it has become is told. */
static void
test_listing_beside_changes(void **state)
{
    struct lz_query pending = {.states = 1u << LZ_STATE_PROXY};
    struct lz_listing *listing;
    struct lz_module module;

    registry_proxy(*state, "b", "/b.py", NULL);
    registry_proxy(*state, "a", "/a.py", NULL);
    registry_proxy(*state, "c", "/c.py", NULL);
    assert_int_equal(registry_listing_open(*state, &pending, &listing), 0);
    load(*state, "b", LZ_REASON_LAZY);
    registry_proxy(*state, "aa", NULL, NULL);
    load_fails(*state, "c", "Error: no");
    assert_int_equal(registry_listing_count(listing), 3);
    assert_true(registry_listing_at(listing, 0, &module));
    assert_string_equal(module.name, "a");
    assert_string_equal(module.file, "/a.py");
    assert_false(registry_listing_at(listing, 1, &module));
    assert_string_equal(registry_listing_name(listing, 1), "b");
    assert_true(registry_listing_at(listing, 2, &module));
    load_fails(*state, "c", "Error: other");
    assert_string_equal(module.last_error, "Error: no");
    assert_true(registry_listing_at(listing, 2, &module));
    assert_string_equal(module.last_error, "Error: other");
    registry_listing_close(listing);
}

static void
test_hostile_names(void **state)
{
    char *name = malloc(LZ_REGISTRY_NAME_MAX + 2);

    assert_non_null(name);
    memset(name, 'n', LZ_REGISTRY_NAME_MAX + 1);
    name[LZ_REGISTRY_NAME_MAX + 1] = '\0';
    registry_proxy(*state, name, NULL, NULL);
    assert_null(state_of(*state, name));
    assert_int_equal(stats_of(*state).modules[LZ_STATE_PROXY], 0);
    name[LZ_REGISTRY_NAME_MAX] = '\0';
    registry_proxy(*state, name, NULL, NULL);
    assert_string_equal(state_of(*state, name), "proxy");
    free(name);
    registry_proxy(*state, "", NULL, NULL);
    assert_string_equal(state_of(*state, ""), "proxy");
}

/* The table stops growing at its bound, and costs at most 1 KiB a module. */
static void
test_bounded_memory(void **state)
{
    struct lz_place place = {.file = "/srv/app/service.py", .line = 7};
    char name[64], file[128];
    struct mallinfo2 before = mallinfo2();

    for (int i = 0; i < LZ_REGISTRY_MODULES_MAX; i++) {
        (void)snprintf(name, sizeof(name), "package.module_%d", i);
        (void)snprintf(file, sizeof(file), "/usr/lib/python3/%s.py", name);
        struct lz_load one = {.name = name,
                              .reason = LZ_REASON_LAZY,
                              .thread = "MainThread",
                              .trigger = place};
        registry_proxy(*state, name, file, &place);
        registry_loaded(*state, &one, file);
    }
    struct mallinfo2 after = mallinfo2();
    assert_true(
        (after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) /
            LZ_REGISTRY_MODULES_MAX <=
        1024);
    registry_proxy(*state, "one.more", NULL, &place);
    assert_null(state_of(*state, "one.more"));
    assert_int_equal(stats_of(*state).modules[LZ_STATE_REAL],
                     LZ_REGISTRY_MODULES_MAX);
    assert_int_equal(stats_of(*state).modules[LZ_STATE_PROXY], 0);
}

static void
test_strings(void **state)
{
    enum lz_state parsed = LZ_STATE_LOST;

    (void)state;
    assert_int_equal(lz_state_from_string("real", &parsed), 1);
    assert_int_equal(parsed, LZ_STATE_REAL);
    assert_int_equal(lz_state_from_string("none", &parsed), 0);
    assert_string_equal(lz_reason_string(LZ_REASON_FOR_EFFECT), "for_effect");
    assert_string_equal(lz_reason_string(LZ_REASON_COUNT), "none");
    assert_true(strlen(lz_reason_text(LZ_REASON_LATE)) > 0);
}

int
main(void)
{
#define TEST(function)                                                        \
    cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_proxy_then_real),
        TEST(test_states_after_a_load),
        TEST(test_eager_is_remembered_for_the_load),
        TEST(test_existing_and_lost),
        TEST(test_failures),
        TEST(test_wall_time_counts_outermost_loads),
        TEST(test_builtins),
        TEST(test_names_never_go_below_zero),
        TEST(test_lists),
        TEST(test_listing_beside_changes),
        TEST(test_hostile_names),
        TEST(test_bounded_memory),
        TEST(test_strings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
