/* The loads of a server as a tree, and that tree in viewers' formats.
 *
 * Pages of a trace come in, in the order of loading; trace_build() nests them
 * by thread and time. Names are escaped as for a terminal wherever they are
 * written. One thread.
 */
#ifndef CTL_TRACE_H
#define CTL_TRACE_H

#include <stdio.h>

#include "ctl/wire/reply.h"

struct trace_node {
    const struct wire_trace_load *load;
    struct trace_node *parent, *child, *next; /* NULL: a root, a leaf, last */
    uint64_t start_ns, end_ns; /* within the parent's, after the sibling's */
    uint64_t self;             /* what it itself took, in the unit asked for */
    uint64_t value;            /* that and all below */
    unsigned thread;           /* index in the trace's threads */
    unsigned depth;            /* of a root: 0 */
};

struct trace {
    struct wire_doc **docs; /* what the loads' strings belong to */
    size_t doc_count;
    struct trace_node *nodes; /* after trace_build(): parents first */
    size_t count, capacity;
    struct trace_node *root; /* the first */
    const char **threads;    /* names, in the order of their first load */
    unsigned thread_count;
    uint64_t value; /* of all roots */
    int64_t pid;
    const char *app; /* or NULL */
};

void trace_init(struct trace *trace);
void trace_done(struct trace *trace);
/* PAGE's loads, which belong to DOC. Takes DOC, on failure too. 0 or
 * -ENOMEM. */
int trace_add(struct trace *trace, struct wire_doc *doc,
              const struct wire_trace *page);
/* All pages are there: nest them, and value them BY (enum wire_trace_by).
 * Memory that was given back counts as nothing. 0 or -ENOMEM. */
int trace_build(struct trace *trace, int by);

/* Whether FORMAT can show BY. */
bool trace_can(int format, int by);
/* Write a trace that was built. Errors stick to STREAM. 0 or -ENOMEM. */
int trace_write(FILE *stream, const struct trace *trace, int format, int by);

/* For the writers: the node after NODE, children first. */
const struct trace_node *trace_next(const struct trace_node *node);
/* trace_svg.c */
int trace_write_svg(FILE *stream, const struct trace *trace, int by);

#endif
