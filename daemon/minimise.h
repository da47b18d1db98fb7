/* Delta debugging: the smallest set of things that a predicate still needs.
 *
 * Knows nothing of levels or programs. Any thread.
 */
#ifndef DAEMON_MINIMISE_H
#define DAEMON_MINIMISE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether it holds with the CHOSEN (COUNT entries) alone: 1, 0, or negative
 * to give up. It may be dear: it is asked as seldom as can be. */
typedef int (*minimise_holds)(void *arg, const bool *chosen, size_t count);

/* It holds with all of COUNT things and not with none. Find a set with which
 * it holds and does not without any single one of it. 0 with RET_CHOSEN
 * (COUNT entries), -ENOMEM, or what HOLDS gave up with. */
int minimise(size_t count, minimise_holds holds, void *arg, bool *ret_chosen);

#endif
