/* Memory for what is as large as a service has modules, and short-lived.
 *
 * malloc() keeps what is freed for the thread that freed it, or until what
 * lies above it goes; this is the kernel's again at once. Any thread.
 */
#ifndef LAZYCORE_BULK_H
#define LAZYCORE_BULK_H

#include <stddef.h>

/* SIZE bytes, zeroed; NULL on lack of memory. */
void *bulk_alloc(size_t size);
/* Accepts NULL. SIZE is what was asked for. */
void bulk_free(void *memory, size_t size);

#endif
