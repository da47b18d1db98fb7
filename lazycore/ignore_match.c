/* Which entry of the ignore sets covers a module.
 *
 * See ignore.h for what the sets are; any thread.
 */
#include "lazycore/ignore_private.h"
#include "lazycore/names.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static unsigned char
fold(char byte)
{
    return (unsigned char)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a'
                                                      : byte);
}

static int
contains_folded(const char *text, const char *part)
{
    for (; *text != '\0'; text++) {
        size_t i = 0;
        while (part[i] != '\0' && fold(text[i]) == fold(part[i])) {
            i++;
        }
        if (part[i] == '\0') {
            return 1;
        }
    }
    return 0;
}

int
ignore_rule_covers(enum lz_ignore_kind kind, const char *value,
                   const char *name, const char *path)
{
    switch (kind) {
    case LZ_IGNORE_NAME:
        return strcmp(name, value) == 0;
    case LZ_IGNORE_PACKAGE:
        return strcmp(name, value) == 0 || names_is_below(name, value);
    case LZ_IGNORE_PATH:
        return path != NULL && contains_folded(path, value);
    case LZ_IGNORE_KINDS:
        break;
    }
    return 0;
}

static struct lz_ignore_entry *match_package(struct lz_ignore *ignore,
                                             const char *name)
    LZ_REQUIRES(ignore->mutex);

/* Look NAME and each of its parents up: the set may be large, names are
 * short. */
static struct lz_ignore_entry *
match_package(struct lz_ignore *ignore, const char *name)
{
    struct lz_ignore_entry *entry = NULL;
    size_t length = 0;

    while (entry == NULL) {
        length += strcspn(name + length, ".");
        entry = ignore_find_locked(ignore, LZ_IGNORE_PACKAGE, name, length);
        if (name[length] == '\0') {
            break;
        }
        length++;
    }
    return entry;
}

static struct lz_ignore_entry *match_path(struct lz_ignore *ignore,
                                          const char *path)
    LZ_REQUIRES(ignore->mutex);

static struct lz_ignore_entry *
match_path(struct lz_ignore *ignore, const char *path)
{
    for (struct lz_node *node = table_first(&ignore->tables[LZ_IGNORE_PATH]);
         node != NULL; node = table_next(node)) {
        struct lz_ignore_entry *entry = (struct lz_ignore_entry *)node;
        if (contains_folded(path, entry->value)) {
            return entry;
        }
    }
    return NULL;
}

static struct lz_ignore_entry *match(struct lz_ignore *ignore,
                                     const char *name, const char *path,
                                     enum lz_ignore_kind *ret_kind)
    LZ_REQUIRES(ignore->mutex);

static struct lz_ignore_entry *
match(struct lz_ignore *ignore, const char *name, const char *path,
      enum lz_ignore_kind *ret_kind)
{
    *ret_kind = LZ_IGNORE_NAME;
    struct lz_ignore_entry *entry =
        ignore_find_locked(ignore, LZ_IGNORE_NAME, name, strlen(name));
    if (entry == NULL) {
        *ret_kind = LZ_IGNORE_PACKAGE;
        entry = match_package(ignore, name);
    }
    if (entry == NULL && path != NULL) {
        *ret_kind = LZ_IGNORE_PATH;
        entry = match_path(ignore, path);
    }
    return entry;
}

enum lz_reason
ignore_match(struct lz_ignore *ignore, const char *name, const char *path)
{
    static const enum lz_reason reasons[LZ_IGNORE_KINDS] = {
        [LZ_IGNORE_NAME] = LZ_REASON_IGNORE_NAME,
        [LZ_IGNORE_PACKAGE] = LZ_REASON_IGNORE_PACKAGE,
        [LZ_IGNORE_PATH] = LZ_REASON_IGNORE_PATH};
    enum lz_ignore_kind kind;

    lz_mutex_lock(&ignore->mutex);
    struct lz_ignore_entry *entry = match(ignore, name, path, &kind);
    if (entry != NULL) {
        entry->hits++;
    }
    lz_mutex_unlock(&ignore->mutex);
    return entry == NULL ? LZ_REASON_LAZY : reasons[kind];
}

int
ignore_rule_of(struct lz_ignore *ignore, const char *name, const char *path,
               char *ret_text, size_t size)
{
    enum lz_ignore_kind kind;

    ret_text[0] = '\0';
    lz_mutex_lock(&ignore->mutex);
    struct lz_ignore_entry *entry = match(ignore, name, path, &kind);
    if (entry != NULL) {
        (void)snprintf(ret_text, size, "%s %s", lz_ignore_kind_string(kind),
                       entry->value);
    }
    lz_mutex_unlock(&ignore->mutex);
    return entry != NULL;
}

int
ignore_covers_package(struct lz_ignore *ignore, const char *name)
{
    lz_mutex_lock(&ignore->mutex);
    bool covers = match_package(ignore, name) != NULL;
    lz_mutex_unlock(&ignore->mutex);
    return covers;
}
