/* Requests: a line into a struct (server), a struct into a line (client).
 *
 * The reader refuses whatever is not in the tables, by name, before any
 * effect: batches, unknown members, unknown methods, unknown, missing or
 * mistyped parameters. Leaves running them to the daemon. A request may be
 * handed from thread to thread; one at a time.
 */
#ifndef WIRE_REQUEST_H
#define WIRE_REQUEST_H

#include <stdbool.h>

#include "ctl/wire/command.h"
#include "ctl/wire/error.h"
#include "ctl/wire/line.h"
#include "ctl/wire/message.h"

struct wire_doc;

struct wire_request {
    const struct wire_command *command; /* NULL where it is not known */
    const char *id;   /* raw JSON text as the peer wrote it; NULL: none */
    bool wants_reply; /* false for a notification, even a faulty one */
    struct wire_error error; /* code not 0: answer this, run nothing */
    union wire_params params;
    struct wire_doc *doc; /* owns what the strings point into */
};

/* A line bytes long becomes a request; 0 or -ENOMEM. A faulty line gives a
 * request too, with its error set. */
int wire_request_read(const char *line, size_t length,
                      struct wire_request **ret_request);
/* The request for a line that the frame refused (-EMSGSIZE, -EILSEQ). */
int wire_request_refused(int status, struct wire_request **ret_request);
void wire_request_free(struct wire_request *request);

/* Whether it needs Python: the command's flag, or an edit that loads. */
bool wire_request_needs_python(const struct wire_request *request);

/* The line with its '\n', the caller's; 0, -ENOMEM or -EMSGSIZE. */
int wire_request_write(enum wire_command_id command, long id,
                       const union wire_params *params,
                       struct wire_line *ret_line);

#endif
