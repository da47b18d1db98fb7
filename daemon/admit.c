/* Who may connect: limits, the peer's identity, the greeting.
 *
 * What happens on an admitted connection is client.c's. The loop's thread.
 */
#include "daemon/control_private.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/log.h"

static void
on_silent(uv_timer_t *timer) LZ_LOOP_ONLY
{
    struct client *client = timer->data;
    struct wire_request nobody = {.id = "null", .wants_reply = true};
    struct wire_error error = {0};

    (void)wire_error_set(
        &error, WIRE_ERROR_LIMIT, "no request within %.1f s of connecting",
        (double)client->control->setup.first_request_ms / 1e3);
    client_answer(client, &nobody, NULL, &error);
    if (!client->closing) {
        client_drop(client, "it sent no request");
    }
}

static bool
is_member(int fd, gid_t gid, gid_t group)
{
    gid_t groups[256];
    socklen_t size = sizeof(groups);

    if (gid == group) {
        return true;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0) {
        return false;
    }
    for (size_t i = 0; i < size / sizeof(groups[0]); i++) {
        if (groups[i] == group) {
            return true;
        }
    }
    return false;
}

/* Each uid has a number of its own, and guests one together, so that nobody
 * takes another's place. 0, or -1 with ERROR. */
static int
admit_one_more(const struct client *client,
               struct wire_error *error) LZ_LOOP_ONLY
{
    unsigned limit = !client->may_change ? WIRE_LIMIT_GUEST_CLIENTS
                     : client->uid == 0
                         ? WIRE_LIMIT_CLIENTS + WIRE_LIMIT_ROOT_CLIENTS
                         : WIRE_LIMIT_CLIENTS;
    unsigned same = 0, guests = 0;

    for (struct client *c = client->control->clients; c != NULL; c = c->next) {
        if (!c->closing && c != client) {
            same += c->uid == client->uid;
            guests += !c->may_change;
        }
    }
    if (same >= limit) {
        return wire_error_set(error, WIRE_ERROR_LIMIT,
                              "uid %ld has %u connections already",
                              (long)client->uid, same);
    }
    if (!client->may_change && guests >= WIRE_LIMIT_GUESTS) {
        return wire_error_set(error, WIRE_ERROR_LIMIT,
                              "members of the group have %u connections "
                              "already",
                              guests);
    }
    return 0;
}

/* Who is there, and may it stay? 0, or -1 with ERROR. */
static int
admit(struct client *client, struct wire_error *error) LZ_LOOP_ONLY
{
    struct control *control = client->control;
    struct ucred peer;
    socklen_t size = sizeof(peer);
    int fd = -1;

    if (uv_fileno((const uv_handle_t *)&client->pipe, &fd) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
        return wire_error_set(error, WIRE_ERROR_DENIED,
                              "the peer's identity is unknown");
    }
    client->mark = descriptor_of(fd);
    client->uid = peer.uid;
    client->gid = peer.gid;
    client->pid = peer.pid;
    client->may_change = peer.uid == 0 || peer.uid == geteuid();
    if (!client->may_change &&
        (control->setup.group == (gid_t)-1 ||
         !is_member(fd, peer.gid, control->setup.group))) {
        return wire_error_set(error, WIRE_ERROR_DENIED,
                              "uid %ld may not use this socket",
                              (long)peer.uid);
    }
    return admit_one_more(client, error);
}

static void
greet(struct client *client) LZ_LOOP_ONLY
{
    static const char *const capabilities[] = {"events", "reload", "levels"};
    const char *copy[3];
    struct wire_hello hello = {
        .server = "lazyd",
        .version = LAZYD_VERSION,
        .protocol = WIRE_PROTOCOL,
        .capabilities = copy,
        .capability_count = sizeof(copy) / sizeof(copy[0]),
        .pid = client->control->pid,
        .app = client->control->setup.app,
    };
    struct wire_line line = {0};

    memcpy(copy, capabilities, sizeof(copy));
    if (wire_hello_write(&hello, &line) < 0) {
        client_drop(client, "out of memory");
        return;
    }
    client_send(client, &line);
}

static void
turn_away(struct client *client, const struct wire_error *error) LZ_LOOP_ONLY
{
    struct wire_request nobody = {.id = "null", .wants_reply = true};

    client->control->refused++;
    client_complain(client, "refused", error->text);
    client_answer(client, &nobody, NULL, error);
    client_close(client);
}

static struct client *
client_new(struct control *control) LZ_LOOP_ONLY
{
    struct client *client = calloc(1, sizeof(*client));

    if (client == NULL) {
        return NULL;
    }
    client->control = control;
    client->handles = 2;
    client->uid = (uid_t)-1;
    client->round = control->round - 1;
    (void)uv_pipe_init(&control->loop, &client->pipe, 0);
    (void)uv_timer_init(&control->loop, &client->first_request);
    client->pipe.data = client;
    client->first_request.data = client;
    wire_frame_init(&client->frame, WIRE_LIMIT_FRAME);
    client->next = control->clients;
    control->clients = client;
    control->client_count++;
    return client;
}

/* Takes FD. */
static void
receive(struct control *control, int fd) LZ_LOOP_ONLY
{
    struct client *client = client_new(control);
    struct wire_error error = {0};

    if (client == NULL || uv_pipe_open(&client->pipe, fd) < 0) {
        (void)close(fd);
        if (client != NULL) {
            client_close(client);
        }
        return;
    }
    if (admit(client, &error) < 0) {
        turn_away(client, &error);
        return;
    }
    greet(client);
    if (!client->closing) {
        (void)uv_timer_start(&client->first_request, on_silent,
                             control->setup.first_request_ms, 0);
        client_set_reading(client, true);
        client_post(client, "connect");
    }
}

static void
on_retry(uv_timer_t *timer) LZ_LOOP_ONLY
{
    if (client_listen(timer->data) < 0) {
        (void)uv_timer_start(timer, on_retry, LZ_RETRY_MS, 0);
    }
}

/* A shortage: who connects waits in the kernel's queue meanwhile. */
static void
stop_accepting(struct control *control, int failure) LZ_LOOP_ONLY
{
    if (!control->starved) {
        log_line("cannot take a client in: %s; trying again until it works",
                 strerrordesc_np(failure));
    }
    control->starved = true;
    (void)uv_poll_stop(&control->listener);
    (void)uv_timer_start(&control->retry, on_retry, LZ_RETRY_MS, 0);
}

int
client_listen(struct control *control)
{
    int rc =
        uv_poll_start(&control->listener, UV_READABLE, client_on_connection);

    if (rc == 0) {
        /* Not before: to start this way begins with an end. */
        rc = watch_reserve(control, control->listen_fd);
        if (rc < 0) {
            (void)uv_poll_stop(&control->listener);
        }
    }
    return rc;
}

void
client_on_connection(uv_poll_t *listener, int status, int events)
{
    struct control *control = listener->data;

    (void)events;
    if (status < 0) {
        stop_accepting(control, -status);
        return;
    }
    for (int i = 0; i < LZ_ACCEPTS; i++) {
        int fd = accept4(control->listen_fd, NULL, NULL,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            control->starved = false;
            receive(control, fd);
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            stop_accepting(control, errno);
            return;
        }
    }
}

void
client_note_end(const struct client *client)
{
    struct pollfd entry = {.events = 0};

    if (client->call != NULL &&
        uv_fileno((const uv_handle_t *)&client->pipe, &entry.fd) == 0 &&
        poll(&entry, 1, 0) == 1 && (entry.revents & POLLHUP) != 0) {
        atomic_store(&client->call->cancelled, true);
    }
}
