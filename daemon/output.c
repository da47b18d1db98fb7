/* What goes to a client: replies and events, written without blocking.
 *
 * Output that the peer does not read is bounded: past the bound the client
 * goes; events give way earlier. The loop's thread.
 */
#include "daemon/control_private.h"

#include <errno.h>
#include <stdlib.h>

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
    pressure_note(client);
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
        client->sent += line->length;
        if (written == line->length) {
            free(line->data);
        } else {
            queue_output(client, line->data, line->length, written);
            pressure_note(client);
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
