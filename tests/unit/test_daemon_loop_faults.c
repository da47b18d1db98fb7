/* The control server with its system calls failing: accept, read, write, and
 * what waits for them.
 *
 * A fault may cost the connection that it falls on, never another one, and
 * the loop neither ends nor goes round and round.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <poll.h>
#include <sys/un.h>
#include <time.h>

#include "daemon/control_private.h"
#include "daemon/log.h"
#include "tests/unit/daemon_fake_pyhost.h"
#include "tests/unit/daemon_faults.h"
#include "tests/unit/daemon_server.h"

enum { CALM_MS = 30 };

static const char *const calls[] = {"accept4",    "read",       "write",
                                    "getsockopt", "epoll_wait", "open"};
static const int errors[] = {EMFILE, ENFILE, ENOSPC,     EACCES, EINTR,
                             EAGAIN, EPIPE,  ECONNRESET, ENOMEM};

static void
no_hard_end(void *arg, const char *why)
{
    (void)arg;
    fail_msg("%s", why);
}

static int
set_up(void **state)
{
    struct control_setup setup = server_plain();

    setup.end_hard = no_hard_end;
    fault_exempt = true; /* the client's side */
    return server_set_up(state, &setup);
}

static int
tear_down(void **state)
{
    fault_disarm();
    return server_tear_down(state);
}

/* Ask METHOD on a connection of its own. Whether there was an answer; what
 * there was must be a right one. */
static bool
ask(const struct fixture *fixture, const char *method)
{
    char line[65536], request[128];
    int fd = dial(fixture->path);
    bool answered = read_line(fd, line, sizeof(line));

    if (answered && strstr(line, "\"error\"") == NULL) {
        assert_non_null(strstr(line, "\"method\":\"hello\""));
        int length = snprintf(request, sizeof(request),
                              "{\"jsonrpc\":\"2.0\",\"id\":7,"
                              "\"method\":\"%s\"}\n",
                              method);
        answered = send(fd, request, (size_t)length, MSG_NOSIGNAL) == length &&
                   read_line(fd, line, sizeof(line));
    }
    if (answered) {
        assert_int_equal(line[0], '{');
        assert_int_equal(line[strlen(line) - 1], '}');
        answered = strstr(line, "\"id\":7,\"result\"") != NULL;
    }
    (void)close(fd);
    return answered;
}

static int64_t
loop_cpu_ms(const struct fixture *fixture)
{
    clockid_t clock;
    struct timespec now;

    assert_int_equal(pthread_getcpuclockid(fixture->control->thread, &clock),
                     0);
    assert_int_equal(clock_gettime(clock, &now), 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
expect_calm(const struct fixture *fixture)
{
    int64_t before = loop_cpu_ms(fixture);

    (void)poll(NULL, 0, CALM_MS);
    assert_in_range(loop_cpu_ms(fixture) - before, 0, CALM_MS / 2);
}

static void
test_each_fails_once(void **state)
{
    const struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        unsigned fired = 0;
        for (size_t j = 0; j < sizeof(errors) / sizeof(errors[0]); j++) {
            if (strcmp(calls[i], "epoll_wait") == 0 && errors[j] != EINTR) {
                continue; /* it waits on what is its own, and has none */
            }
            fault_arm(calls[i], 0, errors[j]);
            (void)ask(fixture, "stats");
            fired += atomic_load(&fault.fired);
            fault_disarm();
            assert_true(ask(fixture, "ping"));
            assert_true(ask(fixture, "stats"));
        }
        if (fired == 0) {
            fail_msg("%s was not made to fail", calls[i]);
        }
        expect_calm(fixture);
    }
}

/* What is only for a moment must not even be seen. */
static void
test_for_a_moment(void **state)
{
    static const int moments[] = {EINTR, EAGAIN};
    static const char *const transfers[] = {"accept4", "read", "write"};
    const struct fixture *fixture = *state;

    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 2; j++) {
            fault_arm(transfers[i], 0, moments[j]);
            assert_true(ask(fixture, "stats"));
            assert_true(atomic_load(&fault.fired) > 0);
            fault_disarm();
        }
    }
}

static void
test_one_byte_at_a_time(void **state)
{
    const struct fixture *fixture = *state;

    fault_arm("read", FAULT_ALWAYS, 0);
    fault.is_short = true;
    assert_true(ask(fixture, "ping"));
    fault_arm("write", FAULT_ALWAYS, 0);
    fault.is_short = true;
    assert_true(ask(fixture, "ignore.list"));
    assert_true(atomic_load(&fault.fired) > 10);
}

/* Nobody can be taken in: who comes waits, and is taken in when it works. */
static void
test_shortage_of_descriptors(void **state)
{
    static const int shortages[] = {EMFILE, ENFILE, ENOMEM, EACCES};
    const struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(shortages) / sizeof(shortages[0]); i++) {
        char line[4096];
        int there = dial(fixture->path);

        assert_true(read_line(there, line, sizeof(line)));
        fault_arm("accept4", FAULT_ALWAYS, shortages[i]);
        int fd = dial(fixture->path);
        expect_calm(fixture);
        assert_true(atomic_load(&fault.fired) > 0);
        /* Those that are in are served. */
        assert_int_equal(write(there,
                               "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
                               "\"ping\"}\n",
                               41),
                         41);
        assert_true(read_line(there, line, sizeof(line)));
        assert_non_null(strstr(line, "pong"));
        fault_disarm();
        assert_true(read_line(fd, line, sizeof(line)));
        assert_non_null(strstr(line, "hello"));
        (void)close(fd);
        (void)close(there);
    }
}

/* Lines that come until COUNT have, or the connection ends. */
static int
count_lines(int fd, int count)
{
    static char chunk[65536];
    int lines = 0;

    while (lines < count) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};

        assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n <= 0) {
            break;
        }
        for (ssize_t i = 0; i < n; i++) {
            lines += chunk[i] == '\n';
        }
    }
    return lines;
}

/* A client that lets many long answers fill its queues before it reads them.
 * Whether it got all. */
static bool
ask_much(const struct fixture *fixture)
{
    static const char request[] =
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"commands\"}\n";
    enum { COUNT = 24 };
    int fd = dial(fixture->path);
    bool there = true;

    for (int i = 0; i < COUNT && there; i++) {
        there = send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0;
    }
    (void)poll(NULL, 0, 2);
    there = count_lines(fd, 1 + COUNT) == 1 + COUNT;
    (void)close(fd);
    return there;
}

/* What a user may watch is used up: who cannot be watched is let go, who
 * listens again does so later, and lazyd goes on. */
static void
test_nothing_more_can_be_watched(void **state)
{
    static const int shortages[] = {ENOSPC, ENOMEM};
    const struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(shortages) / sizeof(shortages[0]); i++) {
        int at = 0;
        do {
            fault_arm("epoll_ctl", at++, shortages[i]);
            bool answered = ask_much(fixture);
            fault_disarm();
            assert_true(answered || atomic_load(&fault.fired) > 0);
            assert_true(ask(fixture, "ping"));
        } while (atomic_load(&fault.fired) > 0);
        assert_in_range(at, 2, 100);
        fault_arm("epoll_ctl", FAULT_ALWAYS, shortages[i]);
        assert_false(ask_much(fixture));
        assert_false(ask(fixture, "ping"));
        fault_disarm();
        assert_true(ask(fixture, "ping"));
    }
    expect_calm(fixture);
}

/* Accepting has stopped for want of descriptors, and cannot begin again at
 * once. */
static void
test_listening_again_fails(void **state)
{
    const struct fixture *fixture = *state;
    char line[4096];

    fault_arm("accept4", FAULT_ALWAYS, EMFILE);
    int fd = dial(fixture->path);
    while (atomic_load(&fault.fired) == 0) {
        (void)poll(NULL, 0, 1);
    }
    int other = dial(fixture->path);
    fault_arm("epoll_ctl", FAULT_ALWAYS, ENOSPC);
    while (atomic_load(&fault.fired) == 0) {
        (void)poll(NULL, 0, 1);
    }
    fault_disarm();
    assert_true(read_line(fd, line, sizeof(line)));
    assert_non_null(strstr(line, "hello"));
    assert_true(read_line(other, line, sizeof(line)));
    (void)close(fd);
    (void)close(other);
    assert_true(ask(fixture, "ping"));
}

/* No room from the start: an error, and the next start succeeds. */
static void
test_start_without_room(void **state)
{
    struct fixture *fixture = *state;
    struct lz_error error = {0};
    struct control *control = NULL;
    struct control_setup setup = {.app = "app.py",
                                  .core = fixture->core,
                                  .group = (gid_t)-1,
                                  .socket_path =
                                      folder_file(fixture->folder, "other")};

    fault_exempt = false;
    fault_arm("epoll_ctl", FAULT_ALWAYS, ENOSPC);
    assert_int_equal(control_open(&setup, &control, &error), -1);
    fault_disarm();
    fault_exempt = true;
    assert_non_null(strstr(error.text, "No space left"));
    assert_int_equal(access(setup.socket_path, F_OK), -1);
    lz_error_done(&error);
    assert_int_equal(control_open(&setup, &control, &error), 0);
    control_unpublish(control);
    control_finish(control);
    control_free(control);
}

/* Each allocation of a request fails once: an error, or the end of that one
 * connection. */
static void
test_each_allocation_fails(void **state)
{
    static const char *const methods[] = {"stats", "ignore.list", "report",
                                          "subscribe"};
    const struct fixture *fixture = *state;
    cJSON_Hooks hooks = {__wrap_malloc, free};

    cJSON_InitHooks(&hooks);
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        int at = 0;
        do {
            fault_arm("memory", at++, ENOMEM);
            (void)ask(fixture, methods[i]);
            fault_disarm();
            assert_true(ask(fixture, "ping"));
        } while (atomic_load(&fault.fired) > 0);
        assert_in_range(at, 5, 1000);
        assert_true(ask(fixture, methods[i]));
    }
    expect_calm(fixture);
    cJSON_InitHooks(NULL);
}

/* Bytes of the answer to "list", the greeting before it; 0 where there is
 * none. */
static size_t
list_all(const struct fixture *fixture)
{
    static const char request[] =
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"list\"}\n";
    static char text[1 << 20];
    int fd = dial(fixture->path);
    size_t length = 0;

    (void)send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL);
    (void)shutdown(fd, SHUT_WR);
    for (;;) {
        ssize_t n = read(fd, text + length, sizeof(text) - 1 - length);
        if (n <= 0) {
            break;
        }
        length += (size_t)n;
    }
    (void)close(fd);
    text[length] = '\0';
    return strstr(text, "\"id\":7,\"result\"") != NULL ? length : 0;
}

/* The same of an answer as long as there are modules. */
static void
test_each_allocation_of_a_long_answer_fails(void **state)
{
    const struct fixture *fixture = *state;
    char name[32];
    int at = 0;
    size_t whole;

    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "made_%d", i);
        registry_existing(fixture->core->registry, name, "/made.py");
    }
    whole = list_all(fixture);
    assert_in_range(whole, 150000, 1000000);
    do {
        fault_arm("memory", at++, ENOMEM);
        size_t length = list_all(fixture);
        fault_disarm();
        assert_true(length == 0 || length == whole);
        assert_true(ask(fixture, "ping"));
    } while (atomic_load(&fault.fired) > 0);
    assert_in_range(at, 10, 1000);
    expect_calm(fixture);
}

/* Many are there, and no memory for one more: what the loop keeps for each
 * number of a descriptor it has from its start. */
static void
test_no_memory_for_another_client(void **state)
{
    const struct fixture *fixture = *state;
    enum { CLIENTS = 100, ALLOCATIONS = 6 };
    int fds[CLIENTS];
    char line[4096];

    for (int i = 0; i < CLIENTS; i++) {
        for (int at = 0; at < ALLOCATIONS; at++) {
            fault_arm("memory", at, ENOMEM);
            (void)ask(fixture, "ping");
            fault_disarm();
        }
        fds[i] = dial(fixture->path);
        assert_true(read_line(fds[i], line, sizeof(line)));
        assert_non_null(strstr(line, "hello"));
    }
    assert_true(ask(fixture, "ping"));
    for (int i = 0; i < CLIENTS; i++) {
        (void)close(fds[i]);
    }
}

#define WITH_CONTROL(test)                                                    \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CONTROL(test_each_fails_once),
        WITH_CONTROL(test_for_a_moment),
        WITH_CONTROL(test_one_byte_at_a_time),
        WITH_CONTROL(test_shortage_of_descriptors),
        WITH_CONTROL(test_each_allocation_fails),
        WITH_CONTROL(test_each_allocation_of_a_long_answer_fails),
        WITH_CONTROL(test_nothing_more_can_be_watched),
        WITH_CONTROL(test_listening_again_fails),
        WITH_CONTROL(test_start_without_room),
        WITH_CONTROL(test_no_memory_for_another_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
