/* The floor of a request over a unix socket: sends back what it gets.
 *
 * One thread and epoll, as the servers that it stands beside. Prints a line
 * once it listens on the path in its argument; ends with its parent.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int
listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, 128) < 0) {
        perror(path);
        return -1;
    }
    return fd;
}

static void
add(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    (void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void
echo(int fd)
{
    char bytes[65536];
    ssize_t n = read(fd, bytes, sizeof(bytes));

    if (n <= 0 || write(fd, bytes, (size_t)n) != n) {
        (void)close(fd);
    }
}

int
main(int argc, char **argv)
{
    struct epoll_event events[64];
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = argc == 2 ? listen_at(argv[1]) : -1;

    if (listener < 0 || epoll < 0) {
        return 2;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_IGN);
    add(epoll, listener);
    (void)puts("listening");
    (void)fflush(stdout);
    for (;;) {
        int ready = epoll_wait(epoll, events, 64, -1);

        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == listener) {
                add(epoll, accept(listener, NULL, NULL));
            } else {
                echo(events[i].data.fd);
            }
        }
    }
}
