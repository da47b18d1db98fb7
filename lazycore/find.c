/* Finding a module without loading it, and handing the spec over.
 *
 * find_target() asks the other finders once, at the statement; the finder
 * type, first on sys.meta_path, gives the kept spec to importlib when the
 * module is loaded. Needs the GIL.
 */
#include "lazycore/engine.h"
#include "lazycore/search.h"

/* Whether NAME or a parent of it is a target: loading it may change where
 * its submodules are found. */
static bool
load_pending_parent(struct lz_engine *engine, PyObject *parent, int *ret_error)
{
    *ret_error = 0;
    struct lz_target *target = target_get(engine, parent);
    if (target == NULL)
        return false;
    PyObject *module = target_import(engine, target);
    Py_DECREF(target);
    if (module == NULL) {
        *ret_error = 1;
        return false;
    }
    Py_DECREF(module);
    return true;
}

/* The __path__ of PARENT: from the module if loaded, else from its spec. A
 * new reference; NULL without an exception: no package. */
static PyObject *
search_path(struct lz_engine *engine, PyObject *parent)
{
    PyObject *module = load_peek_module(parent);
    if (module != NULL) {
        PyObject *path = lz_get_optional(module, engine->names.path);
        Py_DECREF(module);
        return path;
    }
    if (PyErr_Occurred())
        return NULL;
    struct lz_target *target;
    if (find_target(engine, parent, &target) <= 0)
        return NULL;
    PyObject *path =
        target->found == NULL ? NULL : found_locations(engine, target->found);
    Py_DECREF(target);
    return path;
}

/* What every other finder has: new reference, None, or NULL. *RET_SEARCHED:
 * see struct lz_target. */
static PyObject *
ask_finders(struct lz_engine *engine, PyObject *name, PyObject *parent,
            PyObject **ret_searched)
{
    PyObject *path = Py_None;
    Py_CLEAR(*ret_searched);
    if (parent == NULL) {
        Py_INCREF(path);
    } else {
        path = search_path(engine, parent);
        if (path == NULL)
            return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
        *ret_searched = path_before(parent, path);
    }
    PyObject *found = search_find(engine, name, path);
    Py_DECREF(path);
    return found;
}

static int
find_new(struct lz_engine *engine, PyObject *name,
         struct lz_target **ret_target)
{
    int result = -1;
    PyObject *found = NULL;
    PyObject *searched = NULL;
    PyObject *parent = dotted_parent(name);
    if (parent == NULL && PyErr_Occurred())
        return -1;
    found = ask_finders(engine, name, parent, &searched);
    if ((found == NULL || found == Py_None) && parent != NULL &&
        (found != NULL || PyErr_ExceptionMatches(PyExc_Exception))) {
        /* A nested namespace package's path needs its parent (KeyError),
         * and a package's code may extend its __path__. */
        int error;
        lz_forgive();
        if (load_pending_parent(engine, parent, &error)) {
            Py_XDECREF(found);
            found = ask_finders(engine, name, parent, &searched);
        } else if (error) {
            goto done;
        }
    }
    if (found == NULL && PyErr_Occurred()) {
        goto done;
    }
    if (found == NULL || found == Py_None) {
        result = 0;
        goto done;
    }
    /* Loading the parent may have loaded or found it meanwhile. */
    PyObject *module = load_peek_module(name);
    if (module != NULL) {
        Py_DECREF(module);
        result = 0;
        goto done;
    }
    *ret_target = target_get(engine, name);
    if (*ret_target == NULL)
        *ret_target = target_new(engine, name, found);
    else if ((*ret_target)->failed)
        Py_XSETREF((*ret_target)->found, Py_NewRef(found));
    result = *ret_target == NULL ? -1 : 1;
    if (result == 1) {
        (*ret_target)->failed = false;
        Py_XSETREF((*ret_target)->searched, Py_XNewRef(searched));
    }
done:
    Py_XDECREF(searched);
    Py_XDECREF(found);
    Py_XDECREF(parent);
    return result;
}

/* Another thread is loading MODULE: it is as pending as one that nobody
 * loads. 1 with a target that its end will serve, 0 where it is loaded. */
static int
adopt_running(struct lz_engine *engine, PyObject *name, PyObject *module,
              struct lz_target **ret_target)
{
    if (load_runs_here(name) || !load_initializing(engine, module))
        return 0;
    PyObject *spec = lz_get_optional(module, engine->names.spec);
    if (spec == NULL)
        return PyErr_Occurred() ? -1 : 0;
    *ret_target = target_new(engine, name, spec);
    Py_DECREF(spec);
    return *ret_target == NULL ? -1 : 1;
}

int
find_target(struct lz_engine *engine, PyObject *name,
            struct lz_target **ret_target)
{
    *ret_target = target_get(engine, name);
    if (*ret_target != NULL && !(*ret_target)->failed)
        return 1;
    Py_CLEAR(*ret_target);
    PyObject *module = load_peek_module(name);
    if (module != NULL) { /* loaded, or None: importlib refuses it */
        int result = adopt_running(engine, name, module, ret_target);
        Py_DECREF(module);
        return result;
    }
    if (PyErr_Occurred())
        return -1;
    return find_new(engine, name, ret_target);
}

/* The spec of the package NAME, which is not loaded, from PACKAGES, a dict or
 * NULL, or for it: a new reference, None, or NULL with an exception. */
static PyObject *
spec_of_package(struct lz_engine *engine, PyObject *name, PyObject *packages)
{
    PyObject *spec = packages == NULL
                         ? NULL
                         : Py_XNewRef(PyDict_GetItemWithError(packages, name));
    if (spec != NULL || PyErr_Occurred())
        return spec;
    spec = find_spec_only(engine, name, packages);
    if (spec != NULL && packages != NULL &&
        PyDict_SetItem(packages, name, spec) < 0)
        Py_CLEAR(spec);
    return spec;
}

PyObject *
find_spec_only(struct lz_engine *engine, PyObject *name, PyObject *packages)
{
    PyObject *path = NULL;
    PyObject *parent = dotted_parent(name);
    if (parent == NULL && PyErr_Occurred())
        return NULL;
    if (parent == NULL) {
        path = Py_NewRef(Py_None);
    } else {
        PyObject *module = load_peek_module(parent);
        if (module != NULL) {
            path = lz_get_optional(module, engine->names.path);
        } else {
            PyObject *spec = spec_of_package(engine, parent, packages);
            if (spec != NULL && spec != Py_None)
                path = found_locations(engine, spec);
            Py_XDECREF(spec);
        }
        Py_XDECREF(module);
        Py_DECREF(parent);
        if (PyErr_Occurred()) {
            Py_XDECREF(path);
            return NULL;
        }
        if (path == NULL || path == Py_None) {
            Py_XDECREF(path);
            return Py_NewRef(Py_None);
        }
    }
    PyObject *spec = search_spec(engine, name, path);
    Py_DECREF(path);
    return spec;
}

/* importlib._bootstrap._find_spec: what a statement found is found, whatever
 * became of sys.meta_path since. A reload (with a target) searches anew. */
PyObject *
find_kept_spec(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
               PyObject *kwnames)
{
    struct lz_engine *engine = engine_of_module(self);
    if (engine == NULL || engine->bootstrap_find == NULL)
        return engine_gone();
    bool reloads = kwnames != NULL || (nargs > 2 && args[2] != Py_None);
    if (nargs > 0 && PyUnicode_Check(args[0]) && !reloads) {
        struct lz_target *target = target_get(engine, args[0]);
        PyObject *path = nargs > 1 ? args[1] : NULL;
        PyObject *spec = target == NULL || path_is_stale(target, path)
                             ? NULL
                             : target_spec(engine, target);
        Py_XDECREF(target);
        if (spec != NULL || PyErr_Occurred())
            return spec;
    }
    return PyObject_Vectorcall(engine->bootstrap_find, args, (size_t)nargs,
                               kwnames);
}

/* The finder */

PyDoc_STRVAR(find_spec_doc,
             "find_spec(fullname, path=None, target=None)\n--\n\n"
             "The spec that an import statement found for a module that is\n"
             "not loaded yet, or None. The spec stays kept until it is.");

static PyObject *
finder_find_spec(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {LZ_CHARS("fullname"), LZ_CHARS("path"),
                               LZ_CHARS("target"), NULL};
    PyObject *name, *path = Py_None, *reloaded = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U|OO:find_spec", keywords,
                                     &name, &path, &reloaded))
        return NULL;
    struct lz_engine *engine = engine_of(self);
    if (engine == NULL || reloaded != Py_None)
        Py_RETURN_NONE;
    struct lz_target *target = target_get(engine, name);
    PyObject *spec =
        target == NULL || target->failed ? NULL : target_spec(engine, target);
    Py_XDECREF(target);
    if (spec == NULL && !PyErr_Occurred())
        Py_RETURN_NONE;
    return spec;
}

static PyMethodDef finder_methods[] = {
    {"find_spec", (PyCFunction)(void (*)(void))finder_find_spec,
     METH_VARARGS | METH_KEYWORDS, find_spec_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot finder_slots[] = {
    {Py_tp_doc, LZ_CHARS("Hands importlib the specs that were kept.")},
    {Py_tp_methods, finder_methods},
    {0, NULL},
};

PyType_Spec lz_finder_spec = {
    .name = "lazycore.LazyFinder",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = finder_slots,
};
