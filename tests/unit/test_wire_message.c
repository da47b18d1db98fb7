/* ctl/wire/reply, message, out, error and limit: keys are those of the
 * contract, nothing that a service holds makes a line that is not JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/wire/field.h"
#include "ctl/wire/limit.h"
#include "ctl/wire/reply.h"
#include "ctl/wire/scan.h"
#include "ctl/wire/table.h"
#include "tests/unit/wire_requests.h"

static void
test_module_values(void **state)
{
    (void)state;
    struct wire_request *request = request_for(WIRE_SHOW);
    union wire_reply reply = {
        .show = {.name = "json",
                 .state = "real",
                 .builtin = true,
                 .statement = {.file = "a.py", .line = 3},
                 .wall_ns = UINT64_C(4503599627370497),
                 .bytes = -5}};
    struct wire_line line;
    struct wire_doc *doc = NULL;
    union wire_reply read;
    assert_int_equal(wire_reply_write(request, &reply, &line), 0);
    assert_non_null(strstr(line.data, "\"wall_ns\":4503599627370497,"));
    assert_non_null(strstr(line.data, "\"trigger\":null"));
    assert_non_null(strstr(
        line.data,
        "\"statement\":{\"file\":\"a.py\",\"line\":3,\"function\":null}"));
    assert_int_equal(wire_doc_read(line.data, line.length - 1, &doc), 0);
    assert_int_equal(wire_reply_read(doc, WIRE_SHOW, &read), 0);
    assert_string_equal(read.show.name, "json");
    assert_true(read.show.builtin);
    assert_int_equal(read.show.statement.line, 3);
    assert_null(read.show.trigger.file);
    assert_true(read.show.wall_ns == UINT64_C(4503599627370497));
    assert_int_equal(read.show.bytes, -5);
    wire_doc_free(doc);
    wire_line_free(&line);
    wire_request_free(request);
}

/* The stable keys of the contract, and unknown memory as null. */
static void
test_stats_keys(void **state)
{
    (void)state;
    union wire_reply reply = {.stats = {.memory = {.rss = 10,
                                                   .pss = -1,
                                                   .private_dirty = -1,
                                                   .python_blocks = 0,
                                                   .pss_age_ns = -1}}};
    struct wire_request *request = request_for(WIRE_STATS);
    struct wire_line line;
    struct wire_doc *doc = NULL;
    union wire_reply read;
    assert_int_equal(wire_reply_write(request, &reply, &line), 0);
    static const char *const parts[] = {
        "\"modules\":{\"proxies\":0,\"proxy_peak\":0,\"proxy_total\":0,"
        "\"reals\":0,\"eager\":0,\"ignored\":0,\"existing\":0,\"lost\":0,"
        "\"failed\":0}",
        "\"names\":{\"pending\":0,\"resolved\":0}",
        "\"builtins\":{\"proxied\":0,\"imported\":0,\"absent\":0}",
        "\"loads\":{\"count\":0,\"failed\":0,\"wall_ns\":0,"
        "\"blocked\":0}",
        "\"memory\":{\"rss\":10,\"pss\":null,\"private_dirty\":null,"
        "\"peak_rss\":0,\"python_blocks\":0,\"pss_age_ns\":null",
        "\"control\":{\"clients\":0,\"requests\":0,\"dropped\":0,"
        "\"refused\":0}",
        "\"pid\":0,\"uptime_ns\":0,\"python\":null,\"version\":null,"
        "\"app\":null,\"socket\":null",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strstr(line.data, parts[i]) == NULL) {
            fail_msg("%s lacks %s", line.data, parts[i]);
        }
    }
    size_t count;
    const struct wire_limit *limits = wire_limits(&count);
    for (size_t i = 0; i < count; i++) {
        char part[96];
        (void)snprintf(part, sizeof part, "\"%s\":%ld", limits[i].key,
                       limits[i].value);
        assert_non_null(strstr(line.data, part));
    }
    assert_non_null(strstr(line.data, "\"limits\":{\"frame_bytes\":1048576"));
    assert_int_equal(wire_doc_read(line.data, line.length - 1, &doc), 0);
    assert_int_equal(wire_reply_read(doc, WIRE_STATS, &read), 0);
    assert_int_equal(read.stats.memory.pss, -1);
    assert_int_equal(read.stats.memory.rss, 10);
    wire_doc_free(doc);
    wire_line_free(&line);
    wire_request_free(request);
}

static void
test_hello_and_event(void **state)
{
    (void)state;
    const char *capabilities[] = {"events", "reload"};
    struct wire_hello hello = {.server = "lazyd",
                               .version = "1",
                               .protocol = WIRE_PROTOCOL,
                               .capabilities = capabilities,
                               .capability_count = 2,
                               .pid = 7,
                               .app = "a.py"};
    struct wire_line line;
    struct wire_doc *doc = NULL;
    assert_int_equal(wire_hello_write(&hello, &line), 0);
    assert_string_equal(
        line.data,
        "{\"jsonrpc\":\"2.0\",\"method\":\"hello\",\"params\":{\"server\":"
        "\"lazyd\",\"version\":\"1\",\"protocol\":1,\"capabilities\":["
        "\"events\",\"reload\"],\"pid\":7,\"app\":\"a.py\"}}\n");
    assert_int_equal(wire_doc_read(line.data, line.length - 1, &doc), 0);
    assert_int_equal(wire_doc_kind(doc), WIRE_IS_HELLO);
    struct wire_hello hello_read;
    assert_int_equal(wire_hello_read(doc, &hello_read), 0);
    assert_int_equal(hello_read.capability_count, 2);
    assert_string_equal(hello_read.capabilities[1], "reload");
    wire_doc_free(doc);
    wire_line_free(&line);

    struct wire_event event = {.event = WIRE_EVENT_FORK,
                               .sequence = 3,
                               .time_ns = UINT64_C(1800000000000000000),
                               .pid = 99,
                               .uid = -1};
    assert_int_equal(wire_event_write(&event, &line), 0);
    assert_string_equal(
        line.data,
        "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"event\":"
        "\"fork\",\"sequence\":3,\"dropped\":0,\"time_ns\":"
        "1800000000000000000,\"pid\":99}}\n");
    assert_int_equal(wire_doc_read(line.data, line.length - 1, &doc), 0);
    struct wire_event event_read;
    assert_int_equal(wire_event_read(doc, &event_read), 0);
    assert_int_equal(event_read.event, WIRE_EVENT_FORK);
    assert_int_equal(event_read.uid, -1);
    assert_null(event_read.name);
    assert_int_equal(wire_hello_read(doc, &hello_read), -EBADMSG);
    wire_doc_free(doc);
    wire_line_free(&line);
}

static void
test_errors(void **state)
{
    (void)state;
    struct wire_request *request = request_for(WIRE_PING);
    for (unsigned i = 0; i < WIRE_ERRORS; i++) {
        enum wire_error_id id = (enum wire_error_id)i;
        struct wire_error error = {0}, read;
        struct wire_line line;
        struct wire_doc *doc = NULL;
        for (unsigned j = 0; j < i; j++) {
            assert_int_not_equal(wire_error_code(id),
                                 wire_error_code((enum wire_error_id)j));
        }
        assert_int_equal(wire_error_find(wire_error_kind(id)), id);
        assert_true(wire_error_code(id) <= -32000);
        assert_int_equal(wire_error_from(&error, wire_error_kind(id),
                                         "why 'x'", "Traceback\n  a"),
                         -1);
        assert_int_equal(wire_reply_error(request, &error, &line), 0);
        assert_int_equal(wire_doc_read(line.data, line.length - 1, &doc), 0);
        assert_int_equal(wire_doc_kind(doc), WIRE_IS_ERROR);
        assert_int_equal(wire_error_read(doc, &read), 0);
        assert_int_equal(read.code, wire_error_code(id));
        assert_string_equal(read.kind, wire_error_kind(id));
        assert_string_equal(read.text, "why 'x'");
        assert_string_equal(read.traceback, "Traceback\n  a");
        wire_doc_free(doc);
        wire_line_free(&line);
    }
    struct wire_error error = {0};
    (void)wire_error_from(&error, "no such kind", NULL, NULL);
    assert_string_equal(error.kind, "internal");
    /* The first cause stays. */
    (void)wire_error_set(&error, WIRE_ERROR_BUSY, "later");
    assert_string_equal(error.kind, "internal");
    wire_request_free(request);
}

/* Bytes that are not UTF-8 (a file name) and control characters. */
static void
test_hostile_strings(void **state)
{
    (void)state;
    union wire_reply reply = {.version = {.version = "\xff\x80"
                                                     "a\xc3",
                                          .python = "\x01\x1b[31m\x7f\"\\"}};
    struct wire_request *request = request_for(WIRE_VERSION);
    struct wire_line line;
    struct wire_scan scan;
    assert_int_equal(wire_reply_write(request, &reply, &line), 0);
    assert_non_null(strstr(line.data, "\"version\":\"\xef\xbf\xbd\xef\xbf\xbd"
                                      "a\xef\xbf\xbd\""));
    assert_non_null(
        strstr(line.data, "\"\\u0001\\u001b[31m\\u007f\\\"\\\\\""));
    assert_int_equal(wire_scan(line.data, line.length, 64, &scan), 0);
    wire_line_free(&line);
    wire_request_free(request);
}

static void
test_reply_limit(void **state)
{
    (void)state;
    static struct wire_module modules[20000];
    union wire_reply reply = {
        .list = {.modules = modules, .module_count = 20000}};
    struct wire_request *request = request_for(WIRE_LIST);
    struct wire_line line;
    for (size_t i = 0; i < 20000; i++) {
        modules[i].name = "a.module.of.some.length";
    }
    assert_int_equal(wire_reply_write(request, &reply, &line), -EMSGSIZE);
    assert_null(line.data);
    reply.list.module_count = 5000;
    assert_int_equal(wire_reply_write(request, &reply, &line), 0);
    assert_true(line.length < WIRE_LIMIT_REPLY);
    wire_line_free(&line);
    wire_request_free(request);
}

struct made {
    size_t left, given;
    struct wire_module module;
};

static const void *
make_module(void *arg)
{
    struct made *made = arg;

    if (made->left == 0) {
        return NULL;
    }
    made->left--;
    made->given++;
    return &made->module;
}

/* A list whose writer has one item at a time is one like any other, and not
 * gone through further than its limit. */
static void
test_items_one_at_a_time(void **state)
{
    (void)state;
    struct wire_request *request = request_for(WIRE_LIST);
    struct made made = {.left = 3, .module = {.name = "m", .loads = 7}};
    struct wire_module same[3] = {made.module, made.module, made.module};
    union wire_reply reply = {
        .list = {.source = {make_module, &made}, .total = 3}};
    union wire_reply whole = {
        .list = {.modules = same, .module_count = 3, .total = 3}};
    struct wire_line first, second;

    assert_int_equal(wire_reply_write(request, &reply, &first), 0);
    assert_int_equal(wire_reply_write(request, &whole, &second), 0);
    assert_string_equal(first.data, second.data);
    assert_int_equal(made.given, 3);
    wire_line_free(&first);
    wire_line_free(&second);
    made.left = 1000000;
    assert_int_equal(wire_reply_write(request, &reply, &first), -EMSGSIZE);
    assert_in_range(made.given, 5000, 50000);
    wire_request_free(request);
}

static void
test_commands_reply(void **state)
{
    (void)state;
    struct wire_request *request = request_for(WIRE_COMMANDS);
    union wire_reply reply = {.none = {0}};
    struct wire_line line;
    struct wire_doc *doc = NULL;
    assert_int_equal(wire_reply_write(request, &reply, &line), 0);
    assert_non_null(strstr(
        line.data,
        "\"method\":\"ignore.add\",\"words\":\"ignore add\",\"arguments\":"
        "\"KIND VALUE...\""));
    assert_non_null(strstr(
        line.data,
        "\"params\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":"
        "\"string\",\"minLength\":1,\"maxLength\":4096,\"description\":"
        "\"dotted name of the module\"}},\"required\":[\"name\"],"
        "\"additionalProperties\":false}"));
    assert_non_null(strstr(line.data, "\"kind\":\"load_failed\""));
    assert_int_equal(wire_doc_read(line.data, line.length - 1, &doc), 0);
    assert_int_equal(wire_reply_read(doc, WIRE_COMMANDS, &reply), 0);
    /* All that a server has, in the table's order. */
    size_t next = 0;
    for (unsigned i = 0; i < WIRE_COMMANDS_COUNT; i++) {
        const struct wire_command *row = wire_command((enum wire_command_id)i);
        if ((row->flags & WIRE_LOCAL) != 0) {
            continue;
        }
        assert_true(next < reply.commands.command_count);
        assert_string_equal(reply.commands.commands[next].method, row->method);
        assert_int_equal(reply.commands.commands[next].mutates,
                         (row->flags & WIRE_MUTATES) != 0);
        next++;
    }
    assert_int_equal(next, reply.commands.command_count);
    wire_doc_free(doc);
    wire_line_free(&line);
    wire_request_free(request);
}

/* A newer server may say more, and null; never another type. */
static void
test_lenient_reading(void **state)
{
    (void)state;
    static const struct {
        const char *result;
        int status;
    } rows[] = {
        {"{}", 0},
        {"{\"pong\":true,\"new\":[{}]}", 0},
        {"{\"pong\":null,\"pid\":null}", 0},
        {"{\"pong\":1}", -EBADMSG},
        {"{\"pid\":\"1\"}", -EBADMSG},
        {"{\"pid\":1.5}", -EBADMSG},
        {"{\"pid\":1e300}", -EBADMSG},
        {"[]", -EBADMSG},
        {"7", -EBADMSG},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char line[128];
        struct wire_doc *doc = NULL;
        union wire_reply reply;
        (void)snprintf(line, sizeof line,
                       "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":%s}",
                       rows[i].result);
        assert_int_equal(wire_doc_read(line, strlen(line), &doc), 0);
        assert_int_equal(wire_reply_read(doc, WIRE_PING, &reply),
                         rows[i].status);
        wire_doc_free(doc);
    }
    struct wire_doc *doc = NULL;
    static const char *const bad[] = {"",
                                      "[]",
                                      "{}",
                                      "{\"id\":1}",
                                      "{\"method\":\"other\",\"params\":{}}",
                                      "{\"method\":\"event\"}",
                                      "{\"result\":",
                                      "{\"result\":{}} x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(wire_doc_read(bad[i], strlen(bad[i]), &doc),
                         -EBADMSG);
    }
    wire_doc_free(NULL);
}

/* Seconds are written with a point whatever the service's locale. */
static void
test_decimal_point(void **state)
{
    (void)state;
    union wire_reply reply = {.stop = {.timeout = 2.5}};
    struct wire_request *request = request_for(WIRE_STOP);
    struct wire_line line;
    static const char *const locales[] = {"C", "de_DE.UTF-8", "fr_FR.UTF-8"};
    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
        (void)setlocale(LC_ALL, locales[i]);
        assert_int_equal(wire_reply_write(request, &reply, &line), 0);
        (void)setlocale(LC_ALL, "C");
        assert_non_null(strstr(line.data, "\"timeout\":2.5}"));
        wire_line_free(&line);
    }
    reply.stop.timeout = (double)NAN;
    assert_int_equal(wire_reply_write(request, &reply, &line), 0);
    assert_non_null(strstr(line.data, "\"timeout\":null}"));
    wire_line_free(&line);
    wire_request_free(request);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_module_values),
        cmocka_unit_test(test_stats_keys),
        cmocka_unit_test(test_hello_and_event),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_hostile_strings),
        cmocka_unit_test(test_reply_limit),
        cmocka_unit_test(test_items_one_at_a_time),
        cmocka_unit_test(test_commands_reply),
        cmocka_unit_test(test_lenient_reading),
        cmocka_unit_test(test_decimal_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
