/* What goes to a client: replies and events, written without blocking.
 *
 * Output that the peer does not read is bounded: past the bound the client
 * goes; events give way earlier. The loop's thread.
 */
#include "daemon/control_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct output {
    uv_write_t request;
    struct client *client;
    struct wire_line line;
};

size_t
client_unread(const struct client *client)
{
    return client->pending_length +
           uv_stream_get_write_queue_size((const uv_stream_t *)&client->pipe);
}

static void write_pending(struct client *client) LZ_LOOP_ONLY;

static void
on_written(uv_write_t *request, int status) LZ_LOOP_ONLY
{
    struct output *output = request->data;
    struct client *client = output->client;

    wire_line_free(&output->line);
    free(output);
    client->writing--;
    if (client->closing) {
        return;
    }
    if (status < 0) {
        client_close(client);
        return;
    }
    if (client->writing == 0 && client->pending_length > 0) {
        write_pending(client);
    }
    pressure_note(client);
    if (client->eof) {
        client_schedule(client->control);
    }
}

/* Hand LINE, which it takes, from START on to libuv. */
static void
write_later(struct client *client, struct wire_line *line,
            size_t start) LZ_LOOP_ONLY
{
    struct output *output = calloc(1, sizeof(*output));
    uv_buf_t buffer =
        uv_buf_init(line->data + start, (unsigned)(line->length - start));
    int rc = output == NULL ? -ENOMEM : watch_client(client);

    if (rc < 0) {
        free(output);
        wire_line_free(line);
        client_drop(client, uv_strerror(rc));
        return;
    }
    output->request.data = output;
    output->client = client;
    output->line = *line;
    client->writing++;
    if (uv_write(&output->request, (uv_stream_t *)&client->pipe, &buffer, 1,
                 on_written) < 0) {
        client->writing--;
        wire_line_free(&output->line);
        free(output);
        client_close(client);
    }
}

static void
write_pending(struct client *client)
{
    struct wire_line line = {.data = client->pending,
                             .length = client->pending_length};

    client->pending = NULL;
    client->pending_length = client->pending_size = 0;
    write_later(client, &line, 0);
}

/* Behind what is being written: lines that wait share one buffer, so that
 * many short ones take no more memory than they have bytes. */
static void
append_pending(struct client *client, const char *data,
               size_t size) LZ_LOOP_ONLY
{
    size_t wanted = client->pending_length + size;

    if (wanted > client->pending_size) {
        size_t more = wanted + wanted / 4 + 256;
        char *grown = realloc(client->pending, more);

        if (grown == NULL) {
            client_drop(client, "out of memory");
            return;
        }
        client->pending = grown;
        client->pending_size = more;
    }
    memcpy(client->pending + client->pending_length, data, size);
    client->pending_length = wanted;
}

/* A line of a client that has no other to be written; takes its memory. */
static void
write_now(struct client *client, struct wire_line *line) LZ_LOOP_ONLY
{
    uv_buf_t buffer = uv_buf_init(line->data, (unsigned)line->length);
    int n = uv_try_write((uv_stream_t *)&client->pipe, &buffer, 1);
    size_t written = n > 0 ? (size_t)n : 0;

    if (written == line->length) {
        wire_line_free(line);
    } else {
        write_later(client, line, written);
    }
}

/* The same of one that has: a long line keeps the memory it has. */
static void
write_behind(struct client *client, struct wire_line *line) LZ_LOOP_ONLY
{
    if (line->mapped == 0) {
        append_pending(client, line->data, line->length);
        wire_line_free(line);
        return;
    }
    if (client->pending_length > 0) {
        write_pending(client);
    }
    if (client->closing) {
        wire_line_free(line);
    } else {
        write_later(client, line, 0);
    }
}

void
client_send(struct client *client, struct wire_line *line)
{
    if (line->data == NULL) {
        return;
    }
    if (client->closing) {
        wire_line_free(line);
    } else if (client_unread(client) + line->length > WIRE_LIMIT_OUTPUT) {
        wire_line_free(line);
        client_drop(client, "it does not read its output");
    } else {
        client->sent += line->length;
        if (client->writing > 0) {
            write_behind(client, line);
        } else {
            write_now(client, line);
        }
        if (client->writing > 0) {
            pressure_note(client);
        }
    }
    *line = (struct wire_line){0};
}

int
client_line(const struct wire_request *request, const union wire_reply *reply,
            const struct wire_error *error, struct wire_line *ret_line)
{
    int rc = error->code != 0 ? wire_reply_error(request, error, ret_line)
                              : wire_reply_write(request, reply, ret_line);

    if (rc == -EMSGSIZE) {
        struct wire_error too_long = {0};

        (void)wire_error_set(&too_long, WIRE_ERROR_LIMIT,
                             "the reply would be over %d bytes: ask for less",
                             (int)WIRE_LIMIT_REPLY);
        rc = wire_reply_error(request, &too_long, ret_line);
    }
    return rc;
}

void
client_answer(struct client *client, const struct wire_request *request,
              const union wire_reply *reply, const struct wire_error *error)
{
    struct wire_line line = {0};

    if (client_line(request, reply, error, &line) < 0) {
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

    if (client->closing || (client->events & (1u << event->event)) == 0 ||
        event->sequence <= client->since) {
        return;
    }
    if (client_unread(client) > LZ_EVENT_BACKLOG ||
        pressure_stops_reading(client)) {
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
