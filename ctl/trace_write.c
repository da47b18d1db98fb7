/* A trace as other programs read it.
 *
 * importtime is what CPython's -X importtime writes; Chrome's trace is for
 * Perfetto and chrome://tracing; speedscope's by its file-format schema;
 * folded stacks are for flamegraph.pl and its kin. The drawing is
 * trace_svg.c's.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/text.h"
#include "ctl/trace.h"

/* STRING, escaped as for a terminal, between quotes: what is left to escape
 * in JSON is the quote and the backslash. */
static void
put_json(FILE *stream, const char *string)
{
    char *shown = text_escape(string);

    (void)fputc('"', stream);
    for (const char *c = shown; c != NULL && *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') {
            (void)fputc('\\', stream);
        }
        (void)fputc(*c, stream);
    }
    (void)fputc('"', stream);
    free(shown);
}

/* Nanoseconds as microseconds with three places, in any locale. */
static void
put_us(FILE *stream, uint64_t ns)
{
    (void)fprintf(stream, "%" PRIu64 ".%03u", ns / 1000,
                  (unsigned)(ns % 1000));
}

/* --- importtime --------------------------------------------------------- */

static uint64_t
ceil_us(uint64_t ns)
{
    return ns / 1000 + (ns % 1000 != 0);
}

static void
put_importtime(FILE *stream, const struct trace_node *node)
{
    char *name = text_escape(node->load->name);

    (void)fprintf(
        stream, "import time: %9" PRIu64 " | %10" PRIu64 " | %*s%s\n",
        ceil_us(node->load->wall_self_ns), ceil_us(node->load->wall_ns),
        (int)(2 * node->depth), "", name != NULL ? name : "?");
    free(name);
}

/* Each after what it loaded. */
static void
write_importtime(FILE *stream, const struct trace *trace)
{
    const struct trace_node *node = trace->root;

    (void)fputs("import time: self [us] | cumulative | imported package\n",
                stream);
    while (node != NULL) {
        while (node->child != NULL) {
            node = node->child;
        }
        put_importtime(stream, node);
        while (node != NULL && node->next == NULL) {
            node = node->parent;
            if (node != NULL) {
                put_importtime(stream, node);
            }
        }
        node = node != NULL ? node->next : NULL;
    }
}

/* --- Chrome's trace events ---------------------------------------------- */

static void
put_chrome_names(FILE *stream, const struct trace *trace)
{
    (void)fprintf(stream,
                  "{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":%" PRId64
                  ",\"tid\":0,\"args\":{\"name\":",
                  trace->pid);
    put_json(stream, trace->app != NULL ? trace->app : "lazyd");
    (void)fputs("}}", stream);
    for (unsigned i = 0; i < trace->thread_count; i++) {
        (void)fprintf(
            stream,
            ",\n{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":%" PRId64
            ",\"tid\":%u,\"args\":{\"name\":",
            trace->pid, i + 1);
        put_json(stream, trace->threads[i]);
        (void)fputs("}}", stream);
    }
}

static void
put_chrome(FILE *stream, const struct trace *trace,
           const struct trace_node *node)
{
    const struct wire_trace_load *load = node->load;

    (void)fputs(",\n{\"name\":", stream);
    put_json(stream, load->name);
    (void)fputs(",\"cat\":\"load\",\"ph\":\"X\",\"ts\":", stream);
    put_us(stream, node->start_ns);
    (void)fputs(",\"dur\":", stream);
    put_us(stream, node->end_ns - node->start_ns);
    (void)fprintf(stream, ",\"pid\":%" PRId64 ",\"tid\":%u,\"args\":{",
                  trace->pid, node->thread + 1);
    (void)fputs("\"reason\":", stream);
    put_json(stream, load->reason);
    (void)fprintf(stream,
                  ",\"number\":%" PRIu64 ",\"self_ns\":%" PRIu64
                  ",\"cpu_ns\":%" PRIu64 ",\"bytes\":%" PRId64
                  ",\"blocks\":%" PRId64,
                  load->sequence, load->wall_self_ns, load->cpu_ns,
                  load->bytes, load->blocks);
    if (load->trigger.file != NULL) {
        (void)fputs(",\"file\":", stream);
        put_json(stream, load->trigger.file);
        (void)fprintf(stream,
                      ",\"line\":%d,\"function\":", load->trigger.line);
        put_json(stream, load->trigger.function);
    }
    (void)fputs("}}", stream);
}

static void
write_chrome(FILE *stream, const struct trace *trace)
{
    (void)fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n", stream);
    put_chrome_names(stream, trace);
    for (const struct trace_node *node = trace->root; node != NULL;
         node = trace_next(node)) {
        put_chrome(stream, trace, node);
    }
    (void)fputs("\n]}\n", stream);
}

/* --- speedscope --------------------------------------------------------- */

/* A frame for each load; a module has one. */
static void
put_frames(FILE *stream, const struct trace *trace)
{
    (void)fputs("\"shared\":{\"frames\":[", stream);
    for (size_t i = 0; i < trace->count; i++) {
        const struct wire_trace_load *load = trace->nodes[i].load;
        (void)fputs(i > 0 ? ",\n{\"name\":" : "\n{\"name\":", stream);
        put_json(stream, load->name);
        if (load->file != NULL) {
            (void)fputs(",\"file\":", stream);
            put_json(stream, load->file);
        }
        (void)fputc('}', stream);
    }
    (void)fputs("]}", stream);
}

static void
put_event(FILE *stream, const struct trace *trace,
          const struct trace_node *node, bool opens, bool *first)
{
    (void)fprintf(stream,
                  "%s{\"type\":\"%c\",\"frame\":%td,\"at\":%" PRIu64 "}",
                  *first ? "\n" : ",\n", opens ? 'O' : 'C',
                  node - trace->nodes, opens ? node->start_ns : node->end_ns);
    *first = false;
}

/* The loads of one thread as frames that open and close. */
static void
put_evented(FILE *stream, const struct trace *trace, unsigned thread)
{
    const struct trace_node *open = NULL;
    uint64_t start = 0, end = 0;
    bool first = true;

    for (size_t i = 0; i < trace->count; i++) {
        const struct trace_node *node = &trace->nodes[i];
        if (node->thread == thread && node->parent == NULL) {
            start = start == 0 ? node->start_ns : start;
            end = node->end_ns;
        }
    }
    (void)fputs("{\"type\":\"evented\",\"name\":", stream);
    put_json(stream, trace->threads[thread]);
    (void)fprintf(stream,
                  ",\"unit\":\"nanoseconds\",\"startValue\":%" PRIu64
                  ",\"endValue\":%" PRIu64 ",\"events\":[",
                  start, end);
    for (size_t i = 0; i < trace->count; i++) {
        const struct trace_node *node = &trace->nodes[i];
        if (node->thread != thread) {
            continue;
        }
        for (; open != NULL && open != node->parent; open = open->parent) {
            put_event(stream, trace, open, false, &first);
        }
        put_event(stream, trace, node, true, &first);
        open = node;
    }
    for (; open != NULL; open = open->parent) {
        put_event(stream, trace, open, false, &first);
    }
    (void)fputs("]}", stream);
}

static void
put_stack(FILE *stream, const struct trace *trace,
          const struct trace_node *node)
{
    if (node->parent != NULL) {
        put_stack(stream, trace, node->parent);
        (void)fputc(',', stream);
    }
    (void)fprintf(stream, "%td", node - trace->nodes);
}

/* Memory has no clock: a sample for each load, of what it itself took. */
static void
put_sampled(FILE *stream, const struct trace *trace)
{
    (void)fprintf(stream,
                  "{\"type\":\"sampled\",\"name\":\"memory\",\"unit\":"
                  "\"bytes\",\"startValue\":0,\"endValue\":%" PRIu64
                  ",\"samples\":[",
                  trace->value);
    for (size_t i = 0; i < trace->count; i++) {
        (void)fputs(i > 0 ? ",\n[" : "\n[", stream);
        put_stack(stream, trace, &trace->nodes[i]);
        (void)fputc(']', stream);
    }
    (void)fputs("],\"weights\":[", stream);
    for (size_t i = 0; i < trace->count; i++) {
        (void)fprintf(stream, "%s%" PRIu64, i > 0 ? "," : "",
                      trace->nodes[i].self);
    }
    (void)fputs("]}", stream);
}

static void
write_speedscope(FILE *stream, const struct trace *trace, int by)
{
    (void)fputs(
        "{\"$schema\":\"https://www.speedscope.app/"
        "file-format-schema.json\",\"exporter\":\"lazyctl " LAZYD_VERSION
        "\",\"name\":",
        stream);
    put_json(stream, trace->app != NULL ? trace->app : "lazyd");
    (void)fputs(",\"activeProfileIndex\":0,", stream);
    put_frames(stream, trace);
    (void)fputs(",\"profiles\":[", stream);
    if (by == WIRE_BY_MEMORY) {
        put_sampled(stream, trace);
    }
    for (unsigned i = 0; by == WIRE_BY_TIME && i < trace->thread_count; i++) {
        (void)fputs(i > 0 ? ",\n" : "\n", stream);
        put_evented(stream, trace, i);
    }
    (void)fputs("]}\n", stream);
}

/* --- folded stacks ------------------------------------------------------ */

/* A name without what separates frames, or a frame from its value. */
static void
put_folded_name(FILE *stream, const char *name)
{
    char *shown = text_escape(name);

    for (char *c = shown; c != NULL && *c != '\0'; c++) {
        (void)fputc(*c == ';' ? ':' : *c == ' ' ? '_' : *c, stream);
    }
    free(shown);
}

static void
put_folded(FILE *stream, const struct trace_node *node)
{
    if (node->parent != NULL) {
        put_folded(stream, node->parent);
        (void)fputc(';', stream);
    }
    put_folded_name(stream, node->load->name);
}

/* Microseconds or bytes; a stack of nothing has no line. */
static void
write_folded(FILE *stream, const struct trace *trace, int by)
{
    for (const struct trace_node *node = trace->root; node != NULL;
         node = trace_next(node)) {
        uint64_t value = by == WIRE_BY_TIME ? ceil_us(node->self) : node->self;
        if (value > 0) {
            put_folded(stream, node);
            (void)fprintf(stream, " %" PRIu64 "\n", value);
        }
    }
}

bool
trace_can(int format, int by)
{
    return by == WIRE_BY_TIME ||
           (format != WIRE_TRACE_IMPORTTIME && format != WIRE_TRACE_CHROME);
}

int
trace_write(FILE *stream, const struct trace *trace, int format, int by)
{
    switch ((enum wire_trace_format)format) {
    case WIRE_TRACE_IMPORTTIME:
        write_importtime(stream, trace);
        break;
    case WIRE_TRACE_CHROME:
        write_chrome(stream, trace);
        break;
    case WIRE_TRACE_SPEEDSCOPE:
        write_speedscope(stream, trace, by);
        break;
    case WIRE_TRACE_FOLDED:
        write_folded(stream, trace, by);
        break;
    case WIRE_TRACE_SVG:
        return trace_write_svg(stream, trace, by);
    }
    return 0;
}
