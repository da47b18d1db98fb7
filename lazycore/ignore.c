/* The three ignore sets: what is in them, and what they match.
 *
 * Responsible for the rules, their hits and the entries the sets start with.
 * Leaves the text file to ignore_file.c, and what an ignored import does to
 * the policy. Case is folded for ASCII letters only: a path's other bytes
 * must match as they are. Own mutex; any thread.
 */
#include "lazycore/ignore_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lazycore/names.h"

/* What is known to need it. Keep it short: each entry costs laziness. */
static const struct {
    enum lz_ignore_kind kind;
    const char *value;
} defaults[] = {
    /* Codec look-up imports while Python is in no state to import; a codec
     * registers itself by being imported. */
    {LZ_IGNORE_NAME, "encodings"},
    {LZ_IGNORE_PACKAGE, "encodings"},
    /* Keeps functions of select as they are when it is imported, as it is by
     * socket: before gevent replaces them. All programs load it that use
     * socket. */
    {LZ_IGNORE_NAME, "selectors"},
    /* Called from C at any time, shutdown included. */
    {LZ_IGNORE_NAME, "warnings"},
    /* Not loaded from a file of their own name, or by what we stand on. */
    {LZ_IGNORE_NAME, "__main__"},
    {LZ_IGNORE_NAME, "lazycore"},
    {LZ_IGNORE_NAME, "importlib"},
    {LZ_IGNORE_NAME, "importlib._bootstrap"},
    {LZ_IGNORE_NAME, "importlib._bootstrap_external"},
    {LZ_IGNORE_NAME, "zipimport"},
    /* Imported for their effect, by code that never uses the name. */
    {LZ_IGNORE_NAME, "site"},
    {LZ_IGNORE_NAME, "readline"},
    {LZ_IGNORE_NAME, "rlcompleter"},
    /* import_fresh_module takes modules out of sys.modules and back. */
    {LZ_IGNORE_PACKAGE, "test.support"},
};

enum { DEFAULTS = sizeof(defaults) / sizeof(defaults[0]) };

static const char *const kind_strings[LZ_IGNORE_KINDS] = {
    [LZ_IGNORE_NAME] = "name",
    [LZ_IGNORE_PACKAGE] = "package",
    [LZ_IGNORE_PATH] = "path",
};

const char *
lz_ignore_kind_string(enum lz_ignore_kind kind)
{
    return (unsigned)kind < LZ_IGNORE_KINDS ? kind_strings[kind] : "name";
}

int
lz_ignore_kind_from_string(const char *string, enum lz_ignore_kind *ret_kind)
{
    for (int kind = 0; kind < LZ_IGNORE_KINDS; kind++) {
        if (strcmp(string, kind_strings[kind]) == 0) {
            *ret_kind = (enum lz_ignore_kind)kind;
            return 1;
        }
    }
    return 0;
}

/* --- the table, with the lock held ----------------------------------------
 */

struct lz_ignore_entry *
ignore_find_locked(struct lz_ignore *ignore, enum lz_ignore_kind kind,
                   const char *value, size_t length)
{
    return (struct lz_ignore_entry *)table_find(&ignore->tables[kind], value,
                                                length);
}

static int
is_default(enum lz_ignore_kind kind, const char *value)
{
    for (size_t i = 0; i < DEFAULTS; i++) {
        if (defaults[i].kind == kind &&
            strcmp(defaults[i].value, value) == 0) {
            return 1;
        }
    }
    return 0;
}

int
ignore_add_locked(struct lz_ignore *ignore, enum lz_ignore_kind kind,
                  const char *value)
{
    size_t length = strlen(value);

    if (ignore_find_locked(ignore, kind, value, length) != NULL) {
        return 0;
    }
    if (table_count(&ignore->tables[kind]) >= LZ_IGNORE_MAX) {
        return -ENOSPC;
    }
    struct lz_ignore_entry *entry = calloc(1, sizeof(*entry) + length + 1);
    if (entry == NULL) {
        return -ENOMEM;
    }
    memcpy(entry->value, value, length);
    entry->builtin = is_default(kind, value);
    if (table_add(&ignore->tables[kind], entry, entry->value, length) != 0) {
        free(entry);
        return -ENOMEM;
    }
    return 1;
}

int
ignore_remove_locked(struct lz_ignore *ignore, enum lz_ignore_kind kind,
                     const char *value)
{
    struct lz_ignore_entry *entry =
        ignore_find_locked(ignore, kind, value, strlen(value));

    if (entry == NULL) {
        return 0;
    }
    table_remove(&ignore->tables[kind], &entry->node);
    free(entry);
    return 1;
}

int
ignore_default(size_t index, enum lz_ignore_kind *ret_kind,
               const char **ret_value)
{
    if (index >= DEFAULTS) {
        return 0;
    }
    *ret_kind = defaults[index].kind;
    *ret_value = defaults[index].value;
    return 1;
}

/* --- life ------------------------------------------------------------------
 */

static void clear_locked(struct lz_ignore *ignore, enum lz_ignore_kind kind)
    LZ_REQUIRES(ignore->mutex);

static void
clear_locked(struct lz_ignore *ignore, enum lz_ignore_kind kind)
{
    struct lz_node *node;

    while ((node = table_first(&ignore->tables[kind])) != NULL) {
        table_remove(&ignore->tables[kind], node);
        free(node);
    }
}

struct lz_ignore *
ignore_new(void)
{
    struct lz_ignore *ignore = calloc(1, sizeof(*ignore));
    int status = 0;

    if (ignore == NULL) {
        return NULL;
    }
    lz_mutex_init(&ignore->mutex);
    lz_mutex_lock(&ignore->mutex);
    for (size_t i = 0; i < DEFAULTS && status >= 0; i++) {
        status =
            ignore_add_locked(ignore, defaults[i].kind, defaults[i].value);
    }
    lz_mutex_unlock(&ignore->mutex);
    if (status < 0) {
        ignore_free(ignore);
        return NULL;
    }
    return ignore;
}

void
ignore_free(struct lz_ignore *ignore)
{
    if (ignore == NULL) {
        return;
    }
    for (int kind = 0; kind < LZ_IGNORE_KINDS; kind++) {
        ignore_clear(ignore, (enum lz_ignore_kind)kind);
    }
    lz_mutex_done(&ignore->mutex);
    free(ignore);
}

void LZ_UNCHECKED
ignore_before_fork(struct lz_ignore *ignore)
{
    lz_mutex_lock(&ignore->mutex);
}

void LZ_UNCHECKED
ignore_after_fork_parent(struct lz_ignore *ignore)
{
    lz_mutex_unlock(&ignore->mutex);
}

void
ignore_after_fork(struct lz_ignore *ignore)
{
    lz_mutex_init(&ignore->mutex);
}

/* --- edits ------------------------------------------------------------------
 */

int
ignore_check(enum lz_ignore_kind kind, const char *value,
             struct lz_error *error)
{
    const char *word = lz_ignore_kind_string(kind);

    if (value[0] == '\0') {
        return lz_error_set(error, LZ_ERROR_INVALID, "the %s is empty", word);
    }
    if (strnlen(value, LZ_IGNORE_VALUE_MAX + 1) > LZ_IGNORE_VALUE_MAX) {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "the %s is longer than %d bytes", word,
                            LZ_IGNORE_VALUE_MAX);
    }
    if (!names_is_text(value)) {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "the %s has a control character or is not UTF-8",
                            word);
    }
    if (kind != LZ_IGNORE_PATH && !names_is_dotted(value)) {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "'%s' is not the dotted name of a module", value);
    }
    return 0;
}

int
ignore_add(struct lz_ignore *ignore, enum lz_ignore_kind kind,
           const char *value, struct lz_error *error)
{
    if (ignore_check(kind, value, error) != 0) {
        return -1;
    }
    lz_mutex_lock(&ignore->mutex);
    int status = ignore_add_locked(ignore, kind, value);
    lz_mutex_unlock(&ignore->mutex);
    if (status == -ENOSPC) {
        return lz_error_set(error, LZ_ERROR_LIMIT,
                            "the set of ignored %ss is full at %d entries; "
                            "remove some",
                            lz_ignore_kind_string(kind), LZ_IGNORE_MAX);
    }
    if (status < 0) {
        return lz_error_set(error, LZ_ERROR_NO_MEMORY,
                            "no memory to ignore '%s'", value);
    }
    return status;
}

int
ignore_remove(struct lz_ignore *ignore, enum lz_ignore_kind kind,
              const char *value)
{
    lz_mutex_lock(&ignore->mutex);
    int removed = ignore_remove_locked(ignore, kind, value);
    lz_mutex_unlock(&ignore->mutex);
    return removed;
}

int
ignore_contains(struct lz_ignore *ignore, enum lz_ignore_kind kind,
                const char *value)
{
    lz_mutex_lock(&ignore->mutex);
    int found = ignore_find_locked(ignore, kind, value, strlen(value)) != NULL;
    lz_mutex_unlock(&ignore->mutex);
    return found;
}

void
ignore_clear(struct lz_ignore *ignore, enum lz_ignore_kind kind)
{
    lz_mutex_lock(&ignore->mutex);
    clear_locked(ignore, kind);
    lz_mutex_unlock(&ignore->mutex);
}

/* --- listing
 * ----------------------------------------------------------------- */

static int
by_kind_and_value(const void *left, const void *right)
{
    const struct lz_ignore_rule *a = left;
    const struct lz_ignore_rule *b = right;

    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    return strcmp(a->value, b->value);
}

void
ignore_rules_free(struct lz_ignore_rule *rules, size_t count)
{
    if (rules == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        free(rules[i].value);
    }
    free(rules);
}

static int copy_rules(struct lz_ignore *ignore, enum lz_ignore_kind kind,
                      struct lz_ignore_rule *rules, size_t *count)
    LZ_REQUIRES(ignore->mutex);

static int
copy_rules(struct lz_ignore *ignore, enum lz_ignore_kind kind,
           struct lz_ignore_rule *rules, size_t *count)
{
    for (struct lz_node *node = table_first(&ignore->tables[kind]);
         node != NULL; node = table_next(node)) {
        struct lz_ignore_entry *entry = (struct lz_ignore_entry *)node;
        char *value = strdup(entry->value);
        if (value == NULL) {
            return -ENOMEM;
        }
        rules[(*count)++] = (struct lz_ignore_rule){
            .kind = kind,
            .value = value,
            .hits = entry->hits,
            .builtin = entry->builtin,
        };
    }
    return 0;
}

int
ignore_list(struct lz_ignore *ignore, struct lz_ignore_rule **ret_rules,
            size_t *ret_count)
{
    size_t total = 1, count = 0;
    int status = 0;

    lz_mutex_lock(&ignore->mutex);
    for (int kind = 0; kind < LZ_IGNORE_KINDS; kind++) {
        total += table_count(&ignore->tables[kind]);
    }
    struct lz_ignore_rule *rules = calloc(total, sizeof(*rules));
    if (rules == NULL) {
        status = -ENOMEM;
    }
    for (int kind = 0; kind < LZ_IGNORE_KINDS && status == 0; kind++) {
        status = copy_rules(ignore, (enum lz_ignore_kind)kind, rules, &count);
    }
    lz_mutex_unlock(&ignore->mutex);
    if (status != 0) {
        ignore_rules_free(rules, count);
        return status;
    }
    qsort(rules, count, sizeof(*rules), by_kind_and_value);
    *ret_rules = rules;
    *ret_count = count;
    return 0;
}
