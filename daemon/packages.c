/* See packages.h. A list: programs have tens of packages, not thousands. */
#include "daemon/packages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lazycore/names.h"

static struct package *
find(struct packages *packages, const char *name)
{
    for (size_t i = 0; i < packages->count; i++) {
        if (strcmp(packages->items[i].name, name) == 0) {
            return &packages->items[i];
        }
    }
    return NULL;
}

const struct package *
packages_find(const struct packages *packages, const char *module)
{
    size_t length = strcspn(module, ".");

    for (size_t i = 0; i < packages->count; i++) {
        const char *name = packages->items[i].name;

        if (strlen(name) == length && strncmp(name, module, length) == 0) {
            return &packages->items[i];
        }
    }
    return NULL;
}

/* 0, also where its level is known, or -ENOMEM. */
static int
add(struct packages *packages, struct lz_levels *levels, const char *name)
{
    enum lz_level_source source;
    struct package *items;

    (void)levels_get(levels, name, &source);
    if (source != LZ_LEVEL_DEFAULT || !names_is_top_level(name)) {
        return 0;
    }
    items = realloc(packages->items, (packages->count + 1) * sizeof(*items));
    if (items == NULL) {
        return -ENOMEM;
    }
    packages->items = items;
    items[packages->count] =
        (struct package){.name = strdup(name), .level = LZ_LEVEL_FULL};
    if (items[packages->count].name == NULL) {
        return -ENOMEM;
    }
    packages->count++;
    return 0;
}

int
packages_add(struct packages *packages, struct lz_levels *levels, char *names)
{
    char *rest = NULL;
    int news = 0;

    for (char *name = strtok_r(names, "\n", &rest); name != NULL;
         name = strtok_r(NULL, "\n", &rest)) {
        size_t before = packages->count;
        char *dot = strchr(name, '.');
        struct package *package;

        if (dot != NULL) {
            *dot = '\0';
        }
        package = find(packages, name);
        if (package == NULL) {
            if (add(packages, levels, name) < 0) {
                return -ENOMEM;
            }
            news += packages->count > before;
            package = find(packages, name);
        }
        if (package != NULL && dot != NULL && !package->wide) {
            package->wide = true;
            news++;
        }
    }
    return news;
}

void
packages_done(struct packages *packages)
{
    for (size_t i = 0; i < packages->count; i++) {
        free(packages->items[i].name);
    }
    free(packages->items);
    *packages = (struct packages){0};
}

void
packages_set(struct packages *packages, enum lz_level level)
{
    for (size_t i = 0; i < packages->count; i++) {
        if (packages->items[i].level != LZ_LEVEL_EAGER) {
            packages->items[i].level = level;
        }
    }
}

size_t
packages_count(const struct packages *packages, enum lz_level level)
{
    size_t count = 0;

    for (size_t i = 0; i < packages->count; i++) {
        count += packages->items[i].level == level;
    }
    return count;
}

void
packages_write(const struct packages *packages, FILE *file)
{
    for (size_t i = 0; i < packages->count; i++) {
        const struct package *package = &packages->items[i];

        if (package->wide || package->level == LZ_LEVEL_EAGER) {
            (void)fprintf(file, "%s=%s\n", package->name,
                          lz_level_string(package->level));
        }
    }
}
