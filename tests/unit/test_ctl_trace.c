/* ctl/trace: loads nested by time and thread, and each format's text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/trace.h"

#define US(n) ((uint64_t)(n)*1000)

/* In the order of loading: what is nested ended first. a loads b, b loads c;
 * then d; e in another thread meanwhile. */
static struct wire_trace_load loads[] = {
    {.name = "c",
     .parent = "b",
     .thread = "one",
     .reason = "lazy",
     .file = "/c \"x\".py",
     .trigger = {.file = "/b.py", .line = 4, .function = "f"},
     .sequence = 1,
     .started_ns = US(120),
     .wall_ns = US(30),
     .wall_self_ns = US(30),
     .bytes = -4096,
     .bytes_self = -4096},
    {.name = "b",
     .parent = "a",
     .thread = "one",
     .reason = "lazy",
     .sequence = 2,
     .started_ns = US(110),
     .wall_ns = US(60),
     .wall_self_ns = US(30),
     .bytes = 4096,
     .bytes_self = 8192},
    {.name = "e;x y",
     .thread = "two",
     .reason = "lazy",
     .sequence = 3,
     .started_ns = US(115),
     .wall_ns = US(10),
     .wall_self_ns = US(10),
     .bytes_self = 100},
    {.name = "a<&>\x1b",
     .thread = "one",
     .reason = "guarded",
     .sequence = 4,
     .started_ns = US(100),
     .wall_ns = US(100),
     .wall_self_ns = US(40),
     .bytes_self = 1000},
    {.name = "d",
     .thread = "one",
     .reason = "lazy",
     .sequence = 5,
     .started_ns = US(300),
     .wall_ns = US(1) + 1,
     .wall_self_ns = US(1) + 1},
};

static char *
written(struct wire_trace_load *rows, size_t count, int format, int by)
{
    char *text = NULL;
    size_t size;
    struct trace trace;
    struct wire_trace page = {
        .pid = 42, .app = "main.py", .loads = rows, .load_count = count};

    trace_init(&trace);
    assert_int_equal(trace_add(&trace, NULL, &page), 0);
    assert_int_equal(trace_build(&trace, by), 0);
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    assert_int_equal(trace_write(stream, &trace, format, by), 0);
    (void)fclose(stream);
    trace_done(&trace);
    return text;
}

static void
expect(int format, int by, const char *expected)
{
    char *text = written(loads, 5, format, by);
    assert_string_equal(text, expected);
    free(text);
}

static void
expect_part(char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("%s\nlacks '%s'", text, part);
    }
}

static void
test_importtime(void **state)
{
    (void)state;
    expect(WIRE_TRACE_IMPORTTIME, WIRE_BY_TIME,
           "import time: self [us] | cumulative | imported package\n"
           "import time:        30 |         30 |     c\n"
           "import time:        30 |         60 |   b\n"
           "import time:        40 |        100 | a<&>\\x1b\n"
           "import time:         2 |          2 | d\n"
           "import time:        10 |         10 | e;x y\n");
}

static void
test_folded(void **state)
{
    (void)state;
    expect(WIRE_TRACE_FOLDED, WIRE_BY_TIME,
           "a<&>\\x1b 40\n"
           "a<&>\\x1b;b 30\n"
           "a<&>\\x1b;b;c 30\n"
           "d 2\n"
           "e:x_y 10\n");
    /* What was given back is nothing, and has no line. */
    expect(WIRE_TRACE_FOLDED, WIRE_BY_MEMORY,
           "a<&>\\x1b 1000\n"
           "a<&>\\x1b;b 8192\n"
           "e:x_y 100\n");
}

static void
test_chrome(void **state)
{
    (void)state;
    char *text = written(loads, 5, WIRE_TRACE_CHROME, WIRE_BY_TIME);
    expect_part(text, "{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":42,"
                      "\"tid\":0,\"args\":{\"name\":\"main.py\"}}");
    expect_part(text, "\"tid\":2,\"args\":{\"name\":\"two\"}}");
    expect_part(text, "{\"name\":\"c\",\"cat\":\"load\",\"ph\":\"X\","
                      "\"ts\":120.000,\"dur\":30.000,\"pid\":42,\"tid\":1,");
    expect_part(text, "\"file\":\"/b.py\",\"line\":4,\"function\":\"f\"}}");
    expect_part(text, "\"name\":\"a<&>\\\\x1b\"");
    free(text);
}

static void
test_speedscope(void **state)
{
    (void)state;
    char *text = written(loads, 5, WIRE_TRACE_SPEEDSCOPE, WIRE_BY_TIME);
    expect_part(text, "{\"name\":\"c\",\"file\":\"/c \\\"x\\\".py\"}");
    expect_part(text, "\"unit\":\"nanoseconds\",\"startValue\":100000,"
                      "\"endValue\":301001,\"events\":[\n"
                      "{\"type\":\"O\",\"frame\":0,\"at\":100000},\n"
                      "{\"type\":\"O\",\"frame\":1,\"at\":110000},\n"
                      "{\"type\":\"O\",\"frame\":2,\"at\":120000},\n"
                      "{\"type\":\"C\",\"frame\":2,\"at\":150000},\n"
                      "{\"type\":\"C\",\"frame\":1,\"at\":170000},\n"
                      "{\"type\":\"C\",\"frame\":0,\"at\":200000},\n"
                      "{\"type\":\"O\",\"frame\":3,\"at\":300000},\n"
                      "{\"type\":\"C\",\"frame\":3,\"at\":301001}]}");
    expect_part(text, "\"type\":\"evented\",\"name\":\"two\"");
    free(text);
    text = written(loads, 5, WIRE_TRACE_SPEEDSCOPE, WIRE_BY_MEMORY);
    expect_part(text, "\"unit\":\"bytes\",\"startValue\":0,"
                      "\"endValue\":9292,");
    expect_part(text, "[0],\n[0,1],\n[0,1,2],\n[3],\n[4]],"
                      "\"weights\":[1000,8192,0,0,100]}");
    free(text);
}

static void
test_svg(void **state)
{
    (void)state;
    char *text = written(loads, 5, WIRE_TRACE_SVG, WIRE_BY_TIME);
    expect_part(text, "<svg xmlns=\"http://www.w3.org/2000/svg\"");
    expect_part(text, "data-n=\"a&lt;&amp;&gt;\\x1b\"");
    expect_part(text, "<title>c\n");
    expect_part(text, "needed by /b.py:4\nthread one</title>");
    expect_part(text, ">e;x y</text>");
    free(text);
    /* Nothing was loaded: still a drawing. */
    text = written(loads, 0, WIRE_TRACE_SVG, WIRE_BY_TIME);
    expect_part(text, "0 modules, ");
    expect_part(text, "</svg>\n");
    free(text);
    /* No memory was taken: no boxes. */
    text = written(loads, 1, WIRE_TRACE_SVG, WIRE_BY_MEMORY);
    assert_null(strstr(text, "class=\"load\""));
    free(text);
}

/* The label of a box so wide, or "". */
static void
expect_label(const char *name, uint64_t part, const char *label)
{
    struct wire_trace_load rows[] = {
        {.name = name, .wall_self_ns = part, .wall_ns = part, .started_ns = 1},
        {.name = "rest",
         .wall_self_ns = 1180 - part,
         .wall_ns = 1180 - part,
         .started_ns = 2000}};
    char expected[64];
    char *text = written(rows, 2, WIRE_TRACE_SVG, WIRE_BY_TIME);
    (void)snprintf(expected, sizeof expected, ">%s</text>", label);
    expect_part(text, expected);
    free(text);
}

static void
test_labels_are_readable(void **state)
{
    (void)state;
    const char *name = "package.module.part";
    expect_label(name, 140, "package.module.part");
    expect_label(name, 120, "\xe2\x80\xa6module.part");
    expect_label(name, 60, "\xe2\x80\xa6part");
    expect_label(name, 30, "pa\xe2\x80\xa6");
    expect_label(name, 12, "");
    expect_label("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 30,
                 "\xc3\xa9\xc3\xa9\xe2\x80\xa6");
}

/* Greenlets take turns in a thread: loads overlap, but no event does. */
static void
test_overlapping_loads(void **state)
{
    (void)state;
    struct wire_trace_load rows[] = {
        {.name = "x", .started_ns = 100, .wall_ns = 100, .wall_self_ns = 9},
        {.name = "y", .started_ns = 150, .wall_ns = 100, .wall_self_ns = 9},
        {.name = "z", .started_ns = 160, .wall_ns = 20, .wall_self_ns = 9}};
    char *text = written(rows, 3, WIRE_TRACE_SPEEDSCOPE, WIRE_BY_TIME);
    expect_part(text, "{\"type\":\"O\",\"frame\":0,\"at\":100},\n"
                      "{\"type\":\"C\",\"frame\":0,\"at\":200},\n"
                      "{\"type\":\"O\",\"frame\":1,\"at\":200},\n");
    free(text);
}

/* A server's word is no reason to overflow the stack. */
static void
test_deep_nesting(void **state)
{
    enum { DEEP = 50000 };
    (void)state;
    struct wire_trace_load *rows = calloc(DEEP, sizeof *rows);
    assert_non_null(rows);
    for (uint64_t i = 0; i < DEEP; i++) {
        rows[i] = (struct wire_trace_load){.name = "m",
                                           .sequence = DEEP - i,
                                           .started_ns = 1 + i,
                                           .wall_ns = 2 * (DEEP - i),
                                           .wall_self_ns = 1};
    }
    char *text = written(rows, DEEP, WIRE_TRACE_IMPORTTIME, WIRE_BY_TIME);
    size_t lines = 0;
    for (const char *c = text; *c != '\0'; c++) {
        lines += *c == '\n';
    }
    assert_int_equal(lines, DEEP + 1);
    free(text);
    free(rows);
}

static void
test_what_has_memory(void **state)
{
    (void)state;
    assert_true(trace_can(WIRE_TRACE_IMPORTTIME, WIRE_BY_TIME));
    assert_false(trace_can(WIRE_TRACE_IMPORTTIME, WIRE_BY_MEMORY));
    assert_false(trace_can(WIRE_TRACE_CHROME, WIRE_BY_MEMORY));
    assert_true(trace_can(WIRE_TRACE_SPEEDSCOPE, WIRE_BY_MEMORY));
    assert_true(trace_can(WIRE_TRACE_FOLDED, WIRE_BY_MEMORY));
    assert_true(trace_can(WIRE_TRACE_SVG, WIRE_BY_MEMORY));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_importtime),
        cmocka_unit_test(test_folded),
        cmocka_unit_test(test_chrome),
        cmocka_unit_test(test_speedscope),
        cmocka_unit_test(test_svg),
        cmocka_unit_test(test_labels_are_readable),
        cmocka_unit_test(test_overlapping_loads),
        cmocka_unit_test(test_deep_nesting),
        cmocka_unit_test(test_what_has_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
