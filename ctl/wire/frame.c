/* See frame.h. */
#include "ctl/wire/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/wire/utf8.h"

enum { KEPT = 4096 };

void
wire_frame_init(struct wire_frame *frame, size_t max)
{
    *frame = (struct wire_frame){.max = max};
}

void
wire_frame_done(struct wire_frame *frame)
{
    if (frame != NULL) {
        free(frame->data);
        wire_frame_init(frame, frame->max);
    }
}

/* Room for SIZE more bytes: what was taken goes first, then it grows. */
static int
reserve(struct wire_frame *frame, size_t size)
{
    if (frame->start > 0) {
        memmove(frame->data, frame->data + frame->start, frame->length);
        frame->start = 0;
    }
    if (frame->capacity - frame->length >= size) {
        return 0;
    }
    size_t capacity = frame->capacity == 0 ? 1024 : frame->capacity;
    while (capacity - frame->length < size) {
        capacity *= 2;
    }
    char *data = realloc(frame->data, capacity);
    if (data == NULL) {
        return -ENOMEM;
    }
    frame->data = data;
    frame->capacity = capacity;
    return 0;
}

int
wire_frame_push(struct wire_frame *frame, const void *data, size_t size)
{
    const char *bytes = data;
    if (frame->dropping && frame->length == 0) {
        /* Nothing of a refused line is kept. */
        const char *end = size > 0 ? memchr(bytes, '\n', size) : NULL;
        if (end == NULL) {
            return 0;
        }
        frame->dropping = false;
        size -= (size_t)(end + 1 - bytes);
        bytes = end + 1;
    }
    if (size == 0) {
        return 0;
    }
    int status = reserve(frame, size);
    if (status == 0) {
        memcpy(frame->data + frame->length, bytes, size);
        frame->length += size;
    }
    return status;
}

static void
consume(struct wire_frame *frame, size_t size)
{
    frame->start += size;
    frame->length -= size;
    frame->scanned = 0;
    if (frame->length == 0) {
        frame->start = 0;
    }
}

/* No line end within the maximum: the line is refused, and dropped to its
 * end, wherever that will come. */
static int
refuse_overlong(struct wire_frame *frame, const char *end)
{
    if (end != NULL) {
        consume(frame, (size_t)(end + 1 - (frame->data + frame->start)));
    } else {
        frame->dropping = true;
        consume(frame, frame->length);
    }
    return -EMSGSIZE;
}

/* A connection that sent one long line does not keep its memory. */
static void
shrink(struct wire_frame *frame)
{
    if (frame->capacity > KEPT) {
        free(frame->data);
        frame->data = NULL;
        frame->capacity = 0;
    }
}

int
wire_frame_next(struct wire_frame *frame, char **ret_line, size_t *ret_length)
{
    for (;;) {
        if (frame->length == 0) {
            shrink(frame);
            return 0;
        }
        char *line = frame->data + frame->start;
        char *end = memchr(line + frame->scanned, '\n',
                           frame->length - frame->scanned);
        size_t length = end != NULL ? (size_t)(end - line) : frame->length;
        if (length > frame->max) {
            return refuse_overlong(frame, end);
        }
        if (end == NULL) {
            frame->scanned = frame->length;
            return 0;
        }
        *end = '\0';
        consume(frame, length + 1);
        if (length > 0 && line[length - 1] == '\r') {
            line[--length] = '\0';
        }
        if (length == 0) {
            continue;
        }
        if (!wire_utf8_valid(line, length)) {
            return -EILSEQ;
        }
        *ret_line = line;
        *ret_length = length;
        return 1;
    }
}

size_t
wire_frame_size(const struct wire_frame *frame)
{
    return frame->capacity;
}

size_t
wire_frame_pending(const struct wire_frame *frame)
{
    return frame->length;
}
