/* The control server beside a disk that takes its time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "daemon/control.h"
#include "tests/unit/daemon_fake_pyhost.h"
#include "tests/unit/daemon_server.h"

static int
set_up(void **state)
{
    struct control_setup setup = server_plain();

    return server_set_up(state, &setup);
}

/* fsync() waits while a test holds the lock. */
static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;
static sem_t syncing; /* posted when one begins */

int __real_fsync(int fd);
int __wrap_fsync(int fd);

int
__wrap_fsync(int fd)
{
    (void)sem_post(&syncing);
    (void)pthread_mutex_lock(&disk);
    (void)pthread_mutex_unlock(&disk);
    return __real_fsync(fd);
}

/* A save that has come to the disk, and a ping behind it; the caller holds
 * the disk's lock. */
static int
begin_save(const struct fixture *fixture)
{
    char line[8192];
    char *here = realpath(".", NULL);
    int fd = greeted(fixture);
    struct timespec until;

    assert_non_null(here);
    while (sem_trywait(&syncing) == 0) {
    }

    (void)snprintf(line, sizeof(line),
                   "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ignore.save\","
                   "\"params\":{\"path\":\"%s/%s\"}}\n"
                   "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"ping\"}\n",
                   here, folder_file(fixture->folder, "rules"));
    free(here);
    say(fd, line);
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_MS / 1000;
    assert_int_equal(sem_timedwait(&syncing, &until), 0);
    return fd;
}

static void
test_slow_disk_blocks_its_client_only(void **state)
{
    struct fixture *fixture = *state;
    struct pollfd ready = {.events = POLLIN};

    (void)pthread_mutex_lock(&disk);
    ready.fd = begin_save(fixture);
    expect_alive(fixture);
    expect_alive(fixture);
    /* Nor does the ping behind it overtake it. */
    assert_int_equal(poll(&ready, 1, 0), 0);
    (void)pthread_mutex_unlock(&disk);
    expect_line(ready.fd, "\"id\":7,\"result\":{\"path\"");
    expect_line(ready.fd, "\"id\":8,\"result\"");
    (void)close(ready.fd);
}

static void
test_finish_waits_for_a_disk_for_a_moment_only(void **state)
{
    struct fixture *fixture = *state;
    int fd;

    (void)pthread_mutex_lock(&disk);
    fd = begin_save(fixture);
    control_unpublish(fixture->control);
    control_finish(fixture->control);
    /* The disk stays slow: its thread's stack is what still holds, at the end
     * of the process, what was given up here. */
    expect_line(fd, "\"id\":7,\"error\"");
    expect_line(fd, "\"id\":8,\"error\"");
    expect_end(fd);
    (void)close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_slow_disk_blocks_its_client_only,
                                        set_up, server_tear_down),
        cmocka_unit_test_setup_teardown(
            test_finish_waits_for_a_disk_for_a_moment_only, set_up,
            server_tear_down),
    };

    (void)sem_init(&syncing, 0, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
