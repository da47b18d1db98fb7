/* Help from the command table: all of lazyctl, one command, or the words for
 * the shell's completion. One thread.
 */
#ifndef CTL_HELP_H
#define CTL_HELP_H

#include <stddef.h>
#include <stdio.h>

/* All commands and the options that each has. */
void help_all(FILE *stream);
/* The commands whose words start with the COUNT words given: 0, or -ENOENT
 * where there is none. */
int help_command(FILE *stream, const char *const *words, size_t count);
/* A line for each command: its words, its options, the choices of its
 * arguments; '|' between them. An option that takes a value ends in '=' and
 * its choices. The line of the options of all commands has no words. */
void help_words(FILE *stream);

#endif
