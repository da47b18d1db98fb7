/* A line to be sent, and its memory.
 *
 * Long ones are the kernel's again as soon as they are freed; malloc() keeps
 * what was. Any thread.
 */
#ifndef WIRE_LINE_H
#define WIRE_LINE_H

#include <stddef.h>

struct wire_line {
    char *data; /* NULL: none */
    size_t length;
    size_t mapped; /* bytes of its own pages; 0: it is malloc()'s */
};

/* Make room for CAPACITY bytes, more than there was for; what is there stays.
 * 0, or -ENOMEM and nothing has changed. */
int wire_line_grow(struct wire_line *line, size_t capacity);
/* Empty it; accepts an empty one. */
void wire_line_free(struct wire_line *line);

#endif
