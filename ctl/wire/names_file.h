/* A file of modules' names: what `lazyctl record` writes, and `lazyctl warm`
 * and lazyd read. A dotted name a line, in the order of loading; '#' begins a
 * comment. Any thread.
 */
#ifndef WIRE_NAMES_FILE_H
#define WIRE_NAMES_FILE_H

#include <stdbool.h>
#include <stddef.h>

enum { WIRE_NAMES_MAX = 200000, WIRE_NAME_BYTES = 1000 };

struct wire_names {
    char **items; /* each malloc'd */
    size_t count;
};

/* Whether NAME could be a module's: parts without blanks and signs, with one
 * dot between two. */
bool wire_name_is_valid(const char *name);
/* 0 with *RET_NAMES, or negative errno with TEXT, which has the line of what
 * is wrong. A name that stands twice is kept once. */
int wire_names_read(const char *path, struct wire_names *ret_names,
                    char text[512]);
/* Append a copy, twice or not. 0 or -ENOMEM. */
int wire_names_add(struct wire_names *names, const char *name);
void wire_names_done(struct wire_names *names);

#endif
