/* A parsed JSON line and all memory that structs read from it point into.
 *
 * Private to ctl/wire (declared in reply.h for its users). One thread at a
 * time.
 */
#ifndef WIRE_DOC_H
#define WIRE_DOC_H

#include <stddef.h>

#include "ctl/wire/reply.h"
#include "ctl/wire/scan.h"

struct cJSON;
struct wire_chunk;

enum { WIRE_DOC_NEAR = 128 };

struct wire_doc {
    char *text;
    size_t length;
    struct wire_scan scan; /* ranges of text */
    struct cJSON *tree;    /* of what is read: params, result or error */
    enum wire_kind kind;
    struct wire_chunk *chunks;
    size_t near_used;
    /* The first that are asked for, as nearly all documents need no more. */
    max_align_t near[WIRE_DOC_NEAR / sizeof(max_align_t)];
};

/* A copy of LINE; nothing is parsed. NULL on lack of memory. */
struct wire_doc *wire_doc_new(const char *line, size_t length);
/* Zeroed memory that lives as long as the document; NULL: no memory. */
void *wire_doc_alloc(struct wire_doc *doc, size_t count, size_t size);
/* NUL-terminated copy of a member's value. */
char *wire_doc_copy(struct wire_doc *doc, const struct wire_member *member);
/* A member that is a JSON string without escapes' loss, decoded; NULL where
 * it is no string or memory lacks. */
char *wire_doc_string(struct wire_doc *doc, const struct wire_member *member);
/* Build the tree of one member. 0, -EBADMSG or -ENOMEM. */
int wire_doc_tree(struct wire_doc *doc, const struct wire_member *member);
/* The tree is not needed any more, nor what is in it. */
void wire_doc_drop_tree(struct wire_doc *doc);

#endif
