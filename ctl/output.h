/* The file that an option of lazyctl names for its output. */
#ifndef CTL_OUTPUT_H
#define CTL_OUTPUT_H

#include <stdio.h>

/* Have WRITE fill the file PATH: 0 or a negative errno is what it returns.
 * A plain file appears whole or not at all; what is there and is none (a
 * terminal, a pipe, /dev/null) is written to, and so is a link, to what it
 * points at. The exit status; what went wrong is said. */
int output_write(const char *path, int (*write)(FILE *stream, const void *arg),
                 const void *arg);

#endif
