/* Memory that is freed all at once: what a reply is made of.
 *
 * Replies borrow their strings; an arena keeps them until the line is
 * written. One thread at a time.
 */
#ifndef DAEMON_ARENA_H
#define DAEMON_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena_end;

struct arena {
    struct arena_block *blocks;
    struct arena_end *ends;
};

/* Zeroed; NULL on lack of memory. */
void *arena_alloc(struct arena *arena, size_t count, size_t size);
/* NULL where TEXT is, or on lack of memory. */
char *arena_strdup(struct arena *arena, const char *text);
/* END is to be called when the arena is freed. 0, or -1 on lack of memory,
 * when it has been called. */
int arena_on_end(struct arena *arena, void (*end)(void *arg), void *arg);
void arena_done(struct arena *arena);

#endif
