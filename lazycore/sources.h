/* What the source of each loaded module was when it was read, and now.
 *
 * Responsible for telling whether a module's file on disk is still what runs,
 * by its hash, and for how many generations there are to roll back to.
 * Written by whoever holds the GIL, read by any thread. One mutex of its own,
 * held for a look-up or a copy, never while a file is read. Plain C. Bounded
 * by the number of modules.
 */
#ifndef LAZYCORE_SOURCES_H
#define LAZYCORE_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lz_source {
    int64_t mtime_ns; /* CLOCK_REALTIME; 0 not known */
    int64_t ctime_ns; /* tells where the other was put back */
    int64_t size;
    uint64_t inode;
    uint64_t hash; /* of the text that runs, or 0 */
    bool racy;     /* too recent, when it was read, to be relied upon */
    bool archive;  /* of the zip that the file is in */
};

struct lz_sources;

/* NULL on lack of memory. */
struct lz_sources *sources_new(void);
void sources_free(struct lz_sources *sources);

/* Of bytes in memory; never 0, which means unknown. */
uint64_t source_hash(const void *bytes, size_t size);
/* What PATH is now, but for its hash; for a path inside a zip what the zip
 * is. False where there is neither. */
bool source_identify(const char *path, struct lz_source *ret_source);
/* Whether a file that was A and is B was certainly not written to. */
bool source_is_same(const struct lz_source *a, const struct lz_source *b);

/* Whether it looks as if it were not, if only to the clock. */
bool source_looks_same(const struct lz_source *a, const struct lz_source *b);
/* The hash of the file at PATH, or 0. */
uint64_t source_hash_file(const char *path);

/* Module NAME, at PATH, runs SOURCE. A lack of memory leaves it unknown. */
void sources_note(struct lz_sources *sources, const char *name,
                  const char *path, const struct lz_source *source);
/* Whether it is known what NAME runs. */
bool sources_get(struct lz_sources *sources, const char *name,
                 struct lz_source *ret_source);
/* Generations of NAME that are kept; nothing where NAME is not known. */
void sources_set_generations(struct lz_sources *sources, const char *name,
                             unsigned count);
unsigned sources_generations(struct lz_sources *sources, const char *name);

/* The transaction SERIAL, which replaced NAME, waits to be confirmed; 0: not
 * any more. Meanwhile NAME may not be reloaded. */
void sources_hold(struct lz_sources *sources, const char *name,
                  uint64_t serial);
/* What NAME waits for, or 0. */
uint64_t sources_held(struct lz_sources *sources, const char *name);
/* No module waits for SERIAL any more: how many did. */
size_t sources_release(struct lz_sources *sources, uint64_t serial);

enum lz_drift {
    LZ_DRIFT_NONE,    /* the file is what runs */
    LZ_DRIFT_CHANGED, /* its hash is another */
    LZ_DRIFT_MISSING, /* it is gone */
    LZ_DRIFT_UNKNOWN, /* it was written to; what it was is not known */
    LZ_DRIFTS
};

const char *lz_drift_string(enum lz_drift drift);

struct lz_drift_row {
    char *name, *path; /* malloc'd */
    enum lz_drift drift;
    int64_t since_ns; /* CLOCK_REALTIME: mtime of the file; 0 unknown */
    uint64_t old_hash, new_hash; /* 0 unknown */
};

/* Read the files of all modules whose name MATCH (a glob, or NULL) has, but
 * for those that were not written to. Also notes hashes that were not known
 * yet. 0 with rows in the order of names, or -ENOMEM. Blocks on the disk: any
 * thread that may. */
int sources_drift(struct lz_sources *sources, const char *match,
                  struct lz_drift_row **ret_rows, size_t *ret_count);
void sources_drift_free(struct lz_drift_row *rows, size_t count);
/* Only note hashes that were not known yet, of files that were not written
 * to since: what runs can be told by its hash later. Blocks on the disk. */
void sources_learn(struct lz_sources *sources);

/* Around fork(), see core.h. */
void sources_before_fork(struct lz_sources *sources);
void sources_after_fork_parent(struct lz_sources *sources);
void sources_after_fork(struct lz_sources *sources);

#endif
