/* See line.h. */
#include "ctl/wire/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LONG = 64 * 1024 };

/* From malloc()'s memory into pages of its own. */
static char *
map(struct wire_line *line, size_t capacity)
{
    char *data = mmap(NULL, capacity, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (data == MAP_FAILED) {
        return NULL;
    }
    if (line->length > 0) {
        memcpy(data, line->data, line->length);
    }
    free(line->data);
    return data;
}

int
wire_line_grow(struct wire_line *line, size_t capacity)
{
    char *data;

    if (line->mapped > 0) {
        data = mremap(line->data, line->mapped, capacity, MREMAP_MAYMOVE);
        data = data == MAP_FAILED ? NULL : data;
    } else if (capacity > LONG) {
        data = map(line, capacity);
    } else {
        data = realloc(line->data, capacity);
    }
    if (data == NULL) {
        return -ENOMEM;
    }
    line->data = data;
    line->mapped = capacity > LONG ? capacity : 0;
    return 0;
}

void
wire_line_free(struct wire_line *line)
{
    if (line->mapped > 0) {
        (void)munmap(line->data, line->mapped);
    } else {
        free(line->data);
    }
    *line = (struct wire_line){0};
}
