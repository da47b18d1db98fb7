/* See registry_listing.h. Entries of the registry are never removed and their
 * names never change, so both may be held without its lock.
 */
#include "lazycore/registry_listing.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "lazycore/bulk.h"
#include "lazycore/registry_private.h"

struct item {
    const struct lz_registry_entry *entry;
    uint64_t key; /* what it is sorted by, before its name */
};

struct lz_listing {
    struct lz_registry *registry;
    struct lz_query query;
    struct item *items;
    size_t count, capacity;
    struct lz_record shown; /* what the last module points into */
    bool holds;             /* its strings */
};

static const char *
name_of(const struct item *item)
{
    return item->entry->record.name;
}

static uint64_t
key_of(const struct lz_record *record, enum lz_sort sort)
{
    switch (sort) {
    case LZ_SORT_NAME:
        break;
    case LZ_SORT_TIME: /* the largest first */
        return UINT64_MAX - record->wall_self_ns;
    case LZ_SORT_MEMORY:
        return UINT64_MAX - ((uint64_t)record->bytes_self + INT64_MAX + 1);
    case LZ_SORT_ORDER: /* what has not been loaded comes last */
        return record->sequence - 1;
    }
    return 0;
}

static int
by_key(const void *left, const void *right)
{
    const struct item *a = left;
    const struct item *b = right;

    if (a->key != b->key) {
        return a->key < b->key ? -1 : 1;
    }
    return strcmp(name_of(a), name_of(b));
}

/* 0 or -ENOMEM. */
static int
take_items(struct lz_listing *listing)
{
    struct lz_registry *registry = listing->registry;
    struct item *items;

    lz_mutex_lock(&registry->mutex);
    listing->capacity = table_count(&registry->table) + 1;
    items = bulk_alloc(listing->capacity * sizeof(*items));
    for (struct lz_node *node = table_first(&registry->table);
         items != NULL && node != NULL; node = table_next(node)) {
        struct lz_registry_entry *entry = (struct lz_registry_entry *)node;

        entry->record.used_apart =
            registry->apart != NULL &&
            __atomic_load_n(&registry->apart[entry->record.number],
                            __ATOMIC_RELAXED) != 0;
        if (registry_selects(&listing->query, &entry->record)) {
            items[listing->count++] = (struct item){
                entry, key_of(&entry->record, listing->query.sort)};
        }
    }
    lz_mutex_unlock(&registry->mutex);
    listing->items = items;
    return items == NULL ? -ENOMEM : 0;
}

static void
keep_matching(struct lz_listing *listing, const char *match)
{
    size_t kept = 0;

    for (size_t i = 0; i < listing->count; i++) {
        if (fnmatch(match, name_of(&listing->items[i]), 0) == 0) {
            listing->items[kept++] = listing->items[i];
        }
    }
    listing->count = kept;
}

int
registry_listing_open(struct lz_registry *registry,
                      const struct lz_query *query,
                      struct lz_listing **ret_listing)
{
    struct lz_listing *listing = calloc(1, sizeof(*listing));

    if (listing == NULL) {
        return -ENOMEM;
    }
    listing->registry = registry;
    listing->query = *query;
    if (take_items(listing) != 0) {
        free(listing);
        return -ENOMEM;
    }
    if (query->match != NULL) {
        keep_matching(listing, query->match);
    }
    listing->query.match = NULL; /* the caller's */
    qsort(listing->items, listing->count, sizeof(*listing->items), by_key);
    *ret_listing = listing;
    return 0;
}

void
registry_listing_close(struct lz_listing *listing)
{
    if (listing == NULL) {
        return;
    }
    if (listing->holds) {
        registry_record_put(listing->registry, &listing->shown);
    }
    bulk_free(listing->items, listing->capacity * sizeof(*listing->items));
    free(listing);
}

size_t
registry_listing_count(const struct lz_listing *listing)
{
    return listing->count;
}

const char *
registry_listing_name(const struct lz_listing *listing, size_t index)
{
    return name_of(&listing->items[index]);
}

bool
registry_listing_at(struct lz_listing *listing, size_t index,
                    struct lz_module *ret_module)
{
    if (listing->holds) {
        registry_record_put(listing->registry, &listing->shown);
    }
    listing->holds =
        registry_record_take(listing->registry, listing->items[index].entry,
                             &listing->query, &listing->shown);
    if (listing->holds) {
        registry_show_record(&listing->shown, ret_module);
    }
    return listing->holds;
}
