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

/* Have the interpreter ask for each attribute of sys: an instruction that is
 * specialised takes it from a table of strings, and this makes it another
 * table, for good. */
static int
unspecialise_sys(struct lz_engine *engine)
{
    if (engine->sys_asked)
        return 0;
    engine->sys_asked = true;
    if (PyDict_SetItem(engine->sys_dict, Py_None, Py_None) < 0)
        return -1;
    return PyDict_DelItem(engine->sys_dict, Py_None);
}

/* The code that runs in NS copies entries. */
static int
note_copier(struct lz_engine *engine, struct lz_namespace *ns)
{
    ns->copies = true;
    if (engine->copiers == NULL)
        engine->copiers = PySet_New(NULL);
    return engine->copiers == NULL ? -1 : PySet_Add(engine->copiers, ns->name);
}

int
taken_note(struct lz_engine *engine, struct lz_namespace *ns,
           PyCodeObject *code)
{
    PyObject *taken = PySet_New(NULL);
    struct lz_modules_use use = {false, false};
    int result = taken == NULL ? -1
                               : bytecode_modules(code, engine->names.modules,
                                                  taken, &use);
    if (result == 0 && use.walks)
        result = unspecialise_sys(engine);
    ns->copies = false;
    if (result == 0 && use.copies)
        result = note_copier(engine, ns);
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

bool
taken_copied(struct lz_engine *engine, PyObject *name)
{
    PyObject *outer;
    Py_ssize_t at = 0;
    bool result = false;
    while (engine->copiers != NULL && !result &&
           (outer = dotted_next(name, &at)) != NULL) {
        result = PySet_Contains(engine->copiers, outer) == 1;
        Py_DECREF(outer);
    }
    lz_forgive();
    return result;
}
