/* See options.h. */
#include "ctl/options.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/wire/field.h"
#include "ctl/wire/limit.h"

enum { TIMEOUT_MAX = 86400, NAME_SIZE = 48 };

static const struct options_global globals[] = {
    {'s', "socket", "PATH", "talk to the server at this socket"},
    {'n', "name", "NAME", "talk to the server of this name"},
    {0, "json", NULL, "print the server's result as JSON, on one line"},
    {0, "timeout", "S", "give up after S seconds"},
    {'h', "help", NULL, "explain lazyctl, or the command"},
    {'V', "version", NULL, "print lazyctl's version"},
};

struct parser {
    struct options *options;
    char *text;
    int argc, at;
    char **argv;
};

const struct options_global *
options_globals(size_t *ret_count)
{
    *ret_count = sizeof globals / sizeof globals[0];
    return globals;
}

static int
usage(struct parser *parser, const char *what, const char *subject,
      const char *more)
{
    (void)snprintf(parser->text, OPTIONS_TEXT_SIZE, "%s '%.80s'%s", what,
                   subject, more);
    return -EINVAL;
}

void
options_field_name(const char *field, char *text, size_t size)
{
    (void)snprintf(text, size, "%s", field);
    for (char *c = text; *c != '\0'; c++) {
        if (*c == '_') {
            *c = '-';
        }
    }
}

static int
read_number(struct parser *parser, const char *option, const char *word,
            double min, double max, double *ret_number)
{
    char *end;
    char range[64];
    double number = strtod(word, &end);
    if (end == word || *end != '\0' || !isfinite(number) || number < min ||
        number > max) {
        (void)snprintf(range, sizeof range,
                       " needs a number from %.0f to %.0f", min, max);
        return usage(parser, "option", option, range);
    }
    *ret_number = number;
    return 0;
}

static int
set_global(struct parser *parser, const struct options_global *option,
           const char *value)
{
    struct options *options = parser->options;
    switch (option->name[0]) {
    case 's':
        options->socket = value;
        break;
    case 'n':
        options->name = value;
        break;
    case 'j':
        options->json = true;
        break;
    case 't':
        return read_number(parser, "--timeout", value, 0, TIMEOUT_MAX,
                           &options->timeout);
    case 'h':
        options->help = true;
        break;
    default:
        options->version = true;
    }
    return 0;
}

/* A path that means the same to the server, which has another folder. */
static int
set_path(struct parser *parser, const char *word, char *at)
{
    struct options *options = parser->options;
    char *folder = NULL;
    free(options->path);
    options->path = NULL;
    if (word[0] == '/') {
        options->path = strdup(word);
    } else {
        folder = getcwd(NULL, 0);
        if (folder == NULL ||
            asprintf(&options->path, "%s/%s", folder, word) < 0) {
            options->path = NULL;
        }
    }
    free(folder);
    if (options->path == NULL) {
        return usage(parser, "cannot make an absolute path of", word, "");
    }
    const char *path = options->path;
    memcpy(at, &path, sizeof path);
    return 0;
}

static int
find_choice(struct parser *parser, const struct wire_field *field,
            const char *word, int *ret_index)
{
    char choices[256], text[320];
    *ret_index = wire_field_choice(field, word);
    if (*ret_index >= 0) {
        return 0;
    }
    wire_field_choices_text(field, choices, sizeof choices);
    (void)snprintf(text, sizeof text, " is no %s: use %s", field->metavar,
                   choices);
    (void)snprintf(parser->text, OPTIONS_TEXT_SIZE, "'%.80s'%s", word, text);
    return -EINVAL;
}

static int
set_field(struct parser *parser, const struct wire_field *field,
          const char *word)
{
    char *at = (char *)&parser->options->params + field->offset;
    double number;
    int index, status = 0;
    switch (field->type) {
    case WIRE_BOOL:
        *(bool *)(void *)at = true;
        break;
    case WIRE_NUMBER:
    case WIRE_I64:
        status = read_number(parser, field->name, word, field->min, field->max,
                             &number);
        if (status == 0 && field->type == WIRE_NUMBER) {
            memcpy(at, &number, sizeof number);
        } else if (status == 0) {
            int64_t whole = (int64_t)number;
            if (number > (double)whole) {
                return usage(parser, "option", field->name,
                             " needs a whole number");
            }
            memcpy(at, &whole, sizeof whole);
        }
        break;
    case WIRE_CHOICE:
    case WIRE_INDEX:
        status = find_choice(parser, field, word, &index);
        if (status == 0 && field->type == WIRE_INDEX) {
            memcpy(at, &index, sizeof index);
        } else if (status == 0) {
            memcpy(at, &field->choices[index], sizeof field->choices[index]);
        }
        break;
    case WIRE_PATH:
        return set_path(parser, word, at);
    default:
        memcpy(at, &word, sizeof word);
    }
    return status;
}

static const struct wire_field *
find_field(const struct wire_command *command, const char *name, char letter)
{
    char option[NAME_SIZE];
    for (size_t i = 0; command != NULL && i < command->params->count; i++) {
        const struct wire_field *field = &command->params->rows[i];
        if ((field->flags & WIRE_POSITIONAL) != 0) {
            continue;
        }
        options_field_name(field->name, option, sizeof option);
        if (name != NULL ? strcmp(option, name) == 0
                         : field->letter == letter) {
            return field;
        }
    }
    return NULL;
}

static const struct options_global *
find_global(const char *name, char letter)
{
    for (size_t i = 0; i < sizeof globals / sizeof globals[0]; i++) {
        if (name != NULL ? strcmp(globals[i].name, name) == 0
                         : globals[i].letter == letter) {
            return &globals[i];
        }
    }
    return NULL;
}

/* One option with its VALUE, or with the next word where it needs one and
 * has none. NAME or LETTER; a command's own option goes before a global. */
static int
option(struct parser *parser, const char *name, char letter, const char *value)
{
    const char shown_letter[] = {'-', letter, '\0'};
    const char *shown = name != NULL ? parser->argv[parser->at] : shown_letter;
    const struct wire_field *field =
        find_field(parser->options->command, name, letter);
    const struct options_global *global =
        field == NULL ? find_global(name, letter) : NULL;
    if (field == NULL && global == NULL) {
        return usage(parser, "no such option:", shown,
                     parser->options->command == NULL ? " before a command"
                                                      : "");
    }
    bool takes_value =
        field != NULL ? field->type != WIRE_BOOL : global->metavar != NULL;
    if (!takes_value && value != NULL) {
        return usage(parser, "option", shown, " takes no value");
    }
    if (takes_value && value == NULL) {
        if (parser->at + 1 >= parser->argc) {
            return usage(parser, "option", shown, " needs a value");
        }
        value = parser->argv[++parser->at];
    }
    value = value != NULL ? value : ""; /* a flag's is not looked at */
    return field != NULL ? set_field(parser, field, value)
                         : set_global(parser, global, value);
}

static int
long_option(struct parser *parser)
{
    char name[NAME_SIZE];
    const char *word = parser->argv[parser->at] + 2;
    const char *equals = strchr(word, '=');
    size_t length = equals != NULL ? (size_t)(equals - word) : strlen(word);
    if (length >= sizeof name) {
        return usage(parser, "no such option:", parser->argv[parser->at], "");
    }
    memcpy(name, word, length);
    name[length] = '\0';
    return option(parser, name, 0, equals != NULL ? equals + 1 : NULL);
}

/* "-rv", or "-sPATH", or "-s PATH". */
static int
short_options(struct parser *parser)
{
    const char *letters = parser->argv[parser->at] + 1;
    int status = 0;
    while (status == 0 && *letters != '\0') {
        const struct wire_field *field =
            find_field(parser->options->command, NULL, *letters);
        const struct options_global *global =
            field == NULL ? find_global(NULL, *letters) : NULL;
        bool takes_value = field != NULL
                               ? field->type != WIRE_BOOL
                               : global != NULL && global->metavar != NULL;
        const char *rest =
            takes_value && letters[1] != '\0' ? letters + 1 : NULL;
        status = option(parser, NULL, *letters, rest);
        if (takes_value) {
            break;
        }
        letters++;
    }
    return status;
}

/* The first or second word of a command. */
static int
command_word(struct parser *parser, const char *word)
{
    struct options *options = parser->options;
    char words[96], more[160] = "; 'lazyctl help' lists the commands";
    bool group = false;
    size_t length = strlen(word);
    (void)snprintf(words, sizeof words, "%s%s%.60s",
                   options->group != NULL ? options->group : "",
                   options->group != NULL ? " " : "", word);
    for (unsigned i = 0; i < WIRE_COMMANDS_COUNT; i++) {
        const struct wire_command *row = wire_command((enum wire_command_id)i);
        if (strcmp(row->words, words) == 0) {
            options->command = row;
            wire_fields_preset(row->params, &options->params);
            return 0;
        }
        group = group || (options->group == NULL &&
                          strncmp(row->words, word, length) == 0 &&
                          row->words[length] == ' ');
    }
    if (group) {
        options->group = word;
        return 0;
    }
    const char *near = wire_command_suggest_words(words);
    if (near != NULL) {
        (void)snprintf(more, sizeof more, "; did you mean '%s'?", near);
    }
    return usage(parser, "no such command:", words, more);
}

/* The arguments go to the positional rows; a list takes all that is left. */
static int
assign(struct parser *parser)
{
    struct options *options = parser->options;
    const struct wire_command *command = options->command;
    int count = (int)options->word_count;
    size_t next = 0;
    if (count < command->fewest || count > command->most) {
        (void)snprintf(
            parser->text, OPTIONS_TEXT_SIZE, "%s arguments: lazyctl %s%s%s",
            count < command->fewest ? "too few" : "too many", command->words,
            command->arguments[0] ? " " : "", command->arguments);
        return -EINVAL;
    }
    for (size_t i = 0; i < command->params->count; i++) {
        const struct wire_field *field = &command->params->rows[i];
        char *base = (char *)&options->params;
        size_t left = options->word_count - next;
        if ((field->flags & WIRE_POSITIONAL) == 0 ||
            options->words[next] == NULL) {
            continue;
        }
        if (field->type == WIRE_STRINGS) {
            const char **rest = options->words + next;
            memcpy(base + field->offset, &rest, sizeof rest);
            memcpy(base + field->count_offset, &left, sizeof left);
            next = options->word_count;
        } else if (field->type == WIRE_FLAGS) {
            unsigned flags = 0;
            for (; next < options->word_count; next++) {
                int index;
                int status =
                    find_choice(parser, field, options->words[next], &index);
                if (status != 0) {
                    return status;
                }
                flags |= 1u << index;
            }
            memcpy(base + field->offset, &flags, sizeof flags);
        } else {
            int status = set_field(parser, field, options->words[next++]);
            if (status != 0) {
                return status;
            }
        }
    }
    return 0;
}

/* What is still missing once all words are read. */
static int
finish(struct parser *parser)
{
    struct options *options = parser->options;
    if (options->help || options->version) {
        return 0;
    }
    if (options->socket != NULL && options->name != NULL) {
        (void)snprintf(parser->text, OPTIONS_TEXT_SIZE,
                       "give '-s PATH' or '-n NAME', not both");
        return -EINVAL;
    }
    if (options->command == NULL && options->group != NULL) {
        return usage(parser, "command", options->group,
                     " needs another word; 'lazyctl help' lists them");
    }
    if (options->command == NULL) {
        (void)snprintf(parser->text, OPTIONS_TEXT_SIZE,
                       "no command; 'lazyctl help' lists them");
        return -EINVAL;
    }
    return assign(parser);
}

int
options_parse(int argc, char **argv, struct options *ret_options,
              char text[OPTIONS_TEXT_SIZE])
{
    struct options *options = ret_options;
    struct parser parser = {
        .options = options, .text = text, .argc = argc, .argv = argv};
    bool only_words = false;
    int status = 0;
    *options = (struct options){.timeout = -1};
    text[0] = '\0';
    options->words = calloc((size_t)argc + 1, sizeof *options->words);
    if (options->words == NULL) {
        (void)snprintf(text, OPTIONS_TEXT_SIZE, "no memory");
        return -ENOMEM;
    }
    for (parser.at = 1; status == 0 && parser.at < argc; parser.at++) {
        const char *word = argv[parser.at];
        if (!only_words && strcmp(word, "--") == 0) {
            only_words = true;
        } else if (!only_words && strncmp(word, "--", 2) == 0) {
            status = long_option(&parser);
        } else if (!only_words && word[0] == '-' && word[1] != '\0') {
            status = short_options(&parser);
        } else if (options->command == NULL) {
            status = command_word(&parser, word);
        } else {
            options->words[options->word_count++] = word;
        }
    }
    return status == 0 ? finish(&parser) : status;
}

void
options_done(struct options *options)
{
    if (options != NULL) {
        free(options->words);
        free(options->path);
        options->words = NULL;
        options->path = NULL;
    }
}
