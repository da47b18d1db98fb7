/* See finders.h. */
#include "lazycore/finders.h"

enum { FINDER_BUILTIN, FINDER_FROZEN, FINDER_PATH, FINDER_FILE };

/* What the class FINDER has of its own as find_spec: borrowed, or NULL. */
static PyObject *
find_spec_borrowed(struct lz_engine *engine, PyObject *finder)
{
    PyObject *dict =
        PyType_Check(finder) ? ((PyTypeObject *)finder)->tp_dict : NULL;
    PyObject *find =
        dict == NULL ? NULL
                     : PyDict_GetItemWithError(dict, engine->names.find_spec);
    if (find == NULL)
        lz_forgive();
    return find;
}

/* Whether FIND is a function, or a class method, of MODULE. */
static bool
is_of(PyObject *find, PyObject *module)
{
    PyObject *function = PyFunction_Check(find)
                             ? Py_NewRef(find)
                             : PyObject_GetAttrString(find, "__func__");
    bool result = function != NULL && PyFunction_Check(function) &&
                  PyFunction_GetGlobals(function) == PyModule_GetDict(module);
    Py_XDECREF(function);
    lz_forgive();
    return result;
}

/* How the class FINDER of MODULE finds now, if that is MODULE's own way. */
static int
keep_find(struct lz_engine *engine, int index, PyObject *finder,
          PyObject *module)
{
    PyObject *find = find_spec_borrowed(engine, finder);
    if (find != NULL && !is_of(find, module))
        find = NULL;
    Py_XSETREF(engine->find_specs[index], Py_XNewRef(find));
    return PyErr_Occurred() ? -1 : 0;
}

bool
finders_is_own(struct lz_engine *engine, PyObject *finder)
{
    PyObject *const classes[] = {
        [FINDER_BUILTIN] = engine->builtin_importer,
        [FINDER_FROZEN] = engine->frozen_importer,
        [FINDER_PATH] = engine->path_finder,
        [FINDER_FILE] = engine->file_finder,
    };
    for (int i = 0; i < LZ_FINDER_CLASSES; i++) {
        if (finder == classes[i])
            return engine->find_specs[i] != NULL &&
                   find_spec_borrowed(engine, finder) == engine->find_specs[i];
    }
    return true;
}

/* *SLOT becomes the set of SEQUENCE's items; SEQUENCE is used up. */
static int
keep_set(PyObject **slot, PyObject *sequence)
{
    PyObject *set = sequence == NULL ? NULL : PySet_New(sequence);
    Py_XDECREF(sequence);
    Py_XSETREF(*slot, set);
    return set == NULL ? -1 : 0;
}

int
finders_init(struct lz_engine *engine)
{
    int result = -1;
    PyObject *external = PyImport_ImportModule("_frozen_importlib_external");
    PyObject *imp = PyImport_ImportModule("_imp");
    PyObject *sys = PyImport_ImportModule("sys");
    if (external == NULL || imp == NULL || sys == NULL)
        goto done;
    const struct {
        PyObject **slot;
        PyObject *module;
        const char *name;
    } rows[] = {
        {&engine->builtin_importer, engine->bootstrap, "BuiltinImporter"},
        {&engine->frozen_importer, engine->bootstrap, "FrozenImporter"},
        {&engine->spec_class, engine->bootstrap, "ModuleSpec"},
        {&engine->path_finder, external, "PathFinder"},
        {&engine->file_finder, external, "FileFinder"},
        {&engine->is_builtin, imp, "is_builtin"},
        {&engine->is_frozen, imp, "is_frozen"},
        {&engine->loader_classes[0], external, "SourceFileLoader"},
        {&engine->loader_classes[1], external, "SourcelessFileLoader"},
        {&engine->loader_classes[2], external, "ExtensionFileLoader"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        PyObject *value = PyObject_GetAttrString(rows[i].module, rows[i].name);
        if (value == NULL)
            goto done;
        Py_XSETREF(*rows[i].slot, value);
    }
    if (keep_find(engine, FINDER_BUILTIN, engine->builtin_importer,
                  engine->bootstrap) < 0 ||
        keep_find(engine, FINDER_FROZEN, engine->frozen_importer,
                  engine->bootstrap) < 0 ||
        keep_find(engine, FINDER_PATH, engine->path_finder, external) < 0 ||
        keep_find(engine, FINDER_FILE, engine->file_finder, external) < 0)
        goto done;
    Py_XSETREF(engine->sys_dict, Py_NewRef(PyModule_GetDict(sys)));
    result = keep_set(&engine->builtin_names,
                      PyObject_GetAttrString(sys, "builtin_module_names"));
    if (result == 0)
        result =
            keep_set(&engine->frozen_names,
                     PyObject_CallMethod(imp, "_frozen_module_names", NULL));
done:
    Py_XDECREF(sys);
    Py_XDECREF(imp);
    Py_XDECREF(external);
    return result;
}
