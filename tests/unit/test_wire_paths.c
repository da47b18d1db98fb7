/* ctl/wire/paths: where the socket is, and what is said where it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/wire/paths.h"

/* For root the folder is fixed, so these run as somebody else. */
static char base[] = "/tmp/wire-paths-XXXXXX";

static int
setup(void **state)
{
    (void)state;
    if (mkdtemp(base) == NULL || chmod(base, 0755) != 0) {
        return -1;
    }
    if (geteuid() == 0 &&
        (chown(base, 65534, 65534) != 0 || seteuid(65534) != 0)) {
        return -1;
    }
    return setenv("XDG_RUNTIME_DIR", base, 1) + unsetenv("LAZYD_SOCKET");
}

static char *
inside(const char *name)
{
    static char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", base, name);
    return path;
}

static int
teardown(void **state)
{
    (void)state;
    static const char *const made[] = {"lazyd/a.sock",
                                       "lazyd/b.sock",
                                       "lazyd/c.sock",
                                       "lazyd/d.txt",
                                       "lazyd/own.sock",
                                       "lazyd/own/control.sock",
                                       "lazyd/empty/control.sock"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        (void)unlink(inside(made[i]));
    }
    (void)rmdir(inside("lazyd/own"));
    (void)rmdir(inside("lazyd/empty"));
    (void)rmdir(inside("lazyd"));
    (void)rmdir(base);
    return getuid() == 0 ? seteuid(0) : 0;
}

static void
make_socket(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int wrote = snprintf(address.sun_path, sizeof address.sun_path, "%s",
                         inside(name));
    assert_true(wrote > 0 && (size_t)wrote < sizeof address.sun_path);
    assert_true(fd >= 0);
    assert_int_equal(
        bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(close(fd), 0);
}

static void
make_file(const char *name)
{
    FILE *file = fopen(inside(name), "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
}

static void
test_names(void **state)
{
    (void)state;
    char text[512];
    char longest[WIRE_NAME_MAX + 2];
    static const char *const good[] = {"a", "web-1", "a.b_c", "0"};
    static const char *const bad[] = {"",    ".",   "..",  ".a",      "-a",
                                      "a/b", "a b", "a\n", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(wire_paths_check_name(good[i], text), 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(wire_paths_check_name(bad[i], text), -EINVAL);
        assert_non_null(strstr(text, "cannot name an instance"));
    }
    memset(longest, 'a', sizeof longest);
    longest[WIRE_NAME_MAX] = '\0';
    assert_int_equal(wire_paths_check_name(longest, text), 0);
    longest[WIRE_NAME_MAX] = 'a';
    longest[WIRE_NAME_MAX + 1] = '\0';
    assert_int_equal(wire_paths_check_name(longest, text), -EINVAL);
}

static void
test_runtime_and_socket(void **state)
{
    (void)state;
    char text[512];
    char *path = NULL;
    assert_int_equal(wire_paths_runtime(&path, text), 0);
    assert_string_equal(path, inside("lazyd"));
    free(path);
    assert_int_equal(wire_paths_socket("web", &path, text), 0);
    assert_string_equal(path, inside("lazyd/web.sock"));
    free(path);

    char deep[160];
    memset(deep, 'x', sizeof deep);
    deep[0] = '/';
    deep[90] = '\0';
    assert_int_equal(setenv("XDG_RUNTIME_DIR", deep, 1), 0);
    assert_int_equal(wire_paths_socket("a-longer-name", &path, text),
                     -ENAMETOOLONG);
    assert_int_equal(setenv("XDG_RUNTIME_DIR", "relative", 1), 0);
    assert_int_equal(wire_paths_runtime(&path, text), -ENOENT);
    assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
    assert_int_equal(wire_paths_runtime(&path, text), -ENOENT);
    assert_non_null(strstr(text, "-s PATH"));
    assert_int_equal(setenv("XDG_RUNTIME_DIR", base, 1), 0);
}

static void
expect_named(const char *name, const char *wanted)
{
    char text[512];
    char *path = NULL;
    assert_int_equal(wire_paths_find(NULL, name, &path, text), 0);
    assert_string_equal(path, inside(wanted));
    free(path);
}

static void
expect(int status, const char *wanted)
{
    char text[512];
    char *path = NULL;
    assert_int_equal(wire_paths_find(NULL, NULL, &path, text), status);
    if (status == 0) {
        assert_string_equal(path, inside(wanted));
        free(path);
    } else {
        assert_non_null(strstr(text, wanted));
    }
}

/* Also in order: -s, -n, $LAZYD_SOCKET, the only one. */
static void
test_find(void **state)
{
    (void)state;
    char text[512];
    char *path = NULL;
    expect(-ENOENT, "no server runs");
    assert_int_equal(mkdir(inside("lazyd"), 0700), 0);
    make_file("lazyd/c.sock"); /* no socket */
    make_file("lazyd/d.txt");
    expect(-ENOENT, "no server runs");
    make_socket("lazyd/b.sock");
    expect(0, "lazyd/b.sock");
    make_socket("lazyd/a.sock");
    expect(-ENOTUNIQ, "lazyd/a.sock\n");
    expect(-ENOTUNIQ, "lazyd/b.sock");

    assert_int_equal(setenv("LAZYD_SOCKET", "/x/y", 1), 0);
    assert_int_equal(wire_paths_find(NULL, NULL, &path, text), 0);
    assert_string_equal(path, "/x/y");
    free(path);
    assert_int_equal(wire_paths_find(NULL, "b", &path, text), 0);
    assert_string_equal(path, inside("lazyd/b.sock"));
    free(path);
    assert_int_equal(wire_paths_find("z", "b", &path, text), 0);
    assert_string_equal(path, "z");
    free(path);
    assert_int_equal(wire_paths_find(NULL, "../b", &path, text), -EINVAL);
    assert_int_equal(setenv("LAZYD_SOCKET", "", 1), 0);
    expect(-ENOTUNIQ, "several servers run");
    assert_int_equal(unsetenv("LAZYD_SOCKET"), 0);
}

/* An instance with a folder of its own, as the systemd unit has it. */
static void
test_find_in_own_folder(void **state)
{
    (void)state;
    (void)mkdir(inside("lazyd"), 0700);
    (void)unlink(inside("lazyd/a.sock"));
    (void)unlink(inside("lazyd/b.sock"));
    assert_int_equal(mkdir(inside("lazyd/own"), 0700), 0);
    assert_int_equal(mkdir(inside("lazyd/empty"), 0700), 0);
    expect(-ENOENT, "no server runs");
    expect_named("own", "lazyd/own.sock"); /* what is missing is named */
    make_file("lazyd/empty/control.sock");
    make_socket("lazyd/own/control.sock");
    expect(0, "lazyd/own/control.sock");
    expect_named("own", "lazyd/own/control.sock");
    expect_named("empty", "lazyd/empty.sock");
    make_socket("lazyd/a.sock");
    expect(-ENOTUNIQ, "lazyd/a.sock\n");
    expect(-ENOTUNIQ, "lazyd/own/control.sock");
    make_socket("lazyd/own.sock");
    expect_named("own", "lazyd/own.sock");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_runtime_and_socket),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_find_in_own_folder),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
