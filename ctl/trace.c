/* Loads into a tree: see trace.h. */
#include "ctl/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
trace_init(struct trace *trace)
{
    *trace = (struct trace){0};
}

void
trace_done(struct trace *trace)
{
    for (size_t i = 0; i < trace->doc_count; i++) {
        wire_doc_free(trace->docs[i]);
    }
    free(trace->docs);
    free(trace->nodes);
    free((void *)trace->threads);
    *trace = (struct trace){0};
}

/* Python's recursion limit keeps imports far from it; writers recurse. */
enum { DEPTH_MAX = 1000 };

static int
add_doc(struct trace *trace, struct wire_doc *doc)
{
    struct wire_doc **docs =
        realloc(trace->docs, (trace->doc_count + 1) * sizeof(*docs));

    if (docs == NULL) {
        wire_doc_free(doc);
        return -ENOMEM;
    }
    trace->docs = docs;
    docs[trace->doc_count++] = doc;
    return 0;
}

/* The index of the thread NAME, which is added where it is new. */
static int
thread_of(struct trace *trace, const char *name, unsigned *ret_index)
{
    name = name != NULL ? name : "?";
    for (unsigned i = 0; i < trace->thread_count; i++) {
        if (strcmp(trace->threads[i], name) == 0) {
            *ret_index = i;
            return 0;
        }
    }
    const char **threads =
        realloc((void *)trace->threads,
                (trace->thread_count + 1) * sizeof(const char *));
    if (threads == NULL) {
        return -ENOMEM;
    }
    trace->threads = threads;
    *ret_index = trace->thread_count++;
    threads[*ret_index] = name;
    return 0;
}

int
trace_add(struct trace *trace, struct wire_doc *doc,
          const struct wire_trace *page)
{
    if (add_doc(trace, doc) != 0) {
        return -ENOMEM;
    }
    trace->pid = page->pid;
    trace->app = page->app;
    if (trace->count + page->load_count > trace->capacity) {
        size_t capacity = 2 * (trace->count + page->load_count);
        struct trace_node *nodes =
            realloc(trace->nodes, capacity * sizeof(*nodes));
        if (nodes == NULL) {
            return -ENOMEM;
        }
        trace->nodes = nodes;
        trace->capacity = capacity;
    }
    for (size_t i = 0; i < page->load_count; i++) {
        const struct wire_trace_load *load = &page->loads[i];
        struct trace_node *node = &trace->nodes[trace->count];
        *node =
            (struct trace_node){.load = load,
                                .start_ns = load->started_ns,
                                .end_ns = load->started_ns + load->wall_ns};
        if (thread_of(trace, load->thread, &node->thread) != 0) {
            return -ENOMEM;
        }
        trace->count++;
    }
    return 0;
}

/* By thread, then by start; of two that start together the longer one, then
 * the one that finished later, goes around the other. */
static int
by_start(const void *left, const void *right)
{
    const struct trace_node *a = left;
    const struct trace_node *b = right;

    if (a->thread != b->thread) {
        return a->thread < b->thread ? -1 : 1;
    }
    if (a->start_ns != b->start_ns) {
        return a->start_ns < b->start_ns ? -1 : 1;
    }
    if (a->end_ns != b->end_ns) {
        return a->end_ns > b->end_ns ? -1 : 1;
    }
    return a->load->sequence > b->load->sequence ? -1 : 1;
}

/* Link the nodes, which are sorted. Where greenlets took turns, loads of one
 * thread overlap: what begins in another and outlives it comes after it. */
static void
nest(struct trace *trace)
{
    struct trace_node *open = NULL, *last = NULL;

    for (size_t i = 0; i < trace->count; i++) {
        struct trace_node *node = &trace->nodes[i];
        while (open != NULL &&
               (open->thread != node->thread || node->end_ns > open->end_ns ||
                open->depth >= DEPTH_MAX)) {
            last = open;
            open = open->parent;
        }
        if (last != NULL && last->thread == node->thread &&
            node->start_ns < last->end_ns) {
            node->start_ns = last->end_ns;
        }
        if (node->end_ns < node->start_ns) {
            node->end_ns = node->start_ns;
        }
        node->parent = open;
        node->depth = open != NULL ? open->depth + 1 : 0;
        if (last != NULL) {
            last->next = node;
        } else if (open != NULL) {
            open->child = node;
        } else {
            trace->root = node;
        }
        last = NULL;
        open = node;
    }
}

static uint64_t
own_value(const struct wire_trace_load *load, int by)
{
    if (by == WIRE_BY_TIME) {
        return load->wall_self_ns;
    }
    return load->bytes_self > 0 ? (uint64_t)load->bytes_self : 0;
}

int
trace_build(struct trace *trace, int by)
{
    if (trace->count > 1) {
        qsort(trace->nodes, trace->count, sizeof(*trace->nodes), by_start);
    }
    nest(trace);
    for (size_t i = trace->count; i-- > 0;) {
        struct trace_node *node = &trace->nodes[i];
        node->self = own_value(node->load, by);
        node->value += node->self;
        *(node->parent != NULL ? &node->parent->value : &trace->value) +=
            node->value;
    }
    return 0;
}

const struct trace_node *
trace_next(const struct trace_node *node)
{
    if (node->child != NULL) {
        return node->child;
    }
    while (node != NULL && node->next == NULL) {
        node = node->parent;
    }
    return node != NULL ? node->next : NULL;
}
