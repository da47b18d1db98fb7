/* The table behind shared strings: by their text, a count in each.
 *
 * Responsible for storing equal strings once and freeing the last holder's.
 * Leaves locking to the owner of the pool.
 */
#include "lazycore/pool.h"

#include <stdlib.h>
#include <string.h>

#include "lazycore/table.h"

struct shared {
    struct lz_node node;
    size_t holders;
    char text[];
};

/* What the allocator and the table's buckets add to a string, about. */
enum { EXTRA_BYTES = 40 };

/* Most strings are asked for again soon: files, functions, threads. */
enum { RECENT = 16 };

struct lz_pool {
    struct lz_table table;
    size_t bytes;
    struct shared *recent[RECENT]; /* by recent_slot(); or NULL */
};

static struct shared *
shared_of(const char *text)
{
    return (struct shared *)(void *)((uintptr_t)text -
                                     offsetof(struct shared, text));
}

static struct shared **
recent_slot(struct lz_pool *pool, const char *text, size_t length)
{
    size_t last = length == 0 ? 0 : (unsigned char)text[length - 1];

    return &pool->recent[(length * 5 + last) % RECENT];
}

static size_t
size_of(const struct shared *shared)
{
    return sizeof(*shared) + shared->node.hh.keylen + 1 + EXTRA_BYTES;
}

struct lz_pool *
pool_new(void)
{
    return calloc(1, sizeof(struct lz_pool));
}

void
pool_free(struct lz_pool *pool)
{
    struct lz_node *node;

    if (pool == NULL) {
        return;
    }
    while ((node = table_first(&pool->table)) != NULL) {
        table_remove(&pool->table, node);
        free(node);
    }
    free(pool);
}

const char *
pool_get(struct lz_pool *pool, const char *text, size_t length)
{
    struct shared **recent = recent_slot(pool, text, length);
    struct shared *shared = *recent;

    if (shared == NULL || shared->node.hh.keylen != length ||
        memcmp(shared->text, text, length) != 0) {
        shared = (struct shared *)table_find(&pool->table, text, length);
    }
    if (shared != NULL) {
        shared->holders++;
        *recent = shared;
        return shared->text;
    }
    shared = malloc(sizeof(*shared) + length + 1);
    if (shared == NULL) {
        return NULL;
    }
    memset(shared, 0, sizeof(*shared));
    memcpy(shared->text, text, length);
    shared->text[length] = '\0';
    shared->holders = 1;
    if (table_add(&pool->table, shared, shared->text, length) != 0) {
        free(shared);
        return NULL;
    }
    pool->bytes += size_of(shared);
    *recent = shared;
    return shared->text;
}

const char *
pool_hold(const char *shared)
{
    if (shared != NULL) {
        shared_of(shared)->holders++;
    }
    return shared;
}

void
pool_put(struct lz_pool *pool, const char *text)
{
    if (text == NULL) {
        return;
    }
    struct shared *shared = shared_of(text);
    if (--shared->holders == 0) {
        struct shared **recent =
            recent_slot(pool, text, shared->node.hh.keylen);
        if (*recent == shared) {
            *recent = NULL;
        }
        pool->bytes -= size_of(shared);
        table_remove(&pool->table, &shared->node);
        free(shared);
    }
}

size_t
pool_count(const struct lz_pool *pool)
{
    return table_count(&pool->table);
}

size_t
pool_bytes(const struct lz_pool *pool)
{
    return pool->bytes;
}
