/* Checks of names and text that come from outside; see names.h. */
#include "lazycore/names.h"

#include <stddef.h>
#include <string.h>

/* Length of the UTF-8 character at TEXT, 0 where there is none. Overlong
 * forms and surrogates are refused, as JSON readers do. */
static size_t
character_length(const unsigned char *text)
{
    unsigned char lead = text[0];
    size_t length;
    unsigned low = 0x80, high = 0xBF;

    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        length = 2;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        length = 3;
        low = lead == 0xE0 ? 0xA0 : low;
        high = lead == 0xED ? 0x9F : high;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        length = 4;
        low = lead == 0xF0 ? 0x90 : low;
        high = lead == 0xF4 ? 0x8F : high;
    } else {
        return 0;
    }
    if (text[1] < low || text[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

bool
names_is_text(const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;

    while (*bytes != '\0') {
        size_t length = character_length(bytes);
        if (length == 0 || *bytes < 0x20 || *bytes == 0x7F) {
            return false;
        }
        bytes += length;
    }
    return true;
}

static bool
is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           byte == '_' || (unsigned char)byte >= 0x80;
}

bool
names_is_dotted(const char *text)
{
    bool start = true;

    if (!names_is_text(text)) {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text == '.' && !start) {
            start = true;
        } else if (is_letter(*text) ||
                   (!start && *text >= '0' && *text <= '9')) {
            start = false;
        } else {
            return false;
        }
    }
    return !start;
}

bool
names_is_top_level(const char *text)
{
    return strchr(text, '.') == NULL && names_is_dotted(text);
}

bool
names_share_package(const char *a, const char *b)
{
    size_t size = strcspn(a, ".");

    return strcspn(b, ".") == size && strncmp(a, b, size) == 0;
}

bool
names_is_below(const char *name, const char *package)
{
    size_t length = strlen(package);

    return strncmp(name, package, length) == 0 && name[length] == '.';
}
