/* uthash's macros, each expanded once; see table.h.
 *
 * The lint is told what it cannot see: an expansion is not a long function
 * of ours, and removing a node frees no node.
 */
#include "lazycore/table.h"

#include <errno.h>

struct lz_node *
table_find(const struct lz_table *table, const void *key, size_t length)
{
    struct lz_node *node;

    HASH_FIND(hh, table->head, key, length, node);
    return node;
}

int /* NOLINTNEXTLINE(readability-function-size) */
table_add(struct lz_table *table, void *element, const void *key,
          size_t length)
{
    struct lz_node *node = element;

    HASH_ADD_KEYPTR(hh, table->head, key, length, node);
    /* uthash's way to report that it could not be added. */
    return node->hh.tbl == NULL ? -ENOMEM : 0;
}

void
table_remove(struct lz_table *table, struct lz_node *node)
{
    HASH_DEL(table->head, node);
}

size_t
table_count(const struct lz_table *table)
{
    return HASH_COUNT(table->head);
}

struct lz_node *
table_first(const struct lz_table *table)
{
    return table->head;
}

struct lz_node *
table_next(const struct lz_node *node)
{
    return node->hh.next;
}
