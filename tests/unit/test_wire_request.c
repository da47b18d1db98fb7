/* ctl/wire/request: the envelope, ids, batches. Parameters:
 * test_wire_params.c.
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
#include "tests/unit/wire_requests.h"

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
        cmocka_unit_test(test_needs_python),
        cmocka_unit_test(test_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
