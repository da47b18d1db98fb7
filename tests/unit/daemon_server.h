/* A control server in this process, and the client's side of it. After
 * cmocka.h. */
#ifndef TESTS_UNIT_DAEMON_SERVER_H
#define TESTS_UNIT_DAEMON_SERVER_H

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/control.h"
#include "lazycore/core.h"
#include "tests/unit/daemon_folder.h"
#include "tests/unit/daemon_socket.h"

enum { PATIENCE_MS = 20000 };

struct fixture {
    struct folder *folder;
    struct lz_core *core;
    struct control *control;
    char path[160];
};

static inline void
server_no_reopen(void *arg)
{
    (void)arg;
}

static inline void
server_no_hard_end(void *arg, const char *why)
{
    (void)arg;
    (void)why;
    abort();
}

static inline struct control_setup
server_plain(void)
{
    return (struct control_setup){.app = "app.py",
                                  .group = (gid_t)-1,
                                  .stop_timeout_ms = 60000,
                                  .reopen_log = server_no_reopen,
                                  .end_hard = server_no_hard_end};
}

/* A server by SETUP, whose core and path are filled in. */
static inline int
server_set_up(void **state, struct control_setup *setup)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct lz_error error = {0};
    void *folder = NULL;

    *state = fixture;
    if (fixture == NULL || folder_set_up(&folder) < 0) {
        return -1;
    }
    fixture->folder = folder;
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s",
                   folder_file(fixture->folder, "s"));
    fixture->core = core_new();
    setup->core = fixture->core;
    setup->socket_path = fixture->path;
    if (control_open(setup, &fixture->control, &error) < 0 ||
        control_start(fixture->control, &error) < 0) {
        print_error("%s\n", error.text);
        return -1;
    }
    return 0;
}

static inline int
server_tear_down(void **state)
{
    struct fixture *fixture = *state;
    void *folder = fixture->folder;

    control_unpublish(fixture->control);
    control_finish(fixture->control);
    control_free(fixture->control);
    core_free(fixture->core);
    (void)folder_tear_down(&folder);
    free(fixture);
    return 0;
}

/* A line, without '\n'; its length, 0 at the end of the connection. */
static inline size_t
read_line(int fd, char *line, size_t size)
{
    size_t length = 0;

    while (length < size - 1) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        ssize_t n;

        assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
        n = read(fd, line + length, 1);
        if (n <= 0 || line[length] == '\n') {
            break;
        }
        length++;
    }
    line[length] = '\0';
    return length;
}

static inline void
say(int fd, const char *text)
{
    size_t length = strlen(text);

    while (length > 0) {
        ssize_t n = send(fd, text, length, MSG_NOSIGNAL);

        assert_true(n > 0);
        text += n;
        length -= (size_t)n;
    }
}

static inline void
expect_line(int fd, const char *part)
{
    char line[16384];

    assert_true(read_line(fd, line, sizeof(line)) > 0);
    if (strstr(line, part) == NULL) {
        fail_msg("'%s' has no '%s'", line, part);
    }
}

static inline void
expect_end(int fd)
{
    char line[1024];

    assert_int_equal(read_line(fd, line, sizeof(line)), 0);
}

/* Connect and pass the greeting. */
static inline int
greeted(const struct fixture *fixture)
{
    int fd = dial(fixture->path);

    expect_line(fd, "\"hello\"");
    return fd;
}

static inline void
expect_alive(const struct fixture *fixture)
{
    int fd = greeted(fixture);

    say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
    expect_line(fd, "\"pong\":true");
    (void)close(fd);
}

#endif
