/* See text.h. */
#include "ctl/text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/wire/utf8.h"

enum { LINE_WIDTH = 78, ESCAPE_MAX = 10 };

/* One character as shown; the bytes of STRING it took. */
static size_t
escape_one(const char *string, char text[ESCAPE_MAX + 1])
{
    size_t size = wire_utf8_size(string);
    if (size == 0) {
        (void)snprintf(text, ESCAPE_MAX + 1, "\\x%02x",
                       (unsigned)(unsigned char)*string);
        return 1;
    }
    uint32_t point = wire_utf8_decode(string, size);
    if (!wire_utf8_is_unsafe(point)) {
        memcpy(text, string, size);
        text[size] = '\0';
    } else if (point == '\n' || point == '\t' || point == '\r') {
        (void)snprintf(text, ESCAPE_MAX + 1, "\\%c",
                       point == '\n'   ? 'n'
                       : point == '\t' ? 't'
                                       : 'r');
    } else if (point < 0x100) {
        (void)snprintf(text, ESCAPE_MAX + 1, "\\x%02" PRIx32, point);
    } else if (point < 0x10000) {
        (void)snprintf(text, ESCAPE_MAX + 1, "\\u%04" PRIx32, point);
    } else {
        (void)snprintf(text, ESCAPE_MAX + 1, "\\U%08" PRIx32, point);
    }
    return size;
}

char *
text_escape(const char *string)
{
    char *escaped = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&escaped, &length);
    if (stream == NULL) {
        return NULL;
    }
    text_put(stream, string);
    if (fclose(stream) != 0) {
        free(escaped);
        return NULL;
    }
    return escaped;
}

size_t
text_width(const char *escaped)
{
    size_t width = 0;
    for (; *escaped != '\0'; escaped++) {
        width += ((unsigned char)*escaped & 0xc0) != 0x80;
    }
    return width;
}

void
text_put(FILE *stream, const char *string)
{
    char text[ESCAPE_MAX + 1];
    if (string == NULL) {
        string = "-";
    }
    while (*string != '\0') {
        string += escape_one(string, text);
        (void)fputs(text, stream);
    }
}

/* An escape of JSON for POINT, as a pair where it takes two. */
static void
put_json_escape(FILE *stream, uint32_t point)
{
    if (point >= 0x10000) {
        (void)fprintf(stream, "\\u%04" PRIx32,
                      0xd7c0 + (point >> 10)); /* 0xd800 - (0x10000 >> 10) */
        point = 0xdc00 + (point & 0x3ff);
    }
    (void)fprintf(stream, "\\u%04" PRIx32, point);
}

void
text_put_json(FILE *stream, const char *json, size_t length)
{
    const char *end = json + length;
    const char *safe = json; /* to be written as it is, from here on */
    while (json < end) {
        size_t size = wire_utf8_size(json);
        uint32_t point = size > 0 ? wire_utf8_decode(json, size) : 0;
        if (!wire_utf8_is_unsafe(point)) {
            json += size;
            continue;
        }
        (void)fwrite(safe, 1, (size_t)(json - safe), stream);
        if (point < 0x20) { /* between values: in them it is an escape */
            (void)fputc(' ', stream);
        } else {
            put_json_escape(stream, point);
        }
        json += size > 0 ? size : 1;
        safe = json;
    }
    (void)fwrite(safe, 1, (size_t)(end - safe), stream);
}

void
text_put_lines(FILE *stream, const char *prefix, const char *string)
{
    char text[ESCAPE_MAX + 1];
    while (*string != '\0') {
        (void)fputs(prefix, stream);
        while (*string != '\0' && *string != '\n') {
            string += escape_one(string, text);
            (void)fputs(text, stream);
        }
        (void)fputc('\n', stream);
        string += *string == '\n';
    }
}

void
text_put_names(FILE *stream, int indent, const char *const *names,
               size_t count)
{
    size_t column = 0;
    for (size_t i = 0; i < count; i++) {
        char *escaped = text_escape(names[i]);
        const char *shown = escaped != NULL ? escaped : "?";
        size_t width = text_width(shown) + (i + 1 < count);
        if (column > 0 && column + 1 + width > LINE_WIDTH) {
            (void)fputc('\n', stream);
            column = 0;
        }
        if (column == 0) {
            (void)fprintf(stream, "%*s", indent, "");
            column = (size_t)indent;
        } else {
            (void)fputc(' ', stream);
            column++;
        }
        (void)fprintf(stream, "%s%s", shown, i + 1 < count ? "," : "");
        column += width;
        free(escaped);
    }
    if (count > 0) {
        (void)fputc('\n', stream);
    }
}

const char *
text_time(uint64_t ns, char text[TEXT_UNIT_SIZE])
{
    uint64_t seconds = ns / 1000000000u;
    if (seconds < 1) {
        (void)snprintf(text, TEXT_UNIT_SIZE, "%.2f ms", (double)ns / 1e6);
    } else if (seconds < 60) {
        (void)snprintf(text, TEXT_UNIT_SIZE, "%.2f s", (double)ns / 1e9);
    } else if (seconds < 3600) {
        (void)snprintf(text, TEXT_UNIT_SIZE, "%" PRIu64 " min %02" PRIu64 " s",
                       seconds / 60, seconds % 60);
    } else if (seconds < 86400) {
        (void)snprintf(text, TEXT_UNIT_SIZE, "%" PRIu64 " h %02" PRIu64 " min",
                       seconds / 3600, seconds / 60 % 60);
    } else {
        (void)snprintf(text, TEXT_UNIT_SIZE, "%" PRIu64 " d %02" PRIu64 " h",
                       seconds / 86400, seconds / 3600 % 24);
    }
    return text;
}

const char *
text_bytes(int64_t bytes, char text[TEXT_UNIT_SIZE])
{
    double size = (double)bytes;
    double magnitude = size < 0 ? -size : size;
    if (magnitude < 1024) {
        (void)snprintf(text, TEXT_UNIT_SIZE, "%" PRId64 " B", bytes);
    } else if (magnitude < 1024.0 * 1024) {
        (void)snprintf(text, TEXT_UNIT_SIZE, "%.1f KiB", size / 1024);
    } else {
        (void)snprintf(text, TEXT_UNIT_SIZE, "%.1f MiB",
                       size / (1024.0 * 1024));
    }
    return text;
}

const char *
text_known_bytes(int64_t bytes, char text[TEXT_UNIT_SIZE])
{
    if (bytes >= 0) {
        return text_bytes(bytes, text);
    }
    (void)snprintf(text, TEXT_UNIT_SIZE, "?");
    return text;
}
