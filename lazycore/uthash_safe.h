/* uthash, set to report a lack of memory instead of ending the process.
 *
 * After HASH_ADD*, an element whose hh.tbl is NULL was not added. The hash is
 * a function, not uthash's switch of fall-throughs, which clang warns about.
 * Include this and never uthash.h itself; in plain C prefer table.h.
 */
#ifndef LAZYCORE_UTHASH_SAFE_H
#define LAZYCORE_UTHASH_SAFE_H

#include <stddef.h>

/* FNV-1a, its bits mixed once more because uthash takes the low ones. */
static inline unsigned
lz_hash_bytes(const void *key, size_t length)
{
    const unsigned char *bytes = key;
    unsigned hash = 2166136261u;

    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ bytes[i]) * 16777619u;
    }
    return hash ^ (hash >> 15);
}

#define HASH_FUNCTION(key, length, ret_hash)                                  \
    ((ret_hash) = lz_hash_bytes((key), (length)))
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#endif
