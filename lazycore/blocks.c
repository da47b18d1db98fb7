/* An allocator that counts, on top of the one that is there: see blocks.h.
 *
 * Others wrap allocators too (tracemalloc): what is not on top when it is to
 * go stays where it is, passes on, and is taken up again where it turns out to
 * be on top. A body that allocates without end is the service itself, run by
 * an import: it gets its own allocator back.
 */
#include "lazycore/blocks.h"

#include <Python.h>
#include <stdlib.h>

/* Allocations by one body, after which it is no load: some 10 ms of what
 * counting adds. */
enum { BLOCKS_MAX = 4000000 };

struct lz_blocks_hook {
    PyMemAllocatorEx next;
    bool installed; /* as far as we know */
};

/* Of this thread, in such times; and the allocation at which its load is none
 * any more. Reached without a call from a shared library, too. */
#define LZ_NEAR __attribute__((tls_model("initial-exec")))
static _Thread_local int64_t made LZ_NEAR;
static _Thread_local int64_t freed LZ_NEAR;
static _Thread_local int64_t last LZ_NEAR = BLOCKS_MAX;

static void hook_remove(struct lz_blocks_hook *hook)
    __attribute__((noinline, cold));

/* The wrappers count first and end in a jump: this is in the way of every
 * allocation of a load. One that fails is counted all the same. */
static void *
count_malloc(void *ctx, size_t size)
{
    struct lz_blocks_hook *hook = ctx;
    if (++made >= last)
        hook_remove(hook);
    return hook->next.malloc(hook->next.ctx, size);
}

static void *
count_calloc(void *ctx, size_t number, size_t size)
{
    struct lz_blocks_hook *hook = ctx;
    if (++made >= last)
        hook_remove(hook);
    return hook->next.calloc(hook->next.ctx, number, size);
}

static void *
count_realloc(void *ctx, void *old, size_t size)
{
    struct lz_blocks_hook *hook = ctx;
    made += old == NULL;
    return hook->next.realloc(hook->next.ctx, old, size);
}

static void
count_free(void *ctx, void *block)
{
    struct lz_blocks_hook *hook = ctx;
    freed += block != NULL;
    hook->next.free(hook->next.ctx, block);
}

static bool
is_ours(const PyMemAllocatorEx *allocator)
{
    return allocator->malloc == count_malloc;
}

static void
hook_install(struct lz_blocks *blocks)
{
    PyMemAllocatorEx now;
    PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &now);
    if (is_ours(&now)) { /* whoever was above it has gone */
        blocks->hook = now.ctx;
    } else {
        if (blocks->hook == NULL)
            blocks->hook = malloc(sizeof(*blocks->hook));
        if (blocks->hook == NULL)
            return;
        blocks->hook->next = now;
        PyMemAllocatorEx ours = {blocks->hook, count_malloc, count_calloc,
                                 count_realloc, count_free};
        PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &ours);
    }
    blocks->hook->installed = true;
}

/* Whether it was on top, and is gone. */
static bool
hook_take_off(struct lz_blocks_hook *hook)
{
    PyMemAllocatorEx now;
    PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &now);
    if (!is_ours(&now) || now.ctx != hook)
        return false;
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &hook->next);
    hook->installed = false;
    return true;
}

static void
hook_remove(struct lz_blocks_hook *hook)
{
    if (!hook_take_off(hook))
        last += BLOCKS_MAX; /* not now */
}

void
blocks_enter(struct lz_blocks *blocks)
{
    bool wrapped = blocks->hook != NULL && blocks->hook->installed;
    blocks->users++;
    last = made + BLOCKS_MAX;
    if (!wrapped && blocks->users > 1)
        blocks->gave_up = true;
    if (!wrapped)
        hook_install(blocks);
}

void
blocks_leave(struct lz_blocks *blocks)
{
    struct lz_blocks_hook *hook = blocks->hook;
    blocks->users--;
    if (blocks->users > 0 && !blocks->gave_up)
        return;
    if (hook != NULL && hook->installed && !hook_take_off(hook))
        blocks->hook = NULL; /* somebody's chain has it, perhaps for ever */
    if (blocks->users == 0)
        blocks->gave_up = false;
}

int64_t
blocks_count(void)
{
    return made - freed;
}

void
blocks_done(struct lz_blocks *blocks)
{
    if (blocks->hook != NULL && !blocks->hook->installed)
        free(blocks->hook);
    blocks->hook = NULL;
}
