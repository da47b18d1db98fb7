/* lazyd's command line: each option's place, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <argp.h>
#include <cmocka.h>

#include "daemon/options.h"

enum { WORDS = 24 };

/* Parse WORDS, separated by single blanks, after "lazyd". */
static int
parse(const char *words, struct options *options, struct lz_error *error)
{
    static char text[1024];
    static char program[] = "lazyd";
    char *argv[WORDS] = {program};
    char *rest = NULL;
    int argc = 1;

    (void)snprintf(text, sizeof(text), "%s", words);
    for (char *word = strtok_r(text, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        assert_true(argc < WORDS - 1);
        argv[argc++] = word;
    }
    *error = (struct lz_error){0};
    return options_parse(options, argc, argv, ARGP_NO_EXIT | ARGP_NO_ERRS,
                         error);
}

static void
test_defaults(void **state)
{
    struct options options;
    struct lz_error error;

    (void)state;
    assert_int_equal(parse("--app service.py", &options, &error), 0);
    assert_string_equal(options.app, "service.py");
    assert_true(options.lazy);
    assert_false(options.foreground);
    assert_null(options.name);
    assert_int_equal(options.stop_timeout_ms, LZ_STOP_TIMEOUT_MS);
    assert_int_equal(options.start_timeout_ms, LZ_START_TIMEOUT_MS);
    assert_int_equal(options.args.count, 0);
    options_done(&options);
}

static void
test_each_option(void **state)
{
    struct options options;
    struct lz_error error;

    (void)state;
    assert_int_equal(
        parse("--app m -F -n x -s /s -p /p -l /l -C /c --venv /v -X dev "
              "-vv --socket-group g --stop-timeout 0.25",
              &options, &error),
        0);
    assert_true(options.foreground);
    assert_string_equal(options.name, "x");
    assert_string_equal(options.socket_path, "/s");
    assert_string_equal(options.pidfile, "/p");
    assert_string_equal(options.log, "/l");
    assert_string_equal(options.chdir, "/c");
    assert_string_equal(options.venv, "/v");
    assert_string_equal(options.x_options.items[0], "dev");
    assert_string_equal(options.socket_group, "g");
    assert_int_equal(options.verbose, 2);
    assert_int_equal(options.stop_timeout_ms, 250);
    options_done(&options);
}

static void
test_lists(void **state)
{
    struct options options;
    struct lz_error error;

    (void)state;
    assert_int_equal(
        parse("--app m --ignore-name a.b --ignore-package c --ignore-path d/ "
              "--level flask=full --level x=eager --python-path p "
              "--python-path q --lazy=off --wait-ready --check --no-socket",
              &options, &error),
        0);
    assert_int_equal(options.ignore_count, 3);
    assert_int_equal(options.ignores[0].kind, LZ_IGNORE_NAME);
    assert_int_equal(options.ignores[1].kind, LZ_IGNORE_PACKAGE);
    assert_int_equal(options.ignores[2].kind, LZ_IGNORE_PATH);
    assert_string_equal(options.ignores[2].value, "d/");
    assert_int_equal(options.level_count, 2);
    assert_string_equal(options.levels[0].package, "flask");
    assert_int_equal(options.levels[0].level, LZ_LEVEL_FULL);
    assert_int_equal(options.levels[1].level, LZ_LEVEL_EAGER);
    assert_int_equal(options.python_path.count, 2);
    assert_string_equal(options.python_path.items[1], "q");
    assert_false(options.lazy);
    assert_true(options.wait_ready && options.check && options.no_socket);
    options_done(&options);
}

static void
test_check_levels(void **state)
{
    struct options options;
    struct lz_error error;

    (void)state;
    assert_int_equal(parse("--app m --check-levels", &options, &error), 0);
    assert_true(options.check_levels);
    assert_null(options.probe);
    assert_false(options.has_ready_after);
    assert_int_equal(options.run_timeout_ms, LZ_RUN_TIMEOUT_MS);
    options_done(&options);
    assert_int_equal(parse("--app m --check-levels -o /f --probe true "
                           "--ready-after 0 --run-timeout 1.5 -- x",
                           &options, &error),
                     0);
    assert_string_equal(options.level_file_out, "/f");
    assert_string_equal(options.probe, "true");
    assert_true(options.has_ready_after);
    assert_int_equal(options.ready_after_ms, 0);
    assert_int_equal(options.run_timeout_ms, 1500);
    options_done(&options);
}

static void
test_service_arguments(void **state)
{
    struct options options;
    struct lz_error error;

    (void)state;
    assert_int_equal(parse("-F --app m -- -F --app x y", &options, &error), 0);
    assert_int_equal(options.args.count, 4);
    assert_string_equal(options.args.items[0], "-F");
    assert_string_equal(options.args.items[3], "y");
    assert_string_equal(options.app, "m");
    options_done(&options);
}

static void
test_refused(void **state)
{
    static const struct {
        const char *words;
        const char *says;
    } rows[] = {
        {"-F", "--app"},
        {"--app m stray", "after --"},
        {"--app m --lazy=maybe", "neither on nor off"},
        {"--app m --level flask", "PACKAGE="},
        {"--app m --level flask=lazy", "PACKAGE="},
        {"--app m --level =full", "PACKAGE="},
        {"--app m --stop-timeout soon", "seconds"},
        {"--app m --stop-timeout -1", "seconds"},
        {"--app m --start-timeout nan", "seconds"},
        {"--app m --ignore-name a..b", "a..b"},
        {"--app m -n a/b", "a/b"},
        {"--app m -n .hidden", ".hidden"},
        {"--app m --no-socket -s /x", "excludes"},
        {"--app m --probe true", "--check-levels"},
        {"--app m -o f", "--check-levels"},
        {"--app m --run-timeout 1", "--check-levels"},
        {"--app m --check-levels --check", "excludes"},
        {"--app m --check-levels --lazy=off", "excludes"},
        {"--app m --check-levels --ready-after 1", "--probe"},
        {"--app m --check-levels --run-timeout soon", "seconds"},
        {"--app m --no-such-option", "--help"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct options options;
        struct lz_error error;

        assert_int_equal(parse(rows[i].words, &options, &error), -1);
        if (strstr(error.text, rows[i].says) == NULL) {
            fail_msg("'%s' says '%s'", rows[i].words, error.text);
        }
        lz_error_done(&error);
        options_done(&options);
    }
}

static void
test_seconds(void **state)
{
    uint64_t ms = 7;

    (void)state;
    assert_int_equal(options_seconds("0", &ms), 0);
    assert_int_equal(ms, 0);
    assert_int_equal(options_seconds("1.5", &ms), 0);
    assert_int_equal(ms, 1500);
    assert_true(options_seconds("", &ms) < 0);
    assert_true(options_seconds("1s", &ms) < 0);
    assert_true(options_seconds("inf", &ms) < 0);
    assert_true(options_seconds("1e9", &ms) < 0);
    assert_int_equal(ms, 1500);
}

static void
test_manual_has_every_option(void **state)
{
    FILE *file = fopen(LAZYD_MANUAL, "r");
    static char manual[65536];
    const char *name;
    int checked = 0;

    (void)state;
    assert_non_null(file);
    assert_true(fread(manual, 1, sizeof(manual) - 1, file) > 1000);
    (void)fclose(file);
    for (size_t row = 0; (name = options_long_name(row)) != NULL; row++) {
        char macro[64];

        if (name[0] == '\0') {
            continue;
        }
        (void)snprintf(macro, sizeof(macro), "Fl -%s", name);
        if (strstr(manual, macro) == NULL) {
            fail_msg("the manual page lacks --%s", name);
        }
        checked++;
    }
    assert_true(checked > 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_each_option),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_check_levels),
        cmocka_unit_test(test_service_arguments),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_seconds),
        cmocka_unit_test(test_manual_has_every_option),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
