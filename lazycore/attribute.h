/* The slot for attributes of modules. */
#ifndef LAZYCORE_ATTRIBUTE_H
#define LAZYCORE_ATTRIBUTE_H

#include "lazycore/engine.h"

/* Stand in the slot for MODULE's engine, and leave it. Needs the GIL. */
void attribute_install(PyObject *module);
void attribute_uninstall(void);
/* MODULE is being freed. */
void attribute_forget(PyObject *module);

#endif
