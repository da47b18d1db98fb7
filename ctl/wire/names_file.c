/* See names_file.h. */
#include "ctl/wire/names_file.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
wire_name_is_valid(const char *name)
{
    static const char signs[] = "\"'`/\\*?[]{}()<>|;&$!#,:=";
    bool begun = false;
    if (strlen(name) > WIRE_NAME_BYTES) {
        return false;
    }
    for (const char *c = name; *c != '\0'; c++) {
        if (*c == '.') {
            if (!begun) {
                return false;
            }
            begun = false;
        } else if ((unsigned char)*c <= ' ' || *c == 0x7f ||
                   strchr(signs, *c) != NULL) {
            return false;
        } else {
            begun = true;
        }
    }
    return begun;
}

int
wire_names_add(struct wire_names *names, const char *name)
{
    size_t count = names->count;
    if ((count & (count - 1)) == 0) {
        char **grown = realloc(names->items,
                               (count == 0 ? 1 : 2 * count) * sizeof *grown);
        if (grown == NULL) {
            return -ENOMEM;
        }
        names->items = grown;
    }
    names->items[count] = strdup(name);
    if (names->items[count] == NULL) {
        return -ENOMEM;
    }
    names->count++;
    return 0;
}

static int
compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void
keep(void *unused)
{
    (void)unused;
}

/* One line without its end. 0 or negative errno with TEXT. */
static int
add_line(char *line, struct wire_names *names, void **seen, char text[512])
{
    char *name = line + strspn(line, " \t\r\n\f\v");
    name[strcspn(name, "#")] = '\0';
    for (size_t n = strlen(name); n > 0 && strchr(" \t\r\n\f\v", name[n - 1]);
         n--) {
        name[n - 1] = '\0';
    }
    if (*name == '\0' || tfind(name, seen, compare) != NULL) {
        return 0;
    }
    if (!wire_name_is_valid(name)) {
        (void)snprintf(text, 512,
                       "'%.100s' is no module's name: write one dotted name a "
                       "line",
                       name);
        return -EINVAL;
    }
    if (names->count == WIRE_NAMES_MAX) {
        (void)snprintf(text, 512, "there are more than %d names",
                       (int)WIRE_NAMES_MAX);
        return -E2BIG;
    }
    if (wire_names_add(names, name) != 0 ||
        tsearch(names->items[names->count - 1], seen, compare) == NULL) {
        (void)snprintf(text, 512, "no memory");
        return -ENOMEM;
    }
    return 0;
}

static int
read_lines(FILE *file, struct wire_names *names, int *ret_line, char text[512])
{
    char *line = NULL;
    void *seen = NULL;
    size_t size = 0;
    ssize_t length;
    int status = 0;
    while (status == 0 && (length = getline(&line, &size, file)) >= 0) {
        (*ret_line)++;
        if (strlen(line) != (size_t)length) {
            (void)snprintf(text, 512, "it has a byte 0: this is no text");
            status = -EINVAL;
        } else {
            status = add_line(line, names, &seen, text);
        }
    }
    if (status == 0 && ferror(file)) {
        *ret_line = 0;
        status = errno != 0 ? -errno : -EIO;
        (void)snprintf(text, 512, "%s", strerror(-status));
    }
    free(line);
    tdestroy(seen, keep);
    return status;
}

int
wire_names_read(const char *path, struct wire_names *ret_names, char text[512])
{
    struct wire_names names = {0};
    char why[512];
    int line = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        int status = -errno;
        (void)snprintf(text, 512, "cannot open '%.300s': %s", path,
                       strerror(-status));
        return status;
    }
    int status = read_lines(file, &names, &line, why);
    (void)fclose(file);
    if (status != 0) {
        wire_names_done(&names);
        (void)snprintf(text, 512, "'%.200s' line %d: %.200s", path, line, why);
        return status;
    }
    *ret_names = names;
    return 0;
}

void
wire_names_done(struct wire_names *names)
{
    while (names->count > 0) {
        free(names->items[--names->count]);
    }
    free(names->items);
    names->items = NULL;
}
