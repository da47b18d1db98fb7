/* Text for a terminal: escaping, units, wrapping.
 *
 * Names and messages come from a service and may hold anything; what could
 * steer a terminal or turn the reading direction is shown as an escape.
 * One thread.
 */
#ifndef CTL_TEXT_H
#define CTL_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TEXT_UNIT_SIZE = 32 };

/* A printable copy, malloc'd, or NULL on lack of memory. NULL gives "-". */
char *text_escape(const char *string);
/* Columns that an escaped text takes. */
size_t text_width(const char *escaped);

/* Write STRING escaped. */
void text_put(FILE *stream, const char *string);
/* Write LENGTH bytes of valid JSON on one line; what is unsafe as an escape of
 * JSON, so that it means what it meant. */
void text_put_json(FILE *stream, const char *json, size_t length);
/* Write a text of many lines escaped, each after PREFIX. */
void text_put_lines(FILE *stream, const char *prefix, const char *string);
/* Write names with ", " between them in lines of 78 columns, each after
 * INDENT spaces. */
void text_put_names(FILE *stream, int indent, const char *const *names,
                    size_t count);

/* "1.23 ms", "4.56 s", "2 h 03 min". */
const char *text_time(uint64_t ns, char text[TEXT_UNIT_SIZE]);
/* "1.2 MiB", "300 KiB", "12 B"; with its sign. */
const char *text_bytes(int64_t bytes, char text[TEXT_UNIT_SIZE]);
/* As above, "?" where negative, which means unknown. */
const char *text_known_bytes(int64_t bytes, char text[TEXT_UNIT_SIZE]);

#endif
