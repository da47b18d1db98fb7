/* See help.h. */
#include "ctl/help.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "ctl/options.h"
#include "ctl/wire/command.h"
#include "ctl/wire/field.h"

enum { OPTION_COLUMN = 28, COMMAND_COLUMN = 34 };

static void
put_option(FILE *stream, char letter, const char *name, const char *metavar,
           const char *help)
{
    char left[96];
    char letters[] = {'-', letter, ',', ' ', '\0'};
    (void)snprintf(left, sizeof left, "%s--%s%s%s",
                   letter != 0 ? letters : "    ", name,
                   metavar != NULL ? "=" : "", metavar != NULL ? metavar : "");
    (void)fprintf(stream, "  %-*s%s\n", OPTION_COLUMN - 2, left, help);
}

static void
put_globals(FILE *stream)
{
    size_t count;
    const struct options_global *globals = options_globals(&count);
    for (size_t i = 0; i < count; i++) {
        put_option(stream, globals[i].letter, globals[i].name,
                   globals[i].metavar, globals[i].help);
    }
}

void
help_all(FILE *stream)
{
    (void)fputs("Usage: lazyctl [-s PATH | -n NAME] [--json] [--timeout S] "
                "COMMAND ...\n"
                "Look into a running lazyd and steer it.\n\nCommands:\n",
                stream);
    for (unsigned i = 0; i < WIRE_COMMANDS_COUNT; i++) {
        const struct wire_command *row = wire_command((enum wire_command_id)i);
        char left[96];
        (void)snprintf(left, sizeof left, "%s%s%s", row->words,
                       row->arguments[0] != '\0' ? " " : "", row->arguments);
        (void)fprintf(stream, "  %-*s%s\n", COMMAND_COLUMN - 2, left,
                      row->help);
    }
    (void)fputs("\nOptions:\n", stream);
    put_globals(stream);
    (void)fputs(
        "\n'lazyctl help COMMAND' explains a command's own options. Without "
        "-s and -n\nthe server is $LAZYD_SOCKET, else the only one that "
        "runs.\nExit status: 0 done, 1 the server said no, 2 usage, 3 no "
        "server, 4 timed out.\n",
        stream);
}

static void
put_command(FILE *stream, const struct wire_command *row)
{
    (void)fprintf(stream, "Usage: lazyctl %s", row->words);
    for (size_t i = 0; i < row->params->count; i++) {
        if ((row->params->rows[i].flags & WIRE_POSITIONAL) == 0) {
            (void)fputs(" [OPTION...]", stream);
            break;
        }
    }
    (void)fprintf(stream, "%s%s\n%c%s.\n",
                  row->arguments[0] != '\0' ? " " : "", row->arguments,
                  row->help[0] - 'a' + 'A', row->help + 1);
    for (size_t i = 0; i < row->params->count; i++) {
        const struct wire_field *field = &row->params->rows[i];
        char name[48];
        if ((field->flags & WIRE_POSITIONAL) != 0) {
            (void)fprintf(stream, "  %-*s%s\n", OPTION_COLUMN - 2,
                          field->metavar, field->help);
        } else {
            options_field_name(field->name, name, sizeof name);
            put_option(stream, field->letter, name, field->metavar,
                       field->help);
        }
        if (field->choices != NULL) {
            char choices[256];
            wire_field_choices_text(field, choices, sizeof choices);
            (void)fprintf(stream, "%*s(%s)\n", OPTION_COLUMN, "", choices);
        }
    }
    if (row->id == WIRE_RELOAD || row->id == WIRE_ROLLBACK) {
        (void)fputs("Exit status: 0 applied, 11 unchanged, 12 not loaded, 13 "
                    "refused, 14 failed,\n15 inconclusive.\n",
                    stream);
    }
}

int
help_command(FILE *stream, const char *const *words, size_t count)
{
    char typed[128] = "";
    size_t used = 0;
    bool found = false;
    for (size_t i = 0; i < count && used < sizeof typed; i++) {
        int wrote = snprintf(typed + used, sizeof typed - used, "%s%.60s",
                             i > 0 ? " " : "", words[i]);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
    size_t length = strlen(typed);
    for (unsigned i = 0; i < WIRE_COMMANDS_COUNT; i++) {
        const struct wire_command *row = wire_command((enum wire_command_id)i);
        if (strncmp(row->words, typed, length) == 0 &&
            (row->words[length] == '\0' || row->words[length] == ' ')) {
            if (found) {
                (void)fputc('\n', stream);
            }
            put_command(stream, row);
            found = true;
        }
    }
    return found ? 0 : -ENOENT;
}

static void
put_choices(FILE *stream, const struct wire_field *field,
            const char *separator)
{
    for (int i = 0; field->choices != NULL && field->choices[i] != NULL; i++) {
        (void)fprintf(stream, "%s%s", i > 0 ? separator : "",
                      field->choices[i]);
    }
}

static void
put_words(FILE *stream, const struct wire_command *row)
{
    char name[48];
    (void)fprintf(stream, "%s|", row->words);
    for (size_t i = 0; i < row->params->count; i++) {
        const struct wire_field *field = &row->params->rows[i];
        if ((field->flags & WIRE_POSITIONAL) == 0) {
            options_field_name(field->name, name, sizeof name);
            (void)fprintf(stream, "--%s%s", name,
                          field->type == WIRE_BOOL ? "" : "=");
            put_choices(stream, field, ",");
            (void)fputc(' ', stream);
        }
    }
    (void)fputc('|', stream);
    for (size_t i = 0; i < row->params->count; i++) {
        if ((row->params->rows[i].flags & WIRE_POSITIONAL) != 0) {
            put_choices(stream, &row->params->rows[i], " ");
        }
    }
    (void)fputc('\n', stream);
}

void
help_words(FILE *stream)
{
    size_t count;
    const struct options_global *globals = options_globals(&count);
    (void)fputc('|', stream);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(stream, "--%s%s ", globals[i].name,
                      globals[i].metavar != NULL ? "=" : "");
    }
    (void)fputs("|\n", stream);
    for (unsigned i = 0; i < WIRE_COMMANDS_COUNT; i++) {
        put_words(stream, wire_command((enum wire_command_id)i));
    }
}
