/* ctl/wire/client against a server of a few lines in a thread: what it
 * accepts, and each way a server can fail it. A script is the bytes the
 * server sends at once, and those it sends after the first request.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/wire/client.h"

#define HELLO                                                                 \
    "{\"jsonrpc\":\"2.0\",\"method\":\"hello\",\"params\":{\"server\":"       \
    "\"lazyd\",\"version\":\"9\",\"protocol\":1,\"pid\":1}}\n"
#define EVENT                                                                 \
    "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"event\":"        \
    "\"fork\",\"sequence\":1,\"dropped\":0,\"time_ns\":1}}\n"
#define PONG                                                                  \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"pong\":true,\"pid\":1}}\n"

struct script {
    const char *first, *then;
    bool stays; /* until the client goes; else it closes */
};

static char folder[] = "/tmp/wire-client-XXXXXX";
static struct sockaddr_un address;
static int listener;
static struct script script;
static char got[4096];

static int
setup(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    address.sun_family = AF_UNIX;
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/s.sock",
                   folder);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    return listener < 0 ||
           bind(listener, (const struct sockaddr *)&address, sizeof address) !=
               0 ||
           listen(listener, 4) != 0;
}

static int
teardown(void **state)
{
    (void)state;
    (void)close(listener);
    return unlink(address.sun_path) + rmdir(folder);
}

static void *
serve(void *unused)
{
    (void)unused;
    int fd = accept(listener, NULL, NULL);
    size_t used = 0;
    ssize_t count = 1;
    (void)send(fd, script.first, strlen(script.first), MSG_NOSIGNAL);
    while (script.then != NULL && count > 0 &&
           memchr(got, '\n', used) == NULL) {
        count = recv(fd, got + used, sizeof got - 1 - used, 0);
        used += count > 0 ? (size_t)count : 0;
    }
    got[used] = '\0';
    if (script.then != NULL) {
        /* Byte by byte, so that reads end anywhere. */
        for (const char *c = script.then; *c != '\0'; c++) {
            (void)send(fd, c, 1, MSG_NOSIGNAL);
        }
    }
    while (script.stays && count > 0) {
        char rest[64];
        count = recv(fd, rest, sizeof rest, 0);
    }
    (void)close(fd);
    return NULL;
}

/* Open by the script, and call ping where that works. */
static int
play(struct script what, int *ret_open, struct wire_doc **ret_doc,
     char text[512])
{
    pthread_t thread;
    struct wire_client *client = NULL;
    int status = -ECANCELED;
    script = what;
    text[0] = '\0';
    assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
    /* Where the server is to answer there is time; where it never will, the
     * wait is short. */
    *ret_open = wire_client_open(
        address.sun_path, what.first[0] == '\0' && what.stays ? 50 : 20000,
        &client, text);
    if (*ret_open == 0) {
        union wire_params none = {.none = {0}};
        assert_string_equal(wire_client_hello(client)->version, "9");
        assert_int_equal(wire_client_peer_pid(client), getpid());
        status = wire_client_call(
            client, WIRE_PING, &none,
            what.stays && what.then != NULL && what.then[0] == '\0' ? 50
                                                                    : 20000,
            ret_doc);
    }
    wire_client_close(client);
    assert_int_equal(pthread_join(thread, NULL), 0);
    if (status == 0) {
        assert_string_equal(
            got, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
    }
    return status;
}

static void
test_call(void **state)
{
    (void)state;
    struct wire_doc *doc = NULL;
    union wire_reply reply;
    char text[512];
    int open;
    size_t length;
    /* Events and replies to others in between are no answer. */
    struct script what = {HELLO EVENT,
                          EVENT "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}"
                                "\n" PONG,
                          true};
    assert_int_equal(play(what, &open, &doc, text), 0);
    assert_int_equal(open, 0);
    assert_int_equal(wire_doc_kind(doc), WIRE_IS_RESULT);
    assert_int_equal(wire_reply_read(doc, WIRE_PING, &reply), 0);
    assert_true(reply.ping.pong);
    const char *raw = wire_doc_raw(doc, &length);
    assert_int_equal(length, strlen("{\"pong\":true,\"pid\":1}"));
    assert_memory_equal(raw, "{\"pong\":true,\"pid\":1}", length);
    wire_doc_free(doc);
}

static void
test_error_reply(void **state)
{
    (void)state;
    struct wire_doc *doc = NULL;
    struct wire_error error;
    char text[512];
    int open;
    struct script what = {HELLO,
                          "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":"
                          "-32008,\"message\":\"no\",\"data\":{\"kind\":"
                          "\"denied\"}}}\n",
                          true};
    assert_int_equal(play(what, &open, &doc, text), 0);
    assert_int_equal(wire_doc_kind(doc), WIRE_IS_ERROR);
    assert_int_equal(wire_error_read(doc, &error), 0);
    assert_string_equal(error.kind, "denied");
    wire_doc_free(doc);
}

static void
test_failures(void **state)
{
    (void)state;
    static const struct {
        struct script script;
        int open, call;
        const char *text;
    } rows[] = {
        {{"", NULL, true}, -ETIMEDOUT, 0, "in time"},
        {{"", NULL, false}, -EPIPE, 0, "closed"},
        {{"{\"half", NULL, false}, -EPIPE, 0, "closed"},
        {{"HTTP/1.1 400\r\n\r\n", NULL, false}, -EPROTO, 0, "no lazyd"},
        {{"\xff\n", NULL, false}, -EPROTO, 0, "no lazyd"},
        {{PONG, NULL, false}, -EPROTO, 0, "no lazyd"},
        {{"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32011,"
          "\"message\":\"128 clients are connected\",\"data\":{\"kind\":"
          "\"limit\"}}}\n",
          NULL, false},
         -ECONNABORTED,
         0,
         "128 clients"},
        {{HELLO, "", false}, 0, -EPIPE, ""},
        {{HELLO, "", true}, 0, -ETIMEDOUT, ""},
        {{HELLO, "{}\n", true}, 0, -EPROTO, ""},
        {{HELLO, "garbage\n", true}, 0, -EPROTO, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct wire_doc *doc = NULL;
        char text[512];
        int open;
        int call = play(rows[i].script, &open, &doc, text);
        assert_int_equal(open, rows[i].open);
        if (open == 0) {
            assert_int_equal(call, rows[i].call);
        }
        assert_non_null(strstr(text, rows[i].text));
        assert_null(doc);
    }
}

static void
test_no_server(void **state)
{
    (void)state;
    struct wire_client *client = NULL;
    char text[512], path[200];
    (void)snprintf(path, sizeof path, "%s/none.sock", folder);
    assert_int_equal(wire_client_open(path, 100, &client, text), -ENOENT);
    assert_non_null(strstr(text, "no such file"));
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(wire_client_open(path, 100, &client, text),
                     -ENAMETOOLONG);
    assert_int_equal(wire_client_open("", 100, &client, text), -ENAMETOOLONG);
    /* Bound, but nobody listens. */
    struct sockaddr_un dead = {.sun_family = AF_UNIX};
    (void)snprintf(dead.sun_path, sizeof dead.sun_path, "%s/dead.sock",
                   folder);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&dead, sizeof dead), 0);
    assert_int_equal(wire_client_open(dead.sun_path, 100, &client, text),
                     -ECONNREFUSED);
    assert_non_null(strstr(text, "nobody listens"));
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(dead.sun_path), 0);
    assert_null(client);
    wire_client_close(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call),
        cmocka_unit_test(test_error_reply),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_no_server),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
