/* The functions of the module atexit, while installed.
 *
 * At exit the callbacks are called last first: what a module registers when
 * it is imported outlives what the program registers afterwards. So a body
 * that runs at a first use has its callbacks put in the place of its
 * statement, also when the callbacks are being called. The interpreter's own
 * list holds one of ours, and what was there before it. Needs the GIL.
 */
#ifndef LAZYCORE_EXITS_H
#define LAZYCORE_EXITS_H

#include <Python.h>
#include <stdint.h>

struct lz_engine;

enum lz_exits_function {
    LZ_EXITS_REGISTER,
    LZ_EXITS_UNREGISTER,
    LZ_EXITS_CLEAR,
    LZ_EXITS_RUN,
    LZ_EXITS_COUNT,
    LZ_EXITS_FUNCTIONS
};

struct lz_exits {
    PyObject *list; /* of callbacks, the first first; the collector does not
                       know of it, as it does not of the interpreter's */
    uint32_t limit; /* while they are called: of .at[0] of those; else 0 */
    PyObject *saved[LZ_EXITS_FUNCTIONS]; /* atexit's own functions */
};

/* In the order of lz_exits_function. */
extern PyMethodDef exits_methods[];

/* Call what is registered until then, LIMIT being what the next moment would
 * be, the last first, and forget all. Leaves no exception. */
void exits_call(struct lz_engine *engine, uint32_t limit);

int exits_init(struct lz_exits *exits);
void exits_done(struct lz_exits *exits);
/* 0, or -1 with an exception. Uninstalling gives the interpreter what is
 * registered. */
int exits_install(struct lz_engine *engine);
int exits_uninstall(struct lz_engine *engine);

#endif
