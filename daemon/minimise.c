/* The algorithm ddmin: parts of the set, then the set without a part, in
 * parts that become smaller until each is one thing.
 */
#include "daemon/minimise.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct search {
    minimise_holds holds;
    void *arg;
    size_t total;   /* things in all */
    size_t *things; /* still needed, by number */
    size_t count;
    bool *chosen; /* what is asked about */
};

/* Ask about the things from FIRST to LAST, or about all but them. */
static int
ask(struct search *search, size_t first, size_t last, bool without)
{
    memset(search->chosen, 0, search->total * sizeof(*search->chosen));
    for (size_t i = 0; i < search->count; i++) {
        bool inside = i >= first && i < last;

        search->chosen[search->things[i]] = inside != without;
    }
    return search->holds(search->arg, search->chosen, search->total);
}

static void
keep(struct search *search, size_t first, size_t last)
{
    memmove(search->things, search->things + first,
            (last - first) * sizeof(*search->things));
    search->count = last - first;
}

static void
drop(struct search *search, size_t first, size_t last)
{
    memmove(search->things + first, search->things + last,
            (search->count - last) * sizeof(*search->things));
    search->count -= last - first;
}

static size_t
bound(const struct search *search, size_t part, size_t parts)
{
    return search->count * part / parts;
}

/* 1 and one part taken, 0 none does, or negative. */
static int
try_parts(struct search *search, size_t parts)
{
    for (size_t i = 0; i < parts; i++) {
        size_t first = bound(search, i, parts);
        size_t last = bound(search, i + 1, parts);
        int rc = ask(search, first, last, false);

        if (rc > 0) {
            keep(search, first, last);
        }
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

/* The same, with one part left out. Of two parts each is the other's rest. */
static int
try_rests(struct search *search, size_t parts)
{
    for (size_t i = 0; parts > 2 && i < parts; i++) {
        size_t first = bound(search, i, parts);
        size_t last = bound(search, i + 1, parts);
        int rc = ask(search, first, last, true);

        if (rc > 0) {
            drop(search, first, last);
        }
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static int
shrink(struct search *search)
{
    size_t parts = 2;

    while (search->count > 1) {
        int rc = try_parts(search, parts);

        if (rc > 0) {
            parts = 2;
            continue;
        }
        if (rc == 0) {
            rc = try_rests(search, parts);
        }
        if (rc < 0) {
            return rc;
        }
        if (rc > 0) {
            parts = parts > 2 ? parts - 1 : 2;
        } else if (parts >= search->count) {
            break;
        } else {
            parts *= 2;
        }
        parts = parts < search->count ? parts : search->count;
    }
    return 0;
}

int
minimise(size_t count, minimise_holds holds, void *arg, bool *ret_chosen)
{
    struct search search = {
        .holds = holds, .arg = arg, .total = count, .count = count};
    int rc = -ENOMEM;

    search.things = calloc(count + 1, sizeof(*search.things));
    search.chosen = calloc(count + 1, sizeof(*search.chosen));
    if (search.things != NULL && search.chosen != NULL) {
        for (size_t i = 0; i < count; i++) {
            search.things[i] = i;
        }
        rc = shrink(&search);
    }
    if (rc == 0) {
        memset(ret_chosen, 0, count * sizeof(*ret_chosen));
        for (size_t i = 0; i < search.count; i++) {
            ret_chosen[search.things[i]] = true;
        }
    }
    free(search.things);
    free(search.chosen);
    return rc;
}
