/* The main thread, where another is the first to load `threading`. */
#ifndef LAZYCORE_MAIN_THREAD_H
#define LAZYCORE_MAIN_THREAD_H

#include <Python.h>

/* THREADING, the module, has just loaded: see to it that its main thread is
 * the main thread, whichever ran its body. Needs the GIL. */
void main_thread_correct(PyObject *threading);

#endif
