/* What brought a module in, what it brought: chains and contexts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lazycore/registry_tree.h"
#include "tests/unit/registry_fixture.h"

/* NAME, whose file is NAME.py, imported lazily by BY.py. */
static void
imported(struct lz_registry *registry, const char *name, const char *by,
         int line)
{
    char file[64], statement[64];

    (void)snprintf(file, sizeof(file), "%s.py", name);
    (void)snprintf(statement, sizeof(statement), "%s.py", by);
    struct lz_place place = {.file = statement, .line = line};
    registry_proxy(registry, name, file, &place);
}

/* NAME, loaded by BY.py's code within the load of PARENT, or of none. */
static void
loaded(struct lz_registry *registry, const char *name, const char *by,
       const char *parent)
{
    char file[64], trigger[64];

    (void)snprintf(file, sizeof(file), "%s.py", name);
    (void)snprintf(trigger, sizeof(trigger), "%s.py", by);
    struct lz_load one = {
        .name = name,
        .parent = parent,
        .thread = "MainThread",
        .trigger = {.file = trigger, .function = "f", .line = 9}};
    registry_loaded(registry, &one, file);
}

/* "name(link) name(link) ", or "unknown". */
static void
expect_chain(struct lz_registry *registry, const char *name,
             const char *expected)
{
    struct lz_chain chain;
    char text[1024] = "unknown";
    size_t used = 0;
    int found = registry_chain(registry, name, &chain);

    assert_true(found >= 0);
    for (size_t i = 0; found > 0 && i < chain.count; i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s(%s) ",
                                 chain.modules[i].name,
                                 lz_link_string(chain.links[i]));
    }
    registry_chain_done(&chain);
    assert_string_equal(text, expected);
}

/* main uses app, whose body uses db, whose code later uses json. */
static void
fill(struct lz_registry *registry)
{
    registry_existing(registry, "__main__", "main.py");
    imported(registry, "app", "main", 1);
    imported(registry, "db", "app", 2);
    imported(registry, "json", "db", 3);
    imported(registry, "csv", "json", 4);
    loaded(registry, "sql", "db", "db");
    loaded(registry, "db", "app", "app");
    loaded(registry, "log", "app", "app");
    loaded(registry, "app", "main", NULL);
    loaded(registry, "json", "db", NULL);
}

static void
test_chains(void **state)
{
    fill(*state);
    expect_chain(*state, "app", "__main__(none) app(use) ");
    expect_chain(*state, "sql", "__main__(none) app(use) db(load) sql(load) ");
    expect_chain(*state, "json",
                 "__main__(none) app(use) db(load) json(use) ");
    expect_chain(*state, "csv",
                 "__main__(none) app(use) db(load) json(use) csv(statement) ");
    expect_chain(*state, "__main__", "__main__(none) ");
    expect_chain(*state, "nobody", "unknown");
}

static void
test_a_failed_load_has_a_chain(void **state)
{
    fill(*state);
    imported(*state, "bad", "db", 5);
    struct lz_load one = {.name = "bad",
                          .error = "ValueError: x",
                          .trigger = {.file = "log.py", .line = 6}};
    registry_loaded(*state, &one, "bad.py");
    expect_chain(*state, "bad", "__main__(none) app(use) log(load) bad(use) ");
}

/* Where the code is of no module that is known, the statement leads on; and
 * a circle, which two half-loaded modules make, ends. */
static void
test_dead_ends_and_circles(void **state)
{
    fill(*state);
    imported(*state, "x", "app", 8);
    loaded(*state, "x", "<string>", NULL);
    expect_chain(*state, "x", "__main__(none) app(use) x(statement) ");
    loaded(*state, "a", "b", "b");
    loaded(*state, "b", "a", "a");
    expect_chain(*state, "a", "b(none) a(load) ");
    loaded(*state, "self", "self", "self");
    expect_chain(*state, "self", "self(none) ");
}

static void
test_a_long_chain_is_cut(void **state)
{
    struct lz_chain chain;
    char name[16], parent[16];

    for (int i = 0; i < 2 * LZ_CHAIN_MAX; i++) {
        (void)snprintf(name, sizeof(name), "m%d", i);
        (void)snprintf(parent, sizeof(parent), "m%d", i + 1);
        loaded(*state, name, parent, parent);
    }
    assert_int_equal(registry_chain(*state, "m0", &chain), 1);
    assert_true(chain.cut);
    assert_int_equal(chain.count, LZ_CHAIN_MAX);
    assert_string_equal(chain.modules[LZ_CHAIN_MAX - 1].name, "m0");
    assert_int_equal(chain.links[0], LZ_LINK_LOAD);
    registry_chain_done(&chain);
}

static void
test_context(void **state)
{
    struct lz_context context;

    fill(*state);
    assert_int_equal(registry_context(*state, "app", 1, &context), 1);
    assert_string_equal(context.statement_module, "__main__");
    assert_string_equal(context.trigger_module, "__main__");
    assert_int_equal(context.child_count, 1);
    assert_int_equal(context.child_total, 2);
    assert_string_equal(context.children[0].name, "db");
    assert_int_equal(context.pulled, 3);
    assert_int_equal(context.waiting, 0);
    registry_context_done(&context);

    assert_int_equal(registry_context(*state, "json", 9, &context), 1);
    assert_int_equal(context.child_total, 0);
    assert_int_equal(context.waiting, 1);
    assert_string_equal(context.trigger_module, "db");
    registry_context_done(&context);

    assert_int_equal(registry_context(*state, "nobody", 9, &context), 0);
    registry_context_done(&context);
}

static void
test_pages_in_the_order_of_loading(void **state)
{
    struct lz_query query = {
        .loaded = true, .after = 2, .sort = LZ_SORT_ORDER, .limit = 2};
    struct lz_module *modules;
    size_t count, total;

    fill(*state);
    assert_int_equal(registry_list(*state, &query, &modules, &count, &total),
                     0);
    assert_int_equal(count, 2);
    assert_int_equal(total, 3);
    assert_string_equal(modules[0].name, "log");
    assert_string_equal(modules[1].name, "app");
    registry_modules_free(modules, count);
}

int
main(void)
{
#define TEST(function)                                                        \
    cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_chains),
        TEST(test_a_failed_load_has_a_chain),
        TEST(test_dead_ends_and_circles),
        TEST(test_a_long_chain_is_cut),
        TEST(test_context),
        TEST(test_pages_in_the_order_of_loading),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
