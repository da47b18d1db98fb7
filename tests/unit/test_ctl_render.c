/* ctl/text, ctl/grid and ctl/render: what people read, and that nothing from
 * a service reaches the terminal unescaped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/grid.h"
#include "ctl/render.h"
#include "ctl/text.h"

static char *buffer;
static size_t buffer_size;
static FILE *stream;

static FILE *
begin(void)
{
    free(buffer);
    buffer = NULL;
    stream = open_memstream(&buffer, &buffer_size);
    assert_non_null(stream);
    return stream;
}

static const char *
end(void)
{
    assert_int_equal(fclose(stream), 0);
    return buffer;
}

static void
has(const char *part)
{
    if (strstr(buffer, part) == NULL) {
        fail_msg("%s\nlacks '%s'", buffer, part);
    }
}

static void
test_escape(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *shown;
    } rows[] = {
        {"plain.module", "plain.module"},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x8d",
         "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x8d"},
        {"\x1b[2J\a", "\\x1b[2J\\x07"},
        {"a\nb\tc\rd", "a\\nb\\tc\\rd"},
        {"\x7f", "\\x7f"},
        {"\xc2\x9b"
         "31m",
         "\\x9b31m"}, /* C1: CSI in one byte */
        {"\xe2\x80\xae"
         "abc",
         "\\u202eabc"},                      /* right-to-left override */
        {"\xe2\x81\xa6", "\\u2066"},         /* isolate */
        {"\xe2\x80\x8b", "\\u200b"},         /* zero width */
        {"\xef\xbb\xbf", "\\ufeff"},         /* byte order mark */
        {"\xf3\xa0\x80\x81", "\\U000e0001"}, /* tags */
        {"\xff\xc3", "\\xff\\xc3"},          /* not UTF-8 */
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *shown = text_escape(rows[i].raw);
        assert_string_equal(shown, rows[i].shown);
        free(shown);
    }
    char *dash = text_escape(NULL);
    assert_string_equal(dash, "-");
    free(dash);
    assert_int_equal(text_width("\xc3\xa9\xe2\x82\xac x"), 4);
}

static void
test_units(void **state)
{
    (void)state;
    char text[TEXT_UNIT_SIZE];
    assert_string_equal(text_time(1234567, text), "1.23 ms");
    assert_string_equal(text_time(2500000000u, text), "2.50 s");
    assert_string_equal(text_time(UINT64_C(125000000000), text), "2 min 05 s");
    assert_string_equal(text_time(UINT64_C(7380000000000), text),
                        "2 h 03 min");
    assert_string_equal(text_time(UINT64_C(180000000000000), text),
                        "2 d 02 h");
    assert_string_equal(text_bytes(512, text), "512 B");
    assert_string_equal(text_bytes(-2048, text), "-2.0 KiB");
    assert_string_equal(text_bytes(3 * 1024 * 1024 / 2, text), "1.5 MiB");
    assert_string_equal(text_known_bytes(-1, text), "?");
}

static void
test_names_wrapped(void **state)
{
    (void)state;
    const char *names[40];
    for (size_t i = 0; i < 40; i++) {
        names[i] = "package.module";
    }
    text_put_names(begin(), 4, names, 40);
    const char *text = end();
    size_t column = 0, seen = 0;
    for (const char *c = text; *c != '\0'; c++) {
        column = *c == '\n' ? 0 : column + 1;
        seen += *c == 'p' && strncmp(c, "package", 7) == 0;
        assert_true(column <= 78);
    }
    assert_int_equal(seen, 40);
    assert_int_equal(column, 0);
    text_put_names(begin(), 4, names, 0);
    assert_string_equal(end(), "");
}

static void
test_grid(void **state)
{
    (void)state;
    static const char *const heads[] = {"NAME", "N"};
    struct grid grid;
    grid_init(&grid, heads, 2, 2);
    grid_add(&grid, "\xc3\xa9t\xc3\xa9-long");
    grid_addf(&grid, "%d", 7);
    grid_add(&grid, "b\x1b");
    grid_addf(&grid, "%d", 1234);
    assert_int_equal(grid_print(&grid, begin()), 0);
    assert_string_equal(end(), "NAME         N\n"
                               "\xc3\xa9t\xc3\xa9-long     7\n"
                               "b\\x1b     1234\n");
    grid_done(&grid);
}

static void
test_show(void **state)
{
    (void)state;
    struct wire_module module = {
        .name = "json",
        .state = "real",
        .reason = "lazy",
        .reason_text = "no rule asked for it to be eager",
        .file = "/usr/lib/python3/json/__init__.py",
        .statement = {.file = "service.py", .line = 3},
        .trigger = {.file = "service.py", .line = 40, .function = "handle"},
        .parent = "outer.mod",
        .thread = "MainThread",
        .sequence = 12,
        .met_ns = 1000000000,
        .loaded_ns = 2000000000,
        .wall_ns = 1230000,
        .wall_self_ns = 800000,
        .bytes = 126464,
        .loads = 2,
        .failures = 1,
        .last_error = "ImportError: x\x1b[0m",
        .names_pending = 3,
        .level = "full",
        .level_source = "catalogue",
        .level_why = "a part of the standard library"};
    render_show(begin(), &module, UINT64_C(5000000000));
    (void)end();
    has("json\n");
    has("real: imported lazily, and loaded by its first use");
    has("no rule asked for it to be eager (lazy)");
    has("service.py:3\n");
    has("service.py:40, in handle\n");
    has("4.00 s ago");
    has("3.00 s ago, number 12 in order, by thread MainThread");
    has("outer.mod");
    has("1.23 ms, itself 0.80 ms");
    has("123.5 KiB");
    has("2 times");
    has("3 wait for it");
    has("full (catalogue): a part of the standard library\n");
    has("1, the last: ImportError: x\\x1b[0m");

    struct wire_module proxy = {.name = "csv",
                                .state = "proxy",
                                .reason = "lazy",
                                .reason_text = "why"};
    render_show(begin(), &proxy, 0);
    (void)end();
    has("proxy: imported lazily, not loaded");
    assert_null(strstr(buffer, "itself"));
    assert_null(strstr(buffer, "failures"));

    struct wire_module absent = {.name = "numpy",
                                 .state = "absent",
                                 .level = "outer",
                                 .level_source = "operator"};
    render_show(begin(), &absent, 0);
    (void)end();
    has("absent: nothing has imported it\n");
    has("outer (operator)\n");
    assert_null(strstr(buffer, "because"));
}

static void
test_stats(void **state)
{
    (void)state;
    struct wire_stats stats = {.modules = {.proxies = 120,
                                           .reals = 80,
                                           .proxy_total = 230,
                                           .proxy_peak = 200},
                               .memory = {.rss = INT64_C(52428800),
                                          .pss = -1,
                                          .private_dirty = 2048,
                                          .private_dirty_age_ns = 1000000,
                                          .peak_rss = -1,
                                          .python_blocks = -1},
                               .pid = 42,
                               .uptime_ns = 61000000000,
                               .python = "3.11.2",
                               .version = "0.1.0",
                               .app = "a\nb",
                               .socket = "/run/x.sock"};
    render_stats(begin(), &stats);
    (void)end();
    has("lazyd 0.1.0, pid 42, up 1 min 01 s, Python 3.11.2\n");
    has("app          a\\nb\n");
    has("proxies           120  imported lazily, not loaded");
    has("230 proxies ever made, at most 200 at one time");
    has("50.0 MiB");
    has("pss                     ?");
    has("2.0 KiB  its own alone, 1.00 ms ago");
    assert_null(strstr(buffer, "python blocks"));
    stats.memory.python_blocks = 18693;
    stats.memory.python_blocks_age_ns = 2500000000;
    render_stats(begin(), &stats);
    (void)end();
    has("python blocks   18693  allocated by Python, 2.50 s ago");
}

static void
test_list(void **state)
{
    (void)state;
    struct wire_module rows[] = {
        {.name = "a", .state = "proxy", .reason = "lazy"},
        {.name = "b.c",
         .state = "eager",
         .reason = "late",
         .loads = 1,
         .wall_self_ns = 1500000,
         .wall_ns = 2500000,
         .bytes_self = 1048576,
         .failures = 2}};
    struct wire_list list = {.modules = rows, .module_count = 2, .total = 9};
    assert_int_equal(render_list(begin(), &list), 0);
    (void)end();
    has("NAME  STATE  REASON  SELF ms  TOTAL ms  SELF MiB  FAILED\n");
    has("a     proxy  lazy          -         -         -       0\n");
    has("b.c   eager  late       1.50      2.50      1.00       2\n");
    has("(2 of 9 modules)");
}

static void
test_report(void **state)
{
    (void)state;
    const char *names[] = {"a.b", "c"};
    struct wire_group groups[] = {{.key = wire_group_key(WIRE_GROUP_PROXIES),
                                   .text = wire_group_text(WIRE_GROUP_PROXIES),
                                   .count = 2,
                                   .names = names,
                                   .name_count = 2},
                                  {.key = wire_group_key(WIRE_GROUP_LOST),
                                   .text = wire_group_text(WIRE_GROUP_LOST),
                                   .count = 1}};
    struct wire_report report = {.rss = 1048576,
                                 .proxy_peak = 7,
                                 .proxy_total = 9,
                                 .groups = groups,
                                 .group_count = 2};
    assert_int_equal(render_report(begin(), &report), 0);
    assert_string_equal(end(), "lazyd report (now using 1.0 MiB)\n"
                               "proxy imported 2\n"
                               "    a.b, c\n"
                               "proxy imported (maximum size reached) 7\n"
                               "proxy imported (ever made) 9\n"
                               "fully imported (lost track of these) 1\n");
}

static void
test_load_and_edit(void **state)
{
    (void)state;
    struct wire_load_result results[] = {
        {.name = "a", .loaded = true, .wall_ns = 2000000, .modules = 3},
        {.name = "b", .loaded = true, .already = true},
        {.name = "c",
         .error = {"load_failed", "ValueError: x", "Traceback:\n  line\x1b"}}};
    struct wire_load load = {
        .results = results, .result_count = 3, .loaded = 2, .failed = 1};
    render_load(begin(), &load);
    assert_string_equal(end(), "a: loaded in 2.00 ms, 3 modules in all\n"
                               "b: was loaded already\n"
                               "c: failed: ValueError: x\n"
                               "    Traceback:\n"
                               "      line\\x1b\n"
                               "2 loaded, 1 failed\n");
    const char *changed[] = {"foo"}, *unchanged[] = {"bar"};
    const char *pending[] = {"foo.a"};
    struct wire_ignore_edit edit = {.kind = "package",
                                    .changed = changed,
                                    .changed_count = 1,
                                    .unchanged = unchanged,
                                    .unchanged_count = 1,
                                    .pending = pending,
                                    .pending_count = 1};
    render_ignore_edit(begin(), &edit, true, false);
    assert_string_equal(
        end(), "added package 'foo'\n"
               "was there already: package 'bar'\n"
               "1 pending module matches, still lazy ('--load' loads them):\n"
               "  foo.a\n");
    edit.dry_run = true;
    render_ignore_edit(begin(), &edit, false, false);
    assert_string_equal(end(), "would remove package 'foo'\n"
                               "was not there: package 'bar'\n");
}

static void
test_verify(void **state)
{
    (void)state;
    struct wire_verify_result results[] = {
        {.name = "a.b",
         .status = "broken",
         .text = "SyntaxError: invalid syntax",
         .file = "/a/b\x1b.py",
         .line = 3,
         .column = 7,
         .changed = true},
        {.name = "c", .status = "missing", .text = "not there", .file = "/c"},
        {.name = "d", .status = "ok", .changed = true}};
    struct wire_verify verify = {.results = results,
                                 .result_count = 3,
                                 .total = 9,
                                 .ok = 7,
                                 .failed = 2,
                                 .changed = 2};
    assert_int_equal(render_verify(begin(), &verify), 0);
    assert_string_equal(
        end(), "NAME  STATUS   WHY\n"
               "a.b   broken   /a/b\\x1b.py:3:7: SyntaxError: invalid syntax; "
               "changed since\n"
               "c     missing  not there\n"
               "d     ok       changed since\n"
               "9 pending, 7 ok, 2 not, 2 changed since their statement\n");
    verify.result_count = 0;
    assert_int_equal(render_verify(begin(), &verify), 0);
    assert_true(strncmp(end(), "9 pending", 9) == 0);
}

static void
test_reload(void **state)
{
    (void)state;
    const char *unrepaired[] = {"holder: name"};
    const char *again[] = {"tables.PLUGINS: C"};
    struct wire_reload reload = {.name = "m",
                                 .verdict = "failed",
                                 .text = "SyntaxError: bad",
                                 .file = "m.py",
                                 .line = 3,
                                 .column = 7,
                                 .traceback = "Trace\nback",
                                 .wall_ns = 1000000,
                                 .pause_ns = 10000,
                                 .functions_kept = 4,
                                 .unrepaired = unrepaired,
                                 .unrepaired_count = 1,
                                 .again = again,
                                 .again_count = 1};
    render_reload(begin(), &reload);
    assert_string_equal(end(),
                        "m: failed: SyntaxError: bad\n"
                        "  at m.py:3:7\n"
                        "  took 1.00 ms, the service paused for 0.01 ms\n"
                        "  4 functions kept\n"
                        "  1 places still hold an old object:\n"
                        "    holder: name\n"
                        "  1 additions to lists that had the old ones:\n"
                        "    tables.PLUGINS: C\n"
                        "  Trace\n"
                        "  back\n");
    struct wire_reload pending = {
        .name = "m", .verdict = "not_loaded", .text = "why", .wall_ns = 300};
    render_reload(begin(), &pending);
    assert_string_equal(end(), "m: not_loaded: why\n");
}

static void
test_events(void **state)
{
    (void)state;
    struct wire_event event = {
        .event = WIRE_EVENT_LOAD,
        .sequence = 1,
        .time_ns = 5007000000,
        .name = "json\x1b",
        .wall_ns = 1000000,
        .bytes = 2048,
        .reason = "lazy",
        .trigger = {.file = "a.py", .line = 3, .function = "f"},
        .uid = -1};
    render_event(begin(), &event);
    (void)end();
    has(":05.007 load   json\\x1b 1.00 ms 2.0 KiB reason lazy for a.py:3 in "
        "f\n");
    struct wire_event edit = {.event = WIRE_EVENT_IGNORE,
                              .action = "add",
                              .kind = "name",
                              .value = "x",
                              .pid = 7,
                              .uid = 0,
                              .dropped = 4};
    render_event(begin(), &edit);
    (void)end();
    has("ignore add name x pid 7 uid 0 [4 events lost so far]\n");
    struct wire_event reload = {.event = WIRE_EVENT_RELOAD,
                                .name = "m",
                                .verdict = "applied",
                                .uid = -1};
    render_event(begin(), &reload);
    (void)end();
    has("reload module m verdict applied\n");
}

static void
test_small_replies(void **state)
{
    (void)state;
    struct wire_rule rules[] = {{"name", "warnings", 3, true},
                                {"path", "x\ny", 0, false}};
    struct wire_ignore_list list = {rules, 2};
    assert_int_equal(render_ignore_list(begin(), &list), 0);
    assert_string_equal(end(), "KIND  VALUE     HITS  FROM\n"
                               "name  warnings     3  lazyd\n"
                               "path  x\\ny         0  operator\n");
    struct wire_level level = {"django", "full", "catalogue"};
    struct wire_level_list levels = {"outer", &level, 1};
    assert_int_equal(render_level_list(begin(), &levels), 0);
    assert_string_equal(end(), "PACKAGE  LEVEL  FROM\n"
                               "django   full   catalogue\n"
                               "(all others: outer)\n");
    struct wire_level_set set = {"django", "full", "outer"};
    render_level_set(begin(), &set);
    assert_string_equal(end(), "django is full (was outer)\n");
    struct wire_ignore_save save = {"/a", 4};
    render_ignore_save(begin(), &save);
    assert_string_equal(end(), "wrote 4 rules to '/a'\n");
    struct wire_ping ping = {true, 9};
    render_ping(begin(), &ping);
    assert_string_equal(end(), "pong from pid 9\n");
    struct wire_command_info info = {"ping", "ping", "",   "ask",
                                     false,  false,  false};
    struct wire_commands commands = {&info, 1};
    assert_int_equal(render_commands(begin(), &commands), 0);
    (void)end();
    has("ping    ping            ask");
}

static int
teardown(void **state)
{
    (void)state;
    free(buffer);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escape),        cmocka_unit_test(test_units),
        cmocka_unit_test(test_names_wrapped), cmocka_unit_test(test_grid),
        cmocka_unit_test(test_show),          cmocka_unit_test(test_stats),
        cmocka_unit_test(test_list),          cmocka_unit_test(test_report),
        cmocka_unit_test(test_load_and_edit), cmocka_unit_test(test_verify),
        cmocka_unit_test(test_reload),        cmocka_unit_test(test_events),
        cmocka_unit_test(test_small_replies),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
