/* The thread that looks for hot namespaces (settle.h).
 *
 * Begins with install() and ends with uninstall(), and before the interpreter
 * does. It sleeps but for the looks of settle_pace.h and takes no signals. A
 * forked child that works gets one of its own at an import statement or when
 * it loads a module: one that is about to become another program, or enters
 * another user namespace, where the kernel asks for a single thread, has none.
 * Nor has one that was forked by another thread than the one that ends Python:
 * it ends, without a word to anybody, with the last of its threads.
 */
#ifndef LAZYCORE_SETTLE_WATCH_H
#define LAZYCORE_SETTLE_WATCH_H

#include "lazycore/engine.h"

/* Unless it is there, or not wanted: see the core's .settles. Without one, for
 * want of memory or threads, everything else goes on. */
void settle_watch_start(struct lz_engine *engine);
/* Gives the GIL up until it has ended. Where it is loading a module, which may
 * be waiting for this thread, or is this thread, it ends after that by
 * itself. */
void settle_watch_stop(struct lz_engine *engine);
/* Once the interpreter is no more: waits, nothing of it is touched. */
void settle_watch_done(struct lz_engine *engine);
/* Around fork(): before it the thread ends where CPython would warn of it,
 * unless it is busy, perhaps with what the fork holds. In between it is given
 * no PyThreadState. */
void settle_watch_before_fork(struct lz_engine *engine);
void settle_watch_after_fork(struct lz_engine *engine, bool child);
/* The child wants one, and imports: starts it if the child has worked. */
void settle_watch_in_child(struct lz_engine *engine);

#endif
