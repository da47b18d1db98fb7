/* The ignore sets' inside, shared by ignore.c, ignore_match.c and
 * ignore_file.c only. */
#ifndef LAZYCORE_IGNORE_PRIVATE_H
#define LAZYCORE_IGNORE_PRIVATE_H

#include "lazycore/annotations.h"
#include "lazycore/ignore.h"
#include "lazycore/table.h"

struct lz_ignore_entry {
    struct lz_node node;
    uint64_t hits;
    int builtin;
    char value[];
};

struct lz_ignore {
    struct lz_mutex mutex;
    struct lz_table tables[LZ_IGNORE_KINDS] LZ_GUARDED; /* of entries */
};

struct lz_ignore_entry *ignore_find_locked(struct lz_ignore *ignore,
                                           enum lz_ignore_kind kind,
                                           const char *value, size_t length)
    LZ_REQUIRES(ignore->mutex);
/* 1 added, 0 was there, -ENOSPC full, -ENOMEM. */
int ignore_add_locked(struct lz_ignore *ignore, enum lz_ignore_kind kind,
                      const char *value) LZ_REQUIRES(ignore->mutex);
/* 1 removed, 0 was not there. */
int ignore_remove_locked(struct lz_ignore *ignore, enum lz_ignore_kind kind,
                         const char *value) LZ_REQUIRES(ignore->mutex);
/* The INDEX-th entry that the sets start with: 1, or 0 past the end. */
int ignore_default(size_t index, enum lz_ignore_kind *ret_kind,
                   const char **ret_value);

#endif
