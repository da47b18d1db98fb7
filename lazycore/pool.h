/* Strings stored once, counted by their holders.
 *
 * Equal strings have one pointer, so holders may compare pointers. No lock
 * of its own: whoever owns the pool serialises get and put. The text of a
 * string that is held never changes or moves and may be read unlocked.
 */
#ifndef LAZYCORE_POOL_H
#define LAZYCORE_POOL_H

#include <stddef.h>

struct lz_pool;

struct lz_pool *pool_new(void);
/* Strings still held go too. Accepts NULL. */
void pool_free(struct lz_pool *pool);

/* The shared copy of TEXT's first LENGTH bytes, held once more; NULL on lack
 * of memory. */
const char *pool_get(struct lz_pool *pool, const char *text, size_t length);
/* Hold SHARED, which came from pool_get, once more. Accepts NULL. */
const char *pool_hold(const char *shared);
/* Let go of SHARED once. Accepts NULL. */
void pool_put(struct lz_pool *pool, const char *shared);

/* How many different strings are held, and about what they take. */
size_t pool_count(const struct lz_pool *pool);
size_t pool_bytes(const struct lz_pool *pool);

#endif
