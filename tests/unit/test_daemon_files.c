/* What the daemon does to files: TARGET, pidfile, log, private folders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>

#include "daemon/app.h"
#include "daemon/folder.h"
#include "daemon/log.h"
#include "daemon/pidfile.h"
#include "tests/unit/daemon_folder.h"

/* --- TARGET ------------------------------------------------------------- */

static void
expect_app(const char *target, enum app_kind kind, const char *what,
           const char *stem)
{
    struct lz_error error = {0};
    struct app app;

    assert_int_equal(app_resolve(target, &app, &error), 0);
    assert_int_equal(app.kind, kind);
    assert_string_equal(kind == APP_FILE ? app.path : app.module, what);
    assert_string_equal(app.stem, stem);
    app_done(&app);
}

static void
expect_no_app(const char *target, const char *says)
{
    struct lz_error error = {0};
    struct app app;

    assert_int_equal(app_resolve(target, &app, &error), -1);
    if (strstr(error.text, says) == NULL) {
        fail_msg("'%s' says '%s'", target, error.text);
    }
    lz_error_done(&error);
    app_done(&app);
}

static void
remove_package(const char *folder)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/__main__.py", folder);
    assert_int_equal(unlink(path), 0);
    (void)snprintf(path, sizeof(path), "%s/__init__.py", folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void
test_app_forms(void **state)
{
    struct folder *folder = *state;
    struct lz_error error = {0};
    char target[256];
    struct app app;

    folder_write(folder_file(folder, "my.service.py"), "pass\n");
    expect_app(folder->file, APP_FILE, folder->file, "my.service");
    folder_write(folder_file(folder, "__main__.py"), "pass\n");
    expect_app(folder->path, APP_FILE, folder->path, folder->path);
    (void)snprintf(target, sizeof(target), "%s/", folder->path);
    assert_int_equal(app_resolve(target, &app, &error), 0);
    assert_string_equal(app.stem, folder->path);
    app_done(&app);
    /* A package of the current folder is run as a module; a path is not. */
    (void)snprintf(target, sizeof(target), "p%ld", (long)getpid());
    assert_int_equal(mkdir(target, 0700), 0);
    (void)snprintf(target, sizeof(target), "p%ld/__main__.py", (long)getpid());
    folder_write(target, "");
    *strchr(target, '/') = '\0';
    expect_app(target, APP_FILE, target, target);
    (void)snprintf(target, sizeof(target), "p%ld/__init__.py", (long)getpid());
    folder_write(target, "");
    *strchr(target, '/') = '\0';
    expect_app(target, APP_MODULE, target, target);
    remove_package(target);
    expect_app("pkg.mod", APP_MODULE, "pkg.mod", "mod");
    expect_app("pkg.mod:app.run", APP_CALLABLE, "pkg.mod", "mod");
    assert_int_equal(app_resolve("pkg:f.g", &app, &error), 0);
    assert_string_equal(app.callable, "f.g");
    app_done(&app);
}

static void
test_app_refused(void **state)
{
    struct folder *folder = *state;

    expect_no_app(folder->path, "__main__.py");
    expect_no_app(folder_file(folder, "none"), "cannot open");
    expect_no_app("none.py", "cannot open");
    expect_no_app("none.zip", "cannot open");
    expect_no_app("a b", "no file");
    expect_no_app("mod:", "no file");
    expect_no_app(":f", "no file");
    expect_no_app("a..b", "no file");
    expect_no_app("1a", "no file");
    expect_no_app("m:f;g", "no file");
}

/* --- pidfile ------------------------------------------------------------ */

static void
test_pidfile_is_written_and_removed(void **state)
{
    struct folder *folder = *state;
    const char *path = folder_file(folder, "a.pid");
    struct lz_error error = {0};
    struct pidfile *pidfile = NULL;
    char text[32] = "";
    FILE *file;

    assert_int_equal(pidfile_open(path, &pidfile, &error), 0);
    assert_int_equal(pidfile_write(pidfile, &error), 0);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    (void)fclose(file);
    assert_int_equal(strtol(text, NULL, 10), getpid());
    (void)pidfile_remove(pidfile);
    assert_int_equal(access(path, F_OK), -1);
    pidfile_free(pidfile);
}

static void
test_pidfile_names_the_holder(void **state)
{
    const char *path = folder_file(*state, "a.pid");
    struct lz_error error = {0};
    struct pidfile *first = NULL;
    struct pidfile *second = NULL;
    char pid[32];

    /* Of one that was killed: not who has it now. */
    folder_write(path, "4000000\n");
    assert_int_equal(pidfile_open(path, &first, &error), 0);
    assert_int_equal(pidfile_open(path, &second, &error), -1);
    assert_int_equal(error.kind, LZ_ERROR_BUSY);
    assert_non_null(strstr(error.text, "is starting"));
    assert_null(strstr(error.text, "pid "));
    lz_error_done(&error);
    assert_int_equal(pidfile_write(first, &error), 0);
    assert_int_equal(pidfile_open(path, &second, &error), -1);
    assert_int_equal(error.kind, LZ_ERROR_BUSY);
    (void)snprintf(pid, sizeof(pid), "pid %ld", (long)getpid());
    assert_non_null(strstr(error.text, pid));
    assert_null(second);
    /* Closed but not removed, as by a parent: the name is free again. */
    pidfile_free(first);
    lz_error_done(&error);
    assert_int_equal(pidfile_open(path, &second, &error), 0);
    (void)pidfile_remove(second);
    pidfile_free(second);
}

static void
test_pidfile_spares_what_is_not_ours(void **state)
{
    const char *path = folder_file(*state, "a.pid");
    struct lz_error error = {0};
    struct pidfile *pidfile = NULL;

    folder_write(path, "a letter to a friend\n");
    assert_int_equal(pidfile_open(path, &pidfile, &error), -1);
    assert_non_null(strstr(error.text, "no pidfile"));
    lz_error_done(&error);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(pidfile_open(path, &pidfile, &error), 0);
    /* Somebody replaced it: removing is theirs. */
    assert_int_equal(unlink(path), 0);
    folder_write(path, "1\n");
    (void)pidfile_remove(pidfile);
    assert_int_equal(access(path, F_OK), 0);
    pidfile_free(pidfile);
}

static void
test_pidfile_lock_outlives_nobody(void **state)
{
    const char *path = folder_file(*state, "a.pid");
    struct lz_error error = {0};
    struct pidfile *pidfile = NULL;
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        (void)!pidfile_open(path, &pidfile, &error);
        (void)!pidfile_write(pidfile, &error);
        (void)raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(pidfile_open(path, &pidfile, &error), 0);
    (void)pidfile_remove(pidfile);
    pidfile_free(pidfile);
}

/* --- log ---------------------------------------------------------------- */

static size_t
read_file(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    size_t n;

    assert_non_null(file);
    n = fread(text, 1, size - 1, file);
    text[n] = '\0';
    (void)fclose(file);
    return n;
}

static void
test_log_is_reopened(void **state)
{
    struct folder *folder = *state;
    struct lz_error error = {0};
    struct log_file log;
    char moved[160];
    char text[64];

    (void)snprintf(moved, sizeof(moved), "%s", folder_file(folder, "l.1"));
    assert_int_equal(log_file_open(&log, folder_file(folder, "l"), &error), 0);
    log_file_write(&log, "one\n", 4);
    assert_int_equal(rename(log.path, moved), 0);
    log_file_write(&log, "two\n", 4);
    assert_int_equal(log_file_reopen(&log), 0);
    log_file_write(&log, "three\n", 6);
    (void)read_file(moved, text, sizeof(text));
    assert_string_equal(text, "one\ntwo\n");
    (void)read_file(log.path, text, sizeof(text));
    assert_string_equal(text, "three\n");
    log_file_done(&log);
}

static void
test_full_log_is_said_once(void **state)
{
    struct folder *folder = *state;
    struct lz_error error = {0};
    struct log_file log;
    char text[1024];
    int notice[2];
    ssize_t n;

    assert_int_equal(pipe(notice), 0);
    assert_int_equal(log_file_open(&log, "/dev/full", &error), 0);
    log.notice_fd = notice[1];
    for (int i = 0; i < 5; i++) {
        log_file_write(&log, "lost\n", 5);
    }
    assert_int_equal(log.lost_bytes, 25);
    n = read(notice[0], text, sizeof(text) - 1);
    assert_true(n > 0);
    text[n] = '\0';
    assert_non_null(strstr(text, "/dev/full"));
    assert_ptr_equal(strchr(text, '\n'), text + n - 1);
    /* The disk has room again: the gap is in the log. */
    free(log.path);
    log.path = strdup(folder_file(folder, "l"));
    assert_int_equal(log_file_reopen(&log), 0);
    log_file_write(&log, "back\n", 5);
    (void)read_file(log.path, text, sizeof(text));
    assert_non_null(strstr(text, "25 bytes"));
    assert_non_null(strstr(text, "\nback\n"));
    assert_int_equal(log.lost_bytes, 0);
    log_file_done(&log);
    (void)close(notice[0]);
    (void)close(notice[1]);
}

/* --- folders ------------------------------------------------------------ */

static void
test_private_folder(void **state)
{
    struct folder *folder = *state;
    struct lz_error error = {0};
    struct stat st;
    char link_path[160];

    assert_int_equal(folder_private(folder_file(folder, "new"), &error), 0);
    assert_int_equal(stat(folder->file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(folder_private(folder->file, &error), 0);
    assert_int_equal(chmod(folder->file, 0770), 0);
    assert_int_equal(folder_private(folder->file, &error), -1);
    assert_non_null(strstr(error.text, "others can write"));
    lz_error_done(&error);
    (void)snprintf(link_path, sizeof(link_path), "%s",
                   folder_file(folder, "link"));
    assert_int_equal(symlink("new", link_path), 0);
    assert_int_equal(folder_private(link_path, &error), -1);
    assert_non_null(strstr(error.text, "symbolic link"));
    lz_error_done(&error);
    folder_write(folder_file(folder, "file"), "");
    assert_int_equal(folder_private(folder->file, &error), -1);
    assert_non_null(strstr(error.text, "no folder"));
    lz_error_done(&error);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_app_forms, folder_set_up,
                                        folder_tear_down),
        cmocka_unit_test_setup_teardown(test_app_refused, folder_set_up,
                                        folder_tear_down),
        cmocka_unit_test_setup_teardown(test_pidfile_is_written_and_removed,
                                        folder_set_up, folder_tear_down),
        cmocka_unit_test_setup_teardown(test_pidfile_names_the_holder,
                                        folder_set_up, folder_tear_down),
        cmocka_unit_test_setup_teardown(test_pidfile_spares_what_is_not_ours,
                                        folder_set_up, folder_tear_down),
        cmocka_unit_test_setup_teardown(test_pidfile_lock_outlives_nobody,
                                        folder_set_up, folder_tear_down),
        cmocka_unit_test_setup_teardown(test_log_is_reopened, folder_set_up,
                                        folder_tear_down),
        cmocka_unit_test_setup_teardown(test_full_log_is_said_once,
                                        folder_set_up, folder_tear_down),
        cmocka_unit_test_setup_teardown(test_private_folder, folder_set_up,
                                        folder_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
