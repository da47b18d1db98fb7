/* See registry_tree.h. Works on what it has noted down of all records, after
 * the lock is released.
 */
#include "lazycore/registry_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lazycore/bulk.h"
#include "lazycore/registry_private.h"

/* What of a record says how it hangs together with others. The strings are
 * the pool's, equal ones have one pointer, and all but NAME are held. */
struct brief {
    const struct lz_registry_entry *entry;
    const char *name, *file, *parent;
    const char *statement_file, *trigger_file;
    uint64_t sequence;
    bool proxy;
    bool tried; /* brought by a load, tried or done, not by a statement */
};

/* All of them, and by their name's pointer, so that parents are found at
 * once. */
struct records {
    struct lz_registry *registry;
    struct brief *all;
    size_t count, capacity;
    const struct brief **by_name;
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
    const struct brief *const *a = left;
    const struct brief *const *b = right;
    uintptr_t first = (uintptr_t)(*a)->name;
    uintptr_t second = (uintptr_t)(*b)->name;

    return first < second ? -1 : first > second;
}

static struct brief
brief_of(const struct lz_registry_entry *entry)
{
    const struct lz_record *record = &entry->record;

    return (struct brief){.entry = entry,
                          .name = record->name,
                          .file = pool_hold(record->file),
                          .parent = pool_hold(record->parent),
                          .statement_file = pool_hold(record->statement.file),
                          .trigger_file = pool_hold(record->trigger.file),
                          .sequence = record->sequence,
                          .proxy = record->state == LZ_STATE_PROXY,
                          .tried =
                              record->sequence != 0 || record->failures != 0};
}

static void
put_briefs(struct records *records)
{
    struct lz_registry *registry = records->registry;

    lz_mutex_lock(&registry->mutex);
    for (size_t i = 0; i < records->count; i++) {
        const struct brief *brief = &records->all[i];

        pool_put(registry->pool, brief->file);
        pool_put(registry->pool, brief->parent);
        pool_put(registry->pool, brief->statement_file);
        pool_put(registry->pool, brief->trigger_file);
    }
    lz_mutex_unlock(&registry->mutex);
}

static void
records_done(struct records *records)
{
    put_briefs(records);
    bulk_free((void *)records->by_name,
              records->capacity * sizeof(const struct brief *));
    bulk_free(records->all, records->capacity * sizeof(*records->all));
}

static int
records_init(struct lz_registry *registry, struct records *records)
{
    static const struct lz_query everything = {0};

    *records = (struct records){.registry = registry};
    lz_mutex_lock(&registry->mutex);
    records->capacity = table_count(&registry->table) + 1;
    records->all = bulk_alloc(records->capacity * sizeof(*records->all));
    for (struct lz_node *node = table_first(&registry->table);
         records->all != NULL && node != NULL; node = table_next(node)) {
        const struct lz_registry_entry *entry =
            (const struct lz_registry_entry *)node;

        if (registry_selects(&everything, &entry->record)) {
            records->all[records->count++] = brief_of(entry);
        }
    }
    lz_mutex_unlock(&registry->mutex);
    records->by_name =
        bulk_alloc(records->capacity * sizeof(const struct brief *));
    if (records->all == NULL || records->by_name == NULL) {
        records_done(records);
        return -ENOMEM;
    }
    for (size_t i = 0; i < records->count; i++) {
        records->by_name[i] = &records->all[i];
    }
    qsort((void *)records->by_name, records->count,
          sizeof(const struct brief *), by_pointer);
    return 0;
}

/* The record whose name is the pool's NAME, or NULL. */
static const struct brief *
named(const struct records *records, const char *name)
{
    struct brief wanted = {.name = name};
    const struct brief *key = &wanted;
    const struct brief **found =
        name == NULL ? NULL
                     : bsearch(&key, (const void *)records->by_name,
                               records->count, sizeof(*found), by_pointer);

    return found == NULL ? NULL : *found;
}

static const struct brief *
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
static const struct brief *
owner(const struct records *records, const char *file)
{
    for (size_t i = 0; file != NULL && i < records->count; i++) {
        const struct brief *record = &records->all[i];
        if (record->file == file && !record->proxy) {
            return record;
        }
    }
    return NULL;
}

/* --- the chain ---------------------------------------------------------- */

/* The step before RECORD, or NULL. */
static const struct brief *
step_before(const struct records *records, const struct brief *record,
            enum lz_link *ret_link)
{
    const struct brief *before = NULL;

    if (record->tried) {
        *ret_link = LZ_LINK_LOAD;
        before = named(records, record->parent);
        if (before == NULL) {
            *ret_link = LZ_LINK_USE;
            before = owner(records, record->trigger_file);
        }
    }
    if (before == NULL || before == record) {
        *ret_link = LZ_LINK_STATEMENT;
        before = owner(records, record->statement_file);
    }
    if (before == NULL || before == record) {
        *ret_link = LZ_LINK_NONE;
        before = NULL;
    }
    return before;
}

static bool
contains(const struct brief *const *steps, size_t count,
         const struct brief *record)
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
chain_fill(struct lz_registry *registry, const struct brief *const *steps,
           const enum lz_link *links, size_t count, struct lz_chain *chain)
{
    const struct lz_registry_entry *order[LZ_CHAIN_MAX];

    chain->links = calloc(count, sizeof(*chain->links));
    if (chain->links == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        order[i] = steps[count - 1 - i]->entry;
        chain->links[i] = links[count - 1 - i];
    }
    chain->count = count;
    return registry_copy(registry, order, count, &chain->modules);
}

static int
chain_follow(const struct records *records, const struct brief *last,
             struct lz_chain *chain)
{
    const struct brief *steps[LZ_CHAIN_MAX];
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
    return chain_fill(records->registry, steps, links, count, chain);
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
    const struct brief *last = spelled(&records, name);
    int status = last == NULL ? 0 : chain_follow(&records, last, ret_chain);
    records_done(&records);
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
is_inside(const struct records *records, const struct brief *record,
          const struct brief *outer)
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
    const struct brief *const *a = left;
    const struct brief *const *b = right;

    return (*a)->sequence < (*b)->sequence ? -1
                                           : (*a)->sequence > (*b)->sequence;
}

/* The loads right inside that of RECORD, in any order; how many. */
static size_t
find_children(const struct records *records, const struct brief *record,
              const struct brief **children, struct lz_context *context)
{
    size_t count = 0;

    for (size_t i = 0; i < records->count; i++) {
        const struct brief *other = &records->all[i];

        if (other->sequence != 0 && is_inside(records, other, record)) {
            context->pulled++;
            if (other->parent == record->name) {
                children[count++] = other;
            }
        }
        context->waiting += other->proxy && record->file != NULL &&
                            other->statement_file == record->file;
    }
    return count;
}

static int
context_children(const struct records *records, const struct brief *record,
                 size_t limit, struct lz_context *context)
{
    size_t size = records->capacity * sizeof(const struct brief *);
    const struct brief **children = bulk_alloc(size);
    const struct lz_registry_entry **entries;
    size_t count;
    int status = -ENOMEM;

    if (children == NULL) {
        return -ENOMEM;
    }
    count = find_children(records, record, children, context);
    qsort((void *)children, count, sizeof(const struct brief *), by_sequence);
    context->child_total = count;
    context->child_count = count < limit ? count : limit;
    entries = malloc((context->child_count + 1) *
                     sizeof(const struct lz_registry_entry *));
    if (entries != NULL) {
        for (size_t i = 0; i < context->child_count; i++) {
            entries[i] = children[i]->entry;
        }
        status = registry_copy(records->registry, entries,
                               context->child_count, &context->children);
    }
    free((void *)entries);
    bulk_free((void *)children, size);
    return status;
}

static int
copy_name(const struct brief *record, char **ret_name)
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
    const struct brief *record = spelled(&records, name);
    int status = 0;
    if (record != NULL) {
        status = context_children(&records, record, limit, ret_context);
        if (status == 0) {
            status = copy_name(owner(&records, record->statement_file),
                               &ret_context->statement_module);
        }
        if (status == 0) {
            status = copy_name(owner(&records, record->trigger_file),
                               &ret_context->trigger_module);
        }
    }
    records_done(&records);
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
