/* One connection: who it is, its lines, its queue, its output.
 *
 * Each turn of the loop answers one request of each client, so that nobody's
 * pipeline delays another's. Output that the peer does not read is bounded.
 * The loop's thread.
 */
#include "daemon/control_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"

/* --- closing ------------------------------------------------------------ */

static void
drop_queue(struct client *client)
{
    while (client->first != NULL) {
        struct queued_request *next = client->first->next;

        wire_request_free(client->first->request);
        free(client->first);
        client->first = next;
    }
    client->last = NULL;
    client->queued = 0;
}

static void
on_handle_closed(uv_handle_t *handle) LZ_LOOP_ONLY
{
    struct client *client = handle->data;
    struct client **link;

    if (--client->handles > 0) {
        return;
    }
    for (link = &client->control->clients; *link != NULL;
         link = &(*link)->next) {
        if (*link == client) {
            *link = client->next;
            break;
        }
    }
    drop_queue(client);
    wire_frame_done(&client->frame);
    free(client);
}

void
client_post(struct client *client, const char *action)
{
    struct wire_event event = {.event = WIRE_EVENT_CLIENT,
                               .action = action,
                               .pid = client->pid,
                               .uid = (int64_t)client->uid};

    control_post(client->control, &event);
}

void
client_close(struct client *client)
{
    if (client->closing) {
        return;
    }
    client->closing = true;
    client->control->client_count--;
    call_forget(client->call);
    control_recount(client->control);
    uv_close((uv_handle_t *)&client->pipe, on_handle_closed);
    uv_close((uv_handle_t *)&client->first_request, on_handle_closed);
    client_post(client, "disconnect");
}

void
client_drop(struct client *client, const char *why)
{
    client->control->dropped++;
    log_line("client dropped: pid %ld uid %ld: %s", (long)client->pid,
             (long)client->uid, why);
    client_close(client);
}

void
client_log_change(const struct client *client, const char *format, ...)
{
    char text[2048];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    for (char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            *p = '?';
        }
    }
    log_line("control: uid %ld pid %ld: %s", (long)client->uid,
             (long)client->pid, text);
}

/* --- output ------------------------------------------------------------- */

struct output {
    uv_write_t request;
    struct client *client;
    char *data;
};

static void
on_written(uv_write_t *request, int status) LZ_LOOP_ONLY
{
    struct output *output = request->data;
    struct client *client = output->client;

    free(output->data);
    free(output);
    if (client->closing) {
        return;
    }
    if (status < 0) {
        client_close(client);
    } else if (client->eof) {
        client_schedule(client->control);
    }
}

static void
queue_output(struct client *client, char *data, size_t length,
             size_t written) LZ_LOOP_ONLY
{
    struct output *output = calloc(1, sizeof(*output));
    uv_buf_t buffer =
        uv_buf_init(data + written, (unsigned)(length - written));

    if (output == NULL) {
        free(data);
        client_drop(client, "out of memory");
        return;
    }
    output->request.data = output;
    output->client = client;
    output->data = data;
    if (uv_write(&output->request, (uv_stream_t *)&client->pipe, &buffer, 1,
                 on_written) < 0) {
        free(data);
        free(output);
        client_close(client);
    }
}

void
client_send(struct client *client, struct wire_line *line)
{
    uv_stream_t *stream = (uv_stream_t *)&client->pipe;
    size_t backlog = uv_stream_get_write_queue_size(stream);
    size_t written = 0;

    if (line->data == NULL) {
        return;
    }
    if (client->closing) {
        free(line->data);
    } else if (backlog + line->length > WIRE_LIMIT_OUTPUT) {
        free(line->data);
        client_drop(client, "it does not read its output");
    } else {
        if (backlog == 0) {
            uv_buf_t buffer = uv_buf_init(line->data, (unsigned)line->length);
            int n = uv_try_write(stream, &buffer, 1);

            written = n > 0 ? (size_t)n : 0;
        }
        if (written == line->length) {
            free(line->data);
        } else {
            queue_output(client, line->data, line->length, written);
        }
    }
    line->data = NULL;
}

void
client_answer(struct client *client, const struct wire_request *request,
              const union wire_reply *reply, const struct wire_error *error)
{
    struct wire_line line = {0};
    int rc = error->code != 0 ? wire_reply_error(request, error, &line)
                              : wire_reply_write(request, reply, &line);

    if (rc == -EMSGSIZE) {
        struct wire_error too_long = {0};

        (void)wire_error_set(&too_long, WIRE_ERROR_LIMIT,
                             "the reply would be over %d bytes: ask for less",
                             (int)WIRE_LIMIT_REPLY);
        rc = wire_reply_error(request, &too_long, &line);
    }
    if (rc < 0) {
        client_drop(client, "out of memory");
        return;
    }
    client_send(client, &line);
}

void
client_deliver(struct client *client, const struct wire_event *event)
{
    struct wire_event copy = *event;
    struct wire_line line = {0};

    if (client->closing || (client->events & (1u << event->event)) == 0) {
        return;
    }
    if (uv_stream_get_write_queue_size((uv_stream_t *)&client->pipe) >
        LZ_EVENT_BACKLOG) {
        client->lost++;
        return;
    }
    copy.dropped = client->lost;
    if (wire_event_write(&copy, &line) < 0) {
        client->lost++;
        return;
    }
    client_send(client, &line);
}

/* --- requests ----------------------------------------------------------- */

static bool
is_refused(const struct client *client, const struct wire_request *request,
           struct wire_error *error) LZ_LOOP_ONLY
{
    if (request->error.code != 0) {
        *error = request->error;
        return true;
    }
    if ((request->command->flags & WIRE_MUTATES) == 0) {
        return false;
    }
    if (!client->may_change) {
        (void)wire_error_set(error, WIRE_ERROR_DENIED,
                             "uid %ld may read, but '%s' changes something",
                             (long)client->uid, request->command->method);
    } else if (client->control->stopping &&
               request->command->id != WIRE_STOP) {
        (void)wire_error_set(error, WIRE_ERROR_STOPPING,
                             "the service is ending");
    }
    return error->code != 0;
}

/* Answer REQUEST, or hand it on; takes it. */
static void
answer_one(struct client *client, struct wire_request *request) LZ_LOOP_ONLY
{
    struct arena arena = {0};
    union wire_reply reply = {0};
    struct wire_error error = {0};

    client->control->requests++;
    if (is_refused(client, request, &error)) {
        client->control->refused++;
    } else if (wire_request_needs_python(request)) {
        if (call_start(client, request, &error) == 0) {
            return;
        }
    } else {
        (void)handle(client, request, &arena, &reply, &error);
    }
    client_answer(client, request, &reply, &error);
    arena_done(&arena);
    wire_request_free(request);
}

static int
enqueue(struct client *client, struct wire_request *request)
{
    struct queued_request *entry = calloc(1, sizeof(*entry));

    if (entry == NULL) {
        return -ENOMEM;
    }
    entry->request = request;
    if (client->last != NULL) {
        client->last->next = entry;
    } else {
        client->first = entry;
    }
    client->last = entry;
    client->queued++;
    return 0;
}

/* Lines into requests, as many as may be queued. */
static void
fill_queue(struct client *client) LZ_LOOP_ONLY
{
    while (client->queued < WIRE_LIMIT_QUEUE) {
        struct wire_request *request = NULL;
        size_t length = 0;
        char *line;
        int rc = wire_frame_next(&client->frame, &line, &length);

        if (rc == 0) {
            return;
        }
        rc = rc > 0 ? wire_request_read(line, length, &request)
                    : wire_request_refused(rc, &request);
        if (rc == 0) {
            rc = enqueue(client, request);
        }
        if (rc < 0) {
            wire_request_free(request);
            client_drop(client, "out of memory");
            return;
        }
        (void)uv_timer_stop(&client->first_request);
    }
}

static struct wire_request *
dequeue(struct client *client)
{
    struct queued_request *entry = client->first;
    struct wire_request *request;

    if (entry == NULL) {
        return NULL;
    }
    request = entry->request;
    client->first = entry->next;
    if (client->first == NULL) {
        client->last = NULL;
    }
    client->queued--;
    free(entry);
    return request;
}

static void
on_alloc(uv_handle_t *handle, size_t suggested,
         uv_buf_t *ret_buffer) LZ_LOOP_ONLY
{
    struct client *client = handle->data;

    (void)suggested;
    *ret_buffer =
        uv_buf_init(client->control->buffer, sizeof(client->control->buffer));
}

static void
on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer) LZ_LOOP_ONLY
{
    struct client *client = stream->data;

    if (n == 0) {
        return;
    }
    if (n < 0) {
        client->eof = n == UV_EOF;
        client->reading = false;
        (void)uv_read_stop(stream);
        if (n != UV_EOF) {
            client_close(client);
            return;
        }
    } else if (wire_frame_push(&client->frame, buffer->base, (size_t)n) < 0) {
        client_drop(client, "out of memory");
        return;
    }
    client_schedule(client->control);
}

void
client_set_reading(struct client *client, bool reading)
{
    uv_stream_t *stream = (uv_stream_t *)&client->pipe;

    if (client->reading == reading || client->eof) {
        return;
    }
    client->reading = reading;
    if (!reading) {
        (void)uv_read_stop(stream);
    } else if (uv_read_start(stream, on_alloc, on_read) < 0) {
        client_close(client);
    }
}

/* All is answered and the peer has ended its side. */
static void
finish_eof(struct client *client) LZ_LOOP_ONLY
{
    if (wire_frame_pending(&client->frame) > 0) {
        struct wire_request half = {.id = "null", .wants_reply = true};
        struct wire_error error = {0};

        (void)wire_error_set(&error, WIRE_ERROR_PARSE,
                             "the connection ended within a message: end "
                             "each with a newline");
        client->control->refused++;
        wire_frame_done(&client->frame);
        client_answer(client, &half, NULL, &error);
    }
    if (!client->closing &&
        uv_stream_get_write_queue_size((uv_stream_t *)&client->pipe) == 0) {
        client_close(client);
    }
}

/* One request; whether another could be answered at once. */
static bool
work_for(struct client *client) LZ_LOOP_ONLY
{
    struct wire_request *request;

    if (client->closing) {
        return false;
    }
    fill_queue(client);
    if (!client->closing && client->call == NULL &&
        (request = dequeue(client)) != NULL) {
        answer_one(client, request);
    }
    if (client->closing) {
        return false;
    }
    client_set_reading(client, client->queued < WIRE_LIMIT_QUEUE);
    if (client->eof && client->queued == 0 && client->call == NULL) {
        fill_queue(client);
        if (client->queued == 0 && !client->closing) {
            finish_eof(client);
        }
    }
    return !client->closing && client->call == NULL && client->queued > 0;
}

bool
client_work(struct control *control)
{
    bool more = false;

    for (struct client *c = control->clients, *next; c != NULL; c = next) {
        next = c->next;
        more = work_for(c) || more;
    }
    return more;
}
