/* A blocking connection to a server, for lazyctl and tests.
 *
 * Connects, reads the server's hello, sends a request and waits for its
 * reply, within a time. No libuv, no threads of its own; one thread for each
 * object.
 */
#ifndef WIRE_CLIENT_H
#define WIRE_CLIENT_H

#include "ctl/wire/reply.h"

struct wire_client;

/* Connect to PATH and read the hello. TIMEOUT_MS for all of it; negative
 * waits for ever. 0, or negative errno with TEXT saying what to do about it:
 * -ETIMEDOUT, -ENOENT, -ECONNREFUSED, -EPROTO, ... */
int wire_client_open(const char *path, int timeout_ms,
                     struct wire_client **ret_client, char text[512]);
void wire_client_close(struct wire_client *client);

/* The server's process as the kernel knows it, or 0. */
long wire_client_peer_pid(const struct wire_client *client);

/* What the server said of itself; owned by the client. */
const struct wire_hello *wire_client_hello(const struct wire_client *client);

/* Send a request and wait for its reply (a result or an error). Events that
 * come in between are dropped. 0, or negative errno: -ETIMEDOUT, -EPIPE the
 * server went, -EPROTO, -EMSGSIZE, -ENOMEM. */
int wire_client_call(struct wire_client *client, enum wire_command_id command,
                     const union wire_params *params, int timeout_ms,
                     struct wire_doc **ret_doc);

/* The next line from the server. 0, -ETIMEDOUT, -EPIPE at its end, ... */
int wire_client_next(struct wire_client *client, int timeout_ms,
                     struct wire_doc **ret_doc);

#endif
