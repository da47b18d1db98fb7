/* Ignore sets: matching, edits, bounds, and the file. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lazycore/core.h"

struct fixture {
    struct lz_ignore *ignore;
    char folder[64];
    char path[96];
};

static int
set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    if (fixture == NULL) {
        return -1;
    }
    strcpy(fixture->folder, "/tmp/lazycore-ignore.XXXXXX");
    if (mkdtemp(fixture->folder) == NULL) {
        free(fixture);
        return -1;
    }
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/rules",
                   fixture->folder);
    fixture->ignore = ignore_new();
    *state = fixture;
    return fixture->ignore == NULL;
}

static int
tear_down(void **state)
{
    struct fixture *fixture = *state;

    ignore_free(fixture->ignore);
    (void)unlink(fixture->path);
    int status = rmdir(fixture->folder); /* fails where a file was left */
    free(fixture);
    return status;
}

static struct lz_ignore *
ignore_of(void **state)
{
    struct fixture *fixture = *state;

    return fixture->ignore;
}

static void
write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void
test_names_are_exact(void **state)
{
    struct lz_ignore *ignore = ignore_of(state);

    assert_int_equal(ignore_add(ignore, LZ_IGNORE_NAME, "foo", NULL), 1);
    assert_int_equal(ignore_add(ignore, LZ_IGNORE_NAME, "foo", NULL), 0);
    assert_int_equal(ignore_match(ignore, "foo", NULL), LZ_REASON_IGNORE_NAME);
    assert_int_equal(ignore_match(ignore, "foo.bar", NULL), LZ_REASON_LAZY);
    assert_int_equal(ignore_match(ignore, "fo", NULL), LZ_REASON_LAZY);
    assert_int_equal(ignore_match(ignore, "Foo", NULL), LZ_REASON_LAZY);
    assert_int_equal(ignore_remove(ignore, LZ_IGNORE_NAME, "foo"), 1);
    assert_int_equal(ignore_remove(ignore, LZ_IGNORE_NAME, "foo"), 0);
    assert_int_equal(ignore_match(ignore, "foo", NULL), LZ_REASON_LAZY);
}

/* The seed matched by prefix: 'foo' hit 'foobar'. */
static void
test_packages_cover_what_is_below(void **state)
{
    struct lz_ignore *ignore = ignore_of(state);

    assert_int_equal(ignore_add(ignore, LZ_IGNORE_PACKAGE, "foo.bar", NULL),
                     1);
    assert_int_equal(ignore_match(ignore, "foo.bar", NULL),
                     LZ_REASON_IGNORE_PACKAGE);
    assert_int_equal(ignore_match(ignore, "foo.bar.baz.quux", NULL),
                     LZ_REASON_IGNORE_PACKAGE);
    assert_int_equal(ignore_match(ignore, "foo.barbaz", NULL), LZ_REASON_LAZY);
    assert_int_equal(ignore_match(ignore, "foo", NULL), LZ_REASON_LAZY);
    assert_int_equal(ignore_match(ignore, "", NULL), LZ_REASON_LAZY);
    assert_int_equal(ignore_match(ignore, "foo.", NULL), LZ_REASON_LAZY);
}

static void
test_paths_match_anywhere_in_any_case(void **state)
{
    struct lz_ignore *ignore = ignore_of(state);

    assert_int_equal(ignore_add(ignore, LZ_IGNORE_PATH, "/Vendor/", NULL), 1);
    assert_int_equal(ignore_match(ignore, "a", "/srv/vENDOR/a.py"),
                     LZ_REASON_IGNORE_PATH);
    assert_int_equal(ignore_match(ignore, "a", "/srv/vendored/a.py"),
                     LZ_REASON_LAZY);
    assert_int_equal(ignore_match(ignore, "a", "/srv/vendor"), LZ_REASON_LAZY);
    assert_int_equal(ignore_match(ignore, "a", NULL), LZ_REASON_LAZY);
}

static void
test_rule_covers_agrees_with_match(void **state)
{
    static const char *const values[] = {"a", "a.b", "ab", "b"};
    static const char *const names[] = {"a", "a.b", "a.b.c", "ab", "a.bc"};

    for (int kind = LZ_IGNORE_NAME; kind <= LZ_IGNORE_PACKAGE; kind++) {
        for (size_t v = 0; v < 4; v++) {
            enum lz_ignore_kind rule = (enum lz_ignore_kind)kind;
            assert_int_equal(
                ignore_add(ignore_of(state), rule, values[v], NULL), 1);
            for (size_t n = 0; n < 5; n++) {
                int matched = ignore_match(ignore_of(state), names[n], NULL) !=
                              LZ_REASON_LAZY;
                assert_int_equal(matched, ignore_rule_covers(rule, values[v],
                                                             names[n], NULL));
            }
            ignore_clear(ignore_of(state), rule);
        }
    }
    assert_int_equal(ignore_rule_covers(LZ_IGNORE_PATH, "B", "x", "/ab"), 1);
    assert_int_equal(ignore_rule_covers(LZ_IGNORE_PATH, "B", "x", NULL), 0);
}

static void
test_starts_with_what_needs_it(void **state)
{
    struct lz_ignore *ignore = ignore_of(state);

    assert_int_equal(ignore_match(ignore, "encodings.utf_8", NULL),
                     LZ_REASON_IGNORE_PACKAGE);
    assert_int_equal(ignore_match(ignore, "warnings", NULL),
                     LZ_REASON_IGNORE_NAME);
    assert_int_equal(ignore_match(ignore, "importlib.metadata", NULL),
                     LZ_REASON_LAZY);
}

static void
test_bad_values_are_refused(void **state)
{
    static const struct {
        enum lz_ignore_kind kind;
        const char *value;
    } rows[] = {
        {LZ_IGNORE_NAME, ""},          {LZ_IGNORE_NAME, "a b"},
        {LZ_IGNORE_NAME, "a..b"},      {LZ_IGNORE_PACKAGE, "a."},
        {LZ_IGNORE_PACKAGE, "../x"},   {LZ_IGNORE_PATH, ""},
        {LZ_IGNORE_PATH, "a\nname b"}, {LZ_IGNORE_PATH, "\xFF"},
        {LZ_IGNORE_PATH, "\x1B[31m"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lz_error error = {0};
        assert_int_equal(ignore_check(rows[i].kind, rows[i].value, NULL), -1);
        assert_int_equal(
            ignore_add(ignore_of(state), rows[i].kind, rows[i].value, &error),
            -1);
        assert_int_equal(error.kind, LZ_ERROR_INVALID);
        assert_int_equal(
            ignore_contains(ignore_of(state), rows[i].kind, rows[i].value), 0);
        lz_error_done(&error);
    }
}

static void
test_value_has_a_bound(void **state)
{
    char value[LZ_IGNORE_VALUE_MAX + 2];

    memset(value, 'a', sizeof(value));
    value[LZ_IGNORE_VALUE_MAX + 1] = '\0';
    assert_int_equal(ignore_check(LZ_IGNORE_PATH, value, NULL), -1);
    value[LZ_IGNORE_VALUE_MAX] = '\0';
    assert_int_equal(ignore_add(ignore_of(state), LZ_IGNORE_PATH, value, NULL),
                     1);
}

static void
test_set_has_a_bound(void **state)
{
    struct lz_error error = {0};
    char value[32];

    for (int i = 0; i < LZ_IGNORE_MAX; i++) {
        (void)snprintf(value, sizeof(value), "/p%d", i);
        assert_int_equal(
            ignore_add(ignore_of(state), LZ_IGNORE_PATH, value, NULL), 1);
    }
    assert_int_equal(
        ignore_add(ignore_of(state), LZ_IGNORE_PATH, "/more", &error), -1);
    assert_int_equal(error.kind, LZ_ERROR_LIMIT);
    lz_error_done(&error);
    assert_int_equal(ignore_add(ignore_of(state), LZ_IGNORE_PATH, "/p0", NULL),
                     0);
}

static void
test_list_is_sorted_and_counts_hits(void **state)
{
    struct lz_ignore *ignore = ignore_of(state);
    struct lz_ignore_rule *rules;
    size_t count, seen = 0;

    assert_int_equal(ignore_add(ignore, LZ_IGNORE_PACKAGE, "zz", NULL), 1);
    assert_int_equal(ignore_add(ignore, LZ_IGNORE_PACKAGE, "aa", NULL), 1);
    (void)ignore_match(ignore, "zz.x", NULL);
    (void)ignore_match(ignore, "zz", NULL);
    assert_int_equal(ignore_list(ignore, &rules, &count), 0);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            assert_true(rules[i - 1].kind < rules[i].kind ||
                        strcmp(rules[i - 1].value, rules[i].value) < 0);
        }
        if (strcmp(rules[i].value, "zz") == 0) {
            assert_int_equal(rules[i].hits, 2);
            assert_int_equal(rules[i].builtin, 0);
            seen++;
        } else if (strcmp(rules[i].value, "warnings") == 0) {
            assert_int_equal(rules[i].hits, 0);
            assert_int_equal(rules[i].builtin, 1);
            seen++;
        }
    }
    assert_int_equal(seen, 2);
    ignore_rules_free(rules, count);
}

static void
test_saved_sets_load_again(void **state)
{
    struct fixture *fixture = *state;
    struct lz_ignore *other = ignore_new();
    struct lz_error error = {0};
    struct lz_ignore_rule *left, *right;
    size_t left_count, right_count;

    assert_non_null(other);
    assert_int_equal(ignore_add(fixture->ignore, LZ_IGNORE_NAME, "a.b", NULL),
                     1);
    assert_int_equal(
        ignore_add(fixture->ignore, LZ_IGNORE_PATH, " /sp ace ", NULL), 1);
    assert_int_equal(
        ignore_remove(fixture->ignore, LZ_IGNORE_NAME, "warnings"), 1);
    assert_int_equal(ignore_save(fixture->ignore, fixture->path, &error), 0);
    assert_int_equal(ignore_load(other, fixture->path, &error), 0);
    assert_int_equal(ignore_contains(other, LZ_IGNORE_NAME, "warnings"), 0);
    assert_int_equal(ignore_contains(other, LZ_IGNORE_PATH, " /sp ace "), 1);
    assert_int_equal(ignore_list(fixture->ignore, &left, &left_count), 0);
    assert_int_equal(ignore_list(other, &right, &right_count), 0);
    assert_int_equal(left_count, right_count);
    for (size_t i = 0; i < left_count; i++) {
        assert_int_equal(left[i].kind, right[i].kind);
        assert_string_equal(left[i].value, right[i].value);
    }
    ignore_rules_free(left, left_count);
    ignore_rules_free(right, right_count);
    ignore_free(other);
}

static void
test_file_forms(void **state)
{
    struct fixture *fixture = *state;

    write_file(fixture->path, "# comment\r\n\n   \n  name   a.b  \r\n"
                              "package\tc\n-name warnings\npath x y");
    assert_int_equal(ignore_load(fixture->ignore, fixture->path, NULL), 0);
    assert_int_equal(ignore_contains(fixture->ignore, LZ_IGNORE_NAME, "a.b"),
                     1);
    assert_int_equal(ignore_contains(fixture->ignore, LZ_IGNORE_PACKAGE, "c"),
                     1);
    assert_int_equal(
        ignore_contains(fixture->ignore, LZ_IGNORE_NAME, "warnings"), 0);
    assert_int_equal(ignore_contains(fixture->ignore, LZ_IGNORE_PATH, "x y"),
                     1);
}

static void
test_bad_file_changes_nothing(void **state)
{
    static const char *const texts[] = {
        "name good\nnames bad\n",  "name good\nname bad one\n",
        "name good\npath\n",       "name good\n-\n",
        "name good\npackage a..b",
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct lz_error error = {0};
        write_file(fixture->path, texts[i]);
        assert_int_equal(ignore_load(fixture->ignore, fixture->path, &error),
                         -1);
        assert_int_equal(error.kind, LZ_ERROR_INVALID);
        assert_non_null(strstr(error.text, "line 2: "));
        assert_non_null(strstr(error.text, fixture->path));
        assert_int_equal(
            ignore_contains(fixture->ignore, LZ_IGNORE_NAME, "good"), 0);
        lz_error_done(&error);
    }
}

/* The edits before the one that does not fit are taken back. */
static void
test_file_that_overfills_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct lz_error error = {0};
    FILE *file = fopen(fixture->path, "w");

    assert_non_null(file);
    assert_true(fputs("-name warnings\nname good\n", file) >= 0);
    for (int i = 0; i <= LZ_IGNORE_MAX; i++) {
        assert_true(fprintf(file, "path /p%d\n", i) > 0);
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(ignore_load(fixture->ignore, fixture->path, &error), -1);
    assert_int_equal(error.kind, LZ_ERROR_LIMIT);
    assert_int_equal(ignore_contains(fixture->ignore, LZ_IGNORE_NAME, "good"),
                     0);
    assert_int_equal(
        ignore_contains(fixture->ignore, LZ_IGNORE_NAME, "warnings"), 1);
    assert_int_equal(ignore_contains(fixture->ignore, LZ_IGNORE_PATH, "/p0"),
                     0);
    lz_error_done(&error);
}

static void
test_odd_files(void **state)
{
    struct fixture *fixture = *state;
    struct lz_error error = {0};
    char line[LZ_IGNORE_VALUE_MAX + 200];

    assert_int_equal(ignore_load(fixture->ignore, fixture->path, &error), -1);
    assert_int_equal(error.kind, LZ_ERROR_IO);
    lz_error_done(&error);
    assert_int_equal(ignore_load(fixture->ignore, fixture->folder, &error),
                     -1);
    assert_int_equal(error.kind, LZ_ERROR_IO);
    lz_error_done(&error);
    assert_int_equal(ignore_load(fixture->ignore, "/dev/zero", &error), -1);
    assert_non_null(strstr(error.text, "NUL"));
    lz_error_done(&error);
    memset(line, 'a', sizeof(line));
    line[sizeof(line) - 1] = '\0';
    write_file(fixture->path, line);
    assert_int_equal(ignore_load(fixture->ignore, fixture->path, &error), -1);
    assert_non_null(strstr(error.text, "too long"));
    lz_error_done(&error);
}

static void
test_failed_save_keeps_the_old_file(void **state)
{
    struct fixture *fixture = *state;
    struct lz_error error = {0};
    struct stat status;
    char below[128];

    write_file(fixture->path, "name old\n");
    assert_int_equal(chmod(fixture->path, 0640), 0);
    /* A folder that does not exist: nothing can be written beside it. */
    (void)snprintf(below, sizeof(below), "%s/none/rules", fixture->folder);
    assert_int_equal(ignore_save(fixture->ignore, below, &error), -1);
    assert_int_equal(error.kind, LZ_ERROR_IO);
    lz_error_done(&error);
    /* A folder, a fifo or a link is not replaced. */
    assert_int_equal(ignore_save(fixture->ignore, fixture->folder, &error),
                     -1);
    assert_int_equal(error.kind, LZ_ERROR_INVALID);
    lz_error_done(&error);
    (void)snprintf(below, sizeof(below), "%s/fifo", fixture->folder);
    assert_int_equal(mkfifo(below, 0600), 0);
    assert_int_equal(ignore_save(fixture->ignore, below, &error), -1);
    assert_int_equal(lstat(below, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
    lz_error_done(&error);
    assert_int_equal(unlink(below), 0);
    assert_int_equal(ignore_load(fixture->ignore, fixture->path, NULL), 0);
    assert_int_equal(ignore_save(fixture->ignore, fixture->path, &error), 0);
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    assert_int_equal(ignore_contains(fixture->ignore, LZ_IGNORE_NAME, "old"),
                     1);
}

enum { ROUNDS = 2000 };

static void *
edit_and_match(void *arg)
{
    struct lz_core *core = arg;

    for (int i = 0; i < ROUNDS; i++) {
        (void)ignore_add(core->ignore, LZ_IGNORE_PACKAGE, "foo", NULL);
        (void)ignore_match(core->ignore, "foo.bar", "/x");
        (void)ignore_remove(core->ignore, LZ_IGNORE_PACKAGE, "foo");
    }
    return NULL;
}

/* A fork while another thread edits: the child's sets are whole and its
 * locks free. */
static void
test_fork_during_edits(void **state)
{
    struct lz_core *core = core_new();
    pthread_t thread;

    (void)state;
    assert_non_null(core);
    assert_int_equal(pthread_create(&thread, NULL, edit_and_match, core), 0);
    for (int i = 0; i < 20; i++) {
        int status;
        core_before_fork(core);
        pid_t child = fork();
        if (child == 0) {
            core_after_fork(core);
            (void)alarm(20); /* a lock that is not free would wait for ever */
            (void)ignore_add(core->ignore, LZ_IGNORE_NAME, "child", NULL);
            int fine = ignore_contains(core->ignore, LZ_IGNORE_NAME, "child");
            fine &= ignore_match(core->ignore, "encodings", NULL) ==
                    LZ_REASON_IGNORE_NAME;
            /* Not by exit: ThreadSanitizer would report the thread that the
             * child never had. */
            (void)raise(fine ? SIGUSR1 : SIGUSR2);
        }
        core_after_fork_parent(core);
        assert_true(child > 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGUSR1);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    core_free(core);
    core_free(NULL);
}

int
main(void)
{
#define TEST(function)                                                        \
    cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_names_are_exact),
        TEST(test_packages_cover_what_is_below),
        TEST(test_paths_match_anywhere_in_any_case),
        TEST(test_rule_covers_agrees_with_match),
        TEST(test_starts_with_what_needs_it),
        TEST(test_bad_values_are_refused),
        TEST(test_value_has_a_bound),
        TEST(test_set_has_a_bound),
        TEST(test_list_is_sorted_and_counts_hits),
        TEST(test_saved_sets_load_again),
        TEST(test_file_forms),
        TEST(test_bad_file_changes_nothing),
        TEST(test_file_that_overfills_changes_nothing),
        TEST(test_odd_files),
        TEST(test_failed_save_keeps_the_old_file),
        cmocka_unit_test(test_fork_during_edits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
