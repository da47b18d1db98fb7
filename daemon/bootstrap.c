/* The program lazyd: it becomes python3, with the host loaded ahead of it.
 *
 * The python3 of a distribution is the fastest interpreter there is on its
 * machine: optimised as a whole, at a fixed place. Its library, static or
 * shared, is not. So python3's own program runs, and takeover.c, which the
 * dynamic linker loads before it, runs lazyd in the place of its main.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "daemon/takeover.h"

enum { EXIT_START = 1 };

/* PATH's folder, and LEAF in it. */
static int
beside(const char *path, const char *leaf, char ret[static PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    int length = slash == NULL ? 0 : (int)(slash - path) + 1;
    int n = snprintf(ret, PATH_MAX, "%.*s%s", length, path, leaf);

    return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* Beside this program, as built, or in its prefix, as installed. */
static int
find_host(char ret[static PATH_MAX])
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (n < 0) {
        (void)snprintf(ret, PATH_MAX, "%s", TAKEOVER_INSTALLED);
        return access(ret, R_OK);
    }
    self[n] = '\0';
    if (beside(self, TAKEOVER_FILE, ret) == 0 && access(ret, R_OK) == 0) {
        return 0;
    }
    return beside(self, TAKEOVER_FROM_PROGRAM, ret) < 0 ? -1
                                                        : access(ret, R_OK);
}

/* What the dynamic linker cannot map it leaves out, and starts python3 without
 * lazyd. */
static bool
may_run(int fd)
{
    void *page =
        mmap(NULL, SELFMAG, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    char magic[SELFMAG];

    if (page == MAP_FAILED) {
        return false;
    }
    (void)munmap(page, SELFMAG);
    if (pread(fd, magic, SELFMAG, 0) != SELFMAG ||
        memcmp(magic, ELFMAG, SELFMAG) != 0) {
        errno = ENOEXEC;
        return false;
    }
    return true;
}

/* The dynamic linker takes blanks and colons for ends of names, and replaces
 * what follows a dollar: a file in such a folder is given by descriptor. */
static int
name_for_linker(const char *path, char ret[static PATH_MAX])
{
    int fd = open(path, O_RDONLY);

    if (fd < 0) {
        return -1;
    }
    if (!may_run(fd)) {
        int error = errno;

        (void)close(fd);
        errno = error;
        return -1;
    }
    if (strpbrk(path, ": $") == NULL) {
        (void)snprintf(ret, PATH_MAX, "%s", path);
        (void)close(fd);
    } else {
        (void)snprintf(ret, PATH_MAX, TAKEOVER_BY_DESCRIPTOR "%d", fd);
    }
    return 0;
}

/* Whether python3 gives its user more rights, as after `setcap`: then the
 * dynamic linker loads nothing ahead of it. */
static bool
gives_rights(const char *program)
{
    struct stat info;
    struct statvfs mount;

    if (geteuid() == 0 || stat(program, &info) < 0 ||
        (statvfs(program, &mount) == 0 && (mount.f_flag & ST_NOSUID) != 0)) {
        return false;
    }
    return (info.st_mode & (S_ISUID | S_ISGID)) != 0 ||
           getxattr(program, "security.capability", NULL, 0) > 0;
}

/* Ahead of what the user preloads, which stays. */
static int
preload(const char *name)
{
    const char *others = getenv(TAKEOVER_VARIABLE);
    char *value;
    int rc;

    if (asprintf(&value, "%s%s%s", name, others == NULL ? "" : ":",
                 others == NULL ? "" : others) < 0) {
        return -1;
    }
    rc = setenv(TAKEOVER_VARIABLE, value, 1);
    free(value);
    return rc;
}

int
main(int argc, char **argv)
{
    char host[PATH_MAX];
    char name[PATH_MAX];

    (void)argc;
    if (find_host(host) < 0) {
        (void)fprintf(stderr,
                      "lazyd: cannot find its other part, '%s': %s; install "
                      "lazyd anew\n",
                      host, strerror(errno));
        return EXIT_START;
    }
    if (name_for_linker(host, name) < 0 || preload(name) < 0) {
        (void)fprintf(stderr,
                      "lazyd: cannot load '%s': %s; it must be as installed, "
                      "and its file system not mounted noexec\n",
                      host, strerror(errno));
        return EXIT_START;
    }
    if (gives_rights(LAZYD_PYTHON)) {
        (void)fprintf(stderr,
                      "lazyd: '%s' has rights of its own, with which nothing "
                      "can be loaded ahead of it; take them away (setcap -r) "
                      "and give the service what it needs "
                      "(AmbientCapabilities= in its unit, setpriv)\n",
                      LAZYD_PYTHON);
        return EXIT_START;
    }
    (void)execv(LAZYD_PYTHON, argv);
    (void)fprintf(stderr, "lazyd: cannot start python3 at '%s': %s%s\n",
                  LAZYD_PYTHON, strerror(errno),
                  errno == ENOENT ? "; install it" : "");
    return EXIT_START;
}
