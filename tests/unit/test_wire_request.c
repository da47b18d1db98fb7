/* ctl/wire/request: the envelope, ids, batches, and for every method of the
 * table what its parameters may not be.
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

#include "ctl/wire/field.h"
#include "ctl/wire/limit.h"
#include "ctl/wire/reply.h"
#include "ctl/wire/request.h"

static struct wire_request *
parse(const char *line)
{
    struct wire_request *request = NULL;
    assert_int_equal(wire_request_read(line, strlen(line), &request), 0);
    assert_non_null(request);
    return request;
}

/* The line is refused with that code, and TEXT is in the message. */
static void
refused(const char *line, int code, const char *id, const char *text)
{
    struct wire_request *request = parse(line);
    assert_int_equal(request->error.code, code);
    if (id == NULL) {
        assert_null(request->id);
    } else {
        assert_string_equal(request->id, id);
    }
    if (strstr(request->error.text, text) == NULL) {
        fail_msg("'%s' lacks '%s'", request->error.text, text);
    }
    wire_request_free(request);
}

static void
test_envelope(void **state)
{
    (void)state;
    refused("", -32700, NULL, "a value is missing");
    refused("{", -32700, NULL, "not JSON");
    refused("{} {}", -32700, NULL, "follows");
    refused("1", -32600, NULL, "must be an object");
    refused("[]", -32600, NULL, "batches are not supported");
    refused("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", -32600,
            NULL, "batches are not supported");
    refused("{}", -32600, NULL, "'jsonrpc' must be");
    refused("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", -32600, "1",
            "'jsonrpc' must be");
    refused("{\"jsonrpc\":2.0,\"id\":1,\"method\":\"ping\"}", -32600, "1",
            "'jsonrpc' must be");
    refused("{\"jsonrpc\":\"2.0\",\"id\":1}", -32600, "1",
            "'method' is missing");
    refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", -32600, "1",
            "'method' must be a string");
    refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"x\":1}",
            -32600, "1", "member 'x' is unknown");
    refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"ping\"}",
            -32600, "1", "member 'id' is given twice");
    refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"method\":"
            "\"stop\"}",
            -32600, "1", "given twice");
    refused("{\"jsonrpc\":\"2.0\",\"\\u0069d\":1,\"method\":\"ping\"}", -32600,
            NULL, "is unknown");
    refused("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}", -32600,
            NULL, "'id' must be");
    refused("{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"ping\"}", -32600,
            NULL, "'id' must be");
    refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}",
            -32602, "1", "'params' must be an object");
}

static void
test_unknown_method(void **state)
{
    (void)state;
    refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"stat\"}", -32601, "1",
            "did you mean 'stats'?");
    refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ignore.ad\"}", -32601,
            "1", "did you mean 'ignore.add'?");
    refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eval\"}", -32601, "1",
            "see method 'commands'");
    /* What only lazyctl has is no method. */
    refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\"}", -32601, "1",
            "no method");
    refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"help\"}", -32601, "1",
            "no method");
}

static void
test_ids_verbatim(void **state)
{
    (void)state;
    static const char *const ids[] = {
        "1", "-7", "0", "1.50", "1e400", "null", "true", "false", "\"\"",
        "\"a\\u00e9\\n\"", "123456789012345678901234567890",
        /* Longer than the numbers that a parser would copy. */
        "999999999999999999999999999999999999999999999999999999999999999999"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char line[512], expected[512];
        struct wire_line reply;
        union wire_reply pong = {.ping = {.pong = true, .pid = 5}};
        (void)snprintf(line, sizeof line,
                       "{\"id\" : %s , \"method\":\"ping\", "
                       "\"jsonrpc\":\"2.0\"}",
                       ids[i]);
        struct wire_request *request = parse(line);
        assert_int_equal(request->error.code, 0);
        assert_string_equal(request->id, ids[i]);
        assert_true(request->wants_reply);
        assert_int_equal(wire_reply_write(request, &pong, &reply), 0);
        (void)snprintf(expected, sizeof expected,
                       "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"pong\":"
                       "true,\"pid\":5}}\n",
                       ids[i]);
        assert_string_equal(reply.data, expected);
        assert_int_equal(reply.length, strlen(expected));
        wire_line_free(&reply);
        wire_request_free(request);
    }
}

static void
test_notification(void **state)
{
    (void)state;
    union wire_reply pong = {.ping = {.pong = true}};
    struct wire_line reply;
    struct wire_request *request =
        parse("{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}");
    assert_int_equal(request->error.code, 0);
    assert_false(request->wants_reply);
    assert_int_equal(wire_reply_write(request, &pong, &reply), 0);
    assert_null(reply.data);
    wire_request_free(request);
    /* Not even its faults are answered, once it is one. */
    request = parse("{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}");
    assert_int_equal(request->error.code, -32601);
    assert_false(request->wants_reply);
    assert_int_equal(wire_reply_error(request, &request->error, &reply), 0);
    assert_null(reply.data);
    wire_request_free(request);
    /* What is no request is answered with a null id. */
    request = parse("{\"jsonrpc\":\"3.0\",\"method\":\"ping\"}");
    assert_int_equal(wire_reply_error(request, &request->error, &reply), 0);
    assert_non_null(strstr(reply.data, "\"id\":null"));
    wire_line_free(&reply);
    wire_request_free(request);
}

static void
test_refused_line(void **state)
{
    (void)state;
    struct wire_request *request = NULL;
    struct wire_line reply;
    assert_int_equal(wire_request_refused(-EMSGSIZE, &request), 0);
    assert_int_equal(request->error.code, -32700);
    assert_int_equal(wire_reply_error(request, &request->error, &reply), 0);
    assert_string_equal(
        reply.data,
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,"
        "\"message\":\"the line is over 1048576 bytes\",\"data\":{\"kind\":"
        "\"parse_error\"}}}\n");
    wire_line_free(&reply);
    wire_request_free(request);
    assert_int_equal(wire_request_refused(-EILSEQ, &request), 0);
    assert_non_null(strstr(request->error.text, "UTF-8"));
    wire_request_free(request);
    wire_request_free(NULL);
}

/* A right value for a row, as JSON. */
static const char *
right_value(const struct wire_field *field)
{
    static char text[96];
    switch (field->type) {
    case WIRE_BOOL:
        return "true";
    case WIRE_I64:
    case WIRE_NUMBER:
        return "3";
    case WIRE_STRINGS:
        return "[\"a\",\"b\"]";
    case WIRE_PATH:
        return "\"/a/b\"";
    case WIRE_FLAGS:
        (void)snprintf(text, sizeof text, "[\"%s\"]", field->choices[1]);
        return text;
    default:
        (void)snprintf(text, sizeof text, "\"%s\"",
                       field->choices != NULL ? field->choices[1] : "a.b");
        return text;
    }
}

enum { LEAVE_OUT = -1, TWICE = -2 };

/* A request of COMMAND where row BAD has VALUE (or is left out, or is there
 * twice), with EXTRA after the rows. */
static struct wire_request *
request_with(const struct wire_command *command, size_t bad, int how,
             const char *value, const char *extra)
{
    static char line[65536];
    size_t used = (size_t)snprintf(
        line, sizeof line,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{",
        command->method);
    const char *comma = "";
    for (size_t i = 0; i < command->params->count; i++) {
        const struct wire_field *field = &command->params->rows[i];
        int times = i == bad && how == LEAVE_OUT ? 0
                    : i == bad && how == TWICE   ? 2
                                                 : 1;
        if ((field->flags & WIRE_CLIENT) != 0) {
            continue;
        }
        for (; times > 0; times--) {
            used += (size_t)snprintf(
                line + used, sizeof line - used, "%s\"%s\":%s", comma,
                field->name,
                i == bad && value != NULL ? value : right_value(field));
            comma = ",";
        }
    }
    (void)snprintf(line + used, sizeof line - used, "%s%s}}",
                   extra[0] != '\0' ? comma : "", extra);
    return parse(line);
}

static void
expect_bad(struct wire_request *request, const char *param)
{
    assert_int_equal(request->error.code, -32602);
    assert_string_equal(request->error.kind, "invalid_params");
    assert_string_equal(request->error.param, param);
    assert_non_null(strstr(request->error.text, param));
    wire_request_free(request);
}

static void
check_row(const struct wire_command *command, size_t row)
{
    const struct wire_field *field = &command->params->rows[row];
    static const char *const wrong[] = {
        "null", "{}",   "[[]]",
        "[1]",  "\"\"", "1e999",
        "-1",   "1.5",  "\"no such choice or path\"",
        "true", "[]",   "[\"\"]"};
    unsigned refusals = 0;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct wire_request *request =
            request_with(command, row, 0, wrong[i], "");
        bool fine = (field->type == WIRE_BOOL && i == 9) ||
                    (field->type == WIRE_STRING && i == 8) ||
                    (field->type == WIRE_NUMBER && i == 7) ||
                    (field->type == WIRE_FLAGS && i == 10);
        if (fine) {
            assert_int_equal(request->error.code, 0);
            wire_request_free(request);
        } else {
            expect_bad(request, field->name);
            refusals++;
        }
    }
    assert_true(refusals >= 11);
    expect_bad(request_with(command, row, TWICE, NULL, ""), field->name);
    struct wire_request *without =
        request_with(command, row, LEAVE_OUT, NULL, "");
    if ((field->flags & WIRE_REQUIRED) != 0) {
        expect_bad(without, field->name);
    } else {
        assert_int_equal(without->error.code, 0);
        wire_request_free(without);
    }
}

static void
test_params_of_every_method(void **state)
{
    (void)state;
    for (unsigned i = 0; i < WIRE_COMMANDS_COUNT; i++) {
        const struct wire_command *command =
            wire_command((enum wire_command_id)i);
        if ((command->flags & WIRE_LOCAL) != 0) {
            continue;
        }
        struct wire_request *request =
            request_with(command, SIZE_MAX, 0, NULL, "");
        assert_int_equal(request->error.code, 0);
        assert_ptr_equal(request->command, command);
        wire_request_free(request);
        expect_bad(request_with(command, SIZE_MAX, 0, NULL, "\"surprise\":1"),
                   "surprise");
        for (size_t row = 0; row < command->params->count; row++) {
            const struct wire_field *field = &command->params->rows[row];
            char member[96];
            if ((field->flags & WIRE_CLIENT) == 0) {
                check_row(command, row);
                continue;
            }
            /* lazyctl's own: a server does not know it. */
            (void)snprintf(member, sizeof member, "\"%s\":%s", field->name,
                           right_value(field));
            expect_bad(request_with(command, SIZE_MAX, 0, NULL, member),
                       field->name);
        }
    }
}

static void
test_param_values(void **state)
{
    (void)state;
    struct wire_request *request =
        parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"list\",\"params\":"
              "{\"state\":\"proxies\",\"match\":\"a.*\",\"sort\":\"memory\","
              "\"limit\":7,\"failed\":true}}");
    const struct wire_list_params *list = &request->params.list;
    assert_int_equal(request->error.code, 0);
    assert_string_equal(list->state, "proxy");
    assert_string_equal(list->match, "a.*");
    assert_int_equal(list->sort, WIRE_SORT_MEMORY);
    assert_int_equal(list->limit, 7);
    assert_true(list->failed);
    wire_request_free(request);

    request = parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"load\","
                    "\"params\":{\"names\":[\"a\",\"b.c\"],\"inject\":true}}");
    assert_int_equal(request->params.load.name_count, 2);
    assert_string_equal(request->params.load.names[1], "b.c");
    assert_true(request->params.load.inject);
    assert_false(request->params.load.recursive);
    wire_request_free(request);

    request = parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\"}");
    assert_int_equal(request->params.subscribe.events, 0x3f);
    wire_request_free(request);
    request = parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\","
                    "\"params\":{\"events\":[\"fail\",\"client\"]}}");
    assert_int_equal(request->params.subscribe.events,
                     1u << WIRE_EVENT_FAIL | 1u << WIRE_EVENT_CLIENT);
    wire_request_free(request);

    request = parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"stop\"}");
    assert_true(request->params.stop.timeout < 0);
    wire_request_free(request);
    request = parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"stop\","
                    "\"params\":{\"timeout\":0}}");
    assert_true(request->params.stop.timeout >= 0 &&
                request->params.stop.timeout <= 0);
    wire_request_free(request);
}

static void
test_param_limits(void **state)
{
    (void)state;
    const struct wire_command *load = wire_command(WIRE_LOAD);
    const struct wire_command *show = wire_command(WIRE_SHOW);
    static char value[3 * WIRE_LIMIT_VALUE];
    size_t used = 0;
    value[used++] = '"';
    memset(value + used, 'a', WIRE_LIMIT_VALUE);
    used += WIRE_LIMIT_VALUE;
    (void)snprintf(value + used, sizeof value - used, "\"");
    struct wire_request *request = request_with(show, 0, 0, value, "");
    assert_int_equal(request->error.code, 0);
    wire_request_free(request);
    (void)snprintf(value + used, sizeof value - used, "a\"");
    expect_bad(request_with(show, 0, 0, value, ""), "name");

    for (int count = WIRE_LIMIT_VALUES; count <= WIRE_LIMIT_VALUES + 1;
         count++) {
        used = 0;
        value[used++] = '[';
        for (int i = 0; i < count; i++) {
            used += (size_t)snprintf(value + used, sizeof value - used,
                                     "%s\"a\"", i > 0 ? "," : "");
        }
        (void)snprintf(value + used, sizeof value - used, "]");
        request = request_with(load, 0, 0, value, "");
        if (count <= WIRE_LIMIT_VALUES) {
            assert_int_equal(request->error.code, 0);
            assert_int_equal(request->params.load.name_count, count);
            wire_request_free(request);
        } else {
            expect_bad(request, "names");
        }
    }
}

/* Many values are refused before a tree is built of them. */
static void
test_many_values(void **state)
{
    (void)state;
    static char value[WIRE_LIMIT_FRAME];
    size_t used = (size_t)snprintf(value, sizeof value,
                                   "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
                                   "\"load\",\"params\":{\"names\":[0");
    while (used < sizeof value - 16) {
        value[used++] = ',';
        value[used++] = '0';
    }
    (void)snprintf(value + used, sizeof value - used, "]}}");
    struct wire_request *request = parse(value);
    assert_int_equal(request->error.code, -32602);
    assert_non_null(strstr(request->error.text, "over 1064 values"));
    wire_request_free(request);
}

static void
test_needs_python(void **state)
{
    (void)state;
    static const struct {
        const char *method, *params;
        bool needs;
    } rows[] = {
        {"ping", "{}", false},
        {"load", "{\"names\":[\"a\"]}", true},
        {"verify", "{}", true},
        {"verify", "{\"match\":\"a*\",\"limit\":1,\"all\":true}", true},
        {"reload", "{\"name\":\"a\"}", true},
        {"ignore.add", "{\"kind\":\"name\",\"values\":[\"a\"]}", false},
        {"ignore.add", "{\"kind\":\"name\",\"values\":[\"a\"],\"load\":true}",
         true},
        {"ignore.add",
         "{\"kind\":\"name\",\"values\":[\"a\"],\"load\":true,"
         "\"dry_run\":true}",
         false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char line[256];
        (void)snprintf(line, sizeof line,
                       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\","
                       "\"params\":%s}",
                       rows[i].method, rows[i].params);
        struct wire_request *request = parse(line);
        assert_int_equal(request->error.code, 0);
        assert_int_equal(wire_request_needs_python(request), rows[i].needs);
        wire_request_free(request);
    }
}

/* What lazyctl writes is what the server reads. */
static void
test_write(void **state)
{
    (void)state;
    const char *names[] = {"a\"\\\n\xc3\xa9", "b"};
    union wire_params params = {.load = {.names = names,
                                         .name_count = 2,
                                         .recursive = true,
                                         .deadline = 1,
                                         .memory = 1}};
    struct wire_line line = {0};
    assert_int_equal(wire_request_write(WIRE_LOAD, 9, &params, &line), 0);
    assert_int_equal(line.data[line.length - 1], '\n');
    struct wire_request *request = NULL;
    assert_int_equal(wire_request_read(line.data, line.length - 1, &request),
                     0);
    assert_int_equal(request->error.code, 0);
    assert_string_equal(request->id, "9");
    assert_string_equal(request->params.load.names[0], names[0]);
    assert_true(request->params.load.recursive);
    wire_request_free(request);
    wire_line_free(&line);

    static char big[WIRE_LIMIT_FRAME];
    memset(big, 'x', sizeof big - 1);
    union wire_params show = {.show = {.name = big}};
    assert_int_equal(wire_request_write(WIRE_SHOW, 1, &show, &line),
                     -EMSGSIZE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_envelope),
        cmocka_unit_test(test_unknown_method),
        cmocka_unit_test(test_ids_verbatim),
        cmocka_unit_test(test_notification),
        cmocka_unit_test(test_refused_line),
        cmocka_unit_test(test_params_of_every_method),
        cmocka_unit_test(test_param_values),
        cmocka_unit_test(test_param_limits),
        cmocka_unit_test(test_many_values),
        cmocka_unit_test(test_needs_python),
        cmocka_unit_test(test_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
