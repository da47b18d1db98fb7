/* See reply.h. */
#include "ctl/wire/reply.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "ctl/wire/doc.h"
#include "ctl/wire/limit.h"
#include "ctl/wire/out.h"
#include "ctl/wire/table.h"

static void
open_message(struct wire_out *out)
{
    wire_out_init(out, WIRE_LIMIT_REPLY);
    wire_out_raw(out, "{\"jsonrpc\":\"2.0\"");
}

static int
close_message(struct wire_out *out, struct wire_line *ret_line)
{
    wire_out_close(out, '}');
    return wire_out_line(out, ret_line);
}

static void
write_command(const struct wire_command *command, struct wire_out *out)
{
    wire_out_open(out, '{');
    wire_out_key(out, "method");
    wire_out_string(out, command->method);
    wire_out_key(out, "words");
    wire_out_string(out, command->words);
    wire_out_key(out, "arguments");
    wire_out_string(out, command->arguments);
    wire_out_key(out, "help");
    wire_out_string(out, command->help);
    wire_out_key(out, "python");
    wire_out_bool(out, (command->flags & WIRE_PYTHON) != 0);
    wire_out_key(out, "stream");
    wire_out_bool(out, (command->flags & WIRE_STREAM) != 0);
    wire_out_key(out, "mutates");
    wire_out_bool(out, (command->flags & WIRE_MUTATES) != 0);
    wire_out_key(out, "params");
    wire_fields_schema(command->params, out);
    wire_out_close(out, '}');
}

/* The table itself, and the errors that a program may meet. */
static void
write_commands(struct wire_out *out)
{
    wire_out_key(out, "commands");
    wire_out_open(out, '[');
    for (unsigned i = 0; i < WIRE_COMMANDS_COUNT; i++) {
        const struct wire_command *row = wire_command((enum wire_command_id)i);
        if ((row->flags & WIRE_LOCAL) == 0) {
            write_command(row, out);
        }
    }
    wire_out_close(out, ']');
    wire_out_key(out, "errors");
    wire_out_open(out, '[');
    for (unsigned i = 0; i < WIRE_ERRORS; i++) {
        enum wire_error_id id = (enum wire_error_id)i;
        wire_out_open(out, '{');
        wire_out_key(out, "kind");
        wire_out_string(out, wire_error_kind(id));
        wire_out_key(out, "code");
        wire_out_i64(out, wire_error_code(id));
        wire_out_key(out, "meaning");
        wire_out_string(out, wire_error_meaning(id));
        wire_out_close(out, '}');
    }
    wire_out_close(out, ']');
}

int
wire_reply_write(const struct wire_request *request,
                 const union wire_reply *reply, struct wire_line *ret_line)
{
    struct wire_out out;
    *ret_line = (struct wire_line){0};
    if (!request->wants_reply) {
        return 0;
    }
    open_message(&out);
    wire_out_key(&out, "id");
    wire_out_raw(&out, request->id);
    wire_out_key(&out, "result");
    wire_out_open(&out, '{');
    if (request->command->id == WIRE_COMMANDS) {
        write_commands(&out);
    } else {
        wire_fields_write(request->command->reply, reply, &out);
    }
    wire_out_close(&out, '}');
    return close_message(&out, ret_line);
}

int
wire_reply_error(const struct wire_request *request,
                 const struct wire_error *error, struct wire_line *ret_line)
{
    struct wire_out out;
    *ret_line = (struct wire_line){0};
    if (!request->wants_reply) {
        return 0;
    }
    open_message(&out);
    wire_out_key(&out, "id");
    wire_out_raw(&out, request->id != NULL ? request->id : "null");
    wire_out_key(&out, "error");
    wire_out_open(&out, '{');
    wire_out_key(&out, "code");
    wire_out_i64(&out, error->code);
    wire_out_key(&out, "message");
    wire_out_string(&out, error->text);
    wire_out_key(&out, "data");
    wire_out_open(&out, '{');
    wire_out_key(&out, "kind");
    wire_out_string(&out, error->kind);
    if (error->param[0] != '\0') {
        wire_out_key(&out, "param");
        wire_out_string(&out, error->param);
    }
    if (error->traceback != NULL) {
        wire_out_key(&out, "traceback");
        wire_out_string(&out, error->traceback);
    }
    wire_out_close(&out, '}');
    wire_out_close(&out, '}');
    return close_message(&out, ret_line);
}

static int
write_notification(const char *method, const struct wire_fields *fields,
                   const void *params, struct wire_line *ret_line)
{
    struct wire_out out;
    *ret_line = (struct wire_line){0};
    open_message(&out);
    wire_out_key(&out, "method");
    wire_out_string(&out, method);
    wire_out_key(&out, "params");
    wire_out_open(&out, '{');
    wire_fields_write(fields, params, &out);
    wire_out_close(&out, '}');
    return close_message(&out, ret_line);
}

int
wire_hello_write(const struct wire_hello *hello, struct wire_line *ret_line)
{
    return write_notification("hello", &wire_hello_fields, hello, ret_line);
}

int
wire_event_write(const struct wire_event *event, struct wire_line *ret_line)
{
    return write_notification("event", &wire_event_fields, event, ret_line);
}

static int
read_fields(struct wire_doc *doc, enum wire_kind kind,
            const struct wire_fields *fields, void *base)
{
    struct wire_error error = {0};
    if (doc->kind != kind || !cJSON_IsObject(doc->tree)) {
        return -EBADMSG;
    }
    if (wire_fields_read(fields, doc->tree, false, doc, base, &error) != 0) {
        return error.code == wire_error_code(WIRE_ERROR_NO_MEMORY) ? -ENOMEM
                                                                   : -EBADMSG;
    }
    return 0;
}

int
wire_reply_read(struct wire_doc *doc, enum wire_command_id command,
                union wire_reply *ret_reply)
{
    return read_fields(doc, WIRE_IS_RESULT, wire_command(command)->reply,
                       ret_reply);
}

int
wire_hello_read(struct wire_doc *doc, struct wire_hello *ret_hello)
{
    return read_fields(doc, WIRE_IS_HELLO, &wire_hello_fields, ret_hello);
}

int
wire_event_read(struct wire_doc *doc, struct wire_event *ret_event)
{
    return read_fields(doc, WIRE_IS_EVENT, &wire_event_fields, ret_event);
}

static void
copy_text(const cJSON *object, const char *key, char *text, size_t size)
{
    const char *string =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    (void)snprintf(text, size, "%s", string != NULL ? string : "");
}

int
wire_error_read(struct wire_doc *doc, struct wire_error *ret_error)
{
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(doc->tree, "code");
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(doc->tree, "data");
    if (doc->kind != WIRE_IS_ERROR || !cJSON_IsNumber(code) ||
        code->valueint == 0) {
        return -EBADMSG;
    }
    *ret_error = (struct wire_error){.code = code->valueint};
    copy_text(doc->tree, "message", ret_error->text, sizeof ret_error->text);
    copy_text(data, "kind", ret_error->kind, sizeof ret_error->kind);
    copy_text(data, "param", ret_error->param, sizeof ret_error->param);
    ret_error->traceback = cJSON_GetStringValue(
        cJSON_GetObjectItemCaseSensitive(data, "traceback"));
    return 0;
}
