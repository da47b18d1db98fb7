/* The frame decoder: lines out of a stream that comes in any portions.
 *
 * Whatever the portions, the same lines and the same refusals must come out,
 * no line may be over the maximum, and no more may be kept than a line and
 * a portion. Input: maximum, seed of the portions, the stream.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "ctl/wire/frame.h"
#include "tests/fuzz/targets/target.h"

enum { OUTCOMES_MAX = 4096, PORTION_MAX = 23 };

struct outcomes {
    int status[OUTCOMES_MAX];
    uint64_t hash[OUTCOMES_MAX]; /* of the line */
    size_t count;
};

static uint64_t
hash_of(const char *line, size_t length)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (uint8_t)line[i]) * 1099511628211u;
    }
    return hash;
}

static void
take(struct wire_frame *frame, size_t max, struct outcomes *out)
{
    char *line = NULL;
    size_t length = 0;
    int status;

    while ((status = wire_frame_next(frame, &line, &length)) != 0) {
        target_check(status == 1 || status == -EMSGSIZE || status == -EILSEQ);
        uint64_t hash = 0;
        if (status == 1) {
            target_check(length > 0 && length <= max);
            target_check(line[length] == '\0' && strlen(line) == length);
            target_check(memchr(line, '\n', length) == NULL);
            hash = hash_of(line, length);
        }
        if (out->count < OUTCOMES_MAX) {
            out->status[out->count] = status;
            out->hash[out->count++] = hash;
        }
    }
}

static void
feed(struct target_input input, size_t max, unsigned seed, bool whole,
     struct outcomes *out)
{
    struct wire_frame frame;

    out->count = 0;
    wire_frame_init(&frame, max);
    while (input.size > 0) {
        seed = seed * 1103515245u + 12345u;
        size_t portion = whole ? input.size : (seed >> 16) % PORTION_MAX;
        portion = portion > input.size ? input.size : portion;
        target_check(wire_frame_push(&frame, input.data, portion) == 0);
        input.data += portion;
        input.size -= portion;
        take(&frame, max, out);
        target_check(wire_frame_pending(&frame) <= max);
    }
    wire_frame_done(&frame);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct outcomes whole, portions;
    struct target_input input = {data, size};
    size_t max = 1 + target_byte(&input) % 64;
    unsigned seed = target_byte(&input);

    feed(input, max, seed, true, &whole);
    feed(input, max, seed, false, &portions);
    target_check(whole.count == portions.count);
    for (size_t i = 0; i < whole.count; i++) {
        target_check(whole.status[i] == portions.status[i]);
        target_check(whole.hash[i] == portions.hash[i]);
    }
    return 0;
}
