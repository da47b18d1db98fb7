/* What is UTF-8 and what is not (RFC 3629): no overlong forms, no
 * surrogates, nothing above U+10FFFF. Any thread.
 */
#ifndef WIRE_UTF8_H
#define WIRE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at TEXT, which a NUL ends; 0: not UTF-8. A NUL
 * itself is a character of one byte. */
size_t wire_utf8_size(const char *text);
/* The code point of a character that wire_utf8_size accepted. */
uint32_t wire_utf8_decode(const char *text, size_t size);
/* Whether LENGTH bytes are UTF-8 without NUL. TEXT[LENGTH] must be NUL. */
bool wire_utf8_valid(const char *text, size_t length);
/* Whether POINT is something that a terminal acts on, or that hides what comes
 * after it: controls, marks of direction, what has no width. */
bool wire_utf8_is_unsafe(uint32_t point);

#endif
