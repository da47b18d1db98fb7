/* A trace as a drawing: a flame graph with its root at the top.
 *
 * Each load is a box as wide as what it took, its own loads below it; boxes of
 * a top-level package have one colour. What a box is about is its tooltip. A
 * script in the file enlarges what is clicked and marks what is searched;
 * without it all is still there.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/text.h"
#include "ctl/trace.h"

enum {
    WIDTH = 1200, /* of the drawing, px */
    MARGIN = 10,  /* left and right */
    TOP = 64,     /* first row */
    ROW = 18,     /* height of a row */
    LETTER = 66,  /* width of a letter, tenths of px */
    HUES = 360,
    COLOUR_MIX = 0x9e37
};

static const char style[] =
    "text{font:11px 'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#111}\n"
    "text.head{font-size:16px}text.note{fill:#555}\n"
    "g.load{cursor:pointer}g.load rect{stroke:#fff;stroke-width:.5}\n"
    "g.load:hover rect{stroke:#000;stroke-width:1}\n"
    "g.found rect{fill:#e6007a}g.found text{fill:#fff}\n"
    "text.do{cursor:pointer;fill:#06c}\n";

/* Places are in units of the whole at first, so that they can be put back. */
static const char script[] =
    "const left=10,width=1180,letter=6.6;\n"
    "const loads=[...document.querySelectorAll('g.load')].map(g=>({g:g,\n"
    " r:g.querySelector('rect'),t:g.querySelector('text'),\n"
    " x:+g.dataset.x,w:+g.dataset.w,y:+g.dataset.y,n:g.dataset.n}));\n"
    "function label(name,room){\n"
    " if(room<3)return '';\n"
    " if(name.length<=room)return name;\n"
    " let rest=name;\n"
    " while(rest.length>=room&&rest.includes('.'))\n"
    "  rest=rest.slice(rest.indexOf('.')+1);\n"
    " return rest.length<room?'\\u2026'+rest:rest.slice(0,room-1)+'\\u2026';\n"
    "}\n"
    "function place(l,x,w){\n"
    " l.g.style.display=w>0?'':'none';\n"
    " l.r.setAttribute('x',left+x);l.r.setAttribute('width',Math.max(w,.2));\n"
    " l.t.setAttribute('x',left+x+3);\n"
    " l.t.textContent=label(l.n,Math.floor((w-6)/letter));\n"
    "}\n"
    "function zoom(to){\n"
    " for(const l of loads){\n"
    "  const around=l.y<to.y&&l.x<=to.x&&l.x+l.w>=to.x+to.w;\n"
    "  const from=Math.max(l.x,to.x),end=Math.min(l.x+l.w,to.x+to.w);\n"
    "  if(around)place(l,0,width);\n"
    "  else if(end>from&&l.y>=to.y)\n"
    "   place(l,(from-to.x)*width/to.w,(end-from)*width/to.w);\n"
    "  else place(l,0,0);\n"
    " }\n"
    " document.getElementById('reset').style.display=to.y<0?'none':'';\n"
    "}\n"
    "const all={x:0,w:1,y:-1};\n"
    "for(const l of loads)l.g.addEventListener('click',()=>zoom(l));\n"
    "document.getElementById('reset').addEventListener('click',"
    "()=>zoom(all));\n"
    "document.getElementById('search').addEventListener('click',()=>{\n"
    " const what=prompt('Part of a name');\n"
    " let count=0;\n"
    " for(const l of loads){\n"
    "  const hit=Boolean(what)&&l.n.includes(what);\n"
    "  l.g.classList.toggle('found',hit);count+=hit;\n"
    " }\n"
    " document.getElementById('hits').textContent=what?count+' found':'';\n"
    "});\n"
    "document.getElementById('tools').style.display='';\n";

static void
put_xml(FILE *stream, const char *shown)
{
    for (const char *c = shown; *c != '\0'; c++) {
        switch (*c) {
        case '&':
            (void)fputs("&amp;", stream);
            break;
        case '<':
            (void)fputs("&lt;", stream);
            break;
        case '>':
            (void)fputs("&gt;", stream);
            break;
        case '"':
            (void)fputs("&quot;", stream);
            break;
        default:
            (void)fputc(*c, stream);
        }
    }
}

static void
put_escaped(FILE *stream, const char *string)
{
    char *shown = text_escape(string);

    put_xml(stream, shown != NULL ? shown : "?");
    free(shown);
}

/* A hue for the top-level package of NAME, the same in every drawing. */
static unsigned
hue_of(const char *name)
{
    uint32_t hash = 2166136261u;

    for (; *name != '\0' && *name != '.'; name++) {
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    }
    return (hash ^ hash >> 16) * COLOUR_MIX % HUES;
}

static const char *
amount(uint64_t value, int by, char text[TEXT_UNIT_SIZE])
{
    return by == WIRE_BY_TIME ? text_time(value, text)
                              : text_bytes((int64_t)value, text);
}

/* VALUE of TOTAL, in millionths; a share of nothing is nothing. */
static uint64_t
share(uint64_t value, uint64_t total)
{
    return total == 0 ? 0
                      : (uint64_t)((double)value / (double)total * 1e6 + 0.5);
}

static void
put_tooltip(FILE *stream, const struct trace *trace,
            const struct trace_node *node, int by)
{
    const struct wire_trace_load *load = node->load;
    char text[TEXT_UNIT_SIZE];
    uint64_t part = share(node->value, trace->value);

    (void)fputs("<title>", stream);
    put_escaped(stream, load->name);
    (void)fprintf(stream, "\n%s, %" PRIu64 ".%" PRIu64 " %% of all",
                  amount(node->value, by, text), part / 10000,
                  part / 1000 % 10);
    (void)fprintf(stream, "\nitself %s", amount(node->self, by, text));
    if (by == WIRE_BY_TIME) {
        (void)fprintf(stream, "\nmemory %s", text_bytes(load->bytes, text));
    } else {
        (void)fprintf(stream, "\ntime %s", text_time(load->wall_ns, text));
    }
    if (load->trigger.file != NULL) {
        (void)fputs("\nneeded by ", stream);
        put_escaped(stream, load->trigger.file);
        (void)fprintf(stream, ":%d", load->trigger.line);
    }
    (void)fputs("\nthread ", stream);
    put_escaped(stream, trace->threads[node->thread]);
    (void)fputs("</title>", stream);
}

/* As much of SHOWN, which is UTF-8, as LETTERS characters hold: all of it, or
 * the end that begins at a dot, or the beginning of its last part. */
static void
put_label(FILE *stream, const char *shown, size_t letters)
{
    const char *rest = shown;
    size_t end = 0;

    if (letters < 3) {
        return;
    }
    for (const char *dot = strchr(shown, '.');
         dot != NULL && text_width(rest) + (rest != shown) > letters;
         dot = strchr(rest, '.')) {
        rest = dot + 1;
    }
    if (text_width(rest) + (rest != shown) <= letters) {
        (void)fputs(rest != shown ? "\xe2\x80\xa6" : "", stream);
        put_xml(stream, rest);
        return;
    }
    for (size_t seen = 0; seen < letters - 1; seen++) {
        do {
            end++;
        } while (((unsigned char)rest[end] & 0xC0) == 0x80);
    }
    char *cut = strndup(rest, end);
    put_xml(stream, cut != NULL ? cut : "");
    (void)fputs("\xe2\x80\xa6", stream);
    free(cut);
}

/* FROM is the sum of what stands left of it. */
static void
put_load(FILE *stream, const struct trace *trace,
         const struct trace_node *node, uint64_t from, int by)
{
    const double room = WIDTH - 2 * MARGIN;
    double total = trace->value > 0 ? (double)trace->value : 1;
    double x = (double)from / total, width = (double)node->value / total;
    unsigned y = TOP + ROW * node->depth;
    double letters = (width * room - 6) * 10 / LETTER;
    char *shown = text_escape(node->load->name);
    unsigned hue = hue_of(node->load->name);

    (void)fprintf(stream,
                  "<g class=\"load\" data-x=\"%.7f\" data-w=\"%.7f\" "
                  "data-y=\"%u\" data-n=\"",
                  x, width, node->depth);
    put_xml(stream, shown != NULL ? shown : "?");
    (void)fputs("\">", stream);
    put_tooltip(stream, trace, node, by);
    (void)fprintf(stream,
                  "<rect x=\"%.2f\" y=\"%u\" width=\"%.2f\" height=\"%d\" "
                  "rx=\"1\" fill=\"hsl(%u,%u%%,%u%%)\"/>",
                  MARGIN + x * room, y,
                  width * room > 0.2 ? width * room : 0.2, ROW - 1, hue,
                  55 + hue % 3 * 8, 70 + hue % 4 * 3);
    (void)fprintf(stream, "<text x=\"%.2f\" y=\"%u\">", MARGIN + x * room + 3,
                  y + 13);
    if (shown != NULL) {
        put_label(stream, shown, letters > 0 ? (size_t)letters : 0);
    }
    (void)fputs("</text></g>\n", stream);
    free(shown);
}

static void
put_head(FILE *stream, const struct trace *trace, unsigned height, int by)
{
    char text[TEXT_UNIT_SIZE];

    (void)fprintf(stream,
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
                  "height=\"%u\" viewBox=\"0 0 %d %u\">\n<style>%s</style>\n"
                  "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                  WIDTH, height, WIDTH, height, style);
    (void)fprintf(stream, "<text class=\"head\" x=\"%d\" y=\"24\">%s of ",
                  MARGIN, by == WIRE_BY_TIME ? "Load time" : "Loaded memory");
    put_escaped(stream, trace->app != NULL ? trace->app : "lazyd");
    (void)fprintf(
        stream,
        "</text>\n<text class=\"note\" x=\"%d\" y=\"46\">%zu modules, "
        "%s, pid %" PRId64 "; a box is a module, below it what "
        "it loaded</text>\n",
        MARGIN, trace->count, amount(trace->value, by, text), trace->pid);
    (void)fprintf(stream,
                  "<g id=\"tools\" style=\"display:none\">"
                  "<text class=\"do\" id=\"search\" x=\"%d\" y=\"24\" "
                  "text-anchor=\"end\">Search</text>"
                  "<text class=\"do\" id=\"reset\" x=\"%d\" y=\"24\" "
                  "text-anchor=\"end\" style=\"display:none\">Show all</text>"
                  "<text id=\"hits\" x=\"%d\" y=\"46\" "
                  "text-anchor=\"end\"></text></g>\n",
                  WIDTH - MARGIN, WIDTH - MARGIN - 70, WIDTH - MARGIN);
}

int
trace_write_svg(FILE *stream, const struct trace *trace, int by)
{
    unsigned rows = 1;
    /* Where the next child of a node goes, by the node's index. */
    uint64_t *next = calloc(trace->count + 1, sizeof(*next));

    if (next == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < trace->count; i++) {
        if (trace->nodes[i].depth + 1 > rows) {
            rows = trace->nodes[i].depth + 1;
        }
    }
    put_head(stream, trace, TOP + ROW * rows + MARGIN, by);
    for (const struct trace_node *node = trace->root; node != NULL;
         node = trace_next(node)) {
        size_t outer = node->parent != NULL
                           ? (size_t)(node->parent - trace->nodes)
                           : trace->count;
        uint64_t from = next[outer];
        next[outer] += node->value;
        next[node - trace->nodes] = from;
        if (node->value > 0) {
            put_load(stream, trace, node, from, by);
        }
    }
    (void)fprintf(stream, "<script><![CDATA[\n%s]]></script>\n</svg>\n",
                  script);
    free(next);
    return 0;
}
