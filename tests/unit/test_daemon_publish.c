/* Publication of the socket: over what, and over what never. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <sys/un.h>

#include "daemon/publish.h"
#include "tests/unit/daemon_folder.h"
#include "tests/unit/daemon_socket.h"

static int
connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void
expect_refused(const char *path, const char *says)
{
    struct lz_error error = {0};
    struct publication publication;

    assert_int_equal(publish_open(path, (gid_t)-1, &publication, &error), -1);
    if (strstr(error.text, says) == NULL) {
        fail_msg("says '%s', not '%s'", error.text, says);
    }
    lz_error_done(&error);
}

/* How many entries the folder has: nothing temporary may stay. */
static int
count_entries(const struct folder *folder)
{
    DIR *entries = opendir(folder->path);
    int count = 0;

    while (readdir(entries) != NULL) {
        count++;
    }
    (void)closedir(entries);
    return count - 2;
}

static void
test_open_and_close(void **state)
{
    struct folder *folder = *state;
    const char *path = folder_file(folder, "s");
    struct lz_error error = {0};
    struct publication publication;
    struct stat st;
    int client;

    assert_int_equal(publish_open(path, (gid_t)-1, &publication, &error), 0);
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(count_entries(folder), 1);
    client = connect_to(path);
    assert_true(client >= 0);
    assert_true(publish_is_ours(&publication, publication.fd));
    assert_false(publish_is_ours(&publication, client));
    assert_false(publish_is_ours(&publication, 0));
    (void)close(client);
    (void)publish_close(&publication);
    assert_int_equal(count_entries(folder), 0);
}

static void
test_group_may_connect(void **state)
{
    const char *path = folder_file(*state, "s");
    struct lz_error error = {0};
    struct publication publication;
    struct stat st;

    assert_int_equal(publish_open(path, getgid(), &publication, &error), 0);
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    assert_int_equal(st.st_gid, getgid());
    (void)publish_close(&publication);
}

static void
test_over_a_stale_socket(void **state)
{
    struct folder *folder = *state;
    const char *path = folder_file(folder, "s");
    struct lz_error error = {0};
    struct publication publication;
    int client;

    (void)close(make_socket(path, true));
    assert_int_equal(publish_open(path, (gid_t)-1, &publication, &error), 0);
    client = connect_to(path);
    assert_true(client >= 0);
    (void)close(client);
    (void)publish_close(&publication);
    assert_int_equal(count_entries(folder), 0);
}

static void
test_not_over_a_live_one(void **state)
{
    struct folder *folder = *state;
    const char *path = folder_file(folder, "s");
    int server = make_socket(path, true);
    char pid[32];
    int client;

    (void)snprintf(pid, sizeof(pid), "pid %ld", (long)getpid());
    expect_refused(path, pid);
    client = connect_to(path);
    assert_true(client >= 0);
    (void)close(client);
    (void)close(server);
    assert_int_equal(count_entries(folder), 1);
}

static void
test_not_over_other_things(void **state)
{
    struct folder *folder = *state;
    char text[64] = "";
    FILE *file;

    folder_write(folder_file(folder, "s"), "precious");
    expect_refused(folder->file, "no socket");
    file = fopen(folder->file, "r");
    assert_non_null(fgets(text, sizeof(text), file));
    (void)fclose(file);
    assert_string_equal(text, "precious");
    assert_int_equal(unlink(folder->file), 0);
    assert_int_equal(symlink("elsewhere", folder->file), 0);
    expect_refused(folder->file, "no socket");
    assert_int_equal(unlink(folder->file), 0);
    assert_int_equal(mkdir(folder->file, 0700), 0);
    expect_refused(folder->file, "no socket");
    assert_int_equal(count_entries(folder), 1);
}

static void
test_folder_must_be_ours(void **state)
{
    struct folder *folder = *state;
    char path[256];

    assert_int_equal(mkdir(folder_file(folder, "real"), 0700), 0);
    assert_int_equal(symlink("real", folder_file(folder, "link")), 0);
    (void)snprintf(path, sizeof(path), "%s/s", folder->file);
    expect_refused(path, "symbolic link");
    assert_int_equal(chmod(folder_file(folder, "real"), 0777), 0);
    (void)snprintf(path, sizeof(path), "%s/s", folder->file);
    expect_refused(path, "others can write");
    (void)snprintf(path, sizeof(path), "%s/none/none/s", folder->path);
    expect_refused(path, "cannot make folder");
}

/* As long as a client can name it, whatever pid we have; also over what was
 * left of one that was killed. */
static void
test_path_as_long_as_can_be(void **state)
{
    struct folder *folder = *state;
    struct sockaddr_un address;
    struct lz_error error = {0};
    struct publication publication;
    char path[sizeof(address.sun_path) + 1], left[256];
    size_t length;
    int client;

    length = (size_t)snprintf(path, sizeof(path), "%s/", folder->path);
    memset(path + length, 'x', sizeof(path) - 1 - length);
    path[sizeof(path) - 1] = '\0';
    expect_refused(path, "too long");
    assert_int_equal(count_entries(folder), 0);
    path[sizeof(path) - 2] = '\0';
    (void)snprintf(left, sizeof(left), "%s/%.64s.7.tmp", folder->path,
                   path + length);
    (void)close(make_socket(left, false));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(publish_open(path, (gid_t)-1, &publication, &error),
                         0);
        assert_int_equal(count_entries(folder), 1);
        client = connect_to(path);
        assert_true(client >= 0);
        (void)close(client);
        expect_refused(path, "answers on");
        (void)publish_close(&publication);
        assert_int_equal(count_entries(folder), 0);
        (void)close(make_socket(path, false));
    }
    assert_int_equal(unlink(path), 0);
}

static void
test_path_of_no_file(void **state)
{
    struct folder *folder = *state;
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/none/", folder->path);
    expect_refused(path, "names no file");
    expect_refused("", "names no file");
    assert_int_equal(count_entries(folder), 0);
}

static void
test_close_spares_anothers_socket(void **state)
{
    struct folder *folder = *state;
    const char *path = folder_file(folder, "s");
    struct lz_error error = {0};
    struct publication publication;
    int other;

    assert_int_equal(publish_open(path, (gid_t)-1, &publication, &error), 0);
    assert_int_equal(unlink(path), 0);
    other = make_socket(path, true);
    (void)publish_close(&publication);
    assert_int_equal(access(path, F_OK), 0);
    (void)close(other);
}

#define IN_FOLDER(test)                                                       \
    cmocka_unit_test_setup_teardown(test, folder_set_up, folder_tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_open_and_close),
        IN_FOLDER(test_group_may_connect),
        IN_FOLDER(test_over_a_stale_socket),
        IN_FOLDER(test_not_over_a_live_one),
        IN_FOLDER(test_not_over_other_things),
        IN_FOLDER(test_folder_must_be_ours),
        IN_FOLDER(test_path_as_long_as_can_be),
        IN_FOLDER(test_path_of_no_file),
        IN_FOLDER(test_close_spares_anothers_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
