/* The main thread, where another thread is the first to need `threading`.
 *
 * Up to CPython 3.12 that module takes the thread that runs its body for the
 * main one; at exit the real one then waits for that thread for ever. Eager
 * code imports it at a statement, in the main thread nearly always, but what
 * is pending may be loaded by any: by lazyd's operator, or by a thread of
 * _thread's. Later ones take only its native id. Needs the GIL.
 */
#include "lazycore/main_thread.h"

#include "lazycore/compat.h"
#include "lazycore/engine.h"

#include <unistd.h>

/* The thread state of the main thread, or of one that it has made and that
 * does not run yet; NULL where Python was started by another. In a child that
 * is whichever thread has forked. */
static PyThreadState *
main_state(void)
{
    PyThreadState *state =
        PyInterpreterState_ThreadHead(PyInterpreterState_Main());
    while (state != NULL && state->native_thread_id != (unsigned long)getpid())
        state = PyThreadState_Next(state);
    return state;
}

/* A lock of its own, held, as threading's shutdown wants it, in the place of
 * the one that is let go when the loading thread ends. 0 or -1. */
static int
replace_lock(PyObject *threading, PyObject *thread)
{
    PyObject *locks = PyObject_GetAttrString(threading, "_shutdown_locks");
    PyObject *old = PyObject_GetAttrString(thread, "_tstate_lock");
    PyObject *lock = PyObject_CallMethod(threading, "_allocate_lock", NULL);
    PyObject *taken =
        lock == NULL ? NULL : PyObject_CallMethod(lock, "acquire", NULL);
    int result = -1;
    if (locks != NULL && old != NULL && taken != NULL &&
        PySet_Discard(locks, old) >= 0 && PySet_Add(locks, lock) == 0)
        result = PyObject_SetAttrString(thread, "_tstate_lock", lock);
    Py_XDECREF(taken);
    Py_XDECREF(lock);
    Py_XDECREF(old);
    Py_XDECREF(locks);
    return result;
}

/* THREAD is known by the ident of the thread that made it. 0 or -1. */
static int
replace_ident(PyObject *threading, PyObject *thread, unsigned long is)
{
    PyObject *active = PyObject_GetAttrString(threading, "_active");
    PyObject *old = PyObject_GetAttrString(thread, "_ident");
    PyObject *ident = PyLong_FromUnsignedLong(is);
    int result = -1;
    if (active != NULL && old != NULL && ident != NULL &&
        PyObject_SetAttrString(thread, "_ident", ident) == 0 &&
        PyObject_DelItem(active, old) == 0)
        result = PyObject_SetItem(active, ident, thread);
    Py_XDECREF(ident);
    Py_XDECREF(old);
    Py_XDECREF(active);
    return result;
}

static int
replace_native_id(PyObject *thread)
{
    PyObject *native = PyLong_FromLong(getpid());
    int result = native == NULL
                     ? -1
                     : PyObject_SetAttrString(thread, "_native_id", native);
    Py_XDECREF(native);
    return result;
}

void
main_thread_correct(PyObject *threading)
{
    if (gettid() == getpid())
        return;
    const PyThreadState *state = main_state();
    if (state == NULL)
        return;
    PyObject *thread = PyObject_GetAttrString(threading, "_main_thread");
    int result = thread == NULL ? -1 : replace_native_id(thread);
    if (result == 0 && LZ_THREADING_TAKES_LOADER)
        result = replace_lock(threading, thread);
    if (result == 0 && LZ_THREADING_TAKES_LOADER)
        result = replace_ident(threading, thread, state->thread_id);
    if (result < 0)
        lz_forgive();
    Py_XDECREF(thread);
}
