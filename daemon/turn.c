/* Whose turn it is: reading, and answering one request of a client a turn.
 *
 * A short request that comes alone is answered as it is read. Whatever may
 * take longer is done between the loop's polls, client after client, for
 * LZ_TURN_NS at one time: a request that is read meanwhile waits no longer
 * than that, whatever others ask for. New connections and events are given
 * out in the same portions. The loop's thread.
 */
#include "daemon/control_private.h"

#include "lazycore/usage.h"

enum {
    LZ_TURN_NS = 300000,
    LZ_SOON = 4096 /* bytes of a client that are looked at when they come */
};

/* Whether the next request has to wait for the answer to one before it. */
static bool
is_waiting(const struct client *client)
{
    return client->call != NULL || client->parked != NULL;
}

/* Whether the first of its queue, if there is one, can be answered now. */
static bool
is_answerable(const struct client *client) LZ_LOOP_ONLY
{
    const struct control *control = client->control;
    const struct wire_request *request =
        client->first != NULL ? client->first->request : NULL;

    return !is_waiting(client) &&
           (request == NULL || turn_is_short(request) ||
            (!pressure_is_on(control) &&
             !(control->reading && read_is_for(request))));
}

static bool
is_idle(const struct client *client) LZ_LOOP_ONLY
{
    return !is_waiting(client) && client->queued == 0 &&
           wire_frame_pending(&client->frame) == 0 &&
           client_unread(client) == 0;
}

bool
turn_is_short(const struct wire_request *request)
{
    if (request->error.code != 0) {
        return true;
    }
    switch (request->command->id) {
    case WIRE_PING:
    case WIRE_VERSION:
    case WIRE_STATS:
    case WIRE_SHOW:
    case WIRE_LEVEL_SET:
    case WIRE_SUBSCRIBE:
    case WIRE_STOP:
        return true;
    default:
        return false;
    }
}

/* Lines into requests: one, but for a client that waits, of which it must be
 * noticed that it has gone. */
static void
fill(struct client *client) LZ_LOOP_ONLY
{
    client_fill(client, is_waiting(client) ? WIRE_LIMIT_QUEUE : 1);
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
    if (!client->closing && client_unread(client) == 0) {
        client_close(client);
    }
}

/* One request, which must be a short one where SOON; whether there is more
 * to do that nothing else will lead to. */
static bool
work_for(struct client *client, bool soon) LZ_LOOP_ONLY
{
    struct wire_request *request;

    if (client->closing) {
        return false;
    }
    fill(client);
    if (!client->closing && client->first != NULL && is_answerable(client) &&
        (!soon || turn_is_short(client->first->request)) &&
        (request = client_dequeue(client)) != NULL) {
        client_answer_one(client, request);
    }
    if (client->closing) {
        return false;
    }
    pressure_note(client);
    client_set_reading(client,
                       client->hungry && !pressure_stops_reading(client));
    if (client->eof && client->queued == 0 && !is_waiting(client)) {
        fill(client);
        if (client->queued == 0 && !client->closing) {
            finish_eof(client);
        }
    }
    return !client->closing && is_answerable(client) &&
           (client->queued > 0 || !client->hungry);
}

/* --- reading ------------------------------------------------------------ */

static void
on_alloc(uv_handle_t *handle, size_t suggested,
         uv_buf_t *ret_buffer) LZ_LOOP_ONLY
{
    struct client *client = handle->data;

    (void)suggested;
    *ret_buffer = uv_buf_init(client->control->buffer,
                              (unsigned)pressure_portion(client));
}

static void
on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer) LZ_LOOP_ONLY
{
    struct client *client = stream->data;

    if (n == 0) {
        return;
    }
    if (n < 0) {
        client_set_reading(client, false);
        client->eof = n == UV_EOF;
        client_note_end(client);
        /* At once where nothing is left to answer: its place is free for
         * whoever connects next. */
        if (n != UV_EOF || is_idle(client)) {
            client_close(client);
            return;
        }
    } else if (wire_frame_push(&client->frame, buffer->base, (size_t)n) < 0) {
        client_drop(client, "out of memory");
        return;
    }
    pressure_note(client);
    if (wire_frame_pending(&client->frame) > LZ_SOON) {
        /* No more is read before this has been looked at: what is read and
         * not yet answered stays bounded. */
        client_set_reading(client, false);
        client_schedule(client->control);
    } else if (work_for(client, true)) {
        client_schedule(client->control);
    }
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
        return;
    }
    int rc = watch_client(client);
    if (rc < 0) {
        client_drop(client, uv_strerror(rc));
    } else if (uv_read_start(stream, on_alloc, on_read) < 0) {
        client_close(client);
    }
}

/* --- turns -------------------------------------------------------------- */

/* One request of each client that had none in this round; what is left of
 * the round is done in the next turn. Whether there is more to do. */
static bool
work_for_all(struct control *control, uint64_t until_ns) LZ_LOOP_ONLY
{
    bool more;

    for (struct client *c = control->clients, *next; c != NULL; c = next) {
        next = c->next;
        if (c->round != control->round) {
            c->round = control->round;
            control->more = work_for(c, false) || control->more;
            if (usage_wall_ns() >= until_ns) {
                return true;
            }
        }
    }
    control->round++;
    more = control->more;
    control->more = false;
    return more;
}

static void
on_work(uv_idle_t *work) LZ_LOOP_ONLY
{
    struct control *control = work->data;
    uint64_t until_ns = usage_wall_ns() + LZ_TURN_NS;
    bool more = control_deliver(control, until_ns);

    more = work_for_all(control, until_ns) || more;
    if (!more) {
        (void)uv_idle_stop(work);
    }
}

void
client_schedule(struct control *control)
{
    control->more = true;
    (void)uv_idle_start(&control->work, on_work);
}
