/* `why` and `unused` as text: see render.h. */
#include <inttypes.h>
#include <string.h>

#include "ctl/grid.h"
#include "ctl/render.h"
#include "ctl/text.h"

static void
put_at(FILE *stream, const struct wire_place *place)
{
    text_put(stream, place->file);
    if (place->line > 0) {
        (void)fprintf(stream, ":%d", place->line);
    }
    if (place->function != NULL && place->function[0] != '<') {
        (void)fputs(", in ", stream);
        text_put(stream, place->function);
    }
}

static bool
is(const char *text, const char *what)
{
    return text != NULL && strcmp(text, what) == 0;
}

static bool
was_loaded(const struct wire_step *step)
{
    return step->sequence > 0;
}

static bool
same_line(const struct wire_place *a, const struct wire_place *b)
{
    return a->file != NULL && b->file != NULL && a->line == b->line &&
           strcmp(a->file, b->file) == 0;
}

/* "by package xml", or the reason's text. */
static void
put_reason(FILE *stream, const struct wire_step *step)
{
    (void)fputs("         eager        ", stream);
    text_put(stream, step->reason_text);
    (void)fputs(" (", stream);
    text_put(stream, step->rule != NULL ? step->rule : step->reason);
    (void)fputs(")\n", stream);
}

/* What needed it, and when. */
static void
put_trigger(FILE *stream, const struct wire_step *step)
{
    char took[TEXT_UNIT_SIZE];

    (void)fprintf(stream, "         %s",
                  was_loaded(step) ? "loaded by    " : "failed for   ");
    put_at(stream, &step->trigger);
    if (step->thread != NULL) {
        (void)fputs(", thread ", stream);
        text_put(stream, step->thread);
    }
    (void)fputc('\n', stream);
    if (is(step->link, "load")) {
        (void)fputs("                      while the body of ", stream);
        text_put(stream, step->parent);
        (void)fputs(" ran\n", stream);
    }
    if (was_loaded(step)) {
        (void)fprintf(stream,
                      "                      number %" PRIu64 ", took %s",
                      step->sequence, text_time(step->wall_ns, took));
        if (step->first_use_ns > 0) {
            (void)fprintf(stream, "; its first use waited %s",
                          text_time(step->first_use_ns, took));
        }
        (void)fputc('\n', stream);
    }
}

static const char *
step_head(const struct wire_step *step)
{
    if (is(step->name, "__main__")) {
        return "the service's own code";
    }
    if (is(step->state, "proxy")) {
        return step->failures > 0 ? "failed to load, still pending"
                                  : "pending: nothing has used it";
    }
    if (is(step->state, "existing")) {
        return "was there before lazy imports began";
    }
    if (is(step->state, "lost")) {
        return "put into sys.modules by someone else";
    }
    if (is(step->state, "none")) {
        return "failed to load";
    }
    return is(step->state, "real") ? "loaded through a proxy"
                                   : "loaded at its statement";
}

static void
put_step(FILE *stream, size_t number, const struct wire_step *step)
{
    (void)fprintf(stream, "  %4zu   ", number);
    text_put(stream, step->name);
    (void)fprintf(stream, ": %s\n", step_head(step));
    if (is(step->name, "__main__") && step->file != NULL) {
        (void)fputs("         file         ", stream);
        text_put(stream, step->file);
        (void)fputc('\n', stream);
    }
    bool eager = is(step->state, "eager") || is(step->state, "ignored");
    if (step->statement.file != NULL &&
        !(eager && same_line(&step->statement, &step->trigger))) {
        (void)fputs("         imported at  ", stream);
        put_at(stream, &step->statement);
        (void)fputc('\n', stream);
    }
    if ((was_loaded(step) || step->failures > 0) &&
        step->trigger.file != NULL) {
        put_trigger(stream, step);
    }
    if (step->reason != NULL && !is(step->reason, "none") &&
        !is(step->reason, "lazy")) {
        put_reason(stream, step);
    }
    if (step->last_error != NULL && step->failures > 0) {
        (void)fprintf(stream,
                      "         failed       %" PRIu64 " times, the last: ",
                      step->failures);
        text_put(stream, step->last_error);
        (void)fputc('\n', stream);
    }
}

void
render_why(FILE *stream, const struct wire_why *reply)
{
    text_put(stream, reply->name);
    if (reply->app != NULL) {
        (void)fputs(" in ", stream);
        text_put(stream, reply->app);
    }
    (void)fputs(reply->cut ? ", the last steps:\n" : ":\n", stream);
    for (size_t i = 0; i < reply->step_count; i++) {
        put_step(stream, i + 1, &reply->steps[i]);
    }
}

/* --- unused ------------------------------------------------------------- */

static void
add_bytes(struct grid *grid, int64_t bytes)
{
    char text[TEXT_UNIT_SIZE];

    grid_add(grid, bytes < 0 ? "-" : text_bytes(bytes, text));
}

static void
add_time(struct grid *grid, int64_t ns)
{
    char text[TEXT_UNIT_SIZE];

    grid_add(grid, ns < 0 ? "-" : text_time((uint64_t)ns, text));
}

static void
put_samples(FILE *stream, const struct wire_unused *reply)
{
    for (size_t i = 0; i < reply->sample_count; i++) {
        const struct wire_sample *sample = &reply->samples[i];
        char size[TEXT_UNIT_SIZE], memory[TEXT_UNIT_SIZE],
            time[TEXT_UNIT_SIZE];
        if (sample->modules > 0) {
            (void)fprintf(stream,
                          "  from %" PRIu64 " %s files loaded: %s of file "
                          "took %s and %s\n",
                          sample->modules, sample->kind,
                          text_bytes((int64_t)sample->file_bytes, size),
                          text_bytes(sample->bytes, memory),
                          text_time(sample->wall_ns, time));
        }
    }
}

int
render_unused(FILE *stream, const struct wire_unused *reply)
{
    static const char *const heads[] = {"NAME", "FILE SIZE", "~MEMORY",
                                        "~TIME", "IMPORTED AT"};
    char memory[TEXT_UNIT_SIZE], time[TEXT_UNIT_SIZE];
    struct grid grid;

    grid_init(&grid, heads, 5, 0xe);
    for (size_t i = 0; i < reply->module_count; i++) {
        const struct wire_unused_module *module = &reply->modules[i];
        grid_add(&grid, module->name);
        add_bytes(&grid, module->file_bytes);
        add_bytes(&grid, module->estimated_bytes);
        add_time(&grid, module->estimated_ns);
        if (module->statement.file == NULL) {
            grid_add(&grid, "-");
        } else {
            grid_addf(&grid, "%s:%d", module->statement.file,
                      module->statement.line);
        }
    }
    int status = reply->module_count > 0 ? grid_print(&grid, stream) : 0;
    grid_done(&grid);
    if (reply->module_count > 0 && reply->module_count < reply->total) {
        (void)fprintf(stream, "(%zu of %" PRIu64 " modules)\n",
                      reply->module_count, reply->total);
    }
    (void)fprintf(stream, "%" PRIu64 " modules have never been used",
                  reply->total);
    if (reply->estimated > 0) {
        (void)fprintf(stream,
                      "; estimate of what that saved: %s and %s of loading, "
                      "for %" PRIu64 " of them\n",
                      text_bytes(reply->estimated_bytes, memory),
                      text_time((uint64_t)reply->estimated_ns, time),
                      reply->estimated);
        put_samples(stream, reply);
    } else {
        (void)fputs("; too little was loaded to estimate what that saved\n",
                    stream);
    }
    return status;
}
