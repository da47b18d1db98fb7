/* What went wrong, as it travels: code, stable kind, text, traceback.
 *
 * One table (errors.def) gives each kind its code. Strings that are pointers
 * are borrowed: the daemon keeps them alive until the reply is written, a
 * reader's live as long as its document. Any thread.
 */
#ifndef WIRE_ERROR_H
#define WIRE_ERROR_H

#include <stddef.h>

enum wire_error_id {
#define WIRE_ERROR(id, kind, code, meaning) WIRE_ERROR_##id,
#include "ctl/wire/errors.def"
#undef WIRE_ERROR
    WIRE_ERRORS
};

struct wire_error {
    int code; /* 0: no error */
    char kind[32];
    char text[768];
    char param[64];        /* the parameter at fault, or "" */
    const char *traceback; /* borrowed, or NULL */
};

/* Fill ERROR unless it is filled already. Always returns -1. */
int wire_error_set(struct wire_error *error, enum wire_error_id id,
                   const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a kind string, as lazycore gives it; a kind that the table
 * lacks becomes "internal". TRACEBACK may be NULL; it is borrowed. */
int wire_error_from(struct wire_error *error, const char *kind,
                    const char *text, const char *traceback);

int wire_error_code(enum wire_error_id id);
const char *wire_error_kind(enum wire_error_id id);
const char *wire_error_meaning(enum wire_error_id id);
/* WIRE_ERRORS where no row has that kind. */
enum wire_error_id wire_error_find(const char *kind);

#endif
