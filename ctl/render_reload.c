/* The replies of `reload`, `rollback`, `confirm` and `drift`. */
#include "ctl/render.h"

#include <inttypes.h>
#include <time.h>

#include "ctl/grid.h"
#include "ctl/text.h"

enum { SHOWN_NS = 1000 }; /* less is not worth telling */

static const char TWICE[] = "additions to lists that had the old ones:";

static void
put_counted(FILE *stream, uint64_t count, const char *what)
{
    if (count > 0) {
        (void)fprintf(stream, "  %" PRIu64 " %s\n", count, what);
    }
}

static void
put_list(FILE *stream, const char *const *lines, size_t count,
         const char *what)
{
    put_counted(stream, count, what);
    for (size_t i = 0; i < count; i++) {
        text_put_lines(stream, "    ", lines[i]);
    }
}

static void
put_place(FILE *stream, const struct wire_reload *reply)
{
    (void)fputs("  at ", stream);
    text_put(stream, reply->file);
    if (reply->line > 0) {
        (void)fprintf(stream, ":%d", reply->line);
    }
    if (reply->line > 0 && reply->column > 0) {
        (void)fprintf(stream, ":%d", reply->column);
    }
    (void)fputc('\n', stream);
}

static void
put_verdict(FILE *stream, const char *name, const char *verdict,
            const char *text)
{
    text_put(stream, name);
    (void)fputs(": ", stream);
    text_put(stream, verdict);
    if (text != NULL && text[0] != '\0') {
        (void)fputs(": ", stream);
        text_put(stream, text);
    }
    (void)fputc('\n', stream);
}

static void
put_times(FILE *stream, const struct wire_reload *reply)
{
    char took[TEXT_UNIT_SIZE], pause[TEXT_UNIT_SIZE];

    if (reply->wall_ns < SHOWN_NS) {
        return;
    }
    (void)fprintf(stream, "  took %s", text_time(reply->wall_ns, took));
    if (reply->pause_ns > 0) {
        (void)fprintf(stream, ", the service paused for %s",
                      text_time(reply->pause_ns, pause));
    }
    (void)fputc('\n', stream);
}

void
render_reload(FILE *stream, const struct wire_reload *reply)
{
    if (reply->dry_run) {
        (void)fputs("in a copy of the service, which goes on as it was:\n",
                    stream);
    }
    put_verdict(stream, reply->name, reply->verdict, reply->text);
    if (reply->file != NULL) {
        put_place(stream, reply);
    }
    put_times(stream, reply);
    put_counted(stream, reply->functions_kept, "functions kept");
    put_counted(stream, reply->classes_kept, "classes kept");
    put_list(stream, reply->replaced, reply->replaced_count,
             "could not be kept:");
    put_counted(stream, reply->names_rebound, "names rebound elsewhere");
    put_list(stream, reply->unrepaired, reply->unrepaired_count,
             "places still hold an old object:");
    put_list(stream, reply->again, reply->again_count, TWICE);
    for (size_t i = 0; i < reply->other_count; i++) {
        const struct wire_reload_other *other = &reply->others[i];
        put_verdict(stream, other->name, other->verdict, other->text);
        put_list(stream, other->replaced, other->replaced_count,
                 "could not be kept:");
        put_list(stream, other->unrepaired, other->unrepaired_count,
                 "places still hold an old object:");
        put_list(stream, other->again, other->again_count, TWICE);
    }
    if (reply->generation > 0) {
        put_counted(stream, reply->generations,
                    "generations kept, 'lazyctl rollback' goes back one");
    }
    if (reply->confirm > 0) {
        (void)fprintf(stream,
                      "  rolls back in %.3g s unless 'lazyctl confirm ",
                      reply->confirm);
        text_put(stream, reply->name);
        (void)fputs("' comes\n", stream);
    }
    if (reply->traceback != NULL) {
        text_put_lines(stream, "  ", reply->traceback);
    }
}

int
render_confirm(FILE *stream, const struct wire_confirm *reply)
{
    text_put(stream, reply->name);
    (void)fprintf(stream,
                  ": confirmed, %.3g s before it would have rolled "
                  "back\n",
                  reply->left);
    return 0;
}

static uint64_t
real_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int
render_drift(FILE *stream, const struct wire_drift *reply)
{
    static const char *const heads[] = {"NAME", "DRIFT", "SINCE", "FILE"};
    uint64_t now_ns = real_ns();
    struct grid grid;
    char ago[TEXT_UNIT_SIZE];
    int status = 0;

    grid_init(&grid, heads, 4, 0);
    for (size_t i = 0; i < reply->module_count; i++) {
        const struct wire_drift_row *row = &reply->modules[i];
        uint64_t since = row->since_ns > 0 ? (uint64_t)row->since_ns : 0;
        grid_add(&grid, row->name);
        grid_add(&grid, row->drift);
        if (since > 0 && since <= now_ns) {
            grid_addf(&grid, "%s ago", text_time(now_ns - since, ago));
        } else {
            grid_add(&grid, NULL);
        }
        grid_add(&grid, row->file);
    }
    if (reply->module_count > 0) {
        status = grid_print(&grid, stream);
    }
    grid_done(&grid);
    (void)fprintf(stream,
                  "%" PRIu64 " modules, %" PRIu64 " are not what is on disk, "
                  "%" PRIu64 " cannot be told\n",
                  reply->total, reply->drifted, reply->unknown);
    return status;
}
