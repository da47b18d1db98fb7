/* Levels: who wins, what is refused, what is listed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lazycore/level.h"

static int
set_up(void **state)
{
    *state = levels_new();
    return *state == NULL;
}

static int
tear_down(void **state)
{
    levels_free(*state);
    return 0;
}

static void
expect(struct lz_levels *levels, const char *module, const char *level,
       const char *source)
{
    enum lz_level_source found;

    assert_string_equal(lz_level_string(levels_get(levels, module, &found)),
                        level);
    assert_string_equal(lz_level_source_string(found), source);
}

static void
test_unknown_is_outer(void **state)
{
    expect(*state, "nobody.knows", "outer", "default");
    assert_int_equal(levels_get(*state, "nobody", NULL), LZ_LEVEL_OUTER);
}

/* One name begins with another, asked in any order. */
static void
test_like_the_last(void **state)
{
    struct lz_error error;

    assert_int_equal(levels_set(*state, "ab", LZ_LEVEL_EAGER, &error), 0);
    assert_int_equal(levels_set(*state, "abc", LZ_LEVEL_FULL, &error), 0);
    for (int i = 0; i < 2; i++) {
        expect(*state, "ab.c", "eager", "operator");
        expect(*state, "abc.d", "full", "operator");
        expect(*state, "a", "outer", "default");
        expect(*state, "abcd", "outer", "default");
        expect(*state, "ab", "eager", "operator");
        expect(*state, "a.b", "outer", "default");
        expect(*state, "abc", "full", "operator");
        expect(*state, "abc", "full", "operator");
    }
}

static void
test_catalogue(void **state)
{
    expect(*state, "chardet.universaldetector", "full", "catalogue");
    expect(*state, "sqlalchemy.orm", "outer", "catalogue");
    expect(*state, "chardetfoo", "outer", "default");
}

static void
test_why(void **state)
{
    static const char *const names[] = {"json"};
    struct lz_error error = {0};
    struct lz_level_info info = levels_explain(*state, "chardet.version");

    assert_int_equal(info.level, LZ_LEVEL_FULL);
    assert_int_equal(info.source, LZ_LEVEL_CATALOGUE);
    assert_non_null(strstr(info.why, "programs: "));
    assert_non_null(strstr(info.why, "; sweep: "));
    assert_int_equal(levels_set(*state, "chardet", LZ_LEVEL_OUTER, &error), 0);
    info = levels_explain(*state, "chardet.version");
    assert_int_equal(info.level, LZ_LEVEL_OUTER);
    assert_string_equal(info.why, "an operator set it");
    assert_int_equal(levels_stdlib(*state, names, 1), 0);
    info = levels_explain(*state, "json.decoder");
    assert_string_equal(info.why, "a part of the standard library");
    info = levels_explain(*state, "nobody.knows");
    assert_int_equal(info.level, LZ_LEVEL_OUTER);
    assert_string_equal(info.why, "not in the catalogue");
}

static void
test_standard_library_is_full(void **state)
{
    static const char *const names[] = {"json", "email"};

    assert_int_equal(levels_is_stdlib(*state, "json"), 0);
    assert_int_equal(levels_stdlib(*state, names, 2), 0);
    assert_int_equal(levels_is_stdlib(*state, "email.mime.text"), 1);
    assert_int_equal(levels_is_stdlib(*state, "emails"), 0);
    expect(*state, "json.decoder", "full", "catalogue");
}

static void
test_operator_wins(void **state)
{
    static const char *const names[] = {"json"};
    struct lz_error error = {0};

    assert_int_equal(levels_stdlib(*state, names, 1), 0);
    assert_int_equal(levels_set(*state, "json", LZ_LEVEL_EAGER, &error), 0);
    assert_int_equal(levels_set(*state, "chardet", LZ_LEVEL_OUTER, &error), 0);
    assert_int_equal(levels_set(*state, "mine", LZ_LEVEL_FULL, &error), 0);
    /* Given again, as after uninstall and install: what was set stays. */
    assert_int_equal(levels_stdlib(*state, names, 1), 0);
    expect(*state, "json", "eager", "operator");
    expect(*state, "chardet.x", "outer", "operator");
    expect(*state, "mine.x", "full", "operator");
    assert_int_equal(levels_is_stdlib(*state, "json"), 1);
}

static void
test_bad_names_are_refused(void **state)
{
    static const char *const names[] = {"", "a.b", "a b", "1", "a\n", "\xFF"};
    char longest[LZ_LEVELS_NAME_MAX + 2];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct lz_error error = {0};
        assert_int_equal(levels_set(*state, names[i], LZ_LEVEL_FULL, &error),
                         -1);
        assert_int_equal(error.kind, LZ_ERROR_INVALID);
        lz_error_done(&error);
    }
    memset(longest, 'a', sizeof(longest));
    longest[LZ_LEVELS_NAME_MAX + 1] = '\0';
    struct lz_error error = {0};
    assert_int_equal(levels_set(*state, longest, LZ_LEVEL_FULL, &error), -1);
    longest[LZ_LEVELS_NAME_MAX] = '\0';
    assert_int_equal(levels_set(*state, longest, LZ_LEVEL_FULL, NULL), 0);
    lz_error_done(&error);
}

static void
test_table_has_a_bound(void **state)
{
    struct lz_error error = {0};
    char name[32];
    int set = 0;

    while (set <= LZ_LEVELS_MAX) {
        (void)snprintf(name, sizeof(name), "p%d", set);
        if (levels_set(*state, name, LZ_LEVEL_FULL, &error) != 0) {
            break;
        }
        set++;
    }
    assert_in_range(set, LZ_LEVELS_MAX / 2, LZ_LEVELS_MAX);
    assert_int_equal(error.kind, LZ_ERROR_LIMIT);
    lz_error_done(&error);
    /* What is in the table can still be changed. */
    assert_int_equal(levels_set(*state, "p0", LZ_LEVEL_EAGER, &error), 0);
}

static void
test_list(void **state)
{
    static const char *const names[] = {"json"};
    struct lz_level_entry *entries;
    size_t count, before;

    assert_int_equal(levels_stdlib(*state, names, 1), 0);
    assert_int_equal(levels_list(*state, &entries, &before), 0);
    level_entries_free(entries, before);
    assert_int_equal(levels_set(*state, "aaa", LZ_LEVEL_FULL, NULL), 0);
    assert_int_equal(levels_set(*state, "django", LZ_LEVEL_EAGER, NULL), 0);
    assert_int_equal(levels_list(*state, &entries, &count), 0);
    assert_int_equal(count, before + 1);
    for (size_t i = 1; i < count; i++) {
        assert_true(strcmp(entries[i - 1].package, entries[i].package) < 0);
        assert_string_not_equal(entries[i].package, "json");
    }
    level_entries_free(entries, count);
}

static void
test_strings(void **state)
{
    enum lz_level level = LZ_LEVEL_EAGER;

    (void)state;
    assert_int_equal(lz_level_from_string("full", &level), 1);
    assert_int_equal(level, LZ_LEVEL_FULL);
    assert_int_equal(lz_level_from_string("fuller", &level), 0);
    assert_int_equal(level, LZ_LEVEL_FULL);
}

int
main(void)
{
#define TEST(function)                                                        \
    cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_unknown_is_outer),
        TEST(test_like_the_last),
        TEST(test_catalogue),
        TEST(test_why),
        TEST(test_standard_library_is_full),
        TEST(test_operator_wins),
        TEST(test_bad_names_are_refused),
        TEST(test_table_has_a_bound),
        TEST(test_list),
        TEST(test_strings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
