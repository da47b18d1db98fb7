/* The Python interpreter as the daemon sees it; no Python type shows here.
 *
 * The only part of the daemon that touches Python: start, run, check, the
 * stop request, and what the operator thread does under the GIL. Leaves
 * threads, sockets and files to the rest. One interpreter a process.
 */
#ifndef DAEMON_PYHOST_H
#define DAEMON_PYHOST_H

#include <stdbool.h>
#include <stdint.h>

#include "lazycore/annotations.h"
#include "lazycore/core.h"

struct arena;
struct wire_load_result;
struct wire_reload;
struct lz_rehearsal;
struct lz_rehearsal_outcome;
struct wire_reload_params;
struct wire_verify_result;

struct pyhost_setup {
    char **argv; /* as for python3 */
    int argc;
    char **words; /* the process's own argv, in order, as execve() got them */
    int word_count;
    bool lazy;
    struct lz_core *core; /* outlives the interpreter */
    /* The interpreter is gone, the process about to end: on every way out
     * but _exit and signals. Main thread, no GIL. May be NULL. */
    void (*finished)(void);
};

/* Start Python, as python3 does, and hook the imports. Main thread; its GIL
 * is held after that. 0, or -1 with ERROR. */
int pyhost_start(const struct pyhost_setup *setup, struct lz_error *error);

/* Run the service to its end and finalise. The exit status; where the
 * service raises SystemExit the process ends inside, as under python3. */
int pyhost_run(void);

/* Whether what is to be run is found and compiles; runs nothing of it but
 * the parents of a dotted module. After pyhost_start. 0, or -1 with ERROR. */
int pyhost_check(const char *path, const char *module, bool as_main,
                 struct lz_error *error);

/* End the interpreter that pyhost_start made and pyhost_run did not run. */
void pyhost_abandon(void);

/* Let another thread have the GIL while WAIT runs. Main thread, between
 * start and run. */
void pyhost_without_gil(void (*wait)(void *arg), void *arg);

/* Ask for SystemExit in the main thread; it is raised once. Async-signal-safe;
 * the main thread must be woken by a signal besides. */
void pyhost_interrupt(void);
/* Whether it has been raised: until then, asking again may help. Any
 * thread. */
bool pyhost_is_interrupted(void);

/* "3.11.2". Any thread, at any time. */
const char *pyhost_version(void);

/* --- the operator thread ------------------------------------------------ */

/* Make the thread known to Python; waits for the GIL and lets it go. */
void pyhost_thread_begin(void) LZ_EXCLUDES_GIL;
void pyhost_gil_enter(void) LZ_ACQUIRE(lz_gil);
void pyhost_gil_leave(void) LZ_RELEASE(lz_gil);

/* Whether modules may be loaded on the operator's thread: 0, or -1 with ERROR,
 * which says what to do INSTEAD. */
int pyhost_may_load(const char *instead, struct lz_error *error) LZ_NEEDS_GIL;
/* Load NAME; the strings of *RET_RESULT belong to ARENA. 0 or -ENOMEM. */
int pyhost_load(const char *name, bool inject, struct arena *arena,
                struct wire_load_result *ret_result) LZ_NEEDS_GIL;
/* Check the pending module NAME; strings as above. 1, 0 where it is not
 * pending, or -ENOMEM. */
int pyhost_verify(const char *name, struct arena *arena,
                  struct wire_verify_result *ret_result) LZ_NEEDS_GIL;
/* pyhost_reload.c: reload a module, or go back to what it was before the
 * transaction SERIAL (0: the last). Strings as above. 0, or -1 with ERROR. */
int pyhost_reload(const struct wire_reload_params *params, struct arena *arena,
                  struct wire_reload *ret_reload,
                  struct lz_error *error) LZ_NEEDS_GIL;
/* The same in a copy of the service. *RET_OUTCOME is to be released. */
int pyhost_rehearse_reload(const struct wire_reload_params *params,
                           const struct lz_rehearsal *setup,
                           struct arena *arena,
                           struct lz_rehearsal_outcome *ret_outcome,
                           struct wire_reload *ret_reload,
                           struct lz_error *error) LZ_NEEDS_GIL;
int pyhost_rollback(const char *name, uint64_t serial, struct arena *arena,
                    struct wire_reload *ret_reload,
                    struct lz_error *error) LZ_NEEDS_GIL;
/* Blocks that Python's allocator has handed out; negative unknown. */
int64_t pyhost_blocks(void) LZ_NEEDS_GIL;

#endif
