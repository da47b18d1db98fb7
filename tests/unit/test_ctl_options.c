/* ctl/options and ctl/help: every command's words, options and arguments,
 * and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/help.h"
#include "ctl/options.h"
#include "ctl/run.h"
#include "ctl/wire/field.h"

static struct options options;
static char text[OPTIONS_TEXT_SIZE];

/* Parse a command line split at its spaces. */
static int
parse(const char *line)
{
    static char copy[512];
    static char program[] = "lazyctl";
    static char *argv[64];
    int argc = 0;
    options_done(&options);
    (void)snprintf(copy, sizeof copy, "%s", line);
    argv[argc++] = program;
    for (char *word = strtok(copy, " "); word != NULL;
         word = strtok(NULL, " ")) {
        argv[argc++] = word;
    }
    return options_parse(argc, argv, &options, text);
}

static void
refuse(const char *line, const char *part)
{
    assert_int_equal(parse(line), -EINVAL);
    if (strstr(text, part) == NULL) {
        fail_msg("'%s': '%s' lacks '%s'", line, text, part);
    }
}

static void
accept(const char *line, enum wire_command_id id)
{
    if (parse(line) != 0) {
        fail_msg("'%s': %s", line, text);
    }
    assert_non_null(options.command);
    assert_int_equal(options.command->id, id);
}

static void
test_every_command(void **state)
{
    (void)state;
    for (unsigned i = 0; i < WIRE_COMMANDS_COUNT; i++) {
        const struct wire_command *row = wire_command((enum wire_command_id)i);
        char line[256];
        size_t used = (size_t)snprintf(line, sizeof line, "%s", row->words);
        /* The fewest arguments, each of a right choice. */
        for (size_t j = 0; j < row->params->count; j++) {
            const struct wire_field *field = &row->params->rows[j];
            if ((field->flags & WIRE_REQUIRED) != 0) {
                used += (size_t)snprintf(
                    line + used, sizeof line - used, " %s",
                    field->choices != NULL ? field->choices[0] : "a.b");
            }
        }
        accept(line, row->id);
        (void)snprintf(line + used, sizeof line - used, " --no-such-option");
        refuse(line, "no such option");
        if (row->fewest > 0) {
            refuse(row->words, "too few arguments");
        }
        if (row->most != WIRE_MANY) {
            for (int j = row->fewest; j <= row->most; j++) {
                used +=
                    (size_t)snprintf(line + used, sizeof line - used, " more");
            }
            refuse(line, "too many arguments");
        }
    }
}

/* Each option of each command, long and short, with and without a value. */
static void
test_every_option(void **state)
{
    (void)state;
    for (unsigned i = 0; i < WIRE_COMMANDS_COUNT; i++) {
        const struct wire_command *row = wire_command((enum wire_command_id)i);
        for (size_t j = 0; j < row->params->count; j++) {
            const struct wire_field *field = &row->params->rows[j];
            char line[256], name[64];
            const char *value =
                field->choices != NULL ? field->choices[0] : "1";
            if ((field->flags & WIRE_POSITIONAL) != 0) {
                continue;
            }
            options_field_name(field->name, name, sizeof name);
            const char *rest = row->fewest == 2   ? "name a"
                               : row->fewest == 1 ? "a"
                                                  : "";
            if (field->type == WIRE_BOOL) {
                (void)snprintf(line, sizeof line, "%s --%s %s", row->words,
                               name, rest);
                accept(line, row->id);
                (void)snprintf(line, sizeof line, "%s --%s=1 %s", row->words,
                               name, rest);
                refuse(line, "takes no value");
                continue;
            }
            (void)snprintf(line, sizeof line, "%s --%s %s %s", row->words,
                           name, value, rest);
            accept(line, row->id);
            (void)snprintf(line, sizeof line, "%s --%s=%s %s", row->words,
                           name, value, rest);
            accept(line, row->id);
            (void)snprintf(line, sizeof line, "%s %s --%s", row->words, rest,
                           name);
            refuse(line, "needs a value");
        }
    }
}

static void
test_values(void **state)
{
    (void)state;
    accept("list --state proxies --match a* --sort=time -l5 -f", WIRE_LIST);
    assert_string_equal(options.params.list.state, "proxy");
    assert_string_equal(options.params.list.match, "a*");
    assert_int_equal(options.params.list.sort, WIRE_SORT_TIME);
    assert_int_equal(options.params.list.limit, 5);
    assert_true(options.params.list.failed);

    accept("load -ri a b.c -- -d", WIRE_LOAD);
    assert_true(options.params.load.recursive);
    assert_true(options.params.load.inject);
    assert_int_equal(options.params.load.name_count, 3);
    assert_string_equal(options.params.load.names[2], "-d");

    accept("verify", WIRE_VERIFY);
    assert_null(options.params.verify.match);
    assert_false(options.params.verify.all);
    accept("verify -a a.* --limit 3", WIRE_VERIFY);
    assert_string_equal(options.params.verify.match, "a.*");
    assert_int_equal(options.params.verify.limit, 3);
    assert_true(options.params.verify.all);
    refuse("verify a b", "too many arguments");

    accept("ignore add package foo bar --load --dry-run", WIRE_IGNORE_ADD);
    assert_string_equal(options.params.ignore_add.kind, "package");
    assert_int_equal(options.params.ignore_add.value_count, 2);
    assert_string_equal(options.params.ignore_add.values[1], "bar");
    assert_true(options.params.ignore_add.load);
    assert_true(options.params.ignore_add.dry_run);

    accept("events load fork", WIRE_SUBSCRIBE);
    assert_int_equal(options.params.subscribe.events,
                     1u << WIRE_EVENT_LOAD | 1u << WIRE_EVENT_FORK);
    accept("events", WIRE_SUBSCRIBE);
    assert_int_equal(options.params.subscribe.events, 0x3f);

    accept("level set django full", WIRE_LEVEL_SET);
    assert_string_equal(options.params.level_set.package, "django");
    assert_string_equal(options.params.level_set.level, "full");
}

/* The server has another folder, so the path goes out absolute. */
static void
test_path(void **state)
{
    (void)state;
    char *folder = getcwd(NULL, 0);
    char wanted[4200];
    accept("ignore save sub/rules", WIRE_IGNORE_SAVE);
    (void)snprintf(wanted, sizeof wanted, "%s/sub/rules", folder);
    assert_string_equal(options.params.ignore_save.path, wanted);
    accept("ignore save /etc/rules", WIRE_IGNORE_SAVE);
    assert_string_equal(options.params.ignore_save.path, "/etc/rules");
    free(folder);
}

static void
test_globals(void **state)
{
    (void)state;
    accept("-s /a/b --json --timeout 2.5 stats", WIRE_STATS);
    assert_string_equal(options.socket, "/a/b");
    assert_true(options.json);
    assert_true(options.timeout > 2.4 && options.timeout < 2.6);
    accept("stats --json -nweb", WIRE_STATS);
    assert_true(options.json);
    assert_string_equal(options.name, "web");
    assert_true(options.timeout < 0);
    /* After stop it is the server's, before it lazyctl's. */
    accept("--timeout 3 stop --timeout 7", WIRE_STOP);
    assert_true(options.timeout > 2.9 && options.timeout < 3.1);
    assert_true(options.params.stop.timeout > 6.9 &&
                options.params.stop.timeout < 7.1);
    accept("stop", WIRE_STOP);
    assert_true(options.params.stop.timeout < 0);
    assert_int_equal(parse("--version"), 0);
    assert_true(options.version);
    assert_int_equal(parse("--help"), 0);
    assert_true(options.help);
    assert_int_equal(parse("ignore --help"), 0);
    assert_string_equal(options.group, "ignore");
    assert_int_equal(parse("ignore add -h"), 0);
    assert_int_equal(options.command->id, WIRE_IGNORE_ADD);
}

static void
test_refusals(void **state)
{
    (void)state;
    refuse("", "no command");
    refuse("frobnicate", "no such command: 'frobnicate'");
    refuse("stat", "did you mean 'stats'?");
    refuse("ignore", "needs another word");
    refuse("ignore ad", "did you mean 'ignore add'?");
    refuse("--state", "no such option");
    refuse("-x ping", "no such option: '-x' before a command");
    refuse("ping -s", "needs a value");
    refuse("--timeout soon ping", "needs a number from 0 to 86400");
    refuse("--timeout -1 ping", "needs a number");
    refuse("--timeout nan ping", "needs a number");
    refuse("--timeout 1x ping", "needs a number");
    refuse("list --limit 1.5", "needs a whole number");
    refuse("list --limit -1", "needs a number");
    refuse("list --state asleep", "use proxy, real, eager, ignored, existing, "
                                  "lost or used");
    refuse("list --sort size", "'size' is no KEY: use name, time");
    refuse("ignore add module a", "'module' is no KIND: use name, package or "
                                  "path");
    refuse("level set a lazy", "use eager, outer or full");
    refuse("events boom", "'boom' is no EVENT");
    refuse("ping --json=1", "takes no value");
    refuse("-s /a -n b ping", "not both");
}

static char *
captured(void (*write)(FILE *stream))
{
    char *buffer = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&buffer, &size);
    assert_non_null(stream);
    write(stream);
    assert_int_equal(fclose(stream), 0);
    return buffer;
}

/* Help and the completion's words name every command and option. */
static void
test_help(void **state)
{
    (void)state;
    char *all = captured(help_all);
    char *words = captured(help_words);
    for (unsigned i = 0; i < WIRE_COMMANDS_COUNT; i++) {
        const struct wire_command *row = wire_command((enum wire_command_id)i);
        char line[128], name[64];
        char *buffer = NULL;
        size_t size = 0;
        assert_non_null(strstr(all, row->help));
        (void)snprintf(line, sizeof line, "\n%s|", row->words);
        assert_non_null(strstr(words, line));
        FILE *stream = open_memstream(&buffer, &size);
        assert_int_equal(help_command(stream, &row->words, 1), 0);
        assert_int_equal(fclose(stream), 0);
        for (size_t j = 0; j < row->params->count; j++) {
            const struct wire_field *field = &row->params->rows[j];
            options_field_name(field->name, name, sizeof name);
            (void)snprintf(line, sizeof line, "--%s", name);
            assert_non_null(strstr(buffer, field->help));
            if ((field->flags & WIRE_POSITIONAL) == 0) {
                assert_non_null(strstr(buffer, line));
                assert_non_null(strstr(words, line));
            }
        }
        free(buffer);
    }
    assert_non_null(strstr(words, "\nlevel set||eager outer full\n"));
    assert_non_null(
        strstr(words, "--state=proxy,real,eager,ignored,existing,lost,used "));
    const char *no[] = {"ignore", "ad"};
    assert_int_equal(help_command(stdout, no, 2), -ENOENT);
    free(all);
    free(words);
}

static char *
file_text(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *content = calloc(1, 65536);
    assert_non_null(content);
    size_t size = fread(content, 1, 65535, file);
    assert_true(size > 0);
    assert_int_equal(fclose(file), 0);
    return content;
}

/* The manual page has each command in a heading, and each of its options. */
static void
test_manual(void **state)
{
    (void)state;
    char *manual = file_text(LAZYCTL_MANUAL);
    for (unsigned i = 0; i < WIRE_COMMANDS_COUNT; i++) {
        const struct wire_command *row = wire_command((enum wire_command_id)i);
        char heading[96];
        (void)snprintf(heading, sizeof heading, "\n.It Cm %s", row->words);
        char *entry = strstr(manual, heading);
        if (entry == NULL) {
            fail_msg("the manual lacks '%s'", row->words);
            continue;
        }
        char *end = strstr(entry + 1, "\n.It Cm ");
        end = end != NULL ? end : strstr(entry + 1, "\n.El");
        assert_non_null(end);
        char *part = strndup(entry, (size_t)(end - entry));
        for (size_t j = 0; j < row->params->count; j++) {
            const struct wire_field *field = &row->params->rows[j];
            char name[64], option[80];
            options_field_name(field->name, name, sizeof name);
            (void)snprintf(option, sizeof option, "Fl -%s", name);
            if ((field->flags & WIRE_POSITIONAL) == 0 &&
                strstr(part, option) == NULL &&
                strstr(part, option + 3) == NULL) {
                fail_msg("'%s' in the manual lacks --%s", row->words, name);
            }
        }
        free(part);
    }
    free(manual);
}

static void
test_verdicts(void **state)
{
    (void)state;
    assert_int_equal(run_verdict_status("applied"), 0);
    assert_int_equal(run_verdict_status("unchanged"), 11);
    assert_int_equal(run_verdict_status("not_loaded"), 12);
    assert_int_equal(run_verdict_status("refused"), 13);
    assert_int_equal(run_verdict_status("failed"), 14);
    assert_int_equal(run_verdict_status("inconclusive"), 15);
    assert_int_equal(run_verdict_status("new"), RUN_REFUSED);
    assert_int_equal(run_verdict_status(NULL), RUN_REFUSED);
}

static int
teardown(void **state)
{
    (void)state;
    options_done(&options);
    options_done(NULL);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_command),
        cmocka_unit_test(test_every_option),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_path),
        cmocka_unit_test(test_globals),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_manual),
        cmocka_unit_test(test_verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
