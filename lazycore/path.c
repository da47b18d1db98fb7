/* Packages that change their __path__ after submodules of theirs were found.
 *
 * A statement finds a submodule by the path that the spec of its package
 * has. The package's code may put other folders first: eager code, where it
 * has run by then, finds the submodule there. So a target keeps the path that
 * was searched until its package has run, and is searched for again where
 * that is no longer what the path begins with. Needs the GIL.
 */
#include "lazycore/engine.h"

PyObject *
path_before(PyObject *parent, PyObject *path)
{
    PyObject *module = load_peek_module(parent);
    PyObject *result = module == NULL && PyList_CheckExact(path)
                           ? PyList_AsTuple(path)
                           : NULL;
    lz_forgive();
    Py_XDECREF(module);
    return result;
}

/* Whether PATH still begins with what was SEARCHED: then what was found there
 * is found there still. */
static bool
begins_with(PyObject *path, PyObject *searched)
{
    PyObject *items = PySequence_Tuple(path);
    Py_ssize_t count = PyTuple_GET_SIZE(searched);
    bool same = items != NULL && PyTuple_GET_SIZE(items) >= count;
    for (Py_ssize_t i = 0; same && i < count; i++)
        same = PyObject_RichCompareBool(PyTuple_GET_ITEM(items, i),
                                        PyTuple_GET_ITEM(searched, i),
                                        Py_EQ) == 1;
    lz_forgive();
    Py_XDECREF(items);
    return same;
}

bool
path_is_stale(struct lz_target *target, PyObject *path)
{
    if (target->searched != NULL && path != NULL && path != Py_None &&
        !begins_with(path, target->searched))
        target->failed = true;
    return target->failed;
}

/* The package of TARGET has run and has made its path PATH; NULL: where the
 * package itself is, is not known any more. */
static void
check_path(struct lz_engine *engine, struct lz_target *target, PyObject *path)
{
    if (path == NULL)
        target->failed = true;
    if (path_is_stale(target, path) && target->children != NULL)
        path_check_children(engine, target->children, NULL);
    Py_CLEAR(target->searched);
}

void
path_check_children(struct lz_engine *engine, PyObject *children,
                    PyObject *path)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(children); i++) {
        struct lz_target *target =
            target_get(engine, PyList_GET_ITEM(children, i));
        if (target != NULL)
            check_path(engine, target, path);
        Py_XDECREF(target);
    }
}
