/* Levels of top-level packages: catalogue, standard library, operator.
 *
 * Responsible for who wins (operator, standard library, catalogue, default)
 * and for the table's bound. Leaves what a level means to the policy.
 */
#include "lazycore/level.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lazycore/annotations.h"
#include "lazycore/names.h"
#include "lazycore/table.h"

struct package {
    struct lz_node node;
    enum lz_level level; /* holds where source is not the default */
    enum lz_level_source source;
    int stdlib;
    const char *proof; /* of the catalogue's level; NULL it has none */
    char name[];
};

struct lz_levels {
    struct lz_mutex mutex;
    struct lz_table table LZ_GUARDED; /* of packages, which stay */
    /* The one found last: a package's modules come in a row. */
    struct package *recent LZ_GUARDED;
};

static const struct {
    const char *package;
    enum lz_level level;
    const char *proof;
} catalogue[] = {
#define LEVEL(package, level, programs, sweep)                                \
    {#package, LZ_LEVEL_##level, "programs: " programs "; sweep: " sweep},
#include "lazycore/level.def"
#undef LEVEL
};

static const char *const level_strings[LZ_LEVELS] = {
    [LZ_LEVEL_EAGER] = "eager",
    [LZ_LEVEL_OUTER] = "outer",
    [LZ_LEVEL_FULL] = "full",
};

const char *
lz_level_string(enum lz_level level)
{
    return (unsigned)level < LZ_LEVELS ? level_strings[level] : "outer";
}

int
lz_level_from_string(const char *string, enum lz_level *ret_level)
{
    for (int level = 0; level < LZ_LEVELS; level++) {
        if (strcmp(string, level_strings[level]) == 0) {
            *ret_level = (enum lz_level)level;
            return 1;
        }
    }
    return 0;
}

const char *
lz_level_source_string(enum lz_level_source source)
{
    switch (source) {
    case LZ_LEVEL_CATALOGUE:
        return "catalogue";
    case LZ_LEVEL_OPERATOR:
        return "operator";
    case LZ_LEVEL_DEFAULT:
        break;
    }
    return "default";
}

/* --- the table ----------------------------------------------------------- */

static struct package *find(struct lz_levels *levels, const char *name,
                            size_t length) LZ_REQUIRES(levels->mutex);

static struct package *
find(struct lz_levels *levels, const char *name, size_t length)
{
    struct package *package = levels->recent;

    if (package == NULL || strncmp(package->name, name, length) != 0 ||
        package->name[length] != '\0') {
        package = (struct package *)table_find(&levels->table, name, length);
    }
    if (package != NULL) {
        levels->recent = package;
    }
    return package;
}

static struct package *find_or_add(struct lz_levels *levels, const char *name)
    LZ_REQUIRES(levels->mutex);

/* NULL on lack of memory. */
static struct package *
find_or_add(struct lz_levels *levels, const char *name)
{
    size_t length = strlen(name);
    struct package *package = find(levels, name, length);

    if (package != NULL) {
        return package;
    }
    package = calloc(1, sizeof(*package) + length + 1);
    if (package == NULL) {
        return NULL;
    }
    memcpy(package->name, name, length);
    if (table_add(&levels->table, package, package->name, length) != 0) {
        free(package);
        return NULL;
    }
    return package;
}

static int add_catalogue(struct lz_levels *levels) LZ_REQUIRES(levels->mutex);

static int
add_catalogue(struct lz_levels *levels)
{
    for (size_t i = 0; i < sizeof(catalogue) / sizeof(catalogue[0]); i++) {
        struct package *package = find_or_add(levels, catalogue[i].package);
        if (package == NULL) {
            return -ENOMEM;
        }
        package->level = catalogue[i].level;
        package->source = LZ_LEVEL_CATALOGUE;
        package->proof = catalogue[i].proof;
    }
    return 0;
}

struct lz_levels *
levels_new(void)
{
    struct lz_levels *levels = calloc(1, sizeof(*levels));

    if (levels == NULL) {
        return NULL;
    }
    lz_mutex_init(&levels->mutex);
    lz_mutex_lock(&levels->mutex);
    int status = add_catalogue(levels);
    lz_mutex_unlock(&levels->mutex);
    if (status != 0) {
        levels_free(levels);
        return NULL;
    }
    return levels;
}

void LZ_UNCHECKED
levels_free(struct lz_levels *levels)
{
    struct lz_node *node;

    if (levels == NULL) {
        return;
    }
    while ((node = table_first(&levels->table)) != NULL) {
        table_remove(&levels->table, node);
        free(node);
    }
    lz_mutex_done(&levels->mutex);
    free(levels);
}

void LZ_UNCHECKED
levels_before_fork(struct lz_levels *levels)
{
    lz_mutex_lock(&levels->mutex);
}

void LZ_UNCHECKED
levels_after_fork_parent(struct lz_levels *levels)
{
    lz_mutex_unlock(&levels->mutex);
}

void
levels_after_fork(struct lz_levels *levels)
{
    lz_mutex_init(&levels->mutex);
}

/* --- asking and setting -------------------------------------------------- */

static struct lz_level_info
explain(const struct package *package)
{
    if (package != NULL && package->source == LZ_LEVEL_OPERATOR) {
        return (struct lz_level_info){package->level, package->source,
                                      "an operator set it"};
    }
    if (package != NULL && package->stdlib) {
        return (struct lz_level_info){LZ_LEVEL_FULL, LZ_LEVEL_CATALOGUE,
                                      "a part of the standard library"};
    }
    if (package != NULL && package->source == LZ_LEVEL_CATALOGUE) {
        return (struct lz_level_info){package->level, package->source,
                                      package->proof};
    }
    return (struct lz_level_info){LZ_LEVEL_OUTER, LZ_LEVEL_DEFAULT,
                                  "not in the catalogue"};
}

struct lz_level_info
levels_explain(struct lz_levels *levels, const char *module)
{
    lz_mutex_lock(&levels->mutex);
    struct lz_level_info info =
        explain(find(levels, module, strcspn(module, ".")));
    lz_mutex_unlock(&levels->mutex);
    return info;
}

enum lz_level
levels_get(struct lz_levels *levels, const char *module,
           enum lz_level_source *ret_source)
{
    struct lz_level_info info = levels_explain(levels, module);

    if (ret_source != NULL) {
        *ret_source = info.source;
    }
    return info.level;
}

int
levels_set(struct lz_levels *levels, const char *package_name,
           enum lz_level level, struct lz_error *error)
{
    if (strnlen(package_name, LZ_LEVELS_NAME_MAX + 1) > LZ_LEVELS_NAME_MAX) {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "the package's name is longer than %d bytes",
                            LZ_LEVELS_NAME_MAX);
    }
    if (!names_is_top_level(package_name)) {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "'%s' is not a top-level package; give the part "
                            "of the module's name before the first dot",
                            names_is_text(package_name) ? package_name : "?");
    }
    if ((unsigned)level >= LZ_LEVELS) {
        return lz_error_set(error, LZ_ERROR_INVALID, "there is no level %d",
                            (int)level);
    }
    struct package *package = NULL;
    lz_mutex_lock(&levels->mutex);
    int full = table_count(&levels->table) >= LZ_LEVELS_MAX &&
               find(levels, package_name, strlen(package_name)) == NULL;
    if (!full) {
        package = find_or_add(levels, package_name);
    }
    if (package != NULL) {
        package->level = level;
        package->source = LZ_LEVEL_OPERATOR;
    }
    lz_mutex_unlock(&levels->mutex);
    if (full) {
        return lz_error_set(error, LZ_ERROR_LIMIT,
                            "the levels of %d packages are set already",
                            LZ_LEVELS_MAX);
    }
    return package != NULL ? 0
                           : lz_error_set(error, LZ_ERROR_NO_MEMORY,
                                          "no memory to set the level of '%s'",
                                          package_name);
}

int
levels_stdlib(struct lz_levels *levels, const char *const *names, size_t count)
{
    int status = 0;

    lz_mutex_lock(&levels->mutex);
    for (size_t i = 0; i < count && status == 0; i++) {
        struct package *package = find_or_add(levels, names[i]);
        if (package == NULL) {
            status = -ENOMEM;
        } else {
            package->stdlib = 1;
        }
    }
    lz_mutex_unlock(&levels->mutex);
    return status;
}

int
levels_is_stdlib(struct lz_levels *levels, const char *module)
{
    lz_mutex_lock(&levels->mutex);
    struct package *package = find(levels, module, strcspn(module, "."));
    int stdlib = package != NULL && package->stdlib;
    lz_mutex_unlock(&levels->mutex);
    return stdlib;
}

/* --- listing ------------------------------------------------------------- */

static int
by_package(const void *left, const void *right)
{
    const struct lz_level_entry *a = left;
    const struct lz_level_entry *b = right;

    return strcmp(a->package, b->package);
}

void
level_entries_free(struct lz_level_entry *entries, size_t count)
{
    if (entries == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        free(entries[i].package);
    }
    free(entries);
}

static int copy_entries(struct lz_levels *levels,
                        struct lz_level_entry *entries, size_t *ret_count)
    LZ_REQUIRES(levels->mutex);

static int
copy_entries(struct lz_levels *levels, struct lz_level_entry *entries,
             size_t *ret_count)
{
    size_t count = 0;
    int status = 0;

    for (struct lz_node *node = table_first(&levels->table); node != NULL;
         node = table_next(node)) {
        const struct package *package = (const struct package *)node;
        if (package->source == LZ_LEVEL_DEFAULT) {
            continue;
        }
        char *name = strdup(package->name);
        if (name == NULL) {
            status = -ENOMEM;
            break;
        }
        entries[count++] = (struct lz_level_entry){
            .package = name,
            .level = package->level,
            .source = package->source,
        };
    }
    *ret_count = count;
    return status;
}

int
levels_list(struct lz_levels *levels, struct lz_level_entry **ret_entries,
            size_t *ret_count)
{
    size_t count = 0;
    int status = -ENOMEM;

    lz_mutex_lock(&levels->mutex);
    struct lz_level_entry *entries =
        calloc(table_count(&levels->table) + 1, sizeof(*entries));
    if (entries != NULL) {
        status = copy_entries(levels, entries, &count);
    }
    lz_mutex_unlock(&levels->mutex);
    if (status != 0) {
        level_entries_free(entries, count);
        return status;
    }
    qsort(entries, count, sizeof(*entries), by_package);
    *ret_entries = entries;
    *ret_count = count;
    return 0;
}
