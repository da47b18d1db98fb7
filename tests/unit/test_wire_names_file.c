/* Files of modules' names: what is one, and what is said of what is not. */
#include "ctl/wire/names_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void
test_names(void **state)
{
    static const char *const good[] = {"a", "a.b", "_x.y1", "foo-bar",
                                       "\xc3\xa9t\xc3\xa9.b"};
    static const char *const bad[] = {"",    ".",    "a.",  ".a",  "a..b",
                                      "a b", "a\tb", "a;b", "a/b", "a\nb",
                                      "*",   "a=b",  "a#"};
    char *text = malloc(WIRE_NAME_BYTES + 2);
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(wire_name_is_valid(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(wire_name_is_valid(bad[i]));
    }
    assert_non_null(text);
    memset(text, 'a', WIRE_NAME_BYTES + 1);
    text[WIRE_NAME_BYTES + 1] = '\0';
    assert_false(wire_name_is_valid(text));
    text[WIRE_NAME_BYTES] = '\0';
    assert_true(wire_name_is_valid(text));
    free(text);
}

/* Read SIZE bytes of TEXT as a file. */
static int
read_text(const char *bytes, size_t size, struct wire_names *ret_names,
          char text[512])
{
    char path[] = "/tmp/lazyd-names-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    (void)close(fd);
    int status = wire_names_read(path, ret_names, text);
    (void)unlink(path);
    return status;
}

static void
test_read(void **state)
{
    static const char lines[] =
        "# first\n\n  json \nemail.mime#x\r\njson\nlast";
    struct wire_names names = {0};
    char text[512];
    (void)state;
    assert_int_equal(read_text(lines, strlen(lines), &names, text), 0);
    assert_int_equal(names.count, 3);
    assert_string_equal(names.items[0], "json");
    assert_string_equal(names.items[1], "email.mime");
    assert_string_equal(names.items[2], "last");
    wire_names_done(&names);
    assert_int_equal(read_text("", 0, &names, text), 0);
    assert_int_equal(names.count, 0);
    wire_names_done(&names);
}

static void
test_refused(void **state)
{
    struct wire_names names = {0};
    char text[512];
    (void)state;
    assert_int_equal(read_text("a\nb c\n", 6, &names, text), -EINVAL);
    assert_non_null(strstr(text, "line 2: 'b c' is no module's name"));
    assert_int_equal(read_text("a\0b\n", 4, &names, text), -EINVAL);
    assert_non_null(strstr(text, "line 1: it has a byte 0"));
    assert_int_equal(wire_names_read("/no/such", &names, text), -ENOENT);
    assert_non_null(strstr(text, "cannot open '/no/such'"));
    assert_int_equal(wire_names_read("/", &names, text), -EISDIR);
    assert_null(names.items);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
