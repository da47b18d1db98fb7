/* A list of blocks, freed together. */
#include "daemon/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    max_align_t data[];
};

void *
arena_alloc(struct arena *arena, size_t count, size_t size)
{
    struct arena_block *block;

    if (size != 0 && count > (SIZE_MAX - sizeof(*block)) / size) {
        return NULL;
    }
    block = calloc(1, sizeof(*block) + count * size);
    if (block == NULL) {
        return NULL;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    return block->data;
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

void
arena_done(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *next = arena->blocks->next;

        free(arena->blocks);
        arena->blocks = next;
    }
}
