/* `threads` as text: a paragraph a thread.
 *
 * See render.h.
 */
#include <inttypes.h>

#include "ctl/render.h"
#include "ctl/text.h"

static void
put_load(FILE *stream, const struct wire_thread_load *load)
{
    char time[TEXT_UNIT_SIZE];
    (void)fputs("  loads ", stream);
    text_put(stream, load->module);
    (void)fprintf(stream, " for %s", text_time(load->for_ns, time));
    if (load->trigger.file != NULL) {
        (void)fputs(", needed by ", stream);
        text_put(stream, load->trigger.file);
        (void)fprintf(stream, ":%d", load->trigger.line);
        if (load->trigger.function != NULL) {
            (void)fputs(", in ", stream);
            text_put(stream, load->trigger.function);
        }
    }
    (void)fputc('\n', stream);
}

static void
put_wait(FILE *stream, const struct wire_thread_wait *wait)
{
    char time[TEXT_UNIT_SIZE], since[TEXT_UNIT_SIZE];
    (void)fputs("  waits for ", stream);
    text_put(stream, wait->module);
    (void)fprintf(stream, " for %s: thread ", text_time(wait->for_ns, time));
    text_put(stream, wait->holder);
    (void)fprintf(stream, " (%" PRId64 ") has been loading it for %s\n",
                  wait->holder_tid, text_time(wait->holder_for_ns, since));
}

void
render_threads(FILE *stream, const struct wire_threads *reply)
{
    for (size_t i = 0; i < reply->thread_count; i++) {
        const struct wire_thread *thread = &reply->threads[i];
        text_put(stream, thread->name);
        (void)fprintf(stream, " (%" PRId64 ")\n", thread->tid);
        for (size_t k = 0; k < thread->load_count; k++) {
            put_load(stream, &thread->loads[k]);
        }
        if (thread->waits.module != NULL) {
            put_wait(stream, &thread->waits);
        }
    }
    if (reply->thread_count == 0) {
        (void)fputs("no thread loads anything\n", stream);
    }
    if (reply->no_load_count > 0) {
        (void)fprintf(stream,
                      "%" PRIu64 " loads so far on threads that must "
                      "not load:\n",
                      reply->blocked);
        text_put_names(stream, 2, reply->no_load, reply->no_load_count);
    }
}
