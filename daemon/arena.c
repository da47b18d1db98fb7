/* A list of blocks, freed together: small ones for the few strings of most
 * replies, large ones where there is one for each module.
 */
#include "daemon/arena.h"

#include <stdint.h>
#include <string.h>

#include "lazycore/bulk.h"

enum { SMALLEST = 512, LARGEST = 256 * 1024, GROWTH = 8 };

struct arena_block {
    struct arena_block *next;
    size_t size, used; /* bytes of DATA */
    max_align_t data[];
};

struct arena_end {
    struct arena_end *next;
    void (*end)(void *arg);
    void *arg;
};

static size_t
next_size(const struct arena *arena)
{
    size_t size =
        arena->blocks == NULL ? SMALLEST : arena->blocks->size * GROWTH;

    return size < LARGEST ? size : LARGEST;
}

/* A block with room for SIZE bytes, in front of the others. */
static struct arena_block *
add_block(struct arena *arena, size_t size)
{
    size_t wanted = next_size(arena);
    struct arena_block *block;

    if (wanted < size) {
        wanted = size;
    }
    block = bulk_alloc(sizeof(*block) + wanted);
    if (block != NULL) {
        block->size = wanted;
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block;
}

void *
arena_alloc(struct arena *arena, size_t count, size_t size)
{
    const size_t unit = sizeof(max_align_t);
    struct arena_block *block = arena->blocks;
    char *memory;

    if (size != 0 && count > (SIZE_MAX / 2) / size) {
        return NULL;
    }
    size = (count * size + unit - 1) / unit * unit;
    if (block == NULL || block->size - block->used < size) {
        block = add_block(arena, size);
    }
    if (block == NULL) {
        return NULL;
    }
    memory = (char *)block->data + block->used;
    block->used += size;
    return memory;
}

char *
arena_strdup(struct arena *arena, const char *text)
{
    size_t size;
    char *copy;

    if (text == NULL) {
        return NULL;
    }
    size = strlen(text) + 1;
    copy = arena_alloc(arena, size, 1);
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

int
arena_on_end(struct arena *arena, void (*end)(void *arg), void *arg)
{
    struct arena_end *entry = arena_alloc(arena, 1, sizeof(*entry));

    if (entry == NULL) {
        end(arg);
        return -1;
    }
    *entry = (struct arena_end){arena->ends, end, arg};
    arena->ends = entry;
    return 0;
}

void
arena_done(struct arena *arena)
{
    for (; arena->ends != NULL; arena->ends = arena->ends->next) {
        arena->ends->end(arena->ends->arg);
    }
    while (arena->blocks != NULL) {
        struct arena_block *block = arena->blocks;

        arena->blocks = block->next;
        bulk_free(block, sizeof(*block) + block->size);
    }
}
