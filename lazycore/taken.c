/* See taken.h. */
#include "lazycore/taken.h"
#include "lazycore/bytecode.h"

/* Note NAME, and that something below its package is taken. */
static int
note_name(PyObject *all, PyObject *name)
{
    PyObject *package = dotted_parent(name);
    int result = PyErr_Occurred() ? -1 : 0;
    if (package != NULL && PyDict_SetDefault(all, package, Py_False) == NULL)
        result = -1;
    Py_XDECREF(package);
    return result < 0 ? -1 : PyDict_SetItem(all, name, Py_True);
}

int
taken_note(struct lz_engine *engine, PyCodeObject *code)
{
    PyObject *taken = PySet_New(NULL);
    int result = taken == NULL
                     ? -1
                     : bytecode_modules(code, engine->names.modules, taken);
    if (result == 0 && PySet_GET_SIZE(taken) > 0 && engine->taken == NULL) {
        engine->taken = PyDict_New();
        result = engine->taken == NULL ? -1 : 0;
    }
    while (result == 0 && PySet_GET_SIZE(taken) > 0) {
        PyObject *name = PySet_Pop(taken);
        result = name == NULL ? -1 : note_name(engine->taken, name);
        Py_XDECREF(name);
    }
    Py_XDECREF(taken);
    return result;
}

/* Py_True: NAME was noted; Py_False: one below it was; NULL. Borrowed. */
static PyObject *
noted(struct lz_engine *engine, PyObject *name)
{
    PyObject *value = engine->taken == NULL
                          ? NULL
                          : PyDict_GetItemWithError(engine->taken, name);
    if (value == NULL)
        lz_forgive();
    return value;
}

bool
taken_has(struct lz_engine *engine, PyObject *name,
          const struct lz_statement *statement)
{
    PyObject *value = noted(engine, name);
    bool result = value == Py_True;
    for (int i = 0; value != NULL && !result &&
                    statement->shape == LZ_SHAPE_FROM && i < statement->count;
         i++) {
        PyObject *full = dotted_join(name, '.', statement->attrs[i]);
        result = full != NULL && noted(engine, full) == Py_True;
        Py_XDECREF(full);
        lz_forgive();
    }
    return result;
}
