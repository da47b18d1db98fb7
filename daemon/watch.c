/* Room for a descriptor that the loop is about to watch, in the kernel and in
 * libuv.
 *
 * libuv ends the process where epoll has none, and what each user may watch
 * has a limit that any process of that user can use up. So each descriptor is
 * registered here first, where a failure is an error; libuv then finds it
 * registered, which it knows from descriptors that were watched before, and
 * changes what for, which takes no room. Nor has it an answer to a lack of
 * memory for a table by the numbers of descriptors, which is made large enough
 * at the start. The loop's thread, and the main thread before there is one.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/control_private.h"

int
watch_reserve(struct control *control, int fd)
{
    struct epoll_event event = {.data.fd = fd};

    return epoll_ctl(uv_backend_fd(&control->loop), EPOLL_CTL_ADD, fd,
                     &event) < 0 &&
                   errno != EEXIST
               ? -errno
               : 0;
}

int
watch_begin(uv_loop_t *loop)
{
    int fds[] = {-1, -1, -1};
    const size_t count = sizeof(fds) / sizeof(fds[0]);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        fds[i] = open("/", O_PATH | O_CLOEXEC);
        rc = fds[i] < 0 ? -errno : 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
    return rc == 0 ? uv_loop_init(loop) : rc;
}

int
watch_client(struct client *client)
{
    int fd = -1;
    int rc = uv_fileno((const uv_handle_t *)&client->pipe, &fd);

    return rc < 0 ? rc : watch_reserve(client->control, fd);
}

int
watch_loop(struct control *control)
{
    /* libuv has no function that tells these. */
    const int own[] = {control->loop.async_io_watcher.fd,
                       control->loop.signal_pipefd[0]};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(own) / sizeof(own[0]); i++) {
        rc = own[i] < 0 ? 0 : watch_reserve(control, own[i]);
    }
    return rc;
}

static void
on_nothing(uv_poll_t *handle, int status, int events)
{
    (void)handle;
    (void)status;
    (void)events;
}

int
watch_room(struct control *control)
{
    struct rlimit limit = {.rlim_cur = LZ_DESCRIPTORS};
    int highest = LZ_DESCRIPTORS - 1;
    int rc, fd;

    /* The first stream makes libuv open a descriptor that it keeps. */
    (void)uv_pipe_init(&control->loop, &control->first_stream, 0);
    uv_close((uv_handle_t *)&control->first_stream, NULL);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 0 &&
        limit.rlim_cur < LZ_DESCRIPTORS) {
        highest = (int)limit.rlim_cur - 1;
    }
    fd = fcntl(control->guard.fd, F_DUPFD_CLOEXEC, highest);
    if (fd < 0) {
        return 0; /* none is left that high: it grows as it must */
    }
    rc = uv_poll_init(&control->loop, &control->room, fd);
    if (rc == 0) {
        rc = uv_poll_start(&control->room, UV_READABLE, on_nothing);
        uv_close((uv_handle_t *)&control->room, NULL);
    }
    (void)close(fd);
    return rc;
}
