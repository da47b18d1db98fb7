/* Replies and notifications: structs into lines (server) and back (client).
 *
 * One field table for each struct drives both directions (message.c). A line
 * ends with '\n'; the caller sends and frees it. Any thread.
 */
#ifndef WIRE_REPLY_H
#define WIRE_REPLY_H

#include <stdbool.h>

#include "ctl/wire/line.h"
#include "ctl/wire/message.h"
#include "ctl/wire/request.h"

/* --- server: 0, -ENOMEM, or -EMSGSIZE where the reply is over its limit
 * (answer that with wire_reply_error, kind LIMIT) ------------------------ */

/* REPLY's member is the one the command's row names. For a request that
 * wants no reply *RET_LINE is empty (data NULL). */
int wire_reply_write(const struct wire_request *request,
                     const union wire_reply *reply,
                     struct wire_line *ret_line);
int wire_reply_error(const struct wire_request *request,
                     const struct wire_error *error,
                     struct wire_line *ret_line);
int wire_hello_write(const struct wire_hello *hello,
                     struct wire_line *ret_line);
int wire_event_write(const struct wire_event *event,
                     struct wire_line *ret_line);

/* --- client ------------------------------------------------------------- */

struct wire_doc;

enum wire_kind { WIRE_IS_RESULT, WIRE_IS_ERROR, WIRE_IS_HELLO, WIRE_IS_EVENT };

/* Parse a line from the server. 0, -ENOMEM, or -EBADMSG. */
int wire_doc_read(const char *line, size_t length, struct wire_doc **ret_doc);
void wire_doc_free(struct wire_doc *doc);
enum wire_kind wire_doc_kind(const struct wire_doc *doc);
/* The id of a reply; -1 where there is none or it is not a small integer. */
long wire_doc_id(const struct wire_doc *doc);
/* The result, or for a notification the params: the bytes as received. */
const char *wire_doc_raw(const struct wire_doc *doc, size_t *ret_length);

/* Structs out of a document, which owns all they point to. Members that the
 * server did not send are 0. 0, -ENOMEM, or -EBADMSG for a wrong type. */
int wire_reply_read(struct wire_doc *doc, enum wire_command_id command,
                    union wire_reply *ret_reply);
int wire_hello_read(struct wire_doc *doc, struct wire_hello *ret_hello);
int wire_event_read(struct wire_doc *doc, struct wire_event *ret_event);
int wire_error_read(struct wire_doc *doc, struct wire_error *ret_error);

#endif
