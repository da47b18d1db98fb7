/* One connection: its lines, its queue, its end.
 *
 * Each turn of the loop answers one request of each client, so that nobody's
 * pipeline delays another's. Output is output.c's, admission admit.c's. The
 * loop's thread.
 */
#include "daemon/control_private.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/thread.h"

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
    wire_request_free(client->parked);
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
    pressure_note(client);
    control_recount(client->control);
    uv_close((uv_handle_t *)&client->pipe, on_handle_closed);
    uv_close((uv_handle_t *)&client->first_request, on_handle_closed);
    client_post(client, "disconnect");
}

void
client_complain(struct client *client, const char *what, const char *why)
{
    struct control *control = client->control;
    uint64_t now = clock_ns();

    if (control->complained_ns != 0 &&
        now - control->complained_ns < LZ_COMPLAIN_NS) {
        control->complaints++;
        return;
    }
    if (control->complaints > 0) {
        log_line("%llu more clients refused or dropped",
                 (unsigned long long)control->complaints);
    }
    control->complained_ns = now;
    control->complaints = 0;
    log_line("client %s: pid %ld uid %ld: %s", what, (long)client->pid,
             (long)client->uid, why);
}

void
client_drop(struct client *client, const char *why)
{
    client->control->dropped++;
    client_complain(client, "dropped", why);
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

/* --- requests ----------------------------------------------------------- */

static bool
has_room(const struct client *client)
{
    return client->queued < WIRE_LIMIT_QUEUE &&
           client->queued_bytes < LZ_QUEUE_BYTES;
}

static int
enqueue(struct client *client, struct wire_request *request, size_t bytes)
{
    struct queued_request *entry = calloc(1, sizeof(*entry));

    if (entry == NULL) {
        return -ENOMEM;
    }
    entry->request = request;
    entry->bytes = bytes;
    if (client->last != NULL) {
        client->last->next = entry;
    } else {
        client->first = entry;
    }
    client->last = entry;
    client->queued++;
    client->queued_bytes += bytes;
    return 0;
}

/* Lines into requests, as many as may be queued. */
static void
fill_queue(struct client *client) LZ_LOOP_ONLY
{
    client->hungry = false;
    while (has_room(client)) {
        struct wire_request *request = NULL;
        size_t length = 0;
        char *line;
        int rc = wire_frame_next(&client->frame, &line, &length);

        if (rc == 0) {
            client->hungry = true;
            return;
        }
        rc = rc > 0 ? wire_request_read(line, length, &request)
                    : wire_request_refused(rc, &request);
        if (rc == 0) {
            rc = enqueue(client, request, length);
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
    client->queued_bytes -= entry->bytes;
    free(entry);
    return request;
}

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

/* Run what needs no Python and answer it; takes REQUEST. */
static void
answer_now(struct client *client, struct wire_request *request) LZ_LOOP_ONLY
{
    struct arena arena = {0};
    union wire_reply reply = {0};
    struct wire_error error = {0};

    (void)handle(client, request, &arena, &reply, &error);
    client_answer(client, request, &reply, &error);
    arena_done(&arena);
    wire_request_free(request);
}

static void
on_sample_wait(uv_timer_t *timer) LZ_LOOP_ONLY
{
    client_unpark(timer->data);
}

void
client_unpark(struct control *control)
{
    (void)uv_timer_stop(&control->sample_wait);
    for (struct client *c = control->clients, *next; c != NULL; c = next) {
        struct wire_request *request = c->parked;

        next = c->next;
        c->parked = NULL;
        if (request != NULL) {
            answer_now(c, request);
        }
    }
    client_schedule(control);
}

/* Memory figures of now are worth a moment, which the loop does not spend
 * waiting. */
static bool
park(struct client *client, struct wire_request *request) LZ_LOOP_ONLY
{
    struct control *control = client->control;

    if (request->command->id != WIRE_STATS) {
        return false;
    }
    memory_ask(&control->memory, control->op);
    if (!memory_is_coming(&control->memory)) {
        return false;
    }
    client->parked = request;
    if (!uv_is_active((const uv_handle_t *)&control->sample_wait)) {
        (void)uv_timer_start(&control->sample_wait, on_sample_wait,
                             LZ_SAMPLE_WAIT_MS, 0);
    }
    return true;
}

/* A second descriptor, which only the end of the process closes. */
static void
keep_connection(const struct client *client) LZ_LOOP_ONLY
{
    int fd;

    if (!client->closing &&
        uv_fileno((const uv_handle_t *)&client->pipe, &fd) == 0) {
        (void)fcntl(fd, F_DUPFD_CLOEXEC, 0);
    }
}

void
client_end(struct client *client, const struct wire_error *error)
{
    struct wire_request *request;

    if (client->call != NULL) {
        client_answer(client, client->call->request, NULL, error);
    }
    if (client->parked != NULL) {
        client_answer(client, client->parked, NULL, error);
    }
    fill_queue(client);
    while ((request = dequeue(client)) != NULL) {
        client_answer(client, request, NULL, error);
        wire_request_free(request);
    }
    if (client->control->setup.keep_connections) {
        keep_connection(client);
    }
    client_close(client);
}

/* Answer REQUEST, or hand it on; takes it. */
static void
answer_one(struct client *client, struct wire_request *request) LZ_LOOP_ONLY
{
    struct wire_error error = {0};

    client->control->requests++;
    client->answered++;
    if (is_refused(client, request, &error)) {
        client->control->refused++;
    } else if (call_is_for(request)) {
        if (call_start(client, request, &error) == 0) {
            return;
        }
    } else if (park(client, request)) {
        return;
    } else {
        answer_now(client, request);
        return;
    }
    client_answer(client, request, NULL, &error);
    wire_request_free(request);
}

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
    return !is_waiting(client) &&
           (client->first == NULL ||
            !pressure_defers(client, client->first->request));
}

static bool
is_idle(const struct client *client)
{
    return !is_waiting(client) && client->queued == 0 &&
           wire_frame_pending(&client->frame) == 0 &&
           uv_stream_get_write_queue_size(
               (const uv_stream_t *)&client->pipe) == 0;
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
    if (!client->closing && is_answerable(client) &&
        (request = dequeue(client)) != NULL) {
        answer_one(client, request);
    }
    if (client->closing) {
        return false;
    }
    pressure_note(client);
    client_set_reading(client,
                       client->hungry && !pressure_stops_reading(client));
    if (client->eof && client->queued == 0 && !is_waiting(client)) {
        fill_queue(client);
        if (client->queued == 0 && !client->closing) {
            finish_eof(client);
        }
    }
    return !client->closing && is_answerable(client) &&
           (client->queued > 0 || !client->hungry);
}

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
    /* What came is answered in this turn, and no more is read before it is
     * queued: what is read and not yet answered stays bounded. */
    if (work_for(client)) {
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
    } else if (uv_read_start(stream, on_alloc, on_read) < 0) {
        client_close(client);
    }
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
