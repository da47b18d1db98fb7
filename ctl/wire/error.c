/* See error.h. */
#include "ctl/wire/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *kind, *meaning;
    int code;
} table[] = {
#define WIRE_ERROR(id, kind, code, meaning) {(kind), (meaning), (code)},
#include "ctl/wire/errors.def"
#undef WIRE_ERROR
};

int
wire_error_code(enum wire_error_id id)
{
    return table[id].code;
}

const char *
wire_error_kind(enum wire_error_id id)
{
    return table[id].kind;
}

const char *
wire_error_meaning(enum wire_error_id id)
{
    return table[id].meaning;
}

enum wire_error_id
wire_error_find(const char *kind)
{
    for (unsigned i = 0; i < WIRE_ERRORS; i++) {
        if (strcmp(table[i].kind, kind) == 0) {
            return (enum wire_error_id)i;
        }
    }
    return WIRE_ERRORS;
}

static void
fill(struct wire_error *error, enum wire_error_id id)
{
    error->code = table[id].code;
    (void)snprintf(error->kind, sizeof error->kind, "%s", table[id].kind);
}

int
wire_error_set(struct wire_error *error, enum wire_error_id id,
               const char *format, ...)
{
    if (error == NULL || error->code != 0) {
        return -1;
    }
    fill(error, id);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return -1;
}

int
wire_error_from(struct wire_error *error, const char *kind, const char *text,
                const char *traceback)
{
    if (error == NULL || error->code != 0) {
        return -1;
    }
    enum wire_error_id id = wire_error_find(kind);
    if (id == WIRE_ERRORS) {
        id = WIRE_ERROR_INTERNAL;
    }
    fill(error, id);
    (void)snprintf(error->text, sizeof error->text, "%s",
                   text != NULL ? text : table[id].meaning);
    error->traceback = traceback;
    return -1;
}
