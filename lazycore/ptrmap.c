/* A table of pointers with linear probing; see ptrmap.h. */
#include "lazycore/ptrmap.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

enum { ROOM_MIN = 64 };

/* Objects lie 16 bytes apart: Fibonacci hashing spreads the high bits. */
static size_t
slot_of(const struct lz_ptrmap *map, const void *key)
{
    uint64_t mixed =
        ((uint64_t)(uintptr_t)key >> 4) * UINT64_C(11400714819323198485);

    return (size_t)(mixed >> map->shift);
}

static struct lz_ptrmap_slot *
find(const struct lz_ptrmap *map, const void *key)
{
    size_t at = slot_of(map, key);

    while (map->slots[at].key != NULL && map->slots[at].key != key) {
        at = (at + 1) & (map->room - 1);
    }
    return &map->slots[at];
}

static int
grow(struct lz_ptrmap *map)
{
    struct lz_ptrmap larger = {
        .room = map->room == 0 ? ROOM_MIN : map->room * 2,
        .count = map->count,
    };

    larger.slots = calloc(larger.room, sizeof(*larger.slots));
    if (larger.slots == NULL) {
        return -ENOMEM;
    }
    larger.shift = 64 - (unsigned)__builtin_ctzll(larger.room);
    for (size_t i = 0; i < map->room; i++) {
        if (map->slots[i].key != NULL) {
            *find(&larger, map->slots[i].key) = map->slots[i];
        }
    }
    free(map->slots);
    *map = larger;
    return 0;
}

int
ptrmap_put(struct lz_ptrmap *map, const void *key, void *value)
{
    if (map->count * 2 >= map->room && grow(map) != 0) {
        return -ENOMEM;
    }
    struct lz_ptrmap_slot *slot = find(map, key);
    if (slot->key == NULL) {
        slot->key = key;
        map->count++;
    }
    slot->value = value;
    return 0;
}

void *
ptrmap_get(const struct lz_ptrmap *map, const void *key)
{
    return map->count == 0 ? NULL : find(map, key)->value;
}

int
ptrmap_has(const struct lz_ptrmap *map, const void *key)
{
    return map->count != 0 && find(map, key)->key != NULL;
}

void
ptrmap_done(struct lz_ptrmap *map)
{
    free(map->slots);
    *map = (struct lz_ptrmap){0};
}
