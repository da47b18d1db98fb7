/* Imports that meet those of other threads: parents before submodules, and
 * nobody gets what a failed load has left behind.
 *
 * importlib locks a submodule and then imports its package, while a thread
 * that loads the package and imports the submodule from there locks them the
 * other way round: one of the two meets importlib's deadlock detection, which
 * raises. Eager code imports before it starts threads; what is pending is
 * loaded by any, also while another runs an import statement in a function.
 * So the package comes first, before the submodule is locked. Stands in
 * importlib._bootstrap._find_and_load while installed. Needs the GIL.
 */
#include "lazycore/parents.h"

#include "lazycore/own.h"

/* As many loads of one module by other threads may fail in a row while one
 * thread waits for each of them. */
enum { IMPORT_TRIES = 100 };

/* Whether the module PARENT is to be waited for, or loaded. -1 with an
 * exception. */
static int
is_needed(struct lz_engine *engine, PyObject *parent)
{
    PyObject *module = load_peek_module(parent);
    if (module == NULL)
        return PyErr_Occurred() ? -1 : 1;
    int result = module != Py_None && !load_runs_here(parent) &&
                 load_initializing(engine, module);
    Py_DECREF(module);
    return result;
}

int
import_alone(PyObject *name)
{
    PyObject *top =
        PyImport_ImportModuleLevelObject(name, NULL, NULL, NULL, 0);
    Py_XDECREF(top);
    return top == NULL ? -1 : 0;
}

int
parents_import(struct lz_engine *engine, PyObject *name)
{
    PyObject *parent = dotted_parent(name);
    if (parent == NULL)
        return PyErr_Occurred() ? -1 : 0;
    int needed = is_needed(engine, parent);
    if (needed == 1) {
        if (Py_EnterRecursiveCall(" while importing a package") == 0) {
            needed = parents_import(engine, parent);
            Py_LeaveRecursiveCall();
        } else {
            needed = -1;
        }
        if (needed == 0)
            needed = import_alone(parent);
    }
    Py_DECREF(parent);
    return needed < 0 ? -1 : 0;
}

/* Whether MODULE, which an import of NAME has led to, is what it was for.
 * BEFORE was in sys.modules ahead of it. What another thread still loads is
 * either the next try of a load that has failed while this thread waited, to
 * be waited for in its turn; or importlib has handed out one that waits for
 * this thread, since both would wait for ever: it was there BEFORE. */
static bool
is_settled(struct lz_engine *engine, PyObject *name, PyObject *module,
           PyObject *before)
{
    return module == Py_None || module == before || load_runs_here(name) ||
           !load_initializing(engine, module);
}

PyObject *
import_settled(struct lz_engine *engine, PyObject *name)
{
    PyObject *module = NULL;
    for (int i = 0; i < IMPORT_TRIES && module == NULL; i++) {
        PyObject *before = load_peek_module(name);
        if (before == NULL && PyErr_Occurred())
            return NULL;
        if (parents_import(engine, name) == 0 && import_alone(name) == 0)
            module = load_peek_module(name);
        if (module != NULL && !is_settled(engine, name, module, before))
            Py_CLEAR(module);
        Py_XDECREF(before);
        if (PyErr_Occurred())
            return NULL;
    }
    if (module == NULL)
        PyErr_Format(PyExc_ImportError, "%R not in sys.modules as expected",
                     name);
    return module;
}

/* import_module() of what is there brings nothing, and may be all that a
 * function does over and over. */
static bool
is_loaded(struct lz_engine *engine, PyObject *name)
{
    PyObject *module = load_module_here(engine, name);
    bool result = module != NULL && module != Py_None;
    lz_forgive();
    Py_XDECREF(module);
    return result;
}

PyObject *
parents_find_and_load(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    struct lz_engine *engine = engine_of_module(self);
    if (engine == NULL || engine->find_and_load == NULL)
        return engine_gone();
    if (nargs > 0 && PyUnicode_Check(args[0]) && !lz_is_finalizing()) {
        if (!is_loaded(engine, args[0]) &&
            own_load_earlier(engine, args[0]) < 0)
            return NULL;
        if (parents_import(engine, args[0]) < 0)
            return NULL;
    }
    return PyObject_Vectorcall(engine->find_and_load, args, (size_t)nargs,
                               NULL);
}
