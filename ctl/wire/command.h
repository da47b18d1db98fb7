/* The command table (commands.def) as data, and look-ups in it.
 *
 * What a command's parameters and reply look like is in message.h. Leaves
 * running a command to the daemon and rendering to lazyctl. Any thread.
 */
#ifndef WIRE_COMMAND_H
#define WIRE_COMMAND_H

#include <stddef.h>

enum wire_command_id {
#define WIRE_COMMAND(id, method, words, params, reply, arguments, fewest,     \
                     most, flags, help)                                       \
    WIRE_##id,
#include "ctl/wire/commands.def"
#undef WIRE_COMMAND
    WIRE_COMMANDS_COUNT
};

enum {
    WIRE_LOOP = 1u,    /* needs no Python: never waits for it */
    WIRE_PYTHON = 2u,  /* runs on the operator thread, with the GIL */
    WIRE_STREAM = 4u,  /* the connection goes on sending notifications */
    WIRE_MUTATES = 8u, /* changes something: logged, refused to readers */
    WIRE_LOCAL = 16u   /* lazyctl only */
};

enum { WIRE_MANY = 1 << 20 };

struct wire_fields;

struct wire_command {
    const char *method; /* "" for a command of lazyctl only */
    const char *words;  /* "ignore add" */
    const struct wire_fields *params;
    const struct wire_fields *reply;
    const char *arguments; /* "KIND VALUE..." */
    const char *help;
    enum wire_command_id id;
    int fewest, most; /* positional arguments */
    unsigned flags;
};

const struct wire_command *wire_command(enum wire_command_id id);
/* NULL where no method has that name. */
const struct wire_command *wire_command_by_method(const char *method);
/* The method most like a mistyped one, or NULL where none is near. */
const char *wire_command_suggest(const char *method);
/* The same for lazyctl's words. */
const char *wire_command_suggest_words(const char *words);

#endif
