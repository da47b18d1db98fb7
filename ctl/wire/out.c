/* See out.h. Numbers are written as exact integers; a decimal point is a
 * point in every locale, as the service may have set one.
 */
#include "ctl/wire/out.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/wire/utf8.h"

void
wire_out_init(struct wire_out *out, size_t max)
{
    *out = (struct wire_out){.max = max};
}

void
wire_out_done(struct wire_out *out)
{
    if (out != NULL) {
        wire_line_free(&out->line);
        *out = (struct wire_out){.max = out->max};
    }
}

/* Room for SIZE bytes more and two for the line's end; whether there is. */
static bool
grow(struct wire_out *out, size_t size)
{
    size_t capacity = out->capacity == 0 ? 512 : out->capacity;
    if (out->status != 0) {
        return false;
    }
    if (size > out->max || out->line.length > out->max - size) {
        out->status = -EMSGSIZE;
        return false;
    }
    while (capacity < out->line.length + size + 2) {
        capacity *= 2;
    }
    if (capacity > out->capacity) {
        out->status = wire_line_grow(&out->line, capacity);
        if (out->status != 0) {
            return false;
        }
        out->capacity = capacity;
    }
    return true;
}

/* What there is room for may still be over the limit, or follow what did not
 * go in. */
static bool
has_room(const struct wire_out *out, size_t size)
{
    return out->status == 0 && size <= out->max &&
           out->line.length <= out->max - size &&
           out->line.length + size + 2 <= out->capacity;
}

static void
append(struct wire_out *out, const char *bytes, size_t size)
{
    if (!has_room(out, size) && !grow(out, size)) {
        return;
    }
    memcpy(out->line.data + out->line.length, bytes, size);
    out->line.length += size;
}

int
wire_out_line(struct wire_out *out, struct wire_line *ret_line)
{
    append(out, "", 0); /* an empty buffer gets its memory */
    int status = out->status;
    if (status == 0) {
        /* append() left room for these two. */
        out->line.data[out->line.length++] = '\n';
        out->line.data[out->line.length] = '\0';
        *ret_line = out->line;
        out->line = (struct wire_line){0};
    }
    wire_out_done(out);
    return status;
}

/* Every value and key passes here, so a comma is due after whatever ended. */
static void
separate(struct wire_out *out)
{
    char last = ',';
    if (out->line.length > 0) {
        last = out->line.data[out->line.length - 1];
    }
    if (last != '{' && last != '[' && last != ':' && last != ',') {
        append(out, ",", 1);
    }
}

void
wire_out_open(struct wire_out *out, char bracket)
{
    separate(out);
    append(out, &bracket, 1);
}

void
wire_out_close(struct wire_out *out, char bracket)
{
    append(out, &bracket, 1);
}

void
wire_out_raw(struct wire_out *out, const char *json)
{
    separate(out);
    append(out, json, strlen(json));
}

static void
append_escaped(struct wire_out *out, uint32_t point)
{
    static const char short_form[] = "\b\t\n\f\r\"\\";
    static const char letter[] = "btnfr\"\\";
    char text[16];
    const char *found = point < 0x80 ? strchr(short_form, (int)point) : NULL;
    if (point != 0 && found != NULL) {
        (void)snprintf(text, sizeof text, "\\%c", letter[found - short_form]);
    } else if (point < 0x10000) {
        (void)snprintf(text, sizeof text, "\\u%04" PRIx32, point);
    } else {
        (void)snprintf(text, sizeof text, "\\u%04" PRIx32 "\\u%04" PRIx32,
                       0xd800 + ((point - 0x10000) >> 10),
                       0xdc00 + ((point - 0x10000) & 0x3ff));
    }
    append(out, text, strlen(text));
}

/* Whether it is written as it is, by itself. */
static bool
is_plain(char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* LENGTH bytes of TEXT that need no escapes, in quotes, and END after them,
 * in one step. */
static void
append_quoted(struct wire_out *out, const char *text, size_t length,
              const char *end)
{
    size_t rest = strlen(end);
    size_t size = length + rest + 2;
    char *at;
    separate(out);
    if (!has_room(out, size) && !grow(out, size)) {
        return;
    }
    at = out->line.data + out->line.length;
    *at++ = '"';
    at = mempcpy(at, text, length);
    *at++ = '"';
    memcpy(at, end, rest + 1); /* a NUL has room, as everywhere */
    out->line.length += size;
}

void
wire_out_string(struct wire_out *out, const char *string)
{
    const char *plain = string;
    if (string == NULL) {
        wire_out_raw(out, "null");
        return;
    }
    while (is_plain(*string)) {
        string++;
    }
    if (*string == '\0') {
        append_quoted(out, plain, (size_t)(string - plain), "");
        return;
    }
    separate(out);
    append(out, "\"", 1);
    for (;;) {
        while (is_plain(*string)) {
            string++;
        }
        if (*string == '\0') {
            break;
        }
        unsigned char byte = (unsigned char)*string;
        size_t size = byte < 0x80 ? 1 : wire_utf8_size(string);
        uint32_t point = size > 1 ? wire_utf8_decode(string, size) : byte;
        /* A terminal may be where it is read. */
        if (size > 1 && !wire_utf8_is_unsafe(point)) {
            string += size;
            continue;
        }
        append(out, plain, (size_t)(string - plain));
        if (size == 0) {
            append(out, "\xef\xbf\xbd", 3);
            size = 1;
        } else {
            append_escaped(out, point);
        }
        string += size;
        plain = string;
    }
    append(out, plain, (size_t)(string - plain));
    append(out, "\"", 1);
}

void
wire_out_key(struct wire_out *out, const char *key)
{
    append_quoted(out, key, strlen(key), ":");
}

void
wire_out_bool(struct wire_out *out, bool value)
{
    wire_out_raw(out, value ? "true" : "false");
}

static void
append_digits(struct wire_out *out, uint64_t value)
{
    char text[20];
    char *digit = text + sizeof text;
    do {
        *--digit = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    append(out, digit, (size_t)(text + sizeof text - digit));
}

void
wire_out_i64(struct wire_out *out, int64_t value)
{
    separate(out);
    if (value < 0) {
        append(out, "-", 1);
        append_digits(out, -(uint64_t)value);
    } else {
        append_digits(out, (uint64_t)value);
    }
}

void
wire_out_u64(struct wire_out *out, uint64_t value)
{
    separate(out);
    append_digits(out, value);
}

void
wire_out_double(struct wire_out *out, double value)
{
    char text[40];
    if (!isfinite(value)) {
        wire_out_raw(out, "null");
        return;
    }
    (void)snprintf(text, sizeof text, "%.15g", value);
    size_t plain = strspn(text, "0123456789+-e");
    if (text[plain] != '\0') {
        /* The locale's decimal point, of whatever bytes, is what is left. */
        size_t rest = strcspn(text + plain, "0123456789");
        text[plain] = '.';
        memmove(text + plain + 1, text + plain + rest,
                strlen(text + plain + rest) + 1);
    }
    wire_out_raw(out, text);
}
