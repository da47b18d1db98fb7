/* Allocators that count, on top of those that are there: see blocks.h.
 *
 * Others wrap allocators too (tracemalloc): what is not on top when it is to
 * go stays where it is, passes on, and is taken up again where it turns out to
 * be on top. A body that allocates without end is the service itself, run by
 * an import: it gets its own allocators back.
 */
#include "lazycore/blocks.h"

#include <Python.h>
#include <stdlib.h>

/* Allocations by one body, after which it is no load: some 10 ms of what
 * counting adds. */
enum { BLOCKS_MAX = 4000000 };

struct lz_blocks_hook {
    PyMemAllocatorEx next;
    PyMemAllocatorDomain domain;
    bool installed; /* as far as we know */
};

static const PyMemAllocatorDomain domains[LZ_BLOCKS_DOMAINS] = {
    PYMEM_DOMAIN_OBJ, PYMEM_DOMAIN_MEM};

/* Reached without a call from a shared library, too. */
static _Thread_local int64_t count __attribute__((tls_model("initial-exec")));

/* Allocations of this thread since its last load began. */
static _Thread_local int64_t made __attribute__((tls_model("initial-exec")));

static void hook_remove(struct lz_blocks_hook *hook);

static inline void
count_one(struct lz_blocks_hook *hook)
{
    count++;
    if (++made >= BLOCKS_MAX)
        hook_remove(hook);
}

static void *
count_malloc(void *ctx, size_t size)
{
    struct lz_blocks_hook *hook = ctx;
    void *block = hook->next.malloc(hook->next.ctx, size);
    if (block != NULL)
        count_one(hook);
    return block;
}

static void *
count_calloc(void *ctx, size_t number, size_t size)
{
    struct lz_blocks_hook *hook = ctx;
    void *block = hook->next.calloc(hook->next.ctx, number, size);
    if (block != NULL)
        count_one(hook);
    return block;
}

static void *
count_realloc(void *ctx, void *old, size_t size)
{
    struct lz_blocks_hook *hook = ctx;
    void *block = hook->next.realloc(hook->next.ctx, old, size);
    if (block != NULL && old == NULL)
        count_one(hook);
    return block;
}

static void
count_free(void *ctx, void *block)
{
    struct lz_blocks_hook *hook = ctx;
    count -= block != NULL;
    hook->next.free(hook->next.ctx, block);
}

static bool
is_ours(const PyMemAllocatorEx *allocator)
{
    return allocator->malloc == count_malloc;
}

static void
hook_install(struct lz_blocks_hook **slot, PyMemAllocatorDomain domain)
{
    PyMemAllocatorEx now;
    PyMem_GetAllocator(domain, &now);
    if (is_ours(&now)) { /* whoever was above it has gone */
        *slot = now.ctx;
    } else {
        if (*slot == NULL)
            *slot = malloc(sizeof(**slot));
        if (*slot == NULL)
            return;
        **slot = (struct lz_blocks_hook){.next = now, .domain = domain};
        PyMemAllocatorEx ours = {*slot, count_malloc, count_calloc,
                                 count_realloc, count_free};
        PyMem_SetAllocator(domain, &ours);
    }
    (*slot)->installed = true;
}

/* Whether it was on top, and is gone. */
static bool
hook_take_off(struct lz_blocks_hook *hook)
{
    PyMemAllocatorEx now;
    PyMem_GetAllocator(hook->domain, &now);
    if (!is_ours(&now) || now.ctx != hook)
        return false;
    PyMem_SetAllocator(hook->domain, &hook->next);
    return true;
}

static void
hook_remove(struct lz_blocks_hook *hook)
{
    if (hook_take_off(hook))
        hook->installed = false;
    else
        made = 0; /* not now */
}

void
blocks_enter(struct lz_blocks *blocks)
{
    blocks->users++;
    made = 0;
    for (int i = 0; i < LZ_BLOCKS_DOMAINS; i++) {
        struct lz_blocks_hook **slot = &blocks->hooks[i];
        if (*slot != NULL && !(*slot)->installed && blocks->users > 1)
            blocks->gave_up = true;
        if (*slot == NULL || !(*slot)->installed)
            hook_install(slot, domains[i]);
    }
}

void
blocks_leave(struct lz_blocks *blocks)
{
    blocks->users--;
    if (blocks->users > 0 && !blocks->gave_up)
        return;
    for (int i = 0; i < LZ_BLOCKS_DOMAINS; i++) {
        struct lz_blocks_hook **slot = &blocks->hooks[i];
        if (*slot == NULL || !(*slot)->installed)
            continue;
        if (hook_take_off(*slot))
            (*slot)->installed = false;
        else
            *slot = NULL; /* somebody's chain has it, perhaps for ever */
    }
    if (blocks->users == 0)
        blocks->gave_up = false;
}

int64_t
blocks_count(void)
{
    return count;
}

bool
blocks_counting(const struct lz_blocks *blocks)
{
    return blocks->hooks[0] != NULL && blocks->hooks[0]->installed;
}

void
blocks_done(struct lz_blocks *blocks)
{
    for (int i = 0; i < LZ_BLOCKS_DOMAINS; i++) {
        if (blocks->hooks[i] != NULL && !blocks->hooks[i]->installed)
            free(blocks->hooks[i]);
        blocks->hooks[i] = NULL;
    }
}
