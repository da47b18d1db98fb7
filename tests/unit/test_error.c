/* Errors: the first cause wins, text is cut whole, release clears. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lazycore/error.h"
#include "lazycore/names.h"

static void
test_first_cause_wins(void **state)
{
    struct lz_error error = {0};

    (void)state;
    assert_int_equal(lz_error_set(&error, LZ_ERROR_BUSY, "'%s' waits", "a"),
                     -1);
    assert_int_equal(lz_error_set(&error, LZ_ERROR_IO, "later"), -1);
    assert_int_equal(lz_error_set_errno(&error, ENOENT, "later"), -1);
    assert_int_equal(error.kind, LZ_ERROR_BUSY);
    assert_string_equal(error.text, "'a' waits");
    lz_error_done(&error);
}

static void
test_null_error_is_accepted(void **state)
{
    (void)state;
    assert_int_equal(lz_error_set(NULL, LZ_ERROR_IO, "x"), -1);
    assert_int_equal(lz_error_set_errno(NULL, EIO, "x"), -1);
    lz_error_done(NULL);
}

static void
test_errno_names_the_cause(void **state)
{
    struct lz_error error = {0};

    (void)state;
    (void)lz_error_set_errno(&error, -ENOENT, "cannot open '%s'", "f");
    assert_int_equal(error.kind, LZ_ERROR_IO);
    assert_string_equal(error.text,
                        "cannot open 'f': No such file or directory");
    lz_error_done(&error);
    (void)lz_error_set_errno(&error, ENOMEM, "no");
    assert_int_equal(error.kind, LZ_ERROR_NO_MEMORY);
    lz_error_done(&error);
}

/* A text that ends inside a character of two to four bytes at any offset is
 * still UTF-8 afterwards. */
static void
test_cut_at_a_whole_character(void **state)
{
    static const char *const characters[] = {"\xC3\xA9", "\xE2\x82\xAC",
                                             "\xF0\x9F\x98\x80"};

    (void)state;
    for (size_t kind = 0; kind < 3; kind++) {
        for (size_t offset = 0; offset < 4; offset++) {
            char text[2048] = "";
            struct lz_error error = {0};
            size_t length = strlen(characters[kind]);
            memset(text, 'x', offset);
            for (size_t at = offset; at < 1500; at += length) {
                memcpy(text + at, characters[kind], length);
            }
            (void)lz_error_set(&error, LZ_ERROR_IO, "%s", text);
            assert_true(strlen(error.text) > sizeof(error.text) - 5);
            assert_true(names_is_text(error.text));
            lz_error_done(&error);
            (void)lz_error_set_errno(&error, EIO, "%s", text);
            assert_true(names_is_text(error.text));
            lz_error_done(&error);
        }
    }
}

static void
test_done_clears(void **state)
{
    struct lz_error error = {0};

    (void)state;
    (void)lz_error_set(&error, LZ_ERROR_LOAD_FAILED, "x");
    error.traceback = strdup("Traceback");
    lz_error_done(&error);
    assert_int_equal(error.kind, LZ_ERROR_NONE);
    assert_null(error.traceback);
    assert_string_equal(error.text, "");
    lz_error_done(&error);
}

static void
test_kind_strings_are_distinct(void **state)
{
    (void)state;
    for (int a = 0; a < LZ_ERROR_COUNT; a++) {
        for (int b = 0; b < a; b++) {
            assert_string_not_equal(
                lz_error_kind_string((enum lz_error_kind)a),
                lz_error_kind_string((enum lz_error_kind)b));
        }
    }
    assert_string_equal(lz_error_kind_string(LZ_ERROR_COUNT), "internal");
}

static void
test_names(void **state)
{
    (void)state;
    assert_true(names_is_dotted("a"));
    assert_true(names_is_dotted("a.b_1.c"));
    assert_true(names_is_dotted("caf\xC3\xA9.x"));
    assert_false(names_is_dotted(""));
    assert_false(names_is_dotted("."));
    assert_false(names_is_dotted("a."));
    assert_false(names_is_dotted(".a"));
    assert_false(names_is_dotted("a..b"));
    assert_false(names_is_dotted("1a"));
    assert_false(names_is_dotted("a.1"));
    assert_false(names_is_dotted("a b"));
    assert_false(names_is_dotted("a\n"));
    assert_false(names_is_dotted("\xFF"));
    assert_true(names_is_top_level("a"));
    assert_false(names_is_top_level("a.b"));
    assert_false(names_is_text("\xC0\x80"));
    assert_false(names_is_text("\xED\xA0\x80"));
    assert_false(names_is_text("\xE2\x82"));
    assert_false(names_is_text("\x1B[0m"));
    assert_true(names_is_text("/a b/c"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_cause_wins),
        cmocka_unit_test(test_null_error_is_accepted),
        cmocka_unit_test(test_errno_names_the_cause),
        cmocka_unit_test(test_cut_at_a_whole_character),
        cmocka_unit_test(test_done_clears),
        cmocka_unit_test(test_kind_strings_are_distinct),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
