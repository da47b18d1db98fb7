/* How lazy a top-level package may be inside itself: DESIGN 4.3, levels.
 *
 * eager: its modules are ignored. outer: imports within it are eager (rule
 * 7), but for modules that are recorded to be free of effects (effects.h);
 * the default for what is not known. full: rule 7 does not hold. The
 * catalogue (level.def) says what was proved; an operator changes levels
 * live. Own mutex; any thread.
 */
#ifndef LAZYCORE_LEVEL_H
#define LAZYCORE_LEVEL_H

#include <stddef.h>

#include "lazycore/error.h"

enum lz_level { LZ_LEVEL_EAGER, LZ_LEVEL_OUTER, LZ_LEVEL_FULL, LZ_LEVELS };

/* Who said so. */
enum lz_level_source {
    LZ_LEVEL_DEFAULT,
    LZ_LEVEL_CATALOGUE,
    LZ_LEVEL_OPERATOR
};

enum {
    LZ_LEVELS_MAX = 10000,    /* packages, the standard library's too */
    LZ_LEVELS_NAME_MAX = 1000 /* bytes of a package's name */
};

/* What holds for a package, who said so, and why: a text for people that
 * nobody frees. */
struct lz_level_info {
    enum lz_level level;
    enum lz_level_source source;
    const char *why;
};

struct lz_level_entry {
    char *package;
    enum lz_level level;
    enum lz_level_source source;
};

struct lz_levels;

const char *lz_level_string(enum lz_level level);
int lz_level_from_string(const char *string, enum lz_level *ret_level);
const char *lz_level_source_string(enum lz_level_source source);

/* Starts with the catalogue. NULL on lack of memory. */
struct lz_levels *levels_new(void);
void levels_free(struct lz_levels *levels);

/* The level of the top-level package of MODULE (a dotted name). SOURCE may
 * be NULL. An operator's setting goes first; then the standard library is
 * full; then the catalogue. */
enum lz_level levels_get(struct lz_levels *levels, const char *module,
                         enum lz_level_source *ret_source);
/* The same, with the catalogue's proof. */
struct lz_level_info levels_explain(struct lz_levels *levels,
                                    const char *module);
/* 0, or -1 and ERROR: not a top-level name, table full. */
int levels_set(struct lz_levels *levels, const char *package,
               enum lz_level level, struct lz_error *error);
/* Names of the standard library's top-level modules
 * (sys.stdlib_module_names), given once at install. 0 or -ENOMEM. */
int levels_stdlib(struct lz_levels *levels, const char *const *names,
                  size_t count);
int levels_is_stdlib(struct lz_levels *levels, const char *module);

/* The catalogue and what an operator set, sorted (the standard library is
 * not listed); deep copies. 0 or -ENOMEM. */
int levels_list(struct lz_levels *levels, struct lz_level_entry **ret_entries,
                size_t *ret_count);
void level_entries_free(struct lz_level_entry *entries, size_t count);

/* Around fork(), see core.h; the last in the forked child. */
void levels_before_fork(struct lz_levels *levels);
void levels_after_fork_parent(struct lz_levels *levels);
void levels_after_fork(struct lz_levels *levels);

#endif
