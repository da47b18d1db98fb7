/* See client.h. */
#include "ctl/wire/client.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "ctl/wire/frame.h"
#include "ctl/wire/limit.h"

enum { TEXT_SIZE = 512, READ_SIZE = 65536 };

struct wire_client {
    int fd;
    long last_id;
    struct wire_frame frame;
    struct wire_doc *hello_doc;
    struct wire_hello hello;
};

static long long
now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The moment a timeout ends; negative: never. */
static long long
deadline_of(int timeout_ms)
{
    return timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
}

static int
wait_for(int fd, short events, long long deadline)
{
    struct pollfd entry = {.fd = fd, .events = events};
    for (;;) {
        int timeout = -1;
        if (deadline >= 0) {
            long long left = deadline - now_ms();
            timeout = left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
        }
        int ready = poll(&entry, 1, timeout);
        if (ready > 0) {
            return 0;
        }
        if (ready == 0) {
            return -ETIMEDOUT;
        }
        if (errno != EINTR) {
            return -errno;
        }
    }
}

static int
send_all(struct wire_client *client, const char *data, size_t length,
         long long deadline)
{
    while (length > 0) {
        ssize_t sent =
            send(client->fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            data += sent;
            length -= (size_t)sent;
            continue;
        }
        if (errno == EAGAIN) {
            int status = wait_for(client->fd, POLLOUT, deadline);
            if (status != 0) {
                return status;
            }
        } else if (errno != EINTR) {
            return errno == ECONNRESET ? -EPIPE : -errno;
        }
    }
    return 0;
}

static int
receive_more(struct wire_client *client, long long deadline)
{
    char bytes[READ_SIZE];
    int status = wait_for(client->fd, POLLIN, deadline);
    if (status != 0) {
        return status;
    }
    ssize_t got = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR ? 0
               : errno == ECONNRESET             ? -EPIPE
                                                 : -errno;
    }
    if (got == 0) {
        return -EPIPE;
    }
    return wire_frame_push(&client->frame, bytes, (size_t)got);
}

static int
next_until(struct wire_client *client, long long deadline,
           struct wire_doc **ret_doc)
{
    for (;;) {
        char *line;
        size_t length;
        int status = wire_frame_next(&client->frame, &line, &length);
        if (status == 1) {
            status = wire_doc_read(line, length, ret_doc);
            return status == -EBADMSG ? -EPROTO : status;
        }
        if (status < 0) {
            return -EPROTO;
        }
        status = receive_more(client, deadline);
        if (status != 0) {
            return status;
        }
    }
}

int
wire_client_next(struct wire_client *client, int timeout_ms,
                 struct wire_doc **ret_doc)
{
    return next_until(client, deadline_of(timeout_ms), ret_doc);
}

static int
connect_to(const char *path, long long deadline)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof address.sun_path) {
        return -ENAMETOOLONG;
    }
    memcpy(address.sun_path, path, length);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -errno;
    }
    for (;;) {
        if (connect(fd, (const struct sockaddr *)&address, sizeof address) ==
            0) {
            return fd;
        }
        int status = -errno;
        /* EAGAIN: the server's queue is full. There is nothing to poll for,
         * so ask again in a while. */
        if (status == -EAGAIN && (deadline < 0 || now_ms() < deadline)) {
            (void)poll(NULL, 0, 5);
            continue;
        }
        (void)close(fd);
        return status == -EAGAIN ? -ETIMEDOUT : status;
    }
}

static int
read_hello(struct wire_client *client, long long deadline)
{
    int status = next_until(client, deadline, &client->hello_doc);
    if (status != 0) {
        return status;
    }
    if (wire_doc_kind(client->hello_doc) == WIRE_IS_ERROR) {
        /* The server says why it will not talk. */
        return -ECONNABORTED;
    }
    status = wire_hello_read(client->hello_doc, &client->hello);
    return status == -EBADMSG ? -EPROTO : status;
}

static void
explain(const char *path, int status, const struct wire_client *client,
        char *text)
{
    struct wire_error error;
    if (status == -ECONNABORTED && client->hello_doc != NULL &&
        wire_error_read(client->hello_doc, &error) == 0) {
        (void)snprintf(text, TEXT_SIZE, "the server refused: %.400s",
                       error.text);
        return;
    }
    switch (status) {
    case -ENOENT:
        (void)snprintf(text, TEXT_SIZE, "no server at '%.200s': no such file",
                       path);
        break;
    case -ECONNREFUSED:
        (void)snprintf(text, TEXT_SIZE,
                       "no server at '%.200s': nobody listens; the last one "
                       "may have been killed",
                       path);
        break;
    case -ETIMEDOUT:
        (void)snprintf(text, TEXT_SIZE, "no answer from '%.200s' in time",
                       path);
        break;
    case -EPROTO:
        (void)snprintf(text, TEXT_SIZE, "'%.200s' is no lazyd's socket", path);
        break;
    case -EPIPE:
        (void)snprintf(text, TEXT_SIZE,
                       "the server at '%.200s' closed the connection", path);
        break;
    default:
        (void)snprintf(text, TEXT_SIZE, "cannot connect to '%.200s': %s", path,
                       strerror(-status));
    }
}

int
wire_client_open(const char *path, int timeout_ms,
                 struct wire_client **ret_client, char text[512])
{
    long long deadline = deadline_of(timeout_ms);
    int status = -ENOMEM;
    struct wire_client *client = calloc(1, sizeof *client);
    if (client != NULL) {
        wire_frame_init(&client->frame, WIRE_LIMIT_REPLY);
        client->fd = connect_to(path, deadline);
        status = client->fd < 0 ? client->fd : read_hello(client, deadline);
    }
    if (status != 0) {
        explain(path, status, client, text);
        wire_client_close(client);
        return status;
    }
    *ret_client = client;
    return 0;
}

void
wire_client_close(struct wire_client *client)
{
    if (client == NULL) {
        return;
    }
    if (client->fd >= 0) {
        (void)close(client->fd);
    }
    wire_frame_done(&client->frame);
    wire_doc_free(client->hello_doc);
    free(client);
}

const struct wire_hello *
wire_client_hello(const struct wire_client *client)
{
    return &client->hello;
}

long
wire_client_peer_pid(const struct wire_client *client)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        return 0;
    }
    return peer.pid;
}

int
wire_client_call(struct wire_client *client, enum wire_command_id command,
                 const union wire_params *params, int timeout_ms,
                 struct wire_doc **ret_doc)
{
    long long deadline = deadline_of(timeout_ms);
    struct wire_line line = {0};
    long id = ++client->last_id;
    int status = wire_request_write(command, id, params, &line);
    if (status != 0) {
        return status;
    }
    status = send_all(client, line.data, line.length, deadline);
    wire_line_free(&line);
    while (status == 0) {
        struct wire_doc *doc = NULL;
        status = next_until(client, deadline, &doc);
        if (status != 0) {
            break;
        }
        enum wire_kind kind = wire_doc_kind(doc);
        /* An error without an id is about the connection, so about us. */
        if ((kind == WIRE_IS_RESULT || kind == WIRE_IS_ERROR) &&
            (wire_doc_id(doc) == id ||
             (kind == WIRE_IS_ERROR && wire_doc_id(doc) == -1))) {
            *ret_doc = doc;
            return 0;
        }
        wire_doc_free(doc);
    }
    return status;
}
