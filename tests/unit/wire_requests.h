/* Requests as a server reads them. After cmocka.h. */
#ifndef TESTS_UNIT_WIRE_REQUESTS_H
#define TESTS_UNIT_WIRE_REQUESTS_H

#include <stdio.h>
#include <string.h>

#include "ctl/wire/request.h"
#include "ctl/wire/table.h"

static inline struct wire_request *
parse(const char *line)
{
    struct wire_request *request = NULL;
    assert_int_equal(wire_request_read(line, strlen(line), &request), 0);
    assert_non_null(request);
    return request;
}

/* One of command ID, with parameters that it takes. */
static inline struct wire_request *
request_for(enum wire_command_id id)
{
    static const char *const params[WIRE_COMMANDS_COUNT] = {
        [WIRE_SHOW] = "{\"name\":\"a\"}",
        [WIRE_WHY] = "{\"name\":\"a\"}",
        [WIRE_LOAD] = "{\"names\":[\"a\"]}",
        [WIRE_RELOAD] = "{\"name\":\"a\"}",
        [WIRE_ROLLBACK] = "{\"name\":\"a\"}",
        [WIRE_CONFIRM] = "{\"name\":\"a\"}",
        [WIRE_IGNORE_ADD] = "{\"kind\":\"name\",\"values\":[\"a\"]}",
        [WIRE_IGNORE_REMOVE] = "{\"kind\":\"name\",\"values\":[\"a\"]}",
        [WIRE_IGNORE_SAVE] = "{\"path\":\"/a\"}",
        [WIRE_LEVEL_SET] = "{\"package\":\"a\",\"level\":\"full\"}"};
    char line[256];
    struct wire_request *request = NULL;
    (void)snprintf(line, sizeof line,
                   "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\","
                   "\"params\":%s}",
                   wire_command(id)->method,
                   params[id] != NULL ? params[id] : "{}");
    assert_int_equal(wire_request_read(line, strlen(line), &request), 0);
    assert_int_equal(request->error.code, 0);
    return request;
}

#endif
