/* Lines out of a byte stream: one message a line, UTF-8, ended by '\n'.
 *
 * Takes bytes in any portions and gives whole lines, refusing those that are
 * too long, hold a NUL or are not UTF-8. A refused line is dropped to its
 * end and the next one is fine, so the peer can be told and the connection
 * lives on. Knows no JSON and no sockets. One thread for each object.
 */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include <stdbool.h>
#include <stddef.h>

struct wire_frame {
    char *data;
    size_t start, length, capacity, scanned;
    size_t max;
    bool dropping; /* inside a line that was refused for its length */
};

/* MAX is in bytes without the '\n'. Allocates nothing. */
void wire_frame_init(struct wire_frame *frame, size_t max);
void wire_frame_done(struct wire_frame *frame);

/* Append bytes. 0 or -ENOMEM. Take out all lines (wire_frame_next) before
 * pushing more: what is kept is then at most MAX + SIZE. */
int wire_frame_push(struct wire_frame *frame, const void *data, size_t size);

/* The next line: 1 with *RET_LINE (NUL-terminated, without '\n', valid until
 * the next call), 0 more bytes are needed, -EMSGSIZE too long, -EILSEQ not
 * UTF-8 or a NUL. Call again after an error. Empty lines are skipped. */
int wire_frame_next(struct wire_frame *frame, char **ret_line,
                    size_t *ret_length);

/* Bytes of memory that it holds. */
size_t wire_frame_size(const struct wire_frame *frame);

/* Bytes of a line not yet ended: more than 0 at the end of the stream means
 * a half-written message. */
size_t wire_frame_pending(const struct wire_frame *frame);

#endif
