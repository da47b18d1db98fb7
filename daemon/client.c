/* One connection: its queue, its answers, its end.
 *
 * Whose turn it is says turn.c; output is output.c's, admission admit.c's.
 * The loop's thread.
 */
#include "daemon/control_private.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/audit.h"
#include "daemon/log.h"
#include "lazycore/usage.h"

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
    free(client->pending);
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
    uint64_t now = usage_wall_ns();

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
    audit_line(client->uid, client->pid, "%s", text);
}

/* --- requests ----------------------------------------------------------- */

static int
enqueue(struct client *client, struct wire_request *request, size_t bytes)
{
    struct queued_request *entry = malloc(sizeof(*entry));

    if (entry == NULL) {
        return -ENOMEM;
    }
    entry->next = NULL;
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

void
client_fill(struct client *client, unsigned count)
{
    client->hungry = false;
    /* Where the frame is empty the loop is for finding that. */
    while (wire_frame_pending(&client->frame) == 0 ||
           (client->queued < count && client->queued_bytes < LZ_QUEUE_BYTES)) {
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

struct wire_request *
client_dequeue(struct client *client)
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

/* Run what needs no Python and answer it; takes REQUEST. ERROR is empty. */
static void
answer_now(struct client *client, struct wire_request *request,
           struct wire_error *error) LZ_LOOP_ONLY
{
    struct arena arena = {0};
    union wire_reply reply = {0};

    (void)handle(client, request, &arena, &reply, error);
    client_answer(client, request, &reply, error);
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
            answer_now(c, request, &(struct wire_error){0});
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
    memory_ask(&control->memory, control->reader, control->op);
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
    client_fill(client, WIRE_LIMIT_QUEUE);
    while ((request = client_dequeue(client)) != NULL) {
        client_answer(client, request, NULL, error);
        wire_request_free(request);
    }
    if (client->control->setup.keep_connections) {
        keep_connection(client);
    }
    client_close(client);
}

void
client_answer_one(struct client *client, struct wire_request *request)
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
        answer_now(client, request, &error);
        return;
    }
    client_answer(client, request, NULL, &error);
    wire_request_free(request);
}
