/* The room that a load has which a first use asks for.
 *
 * Eager code has loaded at its beginning, with all the stack and all the
 * recursion before it; a first use may be deep in a recursion, or in a thread
 * that was given a small stack. Needs the GIL.
 */
#ifndef LAZYCORE_ROOM_H
#define LAZYCORE_ROOM_H

#include <Python.h>

/* Once, in the main thread's process. */
void room_init(void);
/* CALL(ARG), on a stack of its own where less than 4 MiB are left of this
 * thread's, and with at least as many frames ahead of it as Python has by
 * default, or as the program has set if that is less. */
PyObject *room_call(PyObject *(*call)(void *arg), void *arg);

#endif
