/* See registry_tree.h. Works on a snapshot, in which equal strings have one
 * pointer, after the lock is released.
 */
#include "lazycore/registry_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lazycore/registry_private.h"

/* Records by their name's pointer, so that parents are found at once. */
struct records {
    struct lz_record *all;
    size_t count;
    const struct lz_record **by_name;
};

static const char *const link_strings[] = {
#define LZ_LINK(id, string, meaning) [LZ_LINK_##id] = (string),
    LZ_LINK_TABLE(LZ_LINK)
#undef LZ_LINK
};

const char *
lz_link_string(enum lz_link link)
{
    return link_strings[(unsigned)link < LZ_LINKS ? link : LZ_LINK_NONE];
}

static int
by_pointer(const void *left, const void *right)
{
    const struct lz_record *const *a = left;
    const struct lz_record *const *b = right;
    uintptr_t first = (uintptr_t)(*a)->name;
    uintptr_t second = (uintptr_t)(*b)->name;

    return first < second ? -1 : first > second;
}

static void
records_done(struct lz_registry *registry, struct records *records)
{
    free((void *)records->by_name);
    registry_snapshot_free(registry, records->all, records->count);
}

static int
records_init(struct lz_registry *registry, struct records *records)
{
    struct lz_query everything = {0};

    if (registry_snapshot(registry, &everything, &records->all,
                          &records->count) != 0) {
        return -ENOMEM;
    }
    records->by_name =
        malloc((records->count + 1) * sizeof(const struct lz_record *));
    if (records->by_name == NULL) {
        records_done(registry, records);
        return -ENOMEM;
    }
    for (size_t i = 0; i < records->count; i++) {
        records->by_name[i] = &records->all[i];
    }
    qsort((void *)records->by_name, records->count,
          sizeof(const struct lz_record *), by_pointer);
    return 0;
}

/* The record whose name is the pool's NAME, or NULL. */
static const struct lz_record *
named(const struct records *records, const char *name)
{
    struct lz_record wanted = {.name = name};
    const struct lz_record *key = &wanted;
    const struct lz_record **found =
        name == NULL ? NULL
                     : bsearch(&key, (const void *)records->by_name,
                               records->count, sizeof(*found), by_pointer);

    return found == NULL ? NULL : *found;
}

static const struct lz_record *
spelled(const struct records *records, const char *name)
{
    for (size_t i = 0; i < records->count; i++) {
        if (strcmp(records->all[i].name, name) == 0) {
            return &records->all[i];
        }
    }
    return NULL;
}

/* The module whose code is in FILE, or NULL: one that has run, or whose code
 * runs now. */
static const struct lz_record *
owner(const struct records *records, const char *file)
{
    for (size_t i = 0; file != NULL && i < records->count; i++) {
        const struct lz_record *record = &records->all[i];
        if (record->file == file && record->state != LZ_STATE_PROXY) {
            return record;
        }
    }
    return NULL;
}

/* Whether RECORD was brought by a load, tried or done, not by a statement. */
static bool
has_trigger(const struct lz_record *record)
{
    return record->sequence != 0 || record->failures != 0;
}

/* --- the chain ---------------------------------------------------------- */

/* The step before RECORD, or NULL. */
static const struct lz_record *
step_before(const struct records *records, const struct lz_record *record,
            enum lz_link *ret_link)
{
    const struct lz_record *before = NULL;

    if (has_trigger(record)) {
        *ret_link = LZ_LINK_LOAD;
        before = named(records, record->parent);
        if (before == NULL) {
            *ret_link = LZ_LINK_USE;
            before = owner(records, record->trigger.file);
        }
    }
    if (before == NULL || before == record) {
        *ret_link = LZ_LINK_STATEMENT;
        before = owner(records, record->statement.file);
    }
    if (before == NULL || before == record) {
        *ret_link = LZ_LINK_NONE;
        before = NULL;
    }
    return before;
}

static bool
contains(const struct lz_record *const *steps, size_t count,
         const struct lz_record *record)
{
    for (size_t i = 0; i < count; i++) {
        if (steps[i] == record) {
            return true;
        }
    }
    return false;
}

/* Copy the COUNT steps, which lead upwards, in the order of what happened. */
static int
chain_fill(const struct lz_record *const *steps, const enum lz_link *links,
           size_t count, struct lz_chain *chain)
{
    const struct lz_record *order[LZ_CHAIN_MAX];

    chain->links = calloc(count, sizeof(*chain->links));
    if (chain->links == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        order[i] = steps[count - 1 - i];
        chain->links[i] = links[count - 1 - i];
    }
    chain->count = count;
    return registry_copy(order, count, &chain->modules);
}

static int
chain_follow(const struct records *records, const struct lz_record *last,
             struct lz_chain *chain)
{
    const struct lz_record *steps[LZ_CHAIN_MAX];
    enum lz_link links[LZ_CHAIN_MAX];
    size_t count = 0;

    while (last != NULL && !contains(steps, count, last)) {
        if (count == LZ_CHAIN_MAX) {
            chain->cut = true;
            break;
        }
        steps[count] = last;
        last = step_before(records, last, &links[count]);
        count++;
    }
    if (!chain->cut) {
        /* Where it came back to itself nothing goes before. */
        links[count - 1] = LZ_LINK_NONE;
    }
    return chain_fill(steps, links, count, chain);
}

int
registry_chain(struct lz_registry *registry, const char *name,
               struct lz_chain *ret_chain)
{
    struct records records;

    *ret_chain = (struct lz_chain){0};
    if (records_init(registry, &records) != 0) {
        return -ENOMEM;
    }
    const struct lz_record *last = spelled(&records, name);
    int status = last == NULL ? 0 : chain_follow(&records, last, ret_chain);
    records_done(registry, &records);
    if (status != 0) {
        registry_chain_done(ret_chain);
        return status;
    }
    return last != NULL;
}

void
registry_chain_done(struct lz_chain *chain)
{
    registry_modules_free(chain->modules, chain->count);
    free(chain->links);
    *chain = (struct lz_chain){0};
}

/* --- the context -------------------------------------------------------- */

/* Whether the load of RECORD was inside that of OUTER, at any depth: a parent
 * that cannot be its own parent ends before it does. */
static bool
is_inside(const struct records *records, const struct lz_record *record,
          const struct lz_record *outer)
{
    size_t steps = 0;

    while (record != NULL && record->parent != NULL &&
           steps++ < records->count) {
        if (record->parent == outer->name) {
            return true;
        }
        record = named(records, record->parent);
    }
    return false;
}

static int
by_sequence(const void *left, const void *right)
{
    const struct lz_record *const *a = left;
    const struct lz_record *const *b = right;

    return (*a)->sequence < (*b)->sequence ? -1
                                           : (*a)->sequence > (*b)->sequence;
}

static int
context_children(const struct records *records, const struct lz_record *record,
                 size_t limit, struct lz_context *context)
{
    const struct lz_record **children =
        malloc((records->count + 1) * sizeof(const struct lz_record *));
    size_t count = 0;

    if (children == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < records->count; i++) {
        const struct lz_record *other = &records->all[i];
        if (other->sequence != 0 && is_inside(records, other, record)) {
            context->pulled++;
            if (other->parent == record->name) {
                children[count++] = other;
            }
        }
        context->waiting += other->state == LZ_STATE_PROXY &&
                            record->file != NULL &&
                            other->statement.file == record->file;
    }
    qsort((void *)children, count, sizeof(const struct lz_record *),
          by_sequence);
    context->child_total = count;
    context->child_count = count < limit ? count : limit;
    int status =
        registry_copy(children, context->child_count, &context->children);
    free((void *)children);
    return status;
}

static int
copy_name(const struct lz_record *record, char **ret_name)
{
    *ret_name = record == NULL ? NULL : strdup(record->name);
    return record != NULL && *ret_name == NULL ? -ENOMEM : 0;
}

int
registry_context(struct lz_registry *registry, const char *name, size_t limit,
                 struct lz_context *ret_context)
{
    struct records records;

    *ret_context = (struct lz_context){0};
    if (records_init(registry, &records) != 0) {
        return -ENOMEM;
    }
    const struct lz_record *record = spelled(&records, name);
    int status = 0;
    if (record != NULL) {
        status = context_children(&records, record, limit, ret_context);
        if (status == 0) {
            status = copy_name(owner(&records, record->statement.file),
                               &ret_context->statement_module);
        }
        if (status == 0) {
            status = copy_name(owner(&records, record->trigger.file),
                               &ret_context->trigger_module);
        }
    }
    records_done(registry, &records);
    if (status != 0) {
        registry_context_done(ret_context);
        return status;
    }
    return record != NULL;
}

void
registry_context_done(struct lz_context *context)
{
    registry_modules_free(context->children, context->child_count);
    free(context->statement_module);
    free(context->trigger_module);
    *context = (struct lz_context){0};
}
