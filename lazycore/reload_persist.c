/* Reload: a step that has begun comes to its end, also where memory lacks.
 *
 * Half of a namespace is worse than an error, and the old half cannot be had
 * back for certain. So memory is put aside before the first change; where an
 * allocation fails a part of it is given up and the changes go on where they
 * were. Needs the GIL.
 */
#include "lazycore/reload.h"

enum { BLOCK_BYTES = 1 << 20, BLOCKS_MAX = 16, TRIES_MAX = 16 };

struct lz_reserve {
    struct lz_reserve *next;
};

static void
give_up_block(struct lz_transaction *transaction)
{
    struct lz_reserve *block = transaction->reserve;

    if (block != NULL) {
        transaction->reserve = block->next;
        PyMem_RawFree(block);
    }
}

int
reload_reserve(struct lz_transaction *transaction)
{
    size_t wanted = transaction->count + 1, count = 0;
    const struct lz_reserve *at = transaction->reserve;

    for (; at != NULL; at = at->next) {
        count++;
    }
    for (; count < wanted && count < BLOCKS_MAX; count++) {
        struct lz_reserve *block = PyMem_RawMalloc(BLOCK_BYTES);
        if (block == NULL) {
            (void)PyErr_NoMemory();
            return -1;
        }
        block->next = transaction->reserve;
        transaction->reserve = block;
    }
    return 0;
}

void
reload_release(struct lz_transaction *transaction)
{
    while (transaction->reserve != NULL) {
        give_up_block(transaction);
    }
}

static bool
lacks_memory(void)
{
    bool lacks =
        !PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_MemoryError);

    if (lacks) {
        PyErr_Clear();
    }
    return lacks;
}

int
reload_persist(struct lz_transaction *transaction, int (*change)(void *arg),
               void *arg)
{
    int status = change(arg);

    for (int i = 1; i < TRIES_MAX && status < 0 && lacks_memory(); i++) {
        give_up_block(transaction);
        status = change(arg);
    }
    if (status < 0 && !PyErr_Occurred()) {
        (void)PyErr_NoMemory();
    }
    return status;
}
