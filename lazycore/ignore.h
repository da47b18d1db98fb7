/* The three ignore sets of the seed, as plain C that needs no GIL.
 *
 * names: exact. packages: itself and all below ("foo" does not match
 * "foobar"). paths: substring of the found file's path, case-insensitive on
 * both sides. They start with what is known to need it. An edit takes effect
 * at the next import statement; each rule counts its hits. Own mutex; any
 * thread.
 */
#ifndef LAZYCORE_IGNORE_H
#define LAZYCORE_IGNORE_H

#include <stddef.h>
#include <stdint.h>

#include "lazycore/error.h"
#include "lazycore/registry.h"

enum lz_ignore_kind {
    LZ_IGNORE_NAME,
    LZ_IGNORE_PACKAGE,
    LZ_IGNORE_PATH,
    LZ_IGNORE_KINDS
};

enum {
    LZ_IGNORE_MAX = 10000,     /* entries of one kind */
    LZ_IGNORE_VALUE_MAX = 4096 /* bytes of one value */
};

struct lz_ignore_rule {
    enum lz_ignore_kind kind;
    char *value;
    uint64_t hits;
    int builtin; /* 1 where the set started with it */
};

struct lz_ignore;

const char *lz_ignore_kind_string(enum lz_ignore_kind kind);
int lz_ignore_kind_from_string(const char *string,
                               enum lz_ignore_kind *ret_kind);

struct lz_ignore *ignore_new(void);
void ignore_free(struct lz_ignore *ignore);

/* 1 added, 0 was there, -1 and ERROR (empty, too long, not a dotted name,
 * control character, full). */
int ignore_add(struct lz_ignore *ignore, enum lz_ignore_kind kind,
               const char *value, struct lz_error *error);
/* 1 removed, 0 was not there. */
int ignore_remove(struct lz_ignore *ignore, enum lz_ignore_kind kind,
                  const char *value);
int ignore_contains(struct lz_ignore *ignore, enum lz_ignore_kind kind,
                    const char *value);
void ignore_clear(struct lz_ignore *ignore, enum lz_ignore_kind kind);
/* Check VALUE as ignore_add would, changing nothing: 0 or -1. */
int ignore_check(enum lz_ignore_kind kind, const char *value,
                 struct lz_error *error);

/* Whether NAME (found at PATH, which may be NULL) is ignored: the reason
 * (LZ_REASON_IGNORE_*), or LZ_REASON_LAZY. Counts a hit. */
enum lz_reason ignore_match(struct lz_ignore *ignore, const char *name,
                            const char *path);
/* The entry that ignore_match would find, as "KIND VALUE" in RET_TEXT, cut at
 * SIZE; counts no hit. 1, or 0 and "" where there is none. */
int ignore_rule_of(struct lz_ignore *ignore, const char *name,
                   const char *path, char *ret_text, size_t size);
/* Whether a package rule covers the module NAME; counts nothing. */
int ignore_covers_package(struct lz_ignore *ignore, const char *name);
/* Whether the one rule KIND/VALUE covers NAME at PATH; counts nothing. */
int ignore_rule_covers(enum lz_ignore_kind kind, const char *value,
                       const char *name, const char *path);

/* All rules sorted by kind then value: deep copies. 0 or -ENOMEM. */
int ignore_list(struct lz_ignore *ignore, struct lz_ignore_rule **ret_rules,
                size_t *ret_count);
void ignore_rules_free(struct lz_ignore_rule *rules, size_t count);

/* A text file: one "KIND VALUE" a line, '#' comments. ignore_load adds all
 * or nothing; an error names file, line and what is wrong. ignore_save
 * writes a temporary file beside PATH, fsyncs and renames: the old file
 * stays whole where it fails. Entries the sets start with that were removed
 * are written as "-KIND VALUE". 0 or -1. */
int ignore_load(struct lz_ignore *ignore, const char *path,
                struct lz_error *error);
int ignore_save(struct lz_ignore *ignore, const char *path,
                struct lz_error *error);
/* ignore_save in two steps, of which the second may wait for a disk and
 * needs no set. ignore_text: malloc'd, 0 or -ENOMEM. */
int ignore_text(struct lz_ignore *ignore, char **ret_text);
int ignore_write(const char *text, const char *path, struct lz_error *error);

/* Around fork(), see core.h; the last in the forked child. */
void ignore_before_fork(struct lz_ignore *ignore);
void ignore_after_fork_parent(struct lz_ignore *ignore);
void ignore_after_fork(struct lz_ignore *ignore);

#endif
