/* See command.h. */
#include "ctl/wire/command.h"

#include <stdbool.h>
#include <string.h>

#include "ctl/wire/table.h"

static const struct wire_command table[] = {
#define WIRE_COMMAND(id, method, words, params, reply, arguments, fewest,     \
                     most, flags, help)                                       \
    {(method),                                                                \
     (words),                                                                 \
     &wire_##params##_params,                                                 \
     &wire_##reply##_reply,                                                   \
     (arguments),                                                             \
     (help),                                                                  \
     WIRE_##id,                                                               \
     (fewest),                                                                \
     (most),                                                                  \
     (flags)},
#include "ctl/wire/commands.def"
#undef WIRE_COMMAND
};

const struct wire_command *
wire_command(enum wire_command_id id)
{
    return &table[id];
}

const struct wire_command *
wire_command_by_method(const char *method)
{
    for (size_t i = 0; i < WIRE_COMMANDS_COUNT; i++) {
        if (table[i].method[0] != '\0' &&
            strcmp(table[i].method, method) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

enum { SUGGEST_MAX = 24 };

/* Edit distance of two short words (insert, delete, replace). */
static size_t
distance(const char *left, const char *right)
{
    size_t row[SUGGEST_MAX + 1];
    size_t width = strlen(right);
    for (size_t j = 0; j <= width; j++) {
        row[j] = j;
    }
    for (size_t i = 1; left[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            size_t replace = diagonal + (left[i - 1] != right[j - 1]);
            size_t either = row[j] < row[j - 1] ? row[j] : row[j - 1];
            diagonal = row[j];
            row[j] = either + 1 < replace ? either + 1 : replace;
        }
    }
    return row[width];
}

static const char *
nearest(const char *typed, bool by_method)
{
    const char *best = NULL;
    size_t best_distance = 3; /* more edits than that is another word */
    size_t length = strlen(typed);
    if (length == 0 || length > SUGGEST_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < WIRE_COMMANDS_COUNT; i++) {
        const char *candidate = by_method ? table[i].method : table[i].words;
        size_t edits =
            candidate[0] != '\0' ? distance(typed, candidate) : SUGGEST_MAX;
        if (edits < best_distance && edits < strlen(candidate)) {
            best = candidate;
            best_distance = edits;
        }
    }
    return best;
}

const char *
wire_command_suggest(const char *method)
{
    return nearest(method, true);
}

const char *
wire_command_suggest_words(const char *words)
{
    return nearest(words, false);
}
