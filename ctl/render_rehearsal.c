/* A dry run of `load` as text: what it would do, a paragraph each.
 *
 * See render.h.
 */
#include <inttypes.h>
#include <string.h>

#include "ctl/render.h"
#include "ctl/text.h"

enum { INDENT = 4 };

static void
put_names(FILE *stream, const char *what, const char **names, size_t count,
          uint64_t total)
{
    if (count == 0) {
        return;
    }
    (void)fprintf(stream, "  %s", what);
    if (total > count) {
        (void)fprintf(stream, " (the first %zu of %" PRIu64 ")", count, total);
    }
    (void)fputs(":\n", stream);
    text_put_names(stream, INDENT, names, count);
}

static void
put_costs(FILE *stream, const struct wire_load_result *result)
{
    char wall[TEXT_UNIT_SIZE], cpu[TEXT_UNIT_SIZE], bytes[TEXT_UNIT_SIZE];
    (void)fprintf(stream, " in %s (CPU %s), %s, %" PRIu64 " module%s",
                  text_time(result->wall_ns, wall),
                  text_time(result->cpu_ns, cpu),
                  text_bytes(result->bytes, bytes), result->modules,
                  result->modules == 1 ? "" : "s");
}

static void
put_failure(FILE *stream, const struct wire_load_result *result)
{
    (void)fputs(": ", stream);
    text_put(stream, result->error.text);
    if (result->file != NULL) {
        (void)fputs("\n  at ", stream);
        text_put(stream, result->file);
        (void)fprintf(stream, ":%d", result->line);
    }
    (void)fputc('\n', stream);
    if (result->error.traceback != NULL) {
        text_put_lines(stream, "    ", result->error.traceback);
    }
}

static void
put_result(FILE *stream, const struct wire_load_result *result)
{
    const char *verdict = result->verdict != NULL ? result->verdict : "?";
    text_put(stream, result->name);
    if (strcmp(verdict, "already") == 0) {
        (void)fputs(": is loaded already\n", stream);
    } else if (strcmp(verdict, "loads") == 0) {
        (void)fputs(": would load", stream);
        put_costs(stream, result);
        (void)fputc('\n', stream);
        if (result->modules > 1) {
            put_names(stream, "modules", result->bodies, result->body_count,
                      result->modules);
        }
        put_names(stream, "threads", result->threads, result->thread_count, 0);
    } else if (strcmp(verdict, "fails") == 0) {
        (void)fputs(": would fail", stream);
        put_failure(stream, result);
    } else {
        (void)fputs(": inconclusive", stream);
        put_failure(stream, result);
    }
}

void
render_rehearsal(FILE *stream, const struct wire_load *reply)
{
    char pause[TEXT_UNIT_SIZE];
    for (size_t i = 0; i < reply->result_count; i++) {
        put_result(stream, &reply->results[i]);
    }
    (void)fprintf(stream,
                  "%" PRIu64 " would load, %" PRIu64 " would fail, %" PRIu64
                  " inconclusive; nothing was loaded, the service stood "
                  "still for %s\n",
                  reply->loaded, reply->failed, reply->inconclusive,
                  text_time(reply->pause_ns, pause));
}
