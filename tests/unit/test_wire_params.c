/* ctl/wire/request: for every method of the table what its parameters may be,
 * and may not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "ctl/wire/field.h"
#include "ctl/wire/limit.h"
#include "ctl/wire/request.h"
#include "tests/unit/wire_requests.h"

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_params_of_every_method),
        cmocka_unit_test(test_param_values),
        cmocka_unit_test(test_param_limits),
        cmocka_unit_test(test_many_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
