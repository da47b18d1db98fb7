/* Pointers to pointers, for asking a million times whether one is known.
 *
 * Open addressing in one array; a miss costs a multiplication and a read.
 * Holds no reference and frees nothing it points to. Plain C, no lock. A map
 * of zeroes is empty.
 */
#ifndef LAZYCORE_PTRMAP_H
#define LAZYCORE_PTRMAP_H

#include <stddef.h>

struct lz_ptrmap_slot {
    const void *key; /* NULL: free */
    void *value;
};

struct lz_ptrmap {
    struct lz_ptrmap_slot *slots;
    size_t room; /* a power of two, or 0 */
    size_t count;
    unsigned shift;
};

/* 0 or -ENOMEM. KEY must not be NULL; an old value is replaced. */
int ptrmap_put(struct lz_ptrmap *map, const void *key, void *value);
/* The value, or NULL where KEY is missing (or its value is NULL). */
void *ptrmap_get(const struct lz_ptrmap *map, const void *key);
int ptrmap_has(const struct lz_ptrmap *map, const void *key);
void ptrmap_done(struct lz_ptrmap *map);

#endif
