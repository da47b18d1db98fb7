/* A hash table of bytes to caller's structs, whose first member is the node.
 *
 * uthash behind functions: its macros expand in one file only. No lock of
 * its own, allocates only its buckets; nodes and keys are the caller's and
 * must outlive their time in the table. A table of zeroes is empty.
 */
#ifndef LAZYCORE_TABLE_H
#define LAZYCORE_TABLE_H

#include <stddef.h>

#include "lazycore/uthash_safe.h"

struct lz_node {
    UT_hash_handle hh;
};

struct lz_table {
    struct lz_node *head;
};

/* NULL where it is missing. */
struct lz_node *table_find(const struct lz_table *table, const void *key,
                           size_t length);
/* Add ELEMENT, which begins with its node. 0 or -ENOMEM. The key must not be
 * in the table. */
int table_add(struct lz_table *table, void *element, const void *key,
              size_t length);
void table_remove(struct lz_table *table, struct lz_node *node);
size_t table_count(const struct lz_table *table);

/* Oldest first; NULL at the end. To empty a table: remove the first until
 * there is none. */
struct lz_node *table_first(const struct lz_table *table);
struct lz_node *table_next(const struct lz_node *node);

#endif
