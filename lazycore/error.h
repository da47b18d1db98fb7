/* What went wrong, in words for a person and a stable kind for a program.
 *
 * Filled once, where the cause is known; a function logs or returns, never
 * both. The text is lower case without a full stop, its subject in single
 * quotes, and says what to do. Plain C; any thread.
 */
#ifndef LAZYCORE_ERROR_H
#define LAZYCORE_ERROR_H

/* LZ_ERROR(identifier, kind string seen on the wire, meaning) */
#define LZ_ERROR_TABLE(LZ_ERROR)                                              \
    LZ_ERROR(NONE, "none", "no error")                                        \
    LZ_ERROR(INTERNAL, "internal", "a fault of lazyd itself")                 \
    LZ_ERROR(NO_MEMORY, "no_memory", "an allocation failed")                  \
    LZ_ERROR(INVALID, "invalid_argument", "an argument makes no sense")       \
    LZ_ERROR(NO_SUCH_MODULE, "no_such_module", "no module has that name")     \
    LZ_ERROR(NO_SUCH_RULE, "no_such_rule", "the ignore set lacks that entry") \
    LZ_ERROR(LOAD_FAILED, "load_failed", "the module's code raised")          \
    LZ_ERROR(REFUSED, "refused", "this module cannot be reloaded")            \
    LZ_ERROR(BUSY, "busy", "the deadline passed while waiting")               \
    LZ_ERROR(DENIED, "denied", "this peer may not do that")                   \
    LZ_ERROR(NOT_READY, "not_ready", "the service has not begun")             \
    LZ_ERROR(STOPPING, "stopping", "lazyd is going down")                     \
    LZ_ERROR(LIMIT, "limit", "a limit was reached")                           \
    LZ_ERROR(IO, "io", "the operating system refused")

enum lz_error_kind {
#define LZ_ERROR(id, string, meaning) LZ_ERROR_##id,
    LZ_ERROR_TABLE(LZ_ERROR)
#undef LZ_ERROR
        LZ_ERROR_COUNT
};

struct lz_error {
    enum lz_error_kind kind;
    char text[512];  /* one line for a person; cut where longer */
    char *traceback; /* malloc'd, or NULL where Python did not raise */
};

/* Set kind and text (printf). The first cause wins: a filled error stays.
 * ERROR may be NULL. Always returns -1, so that it can be returned. */
int lz_error_set(struct lz_error *error, enum lz_error_kind kind,
                 const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As lz_error_set, followed by ": " and strerror(ERRNO_VALUE). */
int lz_error_set_errno(struct lz_error *error, int errno_value,
                       const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Release what the error owns and clear it. Accepts NULL. */
void lz_error_done(struct lz_error *error);

/* The stable string of a kind; static. */
const char *lz_error_kind_string(enum lz_error_kind kind);

#endif
