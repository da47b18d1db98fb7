/* See bulk.h. */
#include "lazycore/bulk.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { SMALL = 32 * 1024 }; /* malloc() is better at these */

void *
bulk_alloc(size_t size)
{
    void *memory;

    if (size <= SMALL) {
        return calloc(1, size > 0 ? size : 1);
    }
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void
bulk_free(void *memory, size_t size)
{
    if (size <= SMALL) {
        free(memory);
    } else if (memory != NULL) {
        (void)munmap(memory, size);
    }
}
