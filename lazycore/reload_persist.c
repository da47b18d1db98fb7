/* Reload: a step that has begun comes to its end, also where memory lacks.
 *
 * Half of a namespace is worse than an error, and the old half cannot be had
 * back for certain. So memory is put aside before the first change; where an
 * allocation fails it is given up and the changes go on where they were. Needs
 * the GIL.
 */
#include "lazycore/reload.h"

#include <stdlib.h>

enum { RESERVE_BYTES = 1 << 20, TRIES_MAX = 16 };

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

/* The step that failed is gone through again, and lists its lines again. */
static void
forget_lines(struct lz_publish *publish)
{
    struct lz_reload_result *result = publish->reload->result;

    while (result->unrepaired_count > publish->listed) {
        free(result->unrepaired[--result->unrepaired_count]);
    }
}

int
reload_persist(struct lz_publish *publish,
               int (*change)(struct lz_publish *publish))
{
    void *reserve = PyMem_RawMalloc(RESERVE_BYTES);
    int status = -1;

    if (reserve == NULL) {
        (void)PyErr_NoMemory();
        return -1;
    }
    for (int i = 0; i < TRIES_MAX; i++) {
        status = change(publish);
        if (status == 0 || !lacks_memory()) {
            break;
        }
        PyMem_RawFree(reserve);
        reserve = NULL;
        if (i + 1 == TRIES_MAX) {
            (void)PyErr_NoMemory();
        } else {
            forget_lines(publish);
        }
    }
    PyMem_RawFree(reserve);
    return status;
}
