/* ctl/run: lazyctl in a child against a server of a few lines here: each exit
 * status, what goes to stdout and what to stderr.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/run.h"

#define HELLO(protocol)                                                       \
    "{\"jsonrpc\":\"2.0\",\"method\":\"hello\",\"params\":{\"server\":"       \
    "\"lazyd\",\"version\":\"9\",\"protocol\":" protocol ",\"pid\":1}}\n"
#define RESULT(json) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":" json "}\n"
#define ERROR(json) "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":" json "}\n"

enum { OUTPUT_SIZE = 65536, ARGUMENTS = 16 };

static char folder[] = "/tmp/ctl-run-XXXXXX";
static struct sockaddr_un address;
static int listener;
static char output[OUTPUT_SIZE], complaints[OUTPUT_SIZE], request[4096];

static int
setup(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL || unsetenv("LAZYD_SOCKET") != 0) {
        return -1;
    }
    address.sun_family = AF_UNIX;
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/s.sock",
                   folder);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
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

static FILE *
open_output(void)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    return file;
}

static void
read_output(FILE *file, char *text)
{
    rewind(file);
    size_t size = fread(text, 1, OUTPUT_SIZE - 1, file);
    text[size] = '\0';
    assert_int_equal(fclose(file), 0);
}

/* The child: lazyctl with LINE, split at its spaces. */
static pid_t
start(const char *line, FILE *out, FILE *err)
{
    char copy[512];
    char *argv[ARGUMENTS];
    char program[] = "lazyctl", option[] = "-s";
    int argc = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0) {
        return child;
    }
    (void)snprintf(copy, sizeof copy, "%s", line);
    argv[argc++] = program;
    if (strstr(line, "-s ") == NULL) {
        argv[argc++] = option;
        argv[argc++] = address.sun_path;
    }
    for (char *word = strtok(copy, " "); word != NULL && argc < ARGUMENTS;
         word = strtok(NULL, " ")) {
        argv[argc++] = word;
    }
    (void)dup2(fileno(out), STDOUT_FILENO);
    (void)dup2(fileno(err), STDERR_FILENO);
    int status = run(argc, argv);
    (void)fflush(NULL);
    _exit(status);
}

/* Serve one connection: FIRST, and after a request THEN; then it is closed,
 * unless STAYS, which waits until the other end has gone. */
static void
serve(const char *first, const char *then, bool stays)
{
    size_t used = 0;
    ssize_t count = 1;
    int fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    (void)send(fd, first, strlen(first), MSG_NOSIGNAL);
    while (then != NULL && count > 0 && memchr(request, '\n', used) == NULL) {
        count = recv(fd, request + used, sizeof request - 1 - used, 0);
        used += count > 0 ? (size_t)count : 0;
    }
    request[used] = '\0';
    if (then != NULL) {
        (void)send(fd, then, strlen(then), MSG_NOSIGNAL);
    }
    while (stays && count > 0) {
        char rest[64];
        count = recv(fd, rest, sizeof rest, 0);
    }
    assert_int_equal(close(fd), 0);
}

/* Run LINE; FIRST may be NULL where it will not connect. */
static int
play(const char *line, const char *first, const char *then, bool stays)
{
    FILE *out = open_output(), *err = open_output();
    int status;
    pid_t child = start(line, out, err);
    if (first != NULL) {
        serve(first, then, stays);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    read_output(out, output);
    read_output(err, complaints);
    return WEXITSTATUS(status);
}

static void
has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("'%s' lacks '%s'", text, part);
    }
}

static void
test_done(void **state)
{
    (void)state;
    assert_int_equal(
        play("ping", HELLO("1"), RESULT("{\"pong\":true,\"pid\":7}"), false),
        0);
    assert_string_equal(output, "pong from pid 7\n");
    assert_string_equal(complaints, "");
    assert_string_equal(
        request, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
    /* For programs the result goes on as it came. */
    assert_int_equal(play("--json ping", HELLO("1"),
                          RESULT("{\"new\": [1e3], \"pong\":true}"), false),
                     0);
    assert_string_equal(output, "{\"new\": [1e3], \"pong\":true}\n");
    assert_int_equal(play("list --state proxies --limit 2", HELLO("1"),
                          RESULT("{\"modules\":[],\"total\":0}"), false),
                     0);
    assert_string_equal(request,
                        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"list\","
                        "\"params\":{\"state\":\"proxy\",\"limit\":2}}\n");
}

static void
test_json_does_not_steer_the_terminal(void **state)
{
    (void)state;
    /* A server that is not lazyd may send what lazyd would not. */
    assert_int_equal(
        play("--json ping", HELLO("1"),
             RESULT("{\"a\":\r\"\xc2\x9b\xe2\x80\xae\xf3\xa0\x81\x81"
                    "\xe2\x82\xac\x7f\"}"),
             false),
        0);
    assert_string_equal(
        output,
        "{\"a\": \"\\u009b\\u202e\\udb40\\udc41\xe2\x82\xac\\u007f\"}\n");
    assert_int_equal(play("--json ping", HELLO("1"),
                          ERROR("{\"code\":1,\"message\":\"\xc2\x9b\"}"),
                          false),
                     1);
    assert_string_equal(output,
                        "{\"error\":{\"code\":1,\"message\":\"\\u009b\"}}\n");
}

static void
test_other_protocol(void **state)
{
    (void)state;
    assert_int_equal(
        play("ping", HELLO("2"), RESULT("{\"pong\":true}"), false), 0);
    has(complaints, "protocol 2");
}

static void
test_server_said_no(void **state)
{
    (void)state;
    const char *no = ERROR("{\"code\":-32005,\"message\":\"it \\u001braised\","
                           "\"data\":{\"kind\":\"load_failed\",\"traceback\":"
                           "\"Trace\\nback\"}}");
    assert_int_equal(play("show x", HELLO("1"), no, false), 1);
    assert_string_equal(output, "");
    assert_string_equal(complaints,
                        "lazyctl: it \\x1braised\n  Trace\n  back\n");
    assert_int_equal(play("show x --json", HELLO("1"), no, false), 1);
    has(output, "{\"error\":{\"code\":-32005,");
    has(complaints, "raised");
    /* Refused before anything was asked. */
    assert_int_equal(
        play("ping",
             "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32008,"
             "\"message\":\"not yours\",\"data\":{\"kind\":\"denied\"}}}\n",
             NULL, false),
        1);
    has(complaints, "the server refused: not yours");
}

static void
test_load_status(void **state)
{
    (void)state;
    assert_int_equal(
        play("load a b", HELLO("1"),
             RESULT("{\"results\":[{\"name\":\"a\",\"loaded\":true},{"
                    "\"name\":\"b\",\"error\":{\"kind\":\"load_failed\","
                    "\"text\":\"x\"}}],\"loaded\":1,\"failed\":1}"),
             false),
        1);
    has(output, "b: failed: x\n");
    assert_int_equal(
        play("load a --json", HELLO("1"),
             RESULT("{\"results\":[{\"name\":\"a\",\"loaded\":true,\"error\":"
                    "null}],\"loaded\":1,\"failed\":0}"),
             false),
        0);
    assert_int_equal(
        play("ignore add name a --load", HELLO("1"),
             RESULT("{\"kind\":\"name\",\"results\":[{\"name\":\"a\","
                    "\"error\":{\"kind\":\"load_failed\",\"text\":\"x\"}}]}"),
             false),
        1);
}

static void
test_verify_status(void **state)
{
    (void)state;
    assert_int_equal(
        play("verify a*", HELLO("1"),
             RESULT("{\"results\":[],\"total\":2,\"ok\":2,\"failed\":0}"),
             false),
        0);
    assert_string_equal(request,
                        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"verify\","
                        "\"params\":{\"match\":\"a*\"}}\n");
    assert_int_equal(
        play("verify", HELLO("1"),
             RESULT("{\"results\":[{\"name\":\"a\",\"status\":\"broken\","
                    "\"text\":\"x\"}],\"total\":2,\"ok\":1,\"failed\":1}"),
             false),
        1);
    has(output, "a     broken  x\n");
}

static void
test_reload_status(void **state)
{
    (void)state;
    static const struct {
        const char *verdict;
        int status;
    } rows[] = {{"applied", 0},  {"unchanged", 11}, {"not_loaded", 12},
                {"refused", 13}, {"failed", 14},    {"inconclusive", 15}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char reply[256];
        (void)snprintf(reply, sizeof reply,
                       RESULT("{\"name\":\"m\",\"verdict\":\"%s\",\"text\":"
                              "\"why\"}"),
                       rows[i].verdict);
        assert_int_equal(play("reload m", HELLO("1"), reply, false),
                         rows[i].status);
        has(output, rows[i].verdict);
        assert_int_equal(play("--json reload m", HELLO("1"), reply, false),
                         rows[i].status);
    }
}

static void
test_usage(void **state)
{
    (void)state;
    assert_int_equal(play("stat", NULL, NULL, false), 2);
    has(complaints, "did you mean 'stats'?");
    assert_int_equal(play("show", NULL, NULL, false), 2);
    assert_int_equal(play("help nothing", NULL, NULL, false), 2);
    assert_int_equal(play("help", NULL, NULL, false), 0);
    has(output, "Usage: lazyctl");
    assert_int_equal(play("load --help", NULL, NULL, false), 0);
    has(output, "--recursive");
    assert_int_equal(play("ignore --help", NULL, NULL, false), 0);
    has(output, "ignore save");
    assert_int_equal(play("--version", NULL, NULL, false), 0);
    assert_string_equal(output, "lazyctl " LAZYD_VERSION "\n");
}

static void
test_no_server(void **state)
{
    (void)state;
    assert_int_equal(play("-s /nowhere/x.sock ping", NULL, NULL, false), 3);
    has(complaints, "no server at '/nowhere/x.sock'");
    assert_int_equal(play("ping", HELLO("1"), "", false), 3);
    has(complaints, "closed the connection");
    assert_int_equal(play("ping", "SSH-2.0\n", NULL, false), 3);
    has(complaints, "no lazyd's socket");
}

static void
test_timed_out(void **state)
{
    (void)state;
    assert_int_equal(play("--timeout 0.05 ping", "", NULL, true), 4);
    assert_int_equal(play("--timeout 0.05 ping", HELLO("1"), "", true), 4);
    has(complaints, "no answer in time");
    /* Stop waits for the end of the connection. */
    assert_int_equal(play("--timeout 0.05 stop", HELLO("1"),
                          RESULT("{\"stopping\":true,\"pid\":1}"), true),
                     4);
    has(complaints, "has not ended in time");
}

static void
test_stop(void **state)
{
    (void)state;
    assert_int_equal(
        play("stop --timeout 3", HELLO("1"),
             RESULT("{\"stopping\":true,\"pid\":8,\"timeout\":3}"), false),
        0);
    has(request, "\"params\":{\"timeout\":3}");
    assert_string_equal(output, "stopped pid 8\n");
}

static void
test_events(void **state)
{
    (void)state;
    const char *events = RESULT(
        "{\"events\":[\"fork\"],\"sequence\":4}") "{\"jsonrpc\":\"2.0\","
                                                  "\"method\":\"event\","
                                                  "\"params\":{\"event\":"
                                                  "\"fork\",\"sequence\":5,"
                                                  "\"dropped\":0,\"time_ns\":"
                                                  "1,\"pid\":77}}\n";
    assert_int_equal(play("events fork", HELLO("1"), events, false), 3);
    has(request, "\"params\":{\"events\":[\"fork\"]}");
    has(output, "fork   pid 77\n");
    has(complaints, "the server ended");
    assert_int_equal(play("events --json", HELLO("1"), events, false), 3);
    assert_string_equal(output,
                        "{\"events\":[\"fork\"],\"sequence\":4}\n"
                        "{\"event\":\"fork\",\"sequence\":5,\"dropped\":0,"
                        "\"time_ns\":1,\"pid\":77}\n");
}

static void
test_events_end_where_the_output_does(void **state)
{
    (void)state;
    static const char *const lines[] = {"events", "--json events"};
    const char *events =
        RESULT("{\"events\":[\"fork\"],\"sequence\":4}") "{\"jsonrpc\":"
                                                         "\"2.0\",\"method\":"
                                                         "\"event\","
                                                         "\"params\":{"
                                                         "\"event\":\"fork\","
                                                         "\"pid\":7}}\n";
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        FILE *full = fopen("/dev/full", "w"), *err = open_output();
        int status;
        assert_non_null(full);
        pid_t child = start(lines[i], full, err);
        serve(HELLO("1"), events, true);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 1);
        read_output(err, complaints);
        has(complaints, "cannot write the output");
        (void)fclose(full);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_done),
        cmocka_unit_test(test_json_does_not_steer_the_terminal),
        cmocka_unit_test(test_other_protocol),
        cmocka_unit_test(test_server_said_no),
        cmocka_unit_test(test_load_status),
        cmocka_unit_test(test_verify_status),
        cmocka_unit_test(test_reload_status),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_no_server),
        cmocka_unit_test(test_timed_out),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_events_end_where_the_output_does),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
