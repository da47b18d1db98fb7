/* Filling, releasing and naming errors.
 *
 * Responsible for: the first cause winning, text that fits, stable kind
 * strings. Leaves to callers what to do with an error; the translation of
 * Python exceptions is the engine's. Any thread.
 */
#include "lazycore/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_strings[LZ_ERROR_COUNT] = {
#define LZ_ERROR(id, string, meaning) [LZ_ERROR_##id] = (string),
    LZ_ERROR_TABLE(LZ_ERROR)
#undef LZ_ERROR
};

/* Cut at a whole UTF-8 character: the text travels as JSON. */
static void
trim_to_character(char *text)
{
    size_t length = strlen(text);
    size_t start = length;

    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) {
        start--;
    }
    if (start == 0) {
        return;
    }
    unsigned char lead = (unsigned char)text[start - 1];
    size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (need > 1 && length - (start - 1) < need) {
        text[start - 1] = '\0';
    }
}

static void format_text(struct lz_error *error, const char *format,
                        va_list args) __attribute__((format(printf, 2, 0)));

static void
format_text(struct lz_error *error, const char *format, va_list args)
{
    int length = vsnprintf(error->text, sizeof(error->text), format, args);

    if (length < 0) {
        error->text[0] = '\0';
    } else if ((size_t)length >= sizeof(error->text)) {
        trim_to_character(error->text);
    }
}

int
lz_error_set(struct lz_error *error, enum lz_error_kind kind,
             const char *format, ...)
{
    if (error != NULL && error->kind == LZ_ERROR_NONE) {
        va_list args;

        error->kind = kind;
        va_start(args, format);
        format_text(error, format, args);
        va_end(args);
    }
    return -1;
}

int
lz_error_set_errno(struct lz_error *error, int errno_value, const char *format,
                   ...)
{
    if (error == NULL || error->kind != LZ_ERROR_NONE) {
        return -1;
    }
    int positive = errno_value < 0 ? -errno_value : errno_value;
    va_list args;
    error->kind = positive == ENOMEM ? LZ_ERROR_NO_MEMORY : LZ_ERROR_IO;
    va_start(args, format);
    format_text(error, format, args);
    va_end(args);

    char buffer[128];
    size_t used = strlen(error->text);
    int length =
        snprintf(error->text + used, sizeof(error->text) - used, ": %s",
                 strerror_r(positive, buffer, sizeof(buffer)));
    if (length >= 0 && (size_t)length >= sizeof(error->text) - used) {
        trim_to_character(error->text);
    }
    return -1;
}

void
lz_error_done(struct lz_error *error)
{
    if (error == NULL) {
        return;
    }
    free(error->traceback);
    error->traceback = NULL;
    error->kind = LZ_ERROR_NONE;
    error->text[0] = '\0';
}

const char *
lz_error_kind_string(enum lz_error_kind kind)
{
    if ((unsigned)kind >= LZ_ERROR_COUNT) {
        return kind_strings[LZ_ERROR_INTERNAL];
    }
    return kind_strings[kind];
}
