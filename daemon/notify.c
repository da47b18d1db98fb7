/* One datagram to the socket that the environment names. */
#include "daemon/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct {
    struct sockaddr_un address;
    socklen_t size; /* 0: nobody wants to hear */
} manager;

void
notify_init(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t length = path == NULL ? 0 : strlen(path);

    if (length == 0 || length >= sizeof(manager.address.sun_path) ||
        (path[0] != '/' && path[0] != '@')) {
        return;
    }
    manager.address.sun_family = AF_UNIX;
    memcpy(manager.address.sun_path, path, length);
    if (path[0] == '@') {
        manager.address.sun_path[0] = '\0'; /* the abstract namespace */
    }
    manager.size =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

void
notify_manager(const char *state)
{
    int fd;

    if (manager.size == 0) {
        return;
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return;
    }
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL,
                 (const struct sockaddr *)&manager.address, manager.size);
    (void)close(fd);
}
