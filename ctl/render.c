/* See render.h: tables, edits and events; what explains a module or the
 * whole is in render_explain.c.
 */
#include "ctl/render.h"

#include <inttypes.h>
#include <time.h>

#include "ctl/grid.h"
#include "ctl/text.h"

enum { SHOWN_NS = 10000 }; /* less is 0.00 ms */

void
render_ping(FILE *stream, const struct wire_ping *reply)
{
    (void)fprintf(stream, "pong from pid %" PRId64 "\n", reply->pid);
}

void
render_version(FILE *stream, const struct wire_version *reply)
{
    (void)fprintf(stream, "lazyctl  %s\n", LAZYD_VERSION);
    (void)fputs("lazyd    ", stream);
    text_put(stream, reply->version);
    (void)fprintf(stream, " (protocol %d)\npython   ", reply->protocol);
    text_put(stream, reply->python);
    (void)fputc('\n', stream);
}

static int
finish(struct grid *grid, FILE *stream)
{
    int status = grid_print(grid, stream);
    grid_done(grid);
    return status;
}

int
render_commands(FILE *stream, const struct wire_commands *reply)
{
    static const char *const heads[] = {"METHOD", "LAZYCTL", "NEEDS", "WHAT"};
    struct grid grid;
    grid_init(&grid, heads, 4, 0);
    for (size_t i = 0; i < reply->command_count; i++) {
        const struct wire_command_info *row = &reply->commands[i];
        const char *words = row->words != NULL ? row->words : "-";
        const char *arguments = row->arguments != NULL ? row->arguments : "";
        grid_add(&grid, row->method);
        grid_addf(&grid, "%s%s%s", words, arguments[0] != '\0' ? " " : "",
                  arguments);
        grid_add(&grid, row->python ? "python" : "");
        grid_add(&grid, row->help);
    }
    return finish(&grid, stream);
}

static void
add_ms(struct grid *grid, uint64_t ns, bool known)
{
    if (known) {
        grid_addf(grid, "%.2f", (double)ns / 1e6);
    } else {
        grid_add(grid, "-");
    }
}

static void
add_mib(struct grid *grid, int64_t bytes, bool known)
{
    if (known) {
        grid_addf(grid, "%.2f", (double)bytes / (1024.0 * 1024));
    } else {
        grid_add(grid, "-");
    }
}

int
render_list(FILE *stream, const struct wire_list *reply)
{
    static const char *const heads[] = {"NAME",    "STATE",    "REASON",
                                        "SELF ms", "TOTAL ms", "SELF MiB",
                                        "FAILED"};
    struct grid grid;
    grid_init(&grid, heads, 7, 0x78);
    for (size_t i = 0; i < reply->module_count; i++) {
        const struct wire_module *module = &reply->modules[i];
        bool loaded = module->loads > 0;
        grid_add(&grid, module->name);
        grid_add(&grid, module->state);
        grid_add(&grid, module->reason);
        add_ms(&grid, module->wall_self_ns, loaded);
        add_ms(&grid, module->wall_ns, loaded);
        add_mib(&grid, module->bytes_self, loaded);
        grid_addf(&grid, "%" PRIu64, module->failures);
    }
    int status = finish(&grid, stream);
    if (status == 0 && reply->total > reply->module_count) {
        (void)fprintf(stream, "(%zu of %" PRIu64 " modules)\n",
                      reply->module_count, reply->total);
    }
    return status;
}

static void
put_load_result(FILE *stream, const struct wire_load_result *result)
{
    char took[TEXT_UNIT_SIZE];
    text_put(stream, result->name);
    if (result->error.kind != NULL) {
        (void)fputs(": failed: ", stream);
        text_put(stream, result->error.text);
        (void)fputc('\n', stream);
        if (result->error.traceback != NULL) {
            text_put_lines(stream, "    ", result->error.traceback);
        }
    } else if (result->already) {
        (void)fputs(": was loaded already\n", stream);
    } else if (result->loaded) {
        (void)fprintf(stream, ": loaded in %s",
                      text_time(result->wall_ns, took));
        if (result->modules > 1) {
            (void)fprintf(stream, ", %" PRIu64 " modules in all",
                          result->modules);
        }
        (void)fputc('\n', stream);
    } else {
        (void)fputs(": not loaded\n", stream);
    }
}

void
render_load(FILE *stream, const struct wire_load *reply)
{
    for (size_t i = 0; i < reply->result_count; i++) {
        put_load_result(stream, &reply->results[i]);
    }
    if (reply->result_count > 1) {
        (void)fprintf(stream, "%" PRIu64 " loaded, %" PRIu64 " failed\n",
                      reply->loaded, reply->failed);
    }
}

static void
put_place(FILE *stream, const char *file, int line, int column)
{
    text_put(stream, file);
    if (line > 0) {
        (void)fprintf(stream, ":%d", line);
    }
    if (line > 0 && column > 0) {
        (void)fprintf(stream, ":%d", column);
    }
}

/* "file:line:column: why". */
static void
add_finding(struct grid *grid, const struct wire_verify_result *result)
{
    const char *text = result->text != NULL ? result->text : "";
    const char *changed = result->changed ? "changed since" : "";
    const char *middle = text[0] != '\0' && result->changed ? "; " : "";
    if (result->file != NULL && result->line > 0) {
        grid_addf(grid, "%s:%d:%d: %s%s%s", result->file, result->line,
                  result->column, text, middle, changed);
    } else {
        grid_addf(grid, "%s%s%s", text, middle, changed);
    }
}

int
render_verify(FILE *stream, const struct wire_verify *reply)
{
    static const char *const heads[] = {"NAME", "STATUS", "WHY"};
    struct grid grid;
    int status = 0;
    grid_init(&grid, heads, 3, 0);
    for (size_t i = 0; i < reply->result_count; i++) {
        grid_add(&grid, reply->results[i].name);
        grid_add(&grid, reply->results[i].status);
        add_finding(&grid, &reply->results[i]);
    }
    if (reply->result_count > 0) {
        status = grid_print(&grid, stream);
    }
    grid_done(&grid);
    if (status == 0) {
        (void)fprintf(stream,
                      "%" PRIu64 " pending, %" PRIu64 " ok, %" PRIu64
                      " not, %" PRIu64 " changed since their statement\n",
                      reply->total, reply->ok, reply->failed, reply->changed);
    }
    return status;
}

int
render_ignore_list(FILE *stream, const struct wire_ignore_list *reply)
{
    static const char *const heads[] = {"KIND", "VALUE", "HITS", "FROM"};
    struct grid grid;
    grid_init(&grid, heads, 4, 1u << 2);
    for (size_t i = 0; i < reply->rule_count; i++) {
        grid_add(&grid, reply->rules[i].kind);
        grid_add(&grid, reply->rules[i].value);
        grid_addf(&grid, "%" PRIu64, reply->rules[i].hits);
        grid_add(&grid, reply->rules[i].builtin ? "lazyd" : "operator");
    }
    return finish(&grid, stream);
}

static void
put_values(FILE *stream, const char *what, const char *kind,
           const char *const *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(stream, "%s ", what);
        text_put(stream, kind);
        (void)fputs(" '", stream);
        text_put(stream, values[i]);
        (void)fputs("'\n", stream);
    }
}

void
render_ignore_edit(FILE *stream, const struct wire_ignore_edit *reply,
                   bool added, bool loads)
{
    const char *did = added ? "added" : "removed";
    if (reply->dry_run) {
        did = added ? "would add" : "would remove";
    }
    put_values(stream, did, reply->kind, reply->changed, reply->changed_count);
    put_values(stream,
               added ? "was there already:" : "was not there:", reply->kind,
               reply->unchanged, reply->unchanged_count);
    if (reply->pending_count > 0 && added) {
        (void)fprintf(stream, "%zu pending %s%s:\n", reply->pending_count,
                      reply->pending_count == 1 ? "module matches"
                                                : "modules match",
                      loads ? "" : ", still lazy ('--load' loads them)");
        text_put_names(stream, 2, reply->pending, reply->pending_count);
    }
    for (size_t i = 0; i < reply->result_count; i++) {
        put_load_result(stream, &reply->results[i]);
    }
}

void
render_ignore_save(FILE *stream, const struct wire_ignore_save *reply)
{
    (void)fprintf(stream, "wrote %" PRIu64 " rules to '", reply->rules);
    text_put(stream, reply->path);
    (void)fputs("'\n", stream);
}

int
render_level_list(FILE *stream, const struct wire_level_list *reply)
{
    static const char *const heads[] = {"PACKAGE", "LEVEL", "FROM"};
    struct grid grid;
    grid_init(&grid, heads, 3, 0);
    for (size_t i = 0; i < reply->level_count; i++) {
        grid_add(&grid, reply->levels[i].package);
        grid_add(&grid, reply->levels[i].level);
        grid_add(&grid, reply->levels[i].source);
    }
    int status = finish(&grid, stream);
    if (status == 0 && reply->fallback != NULL) {
        (void)fputs("(all others: ", stream);
        text_put(stream, reply->fallback);
        (void)fputs(")\n", stream);
    }
    return status;
}

void
render_level_set(FILE *stream, const struct wire_level_set *reply)
{
    text_put(stream, reply->package);
    (void)fputs(" is ", stream);
    text_put(stream, reply->level);
    if (reply->previous != NULL) {
        (void)fputs(" (was ", stream);
        text_put(stream, reply->previous);
        (void)fputc(')', stream);
    }
    (void)fputc('\n', stream);
}

/* " WORD TEXT" where there is a text, " TEXT" where there is no word. */
static void
put_also(FILE *stream, const char *word, const char *text)
{
    if (text != NULL) {
        (void)fprintf(stream, " %s%s", word, word[0] != '\0' ? " " : "");
        text_put(stream, text);
    }
}

static void
put_peer(FILE *stream, const struct wire_event *event)
{
    if (event->pid > 0) {
        (void)fprintf(stream, " pid %" PRId64, event->pid);
    }
    if (event->uid >= 0) {
        (void)fprintf(stream, " uid %" PRId64, event->uid);
    }
}

static void
put_event_load(FILE *stream, const struct wire_event *event)
{
    char text[TEXT_UNIT_SIZE];
    (void)fputc(' ', stream);
    text_put(stream, event->name);
    (void)fprintf(stream, " %s", text_time(event->wall_ns, text));
    (void)fprintf(stream, " %s", text_bytes(event->bytes, text));
    put_also(stream, "reason", event->reason);
    if (event->trigger.file != NULL) {
        (void)fputs(" for ", stream);
        put_place(stream, event->trigger.file, event->trigger.line, 0);
        put_also(stream, "in", event->trigger.function);
    }
    put_also(stream, "within", event->parent);
    put_also(stream, "thread", event->thread);
    put_also(stream, "error", event->error);
}

void
render_event(FILE *stream, const struct wire_event *event)
{
    char clock[16] = "";
    struct tm local;
    time_t seconds = (time_t)(event->time_ns / 1000000000u);
    if (localtime_r(&seconds, &local) != NULL) {
        (void)strftime(clock, sizeof clock, "%H:%M:%S", &local);
    }
    (void)fprintf(stream, "%s.%03u %-6s", clock,
                  (unsigned)(event->time_ns / 1000000u % 1000u),
                  wire_event_string((enum wire_event_kind)event->event));
    switch ((enum wire_event_kind)event->event) {
    case WIRE_EVENT_LOAD:
    case WIRE_EVENT_FAIL:
        put_event_load(stream, event);
        break;
    case WIRE_EVENT_RELOAD:
        put_also(stream, "module", event->name);
        put_also(stream, "verdict", event->verdict);
        break;
    default:
        put_also(stream, "", event->action);
        put_also(stream, "", event->kind);
        put_also(stream, "", event->value);
        put_also(stream, "", event->name);
        put_peer(stream, event);
    }
    if (event->dropped > 0) {
        (void)fprintf(stream, " [%" PRIu64 " events lost so far]",
                      event->dropped);
    }
    (void)fputc('\n', stream);
}
