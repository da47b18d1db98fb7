/* Publication with each of its system calls failing once, or the process
 * killed in front of it.
 *
 * Whatever fails: an error that says something, nothing of ours left behind,
 * nothing of a stranger's touched, and the next start succeeds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/un.h>
#include <sys/wait.h>

#include "daemon/pidfile.h"
#include "daemon/publish.h"
#include "tests/unit/daemon_faults.h"
#include "tests/unit/daemon_folder.h"
#include "tests/unit/daemon_socket.h"

static const int errors[] = {EMFILE, ENFILE, ENOSPC, EACCES,
                             EINTR,  EAGAIN, EPIPE,  EIO};

enum { ERRORS = sizeof(errors) / sizeof(errors[0]), STEPS_MAX = 200 };

/* What is in the folder besides ours. */
struct scene {
    struct folder *folder;
    int stranger; /* a server at another path */
    char socket[160], pidfile[160], precious[160], strange[160], odd[160];
    bool stale; /* a socket without a server at our path */
    gid_t group;
};

struct server {
    struct pidfile *pidfile;
    struct publication publication;
};

/* Nobody accepts here: its queue may be full. */
static bool
answers(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool yes;

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    yes =
        connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ||
        errno == EAGAIN;
    (void)close(fd);
    return yes;
}

static int
count_entries(const char *path)
{
    DIR *entries = opendir(path);
    int count = 0;

    assert_non_null(entries);
    while (readdir(entries) != NULL) {
        count++;
    }
    (void)closedir(entries);
    return count;
}

static void
set_scene(struct scene *scene, struct folder *folder, bool stale, gid_t group)
{
    *scene = (struct scene){.folder = folder, .stale = stale, .group = group};
    (void)strcpy(scene->socket, folder_file(folder, "s"));
    (void)strcpy(scene->pidfile, folder_file(folder, "p"));
    (void)strcpy(scene->precious, folder_file(folder, "s.1.tmp"));
    (void)strcpy(scene->strange, folder_file(folder, "s.2.tmp"));
    (void)strcpy(scene->odd, folder_file(folder, "t.3.tmp"));
    folder_write(scene->precious, "precious");
    scene->stranger = make_socket(scene->strange, true);
    (void)close(make_socket(scene->odd, false));
}

/* What is in our way, anew before each try. */
static void
put_stale(const struct scene *scene)
{
    (void)unlink(scene->socket);
    if (scene->stale) {
        (void)close(make_socket(scene->socket, false));
    }
}

static void
expect_strangers(const struct scene *scene)
{
    char text[16] = "";
    FILE *file = fopen(scene->precious, "r");
    struct stat st;

    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    (void)fclose(file);
    assert_string_equal(text, "precious");
    assert_true(answers(scene->strange));
    assert_int_equal(lstat(scene->odd, &st), 0);
}

/* As daemon.c does. 0, or -1 with ERROR and nothing held. */
static int
start(const struct scene *scene, struct server *server, struct lz_error *error)
{
    *server = (struct server){.publication = {.fd = -1}};
    if (pidfile_open(scene->pidfile, &server->pidfile, error) < 0) {
        return -1;
    }
    if (pidfile_write(server->pidfile, error) < 0 ||
        publish_open(scene->socket, scene->group, &server->publication,
                     error) < 0) {
        (void)pidfile_remove(server->pidfile);
        pidfile_free(server->pidfile);
        return -1;
    }
    return 0;
}

static void
stop(struct server *server)
{
    (void)publish_close(&server->publication);
    (void)pidfile_remove(server->pidfile);
    pidfile_free(server->pidfile);
}

static void
expect_up(const struct scene *scene)
{
    char text[32] = "";
    FILE *file = fopen(scene->pidfile, "r");

    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    (void)fclose(file);
    assert_int_equal(strtol(text, NULL, 10), getpid());
    assert_true(answers(scene->socket));
}

static void
expect_start(const struct scene *scene)
{
    struct lz_error error = {0};
    struct server server;

    if (start(scene, &server, &error) < 0) {
        fail_msg("the start after it: %s", error.text);
    }
    expect_up(scene);
    stop(&server);
}

/* One call of the start fails. Whether there was such a call. */
static bool
try_fault(const struct scene *scene, int at, int number)
{
    struct lz_error error = {0};
    struct server server;
    int before, rc;

    put_stale(scene);
    before = count_entries("/proc/self/fd");
    (void)alarm(30);
    fault_arm(NULL, at, number);
    rc = start(scene, &server, &error);
    fault_disarm();
    if (rc == 0) {
        expect_up(scene);
        stop(&server);
    } else {
        assert_true(error.text[0] != '\0');
        assert_false(answers(scene->socket));
        /* What says EINTR says it of a call that nobody interrupts. */
        assert_true(atomic_load(&fault.fired) == 1);
    }
    lz_error_done(&error);
    assert_int_equal(count_entries("/proc/self/fd"), before);
    assert_int_equal(access(scene->pidfile, F_OK), -1);
    /* ., .., the strangers' three, and what was stale. */
    assert_int_equal(count_entries(scene->folder->path),
                     5 + (rc < 0 && scene->stale));
    expect_strangers(scene);
    expect_start(scene);
    return atomic_load(&fault.fired) > 0;
}

static void
fail_each(struct folder *folder, bool stale, gid_t group, int fewest)
{
    struct scene scene;
    int at = 0;

    set_scene(&scene, folder, stale, group);
    for (size_t i = 0; i < ERRORS; i++) {
        for (at = 0; at < STEPS_MAX; at++) {
            if (!try_fault(&scene, at, errors[i])) {
                break;
            }
        }
        assert_in_range(at, fewest, STEPS_MAX - 1);
    }
    (void)close(scene.stranger);
}

static void
test_each_call_fails(void **state)
{
    fail_each(*state, false, (gid_t)-1, 16);
}

static void
test_each_call_fails_over_a_stale_socket(void **state)
{
    fail_each(*state, true, (gid_t)-1, 18);
}

static void
test_each_call_fails_with_a_group(void **state)
{
    fail_each(*state, true, getgid(), 21);
}

static void
test_short_transfers(void **state)
{
    struct scene scene;
    struct lz_error error = {0};
    struct server server;

    set_scene(&scene, *state, false, (gid_t)-1);
    fault_arm("pwrite", 0, 0);
    fault.is_short = true;
    assert_int_equal(start(&scene, &server, &error), -1);
    fault_disarm();
    assert_int_equal(fault.fired, 1);
    assert_non_null(strstr(error.text, "cannot write pidfile"));
    assert_null(strstr(error.text, "Success"));
    lz_error_done(&error);
    assert_int_equal(access(scene.pidfile, F_OK), -1);
    expect_strangers(&scene);
    expect_start(&scene);
    (void)close(scene.stranger);
}

/* A start and a stop that are killed in front of the call AT. Whether they
 * were. */
static bool
try_kill(const struct scene *scene, int at)
{
    struct lz_error error = {0};
    struct server server;
    int status = 0;
    pid_t pid;

    put_stale(scene);
    (void)alarm(30);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        fault_arm(NULL, FAULT_NEVER, 0);
        fault.kill_at = at;
        if (start(scene, &server, &error) == 0) {
            stop(&server);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    expect_strangers(scene);
    expect_start(scene);
    /* Nothing of the killed one's is left either. */
    assert_int_equal(count_entries(scene->folder->path), 5);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void
kill_at_each(struct folder *folder, bool stale, gid_t group)
{
    struct scene scene;
    int at = 0;

    set_scene(&scene, folder, stale, group);
    while (at < STEPS_MAX && try_kill(&scene, at)) {
        at++;
    }
    assert_in_range(at, 20, STEPS_MAX - 1);
    (void)close(scene.stranger);
}

/* In front of which of its calls the folder is exchanged: once it has been
 * opened and locked, and in front of each later one. */
static const char *const calls[] = {"flock",    "fstat", "openat", "socket",
                                    "unlinkat", "bind",  "listen"};

enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

static void
move_away(const char *path)
{
    char moved[160];

    (void)snprintf(moved, sizeof(moved), "%s.moved", path);
    assert_int_equal(rename(path, moved), 0);
}

/* Another folder in the place of the one that was checked. */
static void
exchange(void *arg)
{
    move_away(arg);
    assert_int_equal(mkdir(arg, 0700), 0);
}

/* A link to somebody's, which is as private. */
static void
exchange_for_link(void *arg)
{
    move_away(arg);
    assert_int_equal(symlink("theirs", arg), 0);
}

/* Publish in FOLDER, which ACT exchanges in front of CALL. */
static void
expect_moved(char *folder, const char *call, void (*act)(void *))
{
    char socket_path[170];
    struct publication publication;
    struct lz_error error = {0};

    (void)snprintf(socket_path, sizeof(socket_path), "%s/s", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    fault_arm(call, STEPS_MAX, 0);
    fault.act_arg = folder;
    fault.act = act;
    assert_int_equal(
        publish_open(socket_path, (gid_t)-1, &publication, &error), -1);
    fault_disarm();
    assert_null(fault.act);
    assert_non_null(strstr(error.text, folder));
    lz_error_done(&error);
}

static void
test_folder_is_moved_meanwhile(void **state)
{
    for (size_t i = 0; i < CALLS; i++) {
        char folder[160];

        (void)snprintf(folder, sizeof(folder), "%s",
                       folder_file(*state, calls[i]));
        expect_moved(folder, calls[i], exchange);
        /* Nothing is left in either. */
        assert_int_equal(rmdir(folder), 0);
        (void)strcat(folder, ".moved");
        assert_int_equal(rmdir(folder), 0);
    }
}

/* What is in the other folder has the very names that lazyd would use, or be
 * free to remove in its own. */
static void
test_folder_is_exchanged_for_a_link(void **state)
{
    char theirs[160], names[3][200];
    struct stat before[3], after;

    (void)strcpy(theirs, folder_file(*state, "theirs"));
    assert_int_equal(mkdir(theirs, 0700), 0);
    (void)snprintf(names[0], sizeof(names[0]), "%s/s", theirs);
    (void)snprintf(names[1], sizeof(names[1]), "%s/s.%ld.tmp", theirs,
                   (long)getpid());
    (void)snprintf(names[2], sizeof(names[2]), "%s/s.7.tmp", theirs);
    for (int i = 0; i < 3; i++) {
        (void)close(make_socket(names[i], false));
        assert_int_equal(lstat(names[i], &before[i]), 0);
    }
    for (size_t i = 0; i < CALLS; i++) {
        char folder[160];

        (void)snprintf(folder, sizeof(folder), "%s",
                       folder_file(*state, calls[i]));
        expect_moved(folder, calls[i], exchange_for_link);
        assert_int_equal(unlink(folder), 0);
        (void)strcat(folder, ".moved");
        assert_int_equal(rmdir(folder), 0);
        for (int j = 0; j < 3; j++) {
            assert_int_equal(lstat(names[j], &after), 0);
            assert_true(after.st_ino == before[j].st_ino);
        }
        assert_int_equal(count_entries(theirs), 5);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(unlink(names[i]), 0);
    }
}

/* lazyd's two files in a folder of their own, which is called OWN. */
static struct scene
scene_in(struct folder *folder, const char *own)
{
    struct scene scene = {.folder = folder, .group = (gid_t)-1};

    (void)strcpy(scene.precious, folder_file(folder, own));
    assert_int_equal(mkdir(scene.precious, 0700), 0);
    (void)strcat(strcpy(scene.socket, scene.precious), "/s");
    (void)strcat(strcpy(scene.pidfile, scene.precious), "/p");
    return scene;
}

/* What is theirs stays, and what is ours goes, wherever it is by now. */
static void
test_folder_is_exchanged_at_the_end(void **state)
{
    struct scene own = scene_in(*state, "own");
    struct scene theirs = scene_in(*state, "theirs");
    struct lz_error error = {0};
    struct server server;

    folder_write(theirs.socket, "theirs");
    folder_write(theirs.pidfile, "theirs");
    assert_int_equal(start(&own, &server, &error), 0);
    exchange_for_link(own.precious);
    assert_int_equal(publish_close(&server.publication), 0);
    assert_int_equal(pidfile_remove(server.pidfile), 0);
    pidfile_free(server.pidfile);
    assert_int_equal(unlink(theirs.socket), 0);
    assert_int_equal(unlink(theirs.pidfile), 0);
    assert_int_equal(rmdir(theirs.precious), 0);
    assert_int_equal(unlink(own.precious), 0);
    assert_int_equal(rmdir(strcat(own.precious, ".moved")), 0);
}

/* The folder is found anew where its descriptor is lost, and may be gone. */
static void
test_folder_is_gone_at_the_end(void **state)
{
    struct scene own = scene_in(*state, "own");
    struct lz_error error = {0};
    struct server server;

    assert_int_equal(start(&own, &server, &error), 0);
    (void)close(server.publication.entry.folder_fd);
    server.publication.entry.folder_fd = -1;
    assert_int_equal(publish_close(&server.publication), 0);
    assert_int_equal(unlink(own.pidfile), 0);
    assert_int_equal(rmdir(own.precious), 0); /* there was no socket */
    assert_int_equal(pidfile_remove(server.pidfile), 0);
    pidfile_free(server.pidfile);
}

static void
test_killed_at_each_call(void **state)
{
    kill_at_each(*state, false, (gid_t)-1);
}

static void
test_killed_at_each_call_with_a_group(void **state)
{
    kill_at_each(*state, true, getgid());
}

#define IN_FOLDER(test)                                                       \
    cmocka_unit_test_setup_teardown(test, folder_set_up, folder_tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_each_call_fails),
        IN_FOLDER(test_each_call_fails_over_a_stale_socket),
        IN_FOLDER(test_each_call_fails_with_a_group),
        IN_FOLDER(test_short_transfers),
        IN_FOLDER(test_folder_is_moved_meanwhile),
        IN_FOLDER(test_folder_is_exchanged_for_a_link),
        IN_FOLDER(test_folder_is_exchanged_at_the_end),
        IN_FOLDER(test_folder_is_gone_at_the_end),
        IN_FOLDER(test_killed_at_each_call),
        IN_FOLDER(test_killed_at_each_call_with_a_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
