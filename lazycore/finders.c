/* See finders.h. */
#include "lazycore/finders.h"

enum { CLASSES = 4 };

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

/* The classes, and the modules that they are of. */
struct classes {
    PyObject *finders[CLASSES], *modules[CLASSES];
};

static struct classes
classes_of(const struct lz_engine *engine, PyObject *external)
{
    return (struct classes){
        {engine->path_finder, engine->file_finder, engine->builtin_importer,
         engine->frozen_importer},
        {external, external, engine->bootstrap, engine->bootstrap},
    };
}

/* Keep how each finds now, or None where that is not its module's own way. */
static int
keep_finds(struct lz_engine *engine, PyObject *external)
{
    struct classes classes = classes_of(engine, external);
    PyObject *kept = PyTuple_New(CLASSES);
    for (int i = 0; kept != NULL && i < CLASSES; i++) {
        PyObject *find = find_spec_borrowed(engine, classes.finders[i]);
        bool own = find != NULL && is_of(find, classes.modules[i]);
        PyTuple_SET_ITEM(kept, i, Py_NewRef(own ? find : Py_None));
    }
    Py_XSETREF(engine->find_specs, kept);
    return kept == NULL ? -1 : 0;
}

bool
finders_is_own(struct lz_engine *engine, PyObject *finder)
{
    struct classes classes = classes_of(engine, NULL);
    for (int i = 0; i < CLASSES; i++) {
        if (finder == classes.finders[i])
            return find_spec_borrowed(engine, finder) ==
                   PyTuple_GET_ITEM(engine->find_specs, i);
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
    if (keep_finds(engine, external) < 0)
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
