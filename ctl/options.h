/* lazyctl's command line, read by the command table.
 *
 * Commands, their options and arguments come from ctl/wire; here are only
 * the options that every command has. Prints nothing. One thread.
 */
#ifndef CTL_OPTIONS_H
#define CTL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/wire/command.h"
#include "ctl/wire/message.h"

enum { OPTIONS_TEXT_SIZE = 512 };

struct options {
    const char *socket, *name;
    bool json, help, version;
    double timeout;                     /* seconds; negative: not given */
    const char *group;                  /* "ignore" alone, or NULL */
    const struct wire_command *command; /* NULL with help or version only */
    union wire_params params;
    const char **words; /* owned: the arguments, ended by NULL */
    size_t word_count;
    char *path; /* owned: an argument made absolute */
};

/* An option of every command. */
struct options_global {
    char letter; /* 0: none */
    const char *name, *metavar, *help;
};

const struct options_global *options_globals(size_t *ret_count);

/* Strings borrow from ARGV. 0, or -EINVAL or -ENOMEM with TEXT. Release with
 * options_done in any case. */
int options_parse(int argc, char **argv, struct options *ret_options,
                  char text[OPTIONS_TEXT_SIZE]);
void options_done(struct options *options);

/* The long option of a field: "dry_run" is "dry-run". */
void options_field_name(const char *field, char *text, size_t size);

#endif
