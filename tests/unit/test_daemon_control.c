/* The control server in this process, without Python: limits and manners.
 *
 * The client side is plain sockets, so that it can be as rude as it likes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "ctl/wire/limit.h"
#include "daemon/control.h"
#include "lazycore/registry_private.h"
#include "tests/unit/daemon_fake_pyhost.h"
#include "tests/unit/daemon_server.h"

/* One whose operator was left inside "Python" is not freed, but not lost. */
static struct control *volatile kept[32];
static unsigned kept_count;

static int
set_up_with(void **state, uint64_t first_request_ms, uint64_t python_ms)
{
    struct control_setup setup = server_plain();

    setup.python_deadline_ms = python_ms;
    setup.first_request_ms = first_request_ms;
    return server_set_up(state, &setup);
}

static int
set_up(void **state)
{
    return set_up_with(state, 0, 0);
}

static int
set_up_hasty(void **state)
{
    return set_up_with(state, 50, 50);
}

static int
tear_down(void **state)
{
    struct fixture *fixture = *state;

    kept[kept_count++ % 32] = fixture->control;
    return server_tear_down(state);
}

static void
test_requests_in_order(void **state)
{
    struct fixture *fixture = *state;
    int fd = greeted(fixture);
    char part[64];

    /* Far more than may be queued, some of them through the operator. */
    for (int i = 0; i < 300; i++) {
        char text[160];

        (void)snprintf(text, sizeof(text),
                       i % 7 == 0
                           ? "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":"
                             "\"load\",\"params\":{\"names\":[\"m\"]}}\n"
                           : "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":"
                             "\"ping\"}\n",
                       i);
        say(fd, text);
    }
    for (int i = 0; i < 300; i++) {
        (void)snprintf(part, sizeof(part), "\"id\":%d,\"result\"", i);
        expect_line(fd, part);
    }
    (void)close(fd);
}

static void
test_faulty_lines(void **state)
{
    static const struct {
        const char *line, *answer;
    } rows[] = {
        {"[1]\n", "batches"},
        {"{\n", "parse_error"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"nope\"}\n",
         "no_such_method"},
        {"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"show\"}\n",
         "invalid_params"},
        {"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"list\",\"params\":"
         "{\"state\":\"odd\"}}\n",
         "\"id\":3,\"error\""},
        {"{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"show\",\"params\":"
         "{\"name\":\"m\"}}\n",
         "no_such_module"},
        {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"load\",\"params\":"
         "{\"names\":[\"bad\"]}}\n",
         "load_failed"},
    };
    struct fixture *fixture = *state;
    int fd = greeted(fixture);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        say(fd, rows[i].line);
        expect_line(fd, rows[i].answer);
    }
    (void)close(fd);
    expect_alive(fixture);
}

static void
test_half_a_line(void **state)
{
    struct fixture *fixture = *state;
    int fd = greeted(fixture);

    say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n{\"json");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    expect_line(fd, "\"pong\":true");
    expect_line(fd, "ended within a message");
    expect_end(fd);
    (void)close(fd);
    fd = greeted(fixture);
    say(fd, "{\"jsonrpc\"");
    (void)close(fd);
    expect_alive(fixture);
}

static void
test_line_too_long(void **state)
{
    struct fixture *fixture = *state;
    int fd = greeted(fixture);
    size_t length = 2 * (size_t)WIRE_LIMIT_FRAME;
    char *text = malloc(length + 2);

    assert_non_null(text);
    memset(text, 'x', length);
    text[length] = '\n';
    text[length + 1] = '\0';
    say(fd, text);
    free(text);
    expect_line(fd, "over");
    say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
    expect_line(fd, "\"pong\":true");
    (void)close(fd);
}

/* Each fills the queue by its bytes alone, and none is forgotten. */
static void
test_long_lines_in_a_row(void **state)
{
    static const char head[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"";
    struct fixture *fixture = *state;
    int fd = greeted(fixture);
    size_t length = WIRE_LIMIT_FRAME;
    char *text = malloc(length + 1);

    assert_non_null(text);
    memset(text, ' ', length);
    memcpy(text, head, sizeof(head) - 1);
    text[length - 2] = '}';
    text[length - 1] = '\n';
    text[length] = '\0';
    for (int i = 0; i < 5; i++) {
        say(fd, text);
    }
    free(text);
    for (int i = 0; i < 5; i++) {
        expect_line(fd, "\"pong\":true");
    }
    (void)close(fd);
}

/* What takes as long as there are modules: while one works at it, and even
 * waits for the registry's lock, the loop answers others. */
static void
test_long_answers_hold_up_nobody(void **state)
{
    static const char *const calls[] = {
        "\"list\"",
        "\"report\"",
        "\"trace\"",
        "\"ignore.list\"",
        "\"show\",\"params\":{\"name\":\"m\"}",
        "\"why\",\"params\":{\"name\":\"m\"}",
        "\"ignore.add\",\"params\":{\"kind\":\"name\",\"values\":[\"a\"]}"};
    struct fixture *fixture = *state;
    struct lz_registry *registry = fixture->core->registry;
    enum { CALLS = sizeof(calls) / sizeof(calls[0]) };
    int fds[CALLS];

    registry_proxy(registry, "m", "/m.py", &(struct lz_place){0});
    lz_mutex_lock(&registry->mutex);
    for (int i = 0; i < CALLS; i++) {
        char text[256];

        (void)snprintf(text, sizeof(text),
                       "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":%s}\n",
                       calls[i]);
        fds[i] = greeted(fixture);
        say(fds[i], text);
    }
    expect_alive(fixture);
    lz_mutex_unlock(&registry->mutex);
    for (int i = 0; i < CALLS; i++) {
        expect_line(fds[i], "\"id\":7,\"result\"");
        (void)close(fds[i]);
    }
}

/* How many of COUNT connections have something to read. */
static int
count_readable(const int *fds, int count)
{
    int readable = 0;

    for (int i = 0; i < count; i++) {
        struct pollfd entry = {.fd = fds[i], .events = POLLIN};

        readable += poll(&entry, 1, 0) == 1;
    }
    return readable;
}

/* Of answers that nobody reads one at a time is made: the next waits until
 * there is room, or whoever does not read is gone. */
static void
test_long_answers_that_nobody_reads(void **state)
{
    struct fixture *fixture = *state;
    enum { CLIENTS = 20, MODULES = 3000 };
    int fds[CLIENTS];
    char name[400];

    memset(name, 'n', sizeof(name));
    for (int i = 0; i < MODULES; i++) {
        (void)snprintf(name + 390, 10, "%d", i);
        registry_proxy(fixture->core->registry, name, NULL,
                       &(struct lz_place){0});
    }
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = greeted(fixture);
        say(fds[i], "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"list\"}\n");
    }
    while (count_readable(fds, CLIENTS) == 0) {
        (void)poll(NULL, 0, 1);
    }
    (void)poll(NULL, 0, 100); /* time enough for all to be made */
    assert_in_range(count_readable(fds, CLIENTS), 1, 2);
    expect_alive(fixture);
    for (int i = 0; i < CLIENTS; i++) {
        (void)close(fds[i]);
    }
    expect_alive(fixture);
}

static void
test_too_many_clients(void **state)
{
    struct fixture *fixture = *state;
    int most =
        WIRE_LIMIT_CLIENTS + (geteuid() == 0 ? WIRE_LIMIT_ROOT_CLIENTS : 0);
    int fds[WIRE_LIMIT_CLIENTS + WIRE_LIMIT_ROOT_CLIENTS];
    int extra;

    for (int i = 0; i < most; i++) {
        fds[i] = greeted(fixture);
    }
    extra = dial(fixture->path);
    expect_line(extra, "\"kind\":\"limit\"");
    expect_end(extra);
    (void)close(extra);
    /* Those that are in are served as before. */
    say(fds[0], "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"stats\"}\n");
    expect_line(fds[0], "\"refused\":1");
    /* And as soon as they have gone there is room. */
    for (int i = 0; i < most; i++) {
        (void)close(fds[i]);
    }
    expect_alive(fixture);
}

static void
test_client_that_does_not_read(void **state)
{
    static const char line[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"commands\"}\n";
    struct fixture *fixture = *state;
    int fd = greeted(fixture);
    int other;
    ssize_t n = 1;
    int sent = 0;

    /* It is dropped for its output long before this many. */
    while (n > 0 && sent < 200000) {
        n = send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL);
        sent++;
    }
    assert_true(n < 0);
    assert_true(errno == EPIPE || errno == ECONNRESET);
    (void)close(fd);
    other = greeted(fixture);
    say(other, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"stats\"}\n");
    expect_line(other, "\"dropped\":1");
    (void)close(other);
}

/* Unfinished lines of many: together they are over what is kept for all, so
 * some have to go; who holds little does not. */
static void
test_unfinished_lines_of_many(void **state)
{
    enum { CLIENTS = 8, BYTES = 900000 };
    struct fixture *fixture = *state;
    char *text = malloc(BYTES + 1);
    int small = greeted(fixture);
    int fds[CLIENTS];
    char line[16384];

    assert_non_null(text);
    memset(text, ' ', BYTES);
    text[BYTES] = '\0';
    say(small, "{\"jsonrpc\":\"2.0\",\"id\":1,");
    for (int i = 0; i < CLIENTS; i++) {
        size_t sent = 0;
        ssize_t n = 0;

        fds[i] = greeted(fixture);
        while (sent < BYTES && (n = send(fds[i], text + sent, BYTES - sent,
                                         MSG_NOSIGNAL)) > 0) {
            sent += (size_t)n;
        }
    }
    say(small, "\"method\":\"stats\"}\n");
    assert_true(read_line(small, line, sizeof(line)) > 0);
    assert_non_null(strstr(line, "\"dropped\":"));
    assert_null(strstr(line, "\"dropped\":0"));
    for (int i = 0; i < CLIENTS; i++) {
        (void)close(fds[i]);
    }
    (void)close(small);
    free(text);
}

/* Long answers of one client come between others, and in order. */
static void
test_long_answers_beside_short_ones(void **state)
{
    enum { COUNT = 200 };
    struct fixture *fixture = *state;
    int lister = greeted(fixture), other = greeted(fixture);
    char line[16384], part[32];

    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(line, sizeof(line),
                       "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\"}\n",
                       i, i % 2 == 0 ? "report" : "ping");
        say(lister, line);
    }
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(part, sizeof(part), "\"id\":%d,", i);
        expect_line(lister, part);
        if (i % 50 == 0) {
            say(other, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
            expect_line(other, "\"pong\":true");
        }
    }
    (void)close(lister);
    (void)close(other);
}

static void
test_silent_client(void **state)
{
    struct fixture *fixture = *state;
    int fd = greeted(fixture);

    expect_line(fd, "no request within");
    expect_end(fd);
    (void)close(fd);
}

static void
test_python_deadline(void **state)
{
    struct fixture *fixture = *state;
    int fd = greeted(fixture);

    pyhost_gil_enter();
    say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"load\",\"params\":"
            "{\"names\":[\"m\"]}}\n"
            "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}\n");
    expect_line(fd, "\"kind\":\"busy\"");
    expect_line(fd, "\"id\":2,\"result\"");
    pyhost_gil_leave();
    say(fd, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"reload\",\"params\":"
            "{\"name\":\"m\"}}\n");
    expect_line(fd, "\"unchanged\"");
    (void)close(fd);
}

static void
test_events_reach_subscribers(void **state)
{
    struct fixture *fixture = *state;
    struct lz_load load = {.name = "pkg.mod", .wall_ns = 5};
    int fd = greeted(fixture);
    int other = greeted(fixture);

    say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\",\"params\""
            ":{\"events\":[\"load\",\"ignore\"]}}\n");
    expect_line(fd, "\"sequence\":0");
    control_event(fixture->control, LZ_EVENT_FAIL, NULL, &load, 0);
    control_event(fixture->control, LZ_EVENT_LOAD, NULL, &load, 0);
    expect_line(fd, "pkg.mod");
    say(other, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ignore.add\","
               "\"params\":{\"kind\":\"package\",\"values\":[\"foo\"]}}\n");
    expect_line(other, "\"changed\":[\"foo\"]");
    expect_line(fd, "\"value\":\"foo\"");
    (void)close(fd);
    (void)close(other);
}

static void
test_finish_answers_what_waits(void **state)
{
    struct fixture *fixture = *state;
    int fd = greeted(fixture);

    pyhost_gil_enter();
    say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n"
            "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"load\",\"params\":"
            "{\"names\":[\"m\"]}}\n");
    expect_line(fd, "\"pong\":true");
    /* The operator is inside "Python" now or will be: control_finish must not
     * wait for it. */
    control_unpublish(fixture->control);
    control_finish(fixture->control);
    pyhost_gil_leave();
    expect_line(fd, "\"id\":9,\"error\"");
    expect_end(fd);
    (void)close(fd);
}

#define WITH_CONTROL(test)                                                    \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define HASTILY(test)                                                         \
    cmocka_unit_test_setup_teardown(test, set_up_hasty, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CONTROL(test_requests_in_order),
        WITH_CONTROL(test_faulty_lines),
        WITH_CONTROL(test_half_a_line),
        WITH_CONTROL(test_line_too_long),
        WITH_CONTROL(test_long_lines_in_a_row),
        WITH_CONTROL(test_long_answers_hold_up_nobody),
        WITH_CONTROL(test_long_answers_that_nobody_reads),
        WITH_CONTROL(test_too_many_clients),
        WITH_CONTROL(test_client_that_does_not_read),
        WITH_CONTROL(test_unfinished_lines_of_many),
        WITH_CONTROL(test_long_answers_beside_short_ones),
        WITH_CONTROL(test_events_reach_subscribers),
        HASTILY(test_silent_client),
        HASTILY(test_python_deadline),
        WITH_CONTROL(test_finish_answers_what_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
