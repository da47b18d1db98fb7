/* What may be a module's name or a value in a set, wherever text comes in.
 *
 * Bytes from an operator end in JSON, in a log line and in a file of lines:
 * so they must be UTF-8 without control characters. Plain C; any thread.
 */
#ifndef LAZYCORE_NAMES_H
#define LAZYCORE_NAMES_H

#include <stdbool.h>

/* Valid UTF-8, no control character. */
bool names_is_text(const char *text);
/* Identifiers joined by dots; every byte above 127 counts as a letter. */
bool names_is_dotted(const char *text);
/* Whether two dotted names begin with the same one. */
bool names_share_package(const char *a, const char *b);
/* Whether NAME is that of a module in PACKAGE, at any depth. */
bool names_is_below(const char *name, const char *package);
/* One identifier. */
bool names_is_top_level(const char *text);

#endif
