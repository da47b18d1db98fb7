/* See sources.h. A table by name, and reading files without its lock. */
#include "lazycore/sources.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "lazycore/annotations.h"
#include "lazycore/table.h"

enum {
    MODULES_MAX = 200000,       /* the registry's bound */
    FILE_MAX = 4 * 1024 * 1024, /* bytes of what is hashed */
};

struct entry {
    struct lz_node node;
    char *path;
    struct lz_source source;
    unsigned generations;
    uint64_t held; /* serial of what waits to be confirmed, or 0 */
    char name[];
};

struct lz_sources {
    struct lz_mutex mutex;
    struct lz_table table LZ_GUARDED; /* of entries */
};

static const char *const drift_strings[LZ_DRIFTS] = {
    [LZ_DRIFT_NONE] = "none",
    [LZ_DRIFT_CHANGED] = "changed",
    [LZ_DRIFT_MISSING] = "missing",
    [LZ_DRIFT_UNKNOWN] = "unknown",
};

const char *
lz_drift_string(enum lz_drift drift)
{
    return drift_strings[(unsigned)drift < LZ_DRIFTS ? drift
                                                     : LZ_DRIFT_UNKNOWN];
}

/* --- life --------------------------------------------------------------- */

struct lz_sources *LZ_UNCHECKED
sources_new(void)
{
    struct lz_sources *sources = calloc(1, sizeof(*sources));

    if (sources != NULL) {
        lz_mutex_init(&sources->mutex);
    }
    return sources;
}

void LZ_UNCHECKED
sources_free(struct lz_sources *sources)
{
    struct lz_node *node;

    if (sources == NULL) {
        return;
    }
    while ((node = table_first(&sources->table)) != NULL) {
        table_remove(&sources->table, node);
        free(((struct entry *)node)->path);
        free(node);
    }
    lz_mutex_done(&sources->mutex);
    free(sources);
}

void LZ_UNCHECKED
sources_before_fork(struct lz_sources *sources)
{
    lz_mutex_lock(&sources->mutex);
}

void LZ_UNCHECKED
sources_after_fork_parent(struct lz_sources *sources)
{
    lz_mutex_unlock(&sources->mutex);
}

void
sources_after_fork(struct lz_sources *sources)
{
    lz_mutex_init(&sources->mutex);
}

/* --- what is known ------------------------------------------------------ */

static struct entry *find(struct lz_sources *sources, const char *name)
    LZ_REQUIRES(sources->mutex);

static struct entry *
find(struct lz_sources *sources, const char *name)
{
    return (struct entry *)table_find(&sources->table, name, strlen(name));
}

static struct entry *add(struct lz_sources *sources, const char *name)
    LZ_REQUIRES(sources->mutex);

static struct entry *
add(struct lz_sources *sources, const char *name)
{
    size_t length = strlen(name);
    struct entry *entry = table_count(&sources->table) >= MODULES_MAX
                              ? NULL
                              : calloc(1, sizeof(*entry) + length + 1);

    if (entry == NULL) {
        return NULL;
    }
    memcpy(entry->name, name, length);
    if (table_add(&sources->table, entry, entry->name, length) != 0) {
        free(entry);
        return NULL;
    }
    return entry;
}

void
sources_note(struct lz_sources *sources, const char *name, const char *path,
             const struct lz_source *source)
{
    lz_mutex_lock(&sources->mutex);
    struct entry *entry = find(sources, name);
    if (entry == NULL) {
        entry = add(sources, name);
    }
    if (entry != NULL) {
        if (entry->path == NULL || strcmp(entry->path, path) != 0) {
            free(entry->path);
            entry->path = strdup(path);
        }
        entry->source = *source;
    }
    lz_mutex_unlock(&sources->mutex);
}

bool
sources_get(struct lz_sources *sources, const char *name,
            struct lz_source *ret_source)
{
    lz_mutex_lock(&sources->mutex);
    struct entry *entry = find(sources, name);
    if (entry != NULL) {
        *ret_source = entry->source;
    }
    lz_mutex_unlock(&sources->mutex);
    return entry != NULL;
}

void
sources_set_generations(struct lz_sources *sources, const char *name,
                        unsigned count)
{
    lz_mutex_lock(&sources->mutex);
    struct entry *entry = find(sources, name);
    if (entry != NULL) {
        entry->generations = count;
    }
    lz_mutex_unlock(&sources->mutex);
}

unsigned
sources_generations(struct lz_sources *sources, const char *name)
{
    lz_mutex_lock(&sources->mutex);
    struct entry *entry = find(sources, name);
    unsigned count = entry == NULL ? 0 : entry->generations;
    lz_mutex_unlock(&sources->mutex);
    return count;
}

void
sources_hold(struct lz_sources *sources, const char *name, uint64_t serial)
{
    lz_mutex_lock(&sources->mutex);
    struct entry *entry = find(sources, name);
    if (entry != NULL) {
        entry->held = serial;
    }
    lz_mutex_unlock(&sources->mutex);
}

uint64_t
sources_held(struct lz_sources *sources, const char *name)
{
    lz_mutex_lock(&sources->mutex);
    struct entry *entry = find(sources, name);
    uint64_t serial = entry == NULL ? 0 : entry->held;
    lz_mutex_unlock(&sources->mutex);
    return serial;
}

size_t
sources_release(struct lz_sources *sources, uint64_t serial)
{
    size_t count = 0;

    lz_mutex_lock(&sources->mutex);
    for (struct lz_node *node = table_first(&sources->table); node != NULL;
         node = table_next(node)) {
        struct entry *entry = (struct entry *)node;
        if (entry->held == serial && serial != 0) {
            entry->held = 0;
            count++;
        }
    }
    lz_mutex_unlock(&sources->mutex);
    return count;
}

/* --- what is on disk ---------------------------------------------------- */

struct copy {
    char *name, *path;
    struct lz_source source;
};

static void
free_copies(struct copy *copies, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(copies[i].name);
        free(copies[i].path);
    }
    free(copies);
}

static int copy_locked(struct lz_sources *sources, const char *match,
                       struct copy *copies, size_t *ret_count)
    LZ_REQUIRES(sources->mutex);

static int
copy_locked(struct lz_sources *sources, const char *match, struct copy *copies,
            size_t *ret_count)
{
    struct lz_node *node = table_first(&sources->table);

    for (; node != NULL; node = table_next(node)) {
        const struct entry *entry = (const struct entry *)node;
        struct copy *copy = &copies[*ret_count];
        if (entry->path == NULL ||
            (match != NULL && fnmatch(match, entry->name, 0) != 0)) {
            continue;
        }
        copy->name = strdup(entry->name);
        copy->path = strdup(entry->path);
        copy->source = entry->source;
        (*ret_count)++;
        if (copy->name == NULL || copy->path == NULL) {
            return -ENOMEM;
        }
    }
    return 0;
}

static int
copy_all(struct lz_sources *sources, const char *match,
         struct copy **ret_copies, size_t *ret_count)
{
    *ret_count = 0;
    lz_mutex_lock(&sources->mutex);
    size_t room = table_count(&sources->table);
    *ret_copies = calloc(room + 1, sizeof(**ret_copies));
    int rc = *ret_copies == NULL
                 ? -ENOMEM
                 : copy_locked(sources, match, *ret_copies, ret_count);
    lz_mutex_unlock(&sources->mutex);
    return rc;
}

static void
learn_one(struct lz_sources *sources, const struct copy *copy, uint64_t hash)
{
    lz_mutex_lock(&sources->mutex);
    struct entry *entry = find(sources, copy->name);
    if (entry != NULL && entry->source.hash == 0 &&
        source_is_same(&entry->source, &copy->source)) {
        entry->source.hash = hash;
    }
    lz_mutex_unlock(&sources->mutex);
}

/* COPY's file as it is now; its hash where that can tell something. */
static enum lz_drift
compare(struct lz_sources *sources, const struct copy *copy,
        struct lz_source *ret_now)
{
    struct lz_source after;

    if (!source_identify(copy->path, ret_now)) {
        *ret_now = (struct lz_source){0};
        return LZ_DRIFT_MISSING;
    }
    bool same = source_looks_same(&copy->source, ret_now);
    bool learns = same && !copy->source.racy && copy->source.hash == 0;
    if (ret_now->archive || copy->source.archive || ret_now->size > FILE_MAX ||
        (same && !learns)) {
        return same ? LZ_DRIFT_NONE : LZ_DRIFT_UNKNOWN;
    }
    uint64_t hash = source_hash_file(copy->path);
    if (hash == 0 || !source_identify(copy->path, &after) ||
        !source_looks_same(ret_now, &after)) {
        return same ? LZ_DRIFT_NONE : LZ_DRIFT_UNKNOWN;
    }
    ret_now->hash = hash;
    if (same) {
        learn_one(sources, copy, hash);
        return LZ_DRIFT_NONE;
    }
    if (copy->source.hash == 0) {
        return copy->source.size == ret_now->size ? LZ_DRIFT_UNKNOWN
                                                  : LZ_DRIFT_CHANGED;
    }
    return hash == copy->source.hash ? LZ_DRIFT_NONE : LZ_DRIFT_CHANGED;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct copy *)a)->name,
                  ((const struct copy *)b)->name);
}

int
sources_drift(struct lz_sources *sources, const char *match,
              struct lz_drift_row **ret_rows, size_t *ret_count)
{
    struct copy *copies;
    size_t count;
    int rc = copy_all(sources, match, &copies, &count);
    struct lz_drift_row *rows =
        rc < 0 ? NULL : calloc(count + 1, sizeof(*rows));

    if (rows == NULL) {
        free_copies(copies, count);
        return -ENOMEM;
    }
    qsort(copies, count, sizeof(*copies), by_name);
    for (size_t i = 0; i < count; i++) {
        struct lz_source now;
        enum lz_drift drift = compare(sources, &copies[i], &now);
        rows[i] = (struct lz_drift_row){
            .name = copies[i].name,
            .path = copies[i].path,
            .drift = drift,
            .since_ns = now.mtime_ns,
            .old_hash = copies[i].source.hash,
            .new_hash = now.hash,
        };
    }
    free(copies);
    *ret_rows = rows;
    *ret_count = count;
    return 0;
}

void
sources_drift_free(struct lz_drift_row *rows, size_t count)
{
    for (size_t i = 0; rows != NULL && i < count; i++) {
        free(rows[i].name);
        free(rows[i].path);
    }
    free(rows);
}

void
sources_learn(struct lz_sources *sources)
{
    struct copy *copies;
    size_t count;

    if (copy_all(sources, NULL, &copies, &count) == 0) {
        for (size_t i = 0; i < count; i++) {
            struct lz_source now;
            if (copies[i].source.hash == 0 && !copies[i].source.racy) {
                (void)compare(sources, &copies[i], &now);
            }
        }
    }
    free_copies(copies, count);
}
