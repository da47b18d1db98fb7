/* See scan.h. Recursive, to the depth it is allowed. */
#include "ctl/wire/scan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct scanner {
    const char *text, *at;
    int depth, depth_max;
    size_t values_max;
    struct wire_scan *scan;
};

static bool value(struct scanner *s);

static bool
fault(struct scanner *s, const char *what)
{
    if (s->scan->fault == NULL) {
        s->scan->fault = what;
        s->scan->offset = (size_t)(s->at - s->text);
    }
    return false;
}

static void
space(struct scanner *s)
{
    while (*s->at == ' ' || *s->at == '\t' || *s->at == '\r' ||
           *s->at == '\n') {
        s->at++;
    }
}

static bool
digits(struct scanner *s)
{
    size_t count = strspn(s->at, "0123456789");
    s->at += count;
    return count > 0 || fault(s, "a digit is missing");
}

static bool
number(struct scanner *s)
{
    if (*s->at == '-') {
        s->at++;
    }
    if (*s->at == '0') {
        s->at++;
    } else if (!digits(s)) {
        return false;
    }
    if (*s->at == '.') {
        s->at++;
        if (!digits(s)) {
            return false;
        }
    }
    if (*s->at == 'e' || *s->at == 'E') {
        s->at++;
        if (*s->at == '+' || *s->at == '-') {
            s->at++;
        }
        return digits(s);
    }
    return true;
}

static bool
hex4(struct scanner *s, unsigned *ret_unit)
{
    static const char lower[] = "0123456789abcdef";
    unsigned unit = 0;
    for (int i = 0; i < 4; i++) {
        char c = *s->at;
        if (c >= 'A' && c <= 'F') {
            c = (char)(c - 'A' + 'a');
        }
        const char *digit = c != '\0' ? strchr(lower, c) : NULL;
        if (digit == NULL) {
            return fault(s, "'\\u' needs four hexadecimal digits");
        }
        unit = unit << 4 | (unsigned)(digit - lower);
        s->at++;
    }
    *ret_unit = unit;
    return true;
}

static bool
escape(struct scanner *s)
{
    unsigned unit = 0;
    char letter = *++s->at;
    if (letter != 'u') {
        if (letter == '\0' || strchr("\"\\/bfnrt", letter) == NULL) {
            return fault(s, "no such escape in a string");
        }
        s->at++;
        return true;
    }
    s->at++;
    if (!hex4(s, &unit)) {
        return false;
    }
    if (unit == 0) {
        return fault(s, "a string holds a NUL");
    }
    if (unit >= 0xd800 && unit <= 0xdbff) {
        unsigned low = 0;
        if (s->at[0] != '\\' || s->at[1] != 'u') {
            return fault(s, "half of a surrogate pair");
        }
        s->at += 2;
        if (!hex4(s, &low)) {
            return false;
        }
        return (low >= 0xdc00 && low <= 0xdfff) ||
               fault(s, "half of a surrogate pair");
    }
    return unit < 0xdc00 || unit > 0xdfff ||
           fault(s, "half of a surrogate pair");
}

static bool
is_plain(char byte)
{
    return (unsigned char)byte >= 0x20 && byte != '"' && byte != '\\';
}

static bool
string(struct scanner *s)
{
    if (*s->at != '"') {
        return fault(s, "a string is missing");
    }
    s->at++;
    for (;;) {
        while (is_plain(*s->at)) {
            s->at++;
        }
        if (*s->at == '"') {
            break;
        }
        if (*s->at == '\\') {
            if (!escape(s)) {
                return false;
            }
        } else if (*s->at == '\0') {
            return fault(s, "a string does not end");
        } else {
            return fault(s, "a control character in a string");
        }
    }
    s->at++;
    return true;
}

static bool
member(struct scanner *s)
{
    struct wire_member found = {.key = s->at + 1};
    if (!string(s)) {
        return false;
    }
    found.key_length = (size_t)(s->at - 1 - found.key);
    space(s);
    if (*s->at != ':') {
        return fault(s, "':' is missing");
    }
    s->at++;
    space(s);
    found.value = s->at;
    if (!value(s)) {
        return false;
    }
    found.value_length = (size_t)(s->at - found.value);
    if (s->depth == 1) {
        struct wire_scan *scan = s->scan;
        if (scan->member_count < WIRE_MEMBERS_MAX) {
            scan->members[scan->member_count] = found;
        }
        scan->member_count++;
    }
    return true;
}

/* What stands between two brackets. */
static bool
items(struct scanner *s, bool (*item)(struct scanner *), char end)
{
    if (++s->depth > s->depth_max) {
        return fault(s, "nested too deeply");
    }
    s->at++;
    space(s);
    if (*s->at != end) {
        for (;;) {
            if (!item(s)) {
                return false;
            }
            space(s);
            if (*s->at == end) {
                break;
            }
            if (*s->at != ',') {
                return fault(s, "',' or a closing bracket is missing");
            }
            s->at++;
            space(s);
        }
    }
    s->at++;
    s->depth--;
    return true;
}

static bool
word(struct scanner *s, const char *expected)
{
    size_t length = strlen(expected);
    if (strncmp(s->at, expected, length) != 0) {
        return fault(s, "no such word in JSON");
    }
    s->at += length;
    return true;
}

static bool
value(struct scanner *s)
{
    if (++s->scan->value_count > s->values_max) {
        return fault(s, "too many values");
    }
    switch (*s->at) {
    case '{':
        return items(s, member, '}');
    case '[':
        return items(s, value, ']');
    case '"':
        return string(s);
    case 't':
        return word(s, "true");
    case 'f':
        return word(s, "false");
    case 'n':
        return word(s, "null");
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return number(s);
    default:
        return fault(s, "a value is missing");
    }
}

int
wire_scan_few(const char *text, size_t length, int depth_max,
              size_t values_max, struct wire_scan *ret_scan)
{
    *ret_scan = (struct wire_scan){0};
    struct scanner s = {.text = text,
                        .at = text,
                        .depth_max = depth_max,
                        .values_max = values_max,
                        .scan = ret_scan};
    space(&s);
    ret_scan->type = *s.at;
    if (*s.at == '-' || (*s.at >= '1' && *s.at <= '9')) {
        ret_scan->type = '0';
    }
    if (!value(&s)) {
        return ret_scan->value_count > values_max ? -E2BIG : -EBADMSG;
    }
    space(&s);
    if ((size_t)(s.at - text) != length) {
        (void)fault(&s, "something follows the value");
        return -EBADMSG;
    }
    return 0;
}

int
wire_scan(const char *text, size_t length, int depth_max,
          struct wire_scan *ret_scan)
{
    return wire_scan_few(text, length, depth_max, SIZE_MAX, ret_scan);
}

const struct wire_member *
wire_scan_find(const struct wire_scan *scan, const char *key)
{
    size_t length = strlen(key);
    size_t count = scan->member_count < WIRE_MEMBERS_MAX ? scan->member_count
                                                         : WIRE_MEMBERS_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct wire_member *found = &scan->members[i];
        if (found->key_length == length &&
            memcmp(found->key, key, length) == 0) {
            return found;
        }
    }
    return NULL;
}
