/* See audit.h. */
#include "daemon/audit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "ctl/wire/message.h"
#include "daemon/log.h"

void
audit_line(uid_t uid, pid_t pid, const char *format, ...)
{
    char text[2048];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    log_line("control: uid %ld pid %ld: %s", (long)uid, (long)pid, text);
}

const char *
audit_hash(uint64_t hash, char text[AUDIT_HASH_SIZE])
{
    if (hash == 0) {
        return "unknown";
    }
    (void)snprintf(text, AUDIT_HASH_SIZE, "%016" PRIx64, hash);
    return text;
}

void
audit_reload(uid_t uid, pid_t pid, const char *what,
             const struct wire_reload *reload, const char *note)
{
    char old[AUDIT_HASH_SIZE], new[AUDIT_HASH_SIZE];

    audit_line(
        uid, pid, "%s %s: %s, old %s, new %s, paused %" PRIu64 " us%s", what,
        reload->name, reload->verdict, audit_hash(reload->old_hash, old),
        audit_hash(reload->new_hash, new), reload->pause_ns / 1000, note);
    for (size_t i = 0; i < reload->other_count; i++) {
        const struct wire_reload_other *other = &reload->others[i];
        audit_line(uid, pid, "%s %s: %s, old %s, new %s, together with %s%s",
                   what, other->name, other->verdict,
                   audit_hash(other->old_hash, old),
                   audit_hash(other->new_hash, new), reload->name, note);
    }
}
