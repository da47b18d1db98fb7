/* Parting tables of descriptors, with what Linux has for it.
 *
 * unshare() may be forbidden where close_range() is not (containers); then the
 * folder and the root stay shared. See descriptors.h.
 */
#include "daemon/descriptors.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2u
#endif

struct numbers {
    struct descriptor *items;
    size_t count;
    bool known; /* /proc could be read */
};

static struct {
    struct numbers services, ours;
    atomic_bool parted;
} state;

static _Thread_local bool here;

struct descriptor
descriptor_of(int fd)
{
    struct descriptor descriptor = {.fd = fd};
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0) {
        descriptor.dev = st.st_dev;
        descriptor.ino = st.st_ino;
    }
    return descriptor;
}

bool
descriptor_holds(const struct descriptor *descriptor)
{
    struct stat st;

    return descriptor->fd >= 0 && fstat(descriptor->fd, &st) == 0 &&
           st.st_dev == descriptor->dev && st.st_ino == descriptor->ino;
}

static const struct descriptor *
find(const struct numbers *numbers, int fd)
{
    for (size_t i = 0; i < numbers->count; i++) {
        if (numbers->items[i].fd == fd) {
            return &numbers->items[i];
        }
    }
    return NULL;
}

static void
add(struct numbers *numbers, int fd)
{
    struct descriptor *items =
        realloc(numbers->items, (numbers->count + 1) * sizeof(*items));

    if (items == NULL) {
        numbers->known = false;
        return;
    }
    items[numbers->count++] = descriptor_of(fd);
    numbers->items = items;
}

/* What is open above standard error and not in EXCEPT. */
static void
list_open(struct numbers *ret, const struct numbers *except)
{
    DIR *fds = opendir("/proc/self/fd");
    const struct dirent *entry;

    free(ret->items);
    *ret = (struct numbers){.known = fds != NULL};
    while (fds != NULL && (entry = readdir(fds)) != NULL) {
        int fd = (int)strtol(entry->d_name, NULL, 10);

        if (fd > STDERR_FILENO && fd != dirfd(fds) &&
            (except == NULL || find(except, fd) == NULL)) {
            add(ret, fd);
        }
    }
    if (fds != NULL) {
        (void)closedir(fds);
    }
}

void
descriptors_fill(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        (void)close(fd);
    }
}

void
descriptors_begin(void)
{
    list_open(&state.services, NULL);
}

void
descriptors_collect(void)
{
    list_open(&state.ours, &state.services);
    state.ours.known = state.ours.known && state.services.known;
}

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LZ_ONE_TABLE 1 /* as far as ThreadSanitizer knows */
#endif
#endif

bool
descriptors_part(void)
{
    bool parted = false;

#ifndef LZ_ONE_TABLE
    parted = state.ours.known &&
             (unshare(CLONE_FILES | CLONE_FS) == 0 ||
              syscall(SYS_close_range, ~0u, ~0u, CLOSE_RANGE_UNSHARE) == 0);
#endif
    here = parted;
    atomic_store(&state.parted, parted);
    return parted;
}

void
descriptors_join(void)
{
    here = descriptors_are_parted();
}

void
descriptors_release(void)
{
    free(state.services.items);
    state.services = (struct numbers){0};
    if (!descriptors_are_parted()) {
        return; /* they are looked up as long as the process lives */
    }
    for (size_t i = 0; i < state.ours.count; i++) {
        (void)close(state.ours.items[i].fd);
    }
    free(state.ours.items);
    state.ours = (struct numbers){0};
}

bool
descriptors_are_parted(void)
{
    return atomic_load(&state.parted);
}

bool
descriptors_are_here(void)
{
    return here || !descriptors_are_parted();
}

bool
descriptors_are_ours(int fd)
{
    const struct descriptor *found;

    if (fd < 0 || descriptors_are_parted()) {
        return fd >= 0;
    }
    found = find(&state.ours, fd);
    return found == NULL || descriptor_holds(found);
}

void
descriptors_close(int *fd)
{
    if (descriptors_are_here() && descriptors_are_ours(*fd)) {
        (void)close(*fd);
    }
    *fd = -1;
}
