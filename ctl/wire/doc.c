/* See doc.h and reply.h. */
#include "ctl/wire/doc.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/wire/limit.h"

struct wire_chunk {
    struct wire_chunk *next;
    size_t size, used; /* bytes of DATA */
    max_align_t data[];
};

enum { SMALLEST = 512, LARGEST = 16 * 1024, GROWTH = 4 };

struct wire_doc *
wire_doc_new(const char *line, size_t length)
{
    /* One block. Not calloc(), which passes by what the thread has freed. */
    struct wire_doc *doc = malloc(sizeof *doc + length + 1);
    if (doc == NULL) {
        return NULL;
    }
    memset(doc, 0, sizeof *doc);
    doc->text = (char *)(doc + 1);
    memcpy(doc->text, line, length);
    doc->text[length] = '\0';
    doc->length = length;
    return doc;
}

void
wire_doc_free(struct wire_doc *doc)
{
    if (doc == NULL) {
        return;
    }
    while (doc->chunks != NULL) {
        struct wire_chunk *next = doc->chunks->next;
        free(doc->chunks);
        doc->chunks = next;
    }
    cJSON_Delete(doc->tree);
    free(doc);
}

static struct wire_chunk *
add_chunk(struct wire_doc *doc, size_t size)
{
    size_t wanted =
        doc->chunks == NULL ? SMALLEST : doc->chunks->size * GROWTH;
    wanted = wanted < LARGEST ? wanted : LARGEST;
    wanted = wanted > size ? wanted : size;
    struct wire_chunk *chunk = calloc(1, sizeof(struct wire_chunk) + wanted);
    if (chunk != NULL) {
        chunk->size = wanted;
        chunk->next = doc->chunks;
        doc->chunks = chunk;
    }
    return chunk;
}

void *
wire_doc_alloc(struct wire_doc *doc, size_t count, size_t size)
{
    const size_t unit = sizeof(max_align_t);
    if (size != 0 && count > SIZE_MAX / 2 / size) {
        return NULL;
    }
    size = (count * size + unit - 1) / unit * unit;
    if (size <= sizeof doc->near - doc->near_used) {
        void *memory = (char *)doc->near + doc->near_used;
        doc->near_used += size;
        return memory;
    }
    struct wire_chunk *chunk = doc->chunks;
    if (chunk == NULL || chunk->size - chunk->used < size) {
        chunk = add_chunk(doc, size);
    }
    if (chunk == NULL) {
        return NULL;
    }
    void *memory = (char *)chunk->data + chunk->used;
    chunk->used += size;
    return memory;
}

char *
wire_doc_copy(struct wire_doc *doc, const struct wire_member *member)
{
    char *copy = wire_doc_alloc(doc, member->value_length + 1, 1);
    if (copy != NULL) {
        memcpy(copy, member->value, member->value_length);
    }
    return copy;
}

char *
wire_doc_string(struct wire_doc *doc, const struct wire_member *member)
{
    char *copy = NULL;
    if (member->value[0] != '"') {
        return NULL;
    }
    if (memchr(member->value, '\\', member->value_length) == NULL) {
        /* What was scanned and has no escapes is what it says. */
        size_t length = member->value_length - 2;
        copy = wire_doc_alloc(doc, length + 1, 1);
        if (copy != NULL) {
            memcpy(copy, member->value + 1, length);
        }
        return copy;
    }
    cJSON *tree = cJSON_ParseWithLength(member->value, member->value_length);
    if (cJSON_IsString(tree)) {
        size_t length = strlen(tree->valuestring);
        copy = wire_doc_alloc(doc, length + 1, 1);
        if (copy != NULL) {
            memcpy(copy, tree->valuestring, length);
        }
    }
    cJSON_Delete(tree);
    return copy;
}

int
wire_doc_tree(struct wire_doc *doc, const struct wire_member *member)
{
    const char *end = NULL;
    doc->tree = cJSON_ParseWithLengthOpts(member->value, member->value_length,
                                          &end, 0);
    if (doc->tree == NULL) {
        return -EBADMSG;
    }
    /* What the strict scan accepted must be read to its last byte. */
    return end == member->value + member->value_length ? 0 : -EBADMSG;
}

void
wire_doc_drop_tree(struct wire_doc *doc)
{
    cJSON_Delete(doc->tree);
    doc->tree = NULL;
}

int
wire_doc_read(const char *line, size_t length, struct wire_doc **ret_doc)
{
    struct wire_doc *doc = wire_doc_new(line, length);
    if (doc == NULL) {
        return -ENOMEM;
    }
    int status = wire_scan(doc->text, length, WIRE_LIMIT_DEPTH, &doc->scan);
    if (status == 0) {
        const struct wire_member *body = NULL;
        const struct wire_member *method =
            wire_scan_find(&doc->scan, "method");
        if (method != NULL) {
            char *name = wire_doc_string(doc, method);
            body = wire_scan_find(&doc->scan, "params");
            if (name == NULL ||
                (strcmp(name, "hello") != 0 && strcmp(name, "event") != 0)) {
                body = NULL;
            } else {
                doc->kind =
                    strcmp(name, "hello") == 0 ? WIRE_IS_HELLO : WIRE_IS_EVENT;
            }
        } else if ((body = wire_scan_find(&doc->scan, "result")) != NULL) {
            doc->kind = WIRE_IS_RESULT;
        } else if ((body = wire_scan_find(&doc->scan, "error")) != NULL) {
            doc->kind = WIRE_IS_ERROR;
        }
        status = body != NULL ? wire_doc_tree(doc, body) : -EBADMSG;
    }
    if (status != 0) {
        wire_doc_free(doc);
        return status;
    }
    *ret_doc = doc;
    return 0;
}

enum wire_kind
wire_doc_kind(const struct wire_doc *doc)
{
    return doc->kind;
}

long
wire_doc_id(const struct wire_doc *doc)
{
    const struct wire_member *id = wire_scan_find(&doc->scan, "id");
    if (id == NULL || id->value_length > 9 ||
        strspn(id->value, "0123456789") < id->value_length) {
        return -1;
    }
    return strtol(id->value, NULL, 10);
}

const char *
wire_doc_raw(const struct wire_doc *doc, size_t *ret_length)
{
    static const char *const key[] = {[WIRE_IS_RESULT] = "result",
                                      [WIRE_IS_ERROR] = "error",
                                      [WIRE_IS_HELLO] = "params",
                                      [WIRE_IS_EVENT] = "params"};
    const struct wire_member *body =
        wire_scan_find(&doc->scan, key[doc->kind]);
    *ret_length = body->value_length;
    return body->value;
}
