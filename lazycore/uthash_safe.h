/* uthash, set to report a lack of memory instead of ending the process.
 *
 * After HASH_ADD*, an element whose hh.tbl is NULL was not added. The hash is
 * a function, not uthash's switch of fall-throughs, which clang warns about.
 * Include this and never uthash.h itself; in plain C prefer table.h.
 */
#ifndef LAZYCORE_UTHASH_SAFE_H
#define LAZYCORE_UTHASH_SAFE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LZ_HASH_FACTOR UINT64_C(0x9E3779B97F4A7C15)

static inline uint64_t
lz_hash_mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * LZ_HASH_FACTOR;
    return hash ^ hash >> 32;
}

/* Eight bytes at a time: keys are paths, and names by the thousand. */
static inline unsigned
lz_hash_bytes(const void *key, size_t length)
{
    const unsigned char *bytes = key;
    uint64_t hash = length, word;

    for (; length >= sizeof(word); length -= sizeof(word)) {
        memcpy(&word, bytes, sizeof(word));
        hash = lz_hash_mix(hash, word);
        bytes += sizeof(word);
    }
    word = 0;
    for (size_t i = 0; i < length; i++) {
        word = word << 8 | bytes[i];
    }
    return (unsigned)lz_hash_mix(lz_hash_mix(hash, word), 0);
}

#define HASH_FUNCTION(key, length, ret_hash)                                  \
    ((ret_hash) = lz_hash_bytes((key), (length)))
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* Chains are shorter than uthash's: every step is a miss of the cache. */
#undef HASH_BKT_CAPACITY_THRESH
#define HASH_BKT_CAPACITY_THRESH 6U

#endif
