/* See ahead.h. Greenlets end their statements in any order: doubly linked. */
#include "lazycore/ahead.h"

#include <utlist.h>

#include "lazycore/engine.h"

struct ahead {
    PyObject *name, *error;        /* strong; the error has its traceback */
    PyFrameObject *frame_borrowed; /* of the statement; compared only */
    bool settled; /* what it was imported ahead for has failed by it */
    struct ahead *prev, *next;
};

static _Thread_local struct ahead *first;
/* Of the statement for which something is imported ahead; compared only. */
static _Thread_local PyFrameObject *trying_borrowed;

/* The pending exception, which stays: a new reference. */
static PyObject *
pending_error(void)
{
    PyObject *error = lz_take_error();
    lz_raise(Py_XNewRef(error));
    return error;
}

void
ahead_note(PyObject *name)
{
    struct ahead *ahead =
        trying_borrowed == NULL ? NULL : PyMem_Calloc(1, sizeof(*ahead));
    if (ahead == NULL) /* at worst the body runs again */
        return;
    ahead->name = Py_NewRef(name);
    ahead->error = pending_error();
    ahead->frame_borrowed = trying_borrowed;
    DL_PREPEND(first, ahead);
}

static void
drop(struct ahead *ahead)
{
    DL_DELETE(first, ahead);
    Py_XDECREF(ahead->error);
    Py_DECREF(ahead->name);
    PyMem_Free(ahead);
}

/* Drop what FRAME's statement has met: by ERROR if SAME, by others if not. */
static void
drop_of(PyFrameObject *frame, PyObject *error, bool same)
{
    struct ahead *next;
    for (struct ahead *ahead = first; ahead != NULL; ahead = next) {
        next = ahead->next;
        if (ahead->frame_borrowed == frame &&
            (ahead->error == error) == same) {
            drop(ahead);
            next = first; /* that may have run code */
        }
    }
}

PyFrameObject *
ahead_begin(void)
{
    PyFrameObject *saved = trying_borrowed;
    trying_borrowed = PyEval_GetFrame();
    return saved;
}

void
ahead_end(PyFrameObject *saved, bool failed)
{
    PyFrameObject *frame = trying_borrowed;
    PyObject *error = failed ? lz_take_error() : NULL;
    trying_borrowed = saved;
    drop_of(frame, error, false);
    for (struct ahead *ahead = first; ahead != NULL; ahead = ahead->next)
        ahead->settled |= ahead->frame_borrowed == frame;
    Py_XDECREF(error);
}

static struct ahead *
find(PyObject *name)
{
    struct ahead *ahead = first;
    while (ahead != NULL &&
           (!ahead->settled || PyUnicode_Compare(ahead->name, name) != 0))
        ahead = ahead->next;
    return ahead;
}

bool
ahead_has_failed(PyObject *name)
{
    return find(name) != NULL;
}

PyObject *
ahead_raise(PyObject *module, PyObject *name)
{
    const struct ahead *ahead = PyUnicode_Check(name) ? find(name) : NULL;
    (void)module;
    if (ahead == NULL || ahead->error == NULL)
        Py_RETURN_NONE;
    PyObject *error = Py_NewRef(ahead->error);
    drop_of(ahead->frame_borrowed, error, true);
    lz_raise(error);
    return NULL;
}

void
ahead_forget(PyFrameObject *frame)
{
    if (first != NULL)
        drop_of(frame, NULL, false);
}
