/* Asks a server the same thing again and again, and says how long it took.
 *
 * Each connection has one request under way. One connection is read without
 * polling; more are polled with epoll. Ends after COUNT requests, or at
 * SIGTERM, with a line of JSON.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { REPLY_MAX = 4 * 1024 * 1024, CONNECTIONS_MAX = 128 };

enum protocol { LINES, GREETED_LINES, REDIS };

struct connection {
    int fd;
    uint64_t asked_ns;
    size_t length;
    char *reply;
};

static struct {
    enum protocol protocol;
    const char *path;
    char *request;
    size_t request_length;
    const char *expected;
    unsigned long count; /* 0: until SIGTERM */
    unsigned connections;
    long pause_us;
} setup = {LINES, NULL, NULL, 0, NULL, 0, 1, 0};

static volatile sig_atomic_t ended;
static uint64_t *took;
static size_t took_count, took_capacity;
static unsigned long wrong, asked;

__attribute__((noreturn, format(printf, 1, 2))) static void
fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    exit(1);
}

static uint64_t
now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Bytes of the reply at TEXT, or 0 where it is not whole yet. */
static size_t
reply_length(const char *text, size_t length)
{
    const char *end = memchr(text, '\n', length);
    size_t head;

    if (end == NULL) {
        return 0;
    }
    head = (size_t)(end + 1 - text);
    if (setup.protocol == REDIS && text[0] == '$') {
        head += strtoul(text + 1, NULL, 10) + 2;
    }
    return head <= length ? head : 0;
}

/* Read what is there. Whether a whole reply is. */
static bool
read_some(struct connection *c)
{
    ssize_t n = read(c->fd, c->reply + c->length, REPLY_MAX - c->length);

    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
        fail("'%s': %s", setup.path,
             n == 0 ? "connection closed" : strerror(errno));
    }
    c->length += n > 0 ? (size_t)n : 0;
    return reply_length(c->reply, c->length) > 0;
}

static void
ask(struct connection *c)
{
    asked++;
    c->length = 0;
    c->asked_ns = now_ns();
    if (write(c->fd, setup.request, setup.request_length) !=
        (ssize_t)setup.request_length) {
        fail("'%s': %s", setup.path, strerror(errno));
    }
}

static void
note(const struct connection *c)
{
    uint64_t ns = now_ns() - c->asked_ns;

    if (took_count == took_capacity) {
        took_capacity = took_capacity == 0 ? 65536 : took_capacity * 2;
        took = realloc(took, took_capacity * sizeof(*took));
        if (took == NULL) {
            fail("out of memory");
        }
    }
    took[took_count++] = ns;
    if (reply_length(c->reply, c->length) != c->length ||
        (setup.expected != NULL && memmem(c->reply, c->length, setup.expected,
                                          strlen(setup.expected)) == NULL)) {
        wrong++;
    }
}

static void
open_connection(struct connection *c)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s",
                   setup.path);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    c->reply = malloc(REPLY_MAX);
    if (c->fd < 0 || c->reply == NULL ||
        connect(c->fd, (const struct sockaddr *)&address, sizeof(address)) <
            0) {
        fail("cannot connect to '%s': %s", setup.path, strerror(errno));
    }
    while (setup.protocol == GREETED_LINES && !read_some(c)) {
    }
}

static bool
is_done(void)
{
    return ended || (setup.count > 0 && asked >= setup.count);
}

static void
ask_one(struct connection *c)
{
    struct timespec pause = {.tv_sec = setup.pause_us / 1000000,
                             .tv_nsec = setup.pause_us % 1000000 * 1000};

    while (!is_done()) {
        ask(c);
        while (!read_some(c)) {
        }
        note(c);
        if (setup.pause_us > 0) {
            (void)nanosleep(&pause, NULL);
        }
    }
}

static void
ask_many(struct connection *connections)
{
    struct epoll_event events[CONNECTIONS_MAX];
    unsigned under_way = 0;
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    for (unsigned i = 0; i < setup.connections; i++) {
        struct epoll_event event = {.events = EPOLLIN,
                                    .data.ptr = &connections[i]};

        if (epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event) < 0) {
            fail("epoll: %s", strerror(errno));
        }
        ask(&connections[i]);
        under_way++;
    }
    while (under_way > 0) {
        int ready = epoll_wait(epoll, events, CONNECTIONS_MAX, -1);

        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;

            if (!read_some(c)) {
                continue;
            }
            note(c);
            if (is_done()) {
                under_way--;
            } else {
                ask(c);
            }
        }
    }
    (void)close(epoll);
}

static int
compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static double
percentile_us(double part)
{
    size_t index = (size_t)((double)took_count * part);

    return took_count == 0
               ? 0
               : (double)took[index < took_count ? index : took_count - 1] /
                     1e3;
}

static void
on_sigterm(int number)
{
    (void)number;
    ended = 1;
}

static void
read_options(int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "n:c:p:e:gr")) >= 0) {
        switch (option) {
        case 'n':
            setup.count = strtoul(optarg, NULL, 10);
            break;
        case 'c':
            setup.connections = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'p':
            setup.pause_us = strtol(optarg, NULL, 10);
            break;
        case 'e':
            setup.expected = optarg;
            break;
        case 'g':
            setup.protocol = GREETED_LINES;
            break;
        case 'r':
            setup.protocol = REDIS;
            break;
        default:
            exit(2);
        }
    }
    if (argc - optind != 2 || setup.connections == 0 ||
        setup.connections > CONNECTIONS_MAX) {
        fail("asker [-g | -r] [-n COUNT] [-c CONNECTIONS] [-p PAUSE_US] "
             "[-e EXPECTED] SOCKET REQUEST\n"
             "-g: the server greets with a line; -r: redis");
    }
    setup.path = argv[optind];
    setup.request_length = strlen(argv[optind + 1]) + 1;
    if (asprintf(&setup.request, "%s\n", argv[optind + 1]) < 0) {
        fail("out of memory");
    }
}

int
main(int argc, char **argv)
{
    struct connection connections[CONNECTIONS_MAX] = {0};
    struct sigaction action = {.sa_handler = on_sigterm,
                               .sa_flags = SA_RESTART};
    uint64_t begin;
    double seconds;

    read_options(argc, argv);
    (void)sigaction(SIGTERM, &action, NULL);
    for (unsigned i = 0; i < setup.connections; i++) {
        open_connection(&connections[i]);
    }
    begin = now_ns();
    if (setup.connections == 1) {
        ask_one(&connections[0]);
    } else {
        ask_many(connections);
    }
    seconds = (double)(now_ns() - begin) / 1e9;
    qsort(took, took_count, sizeof(*took), compare);
    (void)printf("{\"requests\":%zu,\"seconds\":%.6f,\"per_second\":%.0f,"
                 "\"p50_us\":%.2f,\"p99_us\":%.2f,\"max_us\":%.2f,"
                 "\"wrong\":%lu}\n",
                 took_count, seconds, (double)took_count / seconds,
                 percentile_us(0.5), percentile_us(0.99), percentile_us(1),
                 wrong);
    for (unsigned i = 0; i < setup.connections; i++) {
        (void)close(connections[i].fd);
        free(connections[i].reply);
    }
    free(took);
    free(setup.request);
    return 0;
}
