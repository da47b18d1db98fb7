/* See ahead.h. Greenlets end their statements in any order: doubly linked. */
#include "lazycore/ahead.h"

#include "lazycore/engine.h"

struct ahead {
    PyObject *name;                     /* strong */
    PyFrameObject *frame_borrowed;      /* compared only */
    PyObject *type, *error, *traceback; /* strong */
    struct ahead *next, *previous;
};

static _Thread_local struct ahead *first;

void
ahead_failed(PyObject *name)
{
    struct ahead *ahead = PyMem_Calloc(1, sizeof(*ahead));
    if (ahead == NULL) {
        lz_forgive();
        return;
    }
    ahead->name = Py_NewRef(name);
    ahead->frame_borrowed = PyEval_GetFrame();
    PyErr_Fetch(&ahead->type, &ahead->error, &ahead->traceback);
    ahead->next = first;
    if (first != NULL)
        first->previous = ahead;
    first = ahead;
}

static struct ahead *
find(PyObject *name)
{
    struct ahead *ahead = first;
    while (ahead != NULL && PyUnicode_Compare(ahead->name, name) != 0)
        ahead = ahead->next;
    return ahead;
}

bool
ahead_has_failed(PyObject *name)
{
    return find(name) != NULL;
}

/* AHEAD is freed, with what is left in it. */
static void
drop(struct ahead *ahead)
{
    if (ahead->previous != NULL)
        ahead->previous->next = ahead->next;
    else
        first = ahead->next;
    if (ahead->next != NULL)
        ahead->next->previous = ahead->previous;
    Py_XDECREF(ahead->type);
    Py_XDECREF(ahead->error);
    Py_XDECREF(ahead->traceback);
    Py_DECREF(ahead->name);
    PyMem_Free(ahead);
}

bool
ahead_raise(PyObject *name)
{
    struct ahead *ahead = find(name);
    if (ahead == NULL)
        return false;
    PyErr_Restore(ahead->type, ahead->error, ahead->traceback);
    ahead->type = ahead->error = ahead->traceback = NULL;
    drop(ahead);
    return true;
}

void
ahead_forget(PyFrameObject *frame)
{
    struct ahead *next;
    for (struct ahead *ahead = first; ahead != NULL; ahead = next) {
        next = ahead->next;
        if (ahead->frame_borrowed == frame) {
            drop(ahead);
            next = first; /* what was dropped may have run code */
        }
    }
}
