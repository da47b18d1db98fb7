/* Modules one at a time: a listing takes 16 bytes for each that it has, and
 * is in the way of no writer for longer than it takes to look at them.
 *
 * Which modules it has, and in which order, is settled when it is opened;
 * what is said of each is what holds when it is asked for. Any thread, no GIL;
 * one thread at a time.
 */
#ifndef LAZYCORE_REGISTRY_LISTING_H
#define LAZYCORE_REGISTRY_LISTING_H

#include "lazycore/registry.h"

struct lz_listing;

/* What QUERY selects but for its limit. 0 or -ENOMEM. */
int registry_listing_open(struct lz_registry *registry,
                          const struct lz_query *query,
                          struct lz_listing **ret_listing);
/* Accepts NULL. */
void registry_listing_close(struct lz_listing *listing);

/* How many it has, whatever became of them. */
size_t registry_listing_count(const struct lz_listing *listing);
/* The name of number INDEX, which lives as long as the registry. */
const char *registry_listing_name(const struct lz_listing *listing,
                                  size_t index);
/* Number INDEX, or false where the query would not select it any more.
 * *RET_MODULE's strings are the listing's until the next call. */
bool registry_listing_at(struct lz_listing *listing, size_t index,
                         struct lz_module *ret_module);

#endif
