/* See utf8.h. */
#include "ctl/wire/utf8.h"

#include <string.h>

size_t
wire_utf8_size(const char *text)
{
    const unsigned char *byte = (const unsigned char *)text;
    unsigned char lowest = 0x80, highest = 0xbf;
    size_t size;

    if (byte[0] < 0x80) {
        return 1;
    }
    if (byte[0] >= 0xc2 && byte[0] <= 0xdf) {
        size = 2;
    } else if (byte[0] >= 0xe0 && byte[0] <= 0xef) {
        size = 3;
        lowest = byte[0] == 0xe0 ? 0xa0 : 0x80;
        highest = byte[0] == 0xed ? 0x9f : 0xbf;
    } else if (byte[0] >= 0xf0 && byte[0] <= 0xf4) {
        size = 4;
        lowest = byte[0] == 0xf0 ? 0x90 : 0x80;
        highest = byte[0] == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (byte[1] < lowest || byte[1] > highest) {
        return 0;
    }
    /* A NUL is no continuation byte, so this never reads past the end. */
    for (size_t i = 2; i < size; i++) {
        if ((byte[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return size;
}

uint32_t
wire_utf8_decode(const char *text, size_t size)
{
    const unsigned char *byte = (const unsigned char *)text;
    static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t point = byte[0] & mask[size];
    for (size_t i = 1; i < size; i++) {
        point = point << 6 | (byte[i] & 0x3fu);
    }
    return point;
}

/* Behind what is ASCII and no NUL, by eight bytes. */
static const char *
skip_ascii(const char *text, const char *end)
{
    const uint64_t high = 0x8080808080808080u, one = 0x0101010101010101u;
    while (end - text >= 8) {
        uint64_t bytes;
        memcpy(&bytes, text, sizeof bytes);
        if (((bytes | (bytes - one)) & high) != 0) {
            break;
        }
        text += 8;
    }
    return text;
}

bool
wire_utf8_valid(const char *text, size_t length)
{
    const char *end = text + length;
    while (text < end) {
        text = skip_ascii(text, end);
        if (text == end) {
            break;
        }
        size_t size = wire_utf8_size(text);
        if (size == 0 || *text == '\0') {
            return false;
        }
        text += size;
    }
    return true;
}

bool
wire_utf8_is_unsafe(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0xad ||
           point == 0x61c || (point >= 0x200b && point <= 0x200f) ||
           (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2060 && point <= 0x206f) || point == 0xfeff ||
           (point >= 0xfff9 && point <= 0xfffb) ||
           (point >= 0xe0000 && point <= 0xe007f);
}
