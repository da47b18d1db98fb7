/* See sources.h: one file, as it is now. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lazycore/sources.h"

enum { PATH_BYTES_MAX = 4096 };

/* A stamp this close to the clock may be given to a second write, too: the
 * kernel's ticks, and file systems that keep whole seconds. */
static const int64_t RACY_NS = INT64_C(50) * 1000 * 1000;
static const int64_t RACY_COARSE_NS = INT64_C(3000) * 1000 * 1000;
static const int64_t SECOND_NS = INT64_C(1000) * 1000 * 1000;

static const uint64_t HASH_START = UINT64_C(14695981039346656037);

/* FNV-1a, on from HASH. */
static uint64_t
hash_more(uint64_t hash, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

uint64_t
source_hash(const void *bytes, size_t size)
{
    uint64_t hash = hash_more(HASH_START, bytes, size);

    return hash == 0 ? 1 : hash;
}

static int64_t
ns_of(const struct timespec *stamp)
{
    return (int64_t)stamp->tv_sec * SECOND_NS + (int64_t)stamp->tv_nsec;
}

/* The file that PATH leads into, where it is no file itself. */
static bool
stat_archive(const char *path, struct stat *ret_status)
{
    char copy[PATH_BYTES_MAX];
    char *slash;

    if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy)) {
        return false;
    }
    while ((slash = strrchr(copy, '/')) != NULL && slash != copy) {
        *slash = '\0';
        if (stat(copy, ret_status) == 0) {
            return S_ISREG(ret_status->st_mode);
        }
    }
    return false;
}

bool
source_identify(const char *path, struct lz_source *ret_source)
{
    struct stat status;
    struct timespec now;
    bool archive = false;

    if (strchr(path, '/') == NULL) {
        return false; /* "built-in", "frozen" */
    }
    if (stat(path, &status) != 0) {
        archive = stat_archive(path, &status);
        if (!archive) {
            return false;
        }
    }
    (void)clock_gettime(CLOCK_REALTIME, &now);
    int64_t mtime = ns_of(&status.st_mtim);
    *ret_source = (struct lz_source){
        .mtime_ns = mtime,
        .ctime_ns = ns_of(&status.st_ctim),
        .size = (int64_t)status.st_size,
        .inode = (uint64_t)status.st_ino,
        .racy = ns_of(&now) - mtime <=
                (status.st_mtim.tv_nsec == 0 ? RACY_COARSE_NS : RACY_NS),
        .archive = archive,
    };
    return true;
}

bool
source_looks_same(const struct lz_source *a, const struct lz_source *b)
{
    return a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns &&
           a->size == b->size && a->inode == b->inode &&
           a->archive == b->archive;
}

bool
source_is_same(const struct lz_source *a, const struct lz_source *b)
{
    return !a->racy && source_looks_same(a, b);
}

uint64_t
source_hash_file(const char *path)
{
    unsigned char buffer[16384];
    uint64_t hash = HASH_START;
    ssize_t size;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        return 0;
    }
    while ((size = read(fd, buffer, sizeof(buffer))) > 0) {
        hash = hash_more(hash, buffer, (size_t)size);
    }
    (void)close(fd);
    if (size < 0) {
        return 0;
    }
    return hash == 0 ? 1 : hash;
}
