/* ctl/wire/frame, utf8 and scan: what is a line, what is UTF-8, what is
 * JSON; every refusal and every limit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/wire/frame.h"
#include "ctl/wire/limit.h"
#include "ctl/wire/scan.h"
#include "ctl/wire/utf8.h"

static const char stream[] =
    "{\"a\":1}\n\n\r\n{\"b\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x8d\"}"
    "\r\nxyz\n";
static const char *const lines[] = {
    "{\"a\":1}", "{\"b\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x8d\"}", "xyz",
    "no more"};

/* Push the stream in portions of SIZE; the lines come out the same. */
static void
check_portions(size_t size)
{
    struct wire_frame frame;
    size_t seen = 0;
    wire_frame_init(&frame, 64);
    for (size_t at = 0; at < sizeof stream - 1; at += size) {
        size_t left = sizeof stream - 1 - at;
        char *line = NULL;
        size_t length = 0;
        assert_int_equal(
            wire_frame_push(&frame, stream + at, left < size ? left : size),
            0);
        while (wire_frame_next(&frame, &line, &length) == 1) {
            assert_true(seen < 3);
            assert_string_equal(line, lines[seen]);
            assert_int_equal(length, strlen(lines[seen]));
            seen++;
        }
    }
    assert_int_equal(seen, 3);
    assert_int_equal(wire_frame_pending(&frame), 0);
    wire_frame_done(&frame);
}

static void
test_portions(void **state)
{
    (void)state;
    for (size_t size = 1; size <= sizeof stream; size++) {
        check_portions(size);
    }
}

/* Every message crosses the boundary of an 18-byte read. */
static void
test_tiny_buffer(void **state)
{
    (void)state;
    struct wire_frame frame;
    char message[64], *line;
    size_t length, seen = 0, fill = 0;
    char buffer[18];
    wire_frame_init(&frame, 32);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(message, sizeof message, "{\"number\":%d}\n", i);
        for (const char *c = message; *c != '\0'; c++) {
            buffer[fill++] = *c;
            if (fill == sizeof buffer) {
                assert_int_equal(wire_frame_push(&frame, buffer, fill), 0);
                fill = 0;
                while (wire_frame_next(&frame, &line, &length) == 1) {
                    char expected[64];
                    (void)snprintf(expected, sizeof expected,
                                   "{\"number\":%zu}", seen++);
                    assert_string_equal(line, expected);
                }
            }
        }
    }
    assert_true(seen >= 198);
    assert_int_equal(wire_frame_pending(&frame) + fill > 0, seen < 200);
    wire_frame_done(&frame);
}

static void
push(struct wire_frame *frame, const char *bytes, size_t size)
{
    assert_int_equal(wire_frame_push(frame, bytes, size), 0);
}

/* One byte over the limit is refused once, and the next line is fine. */
static void
test_overlong(void **state)
{
    (void)state;
    struct wire_frame frame;
    char *line;
    size_t length;
    wire_frame_init(&frame, 10);
    push(&frame, "0123456789\n", 11);
    assert_int_equal(wire_frame_next(&frame, &line, &length), 1);
    assert_int_equal(length, 10);
    push(&frame, "0123456789a\nnext\n", 17);
    assert_int_equal(wire_frame_next(&frame, &line, &length), -EMSGSIZE);
    assert_int_equal(wire_frame_next(&frame, &line, &length), 1);
    assert_string_equal(line, "next");
    assert_int_equal(wire_frame_next(&frame, &line, &length), 0);
    wire_frame_done(&frame);
}

/* A line of 2 MiB without an end keeps no more than a portion of it. */
static void
test_overlong_in_portions(void **state)
{
    (void)state;
    struct wire_frame frame;
    char portion[4096], *line;
    size_t length, refusals = 0;
    memset(portion, 'x', sizeof portion);
    wire_frame_init(&frame, WIRE_LIMIT_FRAME);
    for (int i = 0; i < 512; i++) {
        push(&frame, portion, sizeof portion);
        int status = wire_frame_next(&frame, &line, &length);
        assert_true(status == 0 || status == -EMSGSIZE);
        refusals += status == -EMSGSIZE;
        assert_true(wire_frame_pending(&frame) <= WIRE_LIMIT_FRAME);
    }
    assert_int_equal(refusals, 1);
    assert_int_equal(wire_frame_pending(&frame), 0);
    push(&frame, "tail\n{}\n{", 9);
    assert_int_equal(wire_frame_next(&frame, &line, &length), 1);
    assert_string_equal(line, "{}");
    assert_int_equal(wire_frame_next(&frame, &line, &length), 0);
    assert_int_equal(wire_frame_pending(&frame), 1);
    /* Once empty, it has given the memory of the long line back. */
    push(&frame, "}\n", 2);
    assert_int_equal(wire_frame_next(&frame, &line, &length), 1);
    assert_int_equal(wire_frame_next(&frame, &line, &length), 0);
    assert_true(frame.capacity <= 65536);
    wire_frame_done(&frame);
}

static void
test_not_text(void **state)
{
    (void)state;
    struct wire_frame frame;
    char *line;
    size_t length;
    wire_frame_init(&frame, 64);
    push(&frame, "a\0b\nc\xff\nd\xe2\x82\ne\n", 13);
    assert_int_equal(wire_frame_next(&frame, &line, &length), -EILSEQ);
    assert_int_equal(wire_frame_next(&frame, &line, &length), -EILSEQ);
    assert_int_equal(wire_frame_next(&frame, &line, &length), -EILSEQ);
    assert_int_equal(wire_frame_next(&frame, &line, &length), 1);
    assert_string_equal(line, "e");
    wire_frame_done(&frame);
    wire_frame_done(NULL);
}

static void
test_utf8(void **state)
{
    (void)state;
    static const char *const good[] = {"a",
                                       "\x7f",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const uint32_t points[] = {0x61,    0x7f,    0x80,   0x7ff,
                                      0x800,   0xd7ff,  0xe000, 0xffff,
                                      0x10000, 0x10ffff};
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xe2\x82",
                                      "\xf0\x8f\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\xf0\x90\x80",
                                      "\xc3("};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        size_t size = wire_utf8_size(good[i]);
        assert_int_equal(size, strlen(good[i]));
        assert_int_equal(wire_utf8_decode(good[i], size), points[i]);
        assert_true(wire_utf8_valid(good[i], size));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(wire_utf8_size(bad[i]), 0);
        assert_false(wire_utf8_valid(bad[i], strlen(bad[i])));
    }
    assert_false(wire_utf8_valid("a\0b", 3));
}

static int
scan(const char *text)
{
    struct wire_scan result;
    int status = wire_scan(text, strlen(text), WIRE_LIMIT_DEPTH, &result);
    assert_true((status == 0) == (result.fault == NULL));
    return status;
}

static void
test_json_grammar(void **state)
{
    (void)state;
    static const char *const good[] = {
        "0",    "-0",     "1.5e+10", "1E5",
        "true", " null ", "\"\"",    "\"\\u00e9\\n\\/\\ud83d\\udc0d\"",
        "[]",   "[1,2]",  "{}",      "{\"a\":{\"b\":[{}]}}"};
    static const char *const bad[] = {"",
                                      " ",
                                      "01",
                                      "-",
                                      "1.",
                                      ".5",
                                      "1e",
                                      "+1",
                                      "0x1",
                                      "NaN",
                                      "Infinity",
                                      "tru",
                                      "nul",
                                      "'a'",
                                      "\"",
                                      "\"\\",
                                      "\"\\x\"",
                                      "\"\\u12g4\"",
                                      "\"\\u0000\"",
                                      "\"\\ud800\"",
                                      "\"\\ud800\\u0041\"",
                                      "\"\\udc00\"",
                                      "\"\n\"",
                                      "\"\t\"",
                                      "[",
                                      "[1",
                                      "[1,",
                                      "[1,]",
                                      "[,1]",
                                      "{",
                                      "{\"a\"",
                                      "{\"a\":",
                                      "{\"a\":1,",
                                      "{\"a\":1,}",
                                      "{a:1}",
                                      "{\"a\" 1}",
                                      "{1:1}",
                                      "[}",
                                      "{]",
                                      "1 2",
                                      "{} x",
                                      "truefalse",
                                      "[1 2]",
                                      "//",
                                      "\x01"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(scan(good[i]), 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(scan(bad[i]), -EBADMSG);
    }
}

static void
test_json_depth(void **state)
{
    (void)state;
    char text[4096];
    struct wire_scan result;
    for (int depth = 1; depth <= 100; depth++) {
        size_t used = 0;
        for (int i = 0; i < depth; i++) {
            used += (size_t)snprintf(text + used, sizeof text - used, "%s",
                                     i % 2 ? "{\"a\":" : "[");
        }
        text[used++] = '1';
        for (int i = depth - 1; i >= 0; i--) {
            text[used++] = i % 2 ? '}' : ']';
        }
        text[used] = '\0';
        int status = wire_scan(text, used, WIRE_LIMIT_DEPTH, &result);
        assert_int_equal(status, depth <= WIRE_LIMIT_DEPTH ? 0 : -EBADMSG);
    }
    assert_string_equal(result.fault, "nested too deeply");
}

static void
test_json_members(void **state)
{
    (void)state;
    struct wire_scan result;
    const char *text = " {\"id\" : 12345678901234567890 , \"b\":{\"id\":2}, "
                       "\"c\":[{\"id\":3}]}";
    assert_int_equal(wire_scan(text, strlen(text), 64, &result), 0);
    assert_int_equal(result.type, '{');
    assert_int_equal(result.member_count, 3);
    const struct wire_member *id = wire_scan_find(&result, "id");
    assert_non_null(id);
    assert_int_equal(id->value_length, 20);
    assert_memory_equal(id->value, "12345678901234567890", 20);
    assert_null(wire_scan_find(&result, "i"));
    assert_null(wire_scan_find(&result, "idx"));
    text = "{\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"8\":1,"
           "\"9\":1,\"10\":1}";
    assert_int_equal(wire_scan(text, strlen(text), 64, &result), 0);
    assert_int_equal(result.member_count, 10);
    assert_null(wire_scan_find(&result, "9"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_portions),
        cmocka_unit_test(test_tiny_buffer),
        cmocka_unit_test(test_overlong),
        cmocka_unit_test(test_overlong_in_portions),
        cmocka_unit_test(test_not_text),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_json_grammar),
        cmocka_unit_test(test_json_depth),
        cmocka_unit_test(test_json_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
