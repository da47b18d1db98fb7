/* See request.h. */
#include "ctl/wire/request.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/wire/doc.h"
#include "ctl/wire/field.h"
#include "ctl/wire/limit.h"
#include "ctl/wire/out.h"
#include "ctl/wire/scan.h"

/* More than any request needs; a tree of more would cost 80 bytes a value. */
enum { NAME_SHOWN = 60, VALUES_MAX = WIRE_LIMIT_VALUES + 64 };

static int
invalid(struct wire_request *request, const char *what)
{
    return wire_error_set(&request->error, WIRE_ERROR_INVALID_REQUEST, "%s",
                          what);
}

/* Members of the envelope. */
enum { VERSION, ID, METHOD, PARAMS, KNOWN };

struct envelope {
    const struct wire_member *known[KNOWN]; /* the first of each, or NULL */
    const struct wire_member *odd; /* unknown, or given twice; or NULL */
    bool is_unknown;
};

#define KEY(text)                                                             \
    {                                                                         \
        (text), sizeof(text) - 1                                              \
    }

static unsigned
row_of(const struct wire_member *member)
{
    static const struct {
        const char *text;
        size_t length;
    } keys[KNOWN] = {[VERSION] = KEY("jsonrpc"),
                     [ID] = KEY("id"),
                     [METHOD] = KEY("method"),
                     [PARAMS] = KEY("params")};
    unsigned row = 0;
    while (row < KNOWN &&
           (keys[row].length != member->key_length ||
            memcmp(keys[row].text, member->key, member->key_length) != 0)) {
        row++;
    }
    return row;
}

static struct envelope
open_envelope(const struct wire_scan *scan)
{
    struct envelope envelope = {.odd = NULL};
    for (size_t i = 0; i < scan->member_count && i < WIRE_MEMBERS_MAX; i++) {
        const struct wire_member *member = &scan->members[i];
        unsigned row = row_of(member);
        if (row < KNOWN && envelope.known[row] == NULL) {
            envelope.known[row] = member;
        } else if (envelope.odd == NULL) {
            envelope.odd = member;
            envelope.is_unknown = row == KNOWN;
        }
    }
    return envelope;
}

static int
check_members(struct wire_request *request, const struct envelope *envelope)
{
    const struct wire_member *odd = envelope->odd;
    if (odd == NULL) {
        return 0;
    }
    int shown =
        odd->key_length < NAME_SHOWN ? (int)odd->key_length : NAME_SHOWN;
    return wire_error_set(&request->error, WIRE_ERROR_INVALID_REQUEST,
                          "member '%.*s' is %s", shown, odd->key,
                          envelope->is_unknown ? "unknown" : "given twice");
}

/* The id comes first: a fault found later is answered with it. */
static int
read_id(struct wire_request *request, const struct wire_member *id)
{
    if (id == NULL) {
        /* Not an object, or a notification; nobody waits for an answer only
         * where it is a proper request otherwise. */
        return 0;
    }
    if (id->value[0] == '{' || id->value[0] == '[') {
        return invalid(request, "'id' must be a string, a number, a boolean "
                                "or null");
    }
    request->id = wire_doc_copy(request->doc, id);
    return request->id != NULL ? 0 : -1;
}

static int
read_method(struct wire_request *request, const struct envelope *envelope)
{
    const struct wire_member *version = envelope->known[VERSION];
    const struct wire_member *method = envelope->known[METHOD];
    if (version == NULL || version->value_length != 5 ||
        memcmp(version->value, "\"2.0\"", 5) != 0) {
        return invalid(request, "'jsonrpc' must be \"2.0\"");
    }
    if (method == NULL) {
        return invalid(request, "'method' is missing");
    }
    char *name = wire_doc_string(request->doc, method);
    if (name == NULL) {
        return invalid(request, "'method' must be a string");
    }
    /* From here on it is a request, or without an id a notification. */
    request->wants_reply = request->id != NULL;
    request->command = wire_command_by_method(name);
    if (request->command == NULL) {
        const char *near = wire_command_suggest(name);
        return wire_error_set(&request->error, WIRE_ERROR_NO_SUCH_METHOD,
                              "no method is called '%.60s'; %s '%s'%s", name,
                              near != NULL ? "did you mean" : "see method",
                              near != NULL ? near : "commands",
                              near != NULL ? "?" : "");
    }
    return 0;
}

static int
read_params(struct wire_request *request, const struct wire_member *params)
{
    if (params != NULL) {
        if (params->value[0] != '{') {
            return wire_error_set(&request->error, WIRE_ERROR_INVALID_PARAMS,
                                  "'params' must be an object");
        }
        int status = wire_doc_tree(request->doc, params);
        if (status != 0) {
            return wire_error_set(&request->error, WIRE_ERROR_INVALID_PARAMS,
                                  "'params' holds a number that cannot be "
                                  "read");
        }
    }
    int status =
        wire_fields_read(request->command->params, request->doc->tree, true,
                         request->doc, &request->params, &request->error);
    wire_doc_drop_tree(request->doc);
    return status;
}

static int
read_line(struct wire_request *request)
{
    struct wire_scan *scan = &request->doc->scan;
    int status = wire_scan_few(request->doc->text, request->doc->length,
                               WIRE_LIMIT_DEPTH, (size_t)VALUES_MAX, scan);
    struct envelope envelope = open_envelope(scan);
    if (status == -E2BIG) {
        /* Answered by its id where that came before. */
        return read_id(request, envelope.known[ID]) != 0
                   ? -1
                   : wire_error_set(&request->error, WIRE_ERROR_INVALID_PARAMS,
                                    "the request has over %d values",
                                    VALUES_MAX);
    }
    if (status != 0) {
        return wire_error_set(&request->error, WIRE_ERROR_PARSE,
                              "not JSON: %s, at byte %zu", scan->fault,
                              scan->offset);
    }
    if (scan->type == '[') {
        return invalid(request, "batches are not supported; send one request "
                                "a line");
    }
    if (scan->type != '{') {
        return invalid(request, "a request must be an object");
    }
    if (read_id(request, envelope.known[ID]) != 0 ||
        check_members(request, &envelope) != 0 ||
        read_method(request, &envelope) != 0) {
        return -1;
    }
    return read_params(request, envelope.known[PARAMS]);
}

static struct wire_request *
request_new(const char *line, size_t length)
{
    struct wire_request *request = malloc(sizeof *request);
    if (request == NULL) {
        return NULL;
    }
    memset(request, 0, sizeof *request);
    request->wants_reply = true;
    request->doc = wire_doc_new(line, length);
    if (request->doc == NULL) {
        free(request);
        return NULL;
    }
    return request;
}

int
wire_request_read(const char *line, size_t length,
                  struct wire_request **ret_request)
{
    struct wire_request *request = request_new(line, length);
    if (request == NULL) {
        return -ENOMEM;
    }
    if (read_line(request) != 0 && request->error.code == 0) {
        wire_request_free(request);
        return -ENOMEM;
    }
    *ret_request = request;
    return 0;
}

int
wire_request_refused(int status, struct wire_request **ret_request)
{
    struct wire_request *request = request_new("", 0);
    if (request == NULL) {
        return -ENOMEM;
    }
    if (status == -EMSGSIZE) {
        (void)wire_error_set(&request->error, WIRE_ERROR_PARSE,
                             "the line is over %d bytes", WIRE_LIMIT_FRAME);
    } else {
        (void)wire_error_set(&request->error, WIRE_ERROR_PARSE,
                             "the line is not UTF-8, or holds a NUL");
    }
    *ret_request = request;
    return 0;
}

void
wire_request_free(struct wire_request *request)
{
    if (request != NULL) {
        wire_doc_free(request->doc);
        free(request);
    }
}

bool
wire_request_needs_python(const struct wire_request *request)
{
    return request->command != NULL &&
           ((request->command->flags & WIRE_PYTHON) != 0 ||
            (request->command->id == WIRE_IGNORE_ADD &&
             request->params.ignore_add.load &&
             !request->params.ignore_add.dry_run));
}

int
wire_request_write(enum wire_command_id command, long id,
                   const union wire_params *params, struct wire_line *ret_line)
{
    const struct wire_command *row = wire_command(command);
    struct wire_out out;
    wire_out_init(&out, WIRE_LIMIT_FRAME);
    wire_out_open(&out, '{');
    wire_out_key(&out, "jsonrpc");
    wire_out_string(&out, "2.0");
    wire_out_key(&out, "id");
    wire_out_i64(&out, id);
    wire_out_key(&out, "method");
    wire_out_string(&out, row->method);
    if (row->params->count > 0) {
        wire_out_key(&out, "params");
        wire_out_open(&out, '{');
        wire_fields_write(row->params, params, &out);
        wire_out_close(&out, '}');
    }
    wire_out_close(&out, '}');
    return wire_out_line(&out, ret_line);
}
