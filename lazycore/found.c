/* What a search found: a ModuleSpec, or the parts of one.
 *
 * Most modules that are found are never loaded, so the spec and the loader
 * of a plain file are made when someone asks for them: until then there is
 * the file of a source, as most are, or a tuple of the loader's class, the
 * file and, for a package, its directory. Needs the GIL.
 */
#include "lazycore/engine.h"

enum { LOADER_CLASS, FILE_NAME, PACKAGE, PARTS };

PyObject *
found_new(struct lz_engine *engine, PyObject *loader_class, PyObject *file,
          PyObject *package)
{
    if (package == NULL && loader_class == engine->loader_classes[0])
        return Py_NewRef(file);
    return PyTuple_Pack(PARTS, loader_class, file,
                        package == NULL ? Py_None : package);
}

/* What stands at PART of FOUND, or NULL where that is a spec; borrowed. */
static PyObject *
part_borrowed(struct lz_engine *engine, PyObject *found, int part)
{
    if (PyTuple_CheckExact(found))
        return PyTuple_GET_ITEM(found, part);
    if (!PyUnicode_CheckExact(found))
        return NULL;
    return part == LOADER_CLASS ? engine->loader_classes[0]
           : part == FILE_NAME  ? found
                                : Py_None;
}

static PyObject *
locations_of(PyObject *package)
{
    PyObject *locations = PyList_New(1);
    if (locations != NULL)
        PyList_SET_ITEM(locations, 0, Py_NewRef(package));
    return locations;
}

/* As importlib's spec_from_file_location() does for a FileFinder. */
PyObject *
found_spec(struct lz_engine *engine, PyObject *name, PyObject *found)
{
    struct lz_names *names = &engine->names;
    PyObject *file = part_borrowed(engine, found, FILE_NAME);
    if (file == NULL)
        return Py_NewRef(found);
    Py_INCREF(found);
    PyObject *spec = NULL;
    PyObject *loader = PyObject_CallFunctionObjArgs(
        part_borrowed(engine, found, LOADER_CLASS), name, file, NULL);
    if (loader == NULL)
        goto error;
    PyObject *const args[] = {name, loader, file};
    spec = PyObject_Vectorcall(engine->spec_class, args, 2,
                               names->origin_keyword);
    if (spec == NULL ||
        PyObject_SetAttr(spec, names->has_location, Py_True) < 0)
        goto error;
    PyObject *package = part_borrowed(engine, found, PACKAGE);
    if (package != Py_None) {
        PyObject *locations = locations_of(package);
        int result =
            locations == NULL
                ? -1
                : PyObject_SetAttr(spec, names->search_locations, locations);
        Py_XDECREF(locations);
        if (result < 0)
            goto error;
    }
    Py_DECREF(loader);
    Py_DECREF(found);
    return spec;
error:
    Py_XDECREF(spec);
    Py_XDECREF(loader);
    Py_DECREF(found);
    return NULL;
}

PyObject *
found_file(struct lz_engine *engine, PyObject *found)
{
    if (found == NULL)
        return NULL;
    PyObject *file = part_borrowed(engine, found, FILE_NAME);
    if (file != NULL)
        return Py_NewRef(file);
    Py_INCREF(found); /* another thread may drop it from its target */
    PyObject *located = lz_get_optional(found, engine->names.has_location);
    if (located == Py_True) {
        file = lz_get_optional(found, engine->names.origin);
        if (file != NULL && !PyUnicode_Check(file))
            Py_CLEAR(file);
    }
    Py_XDECREF(located);
    Py_DECREF(found);
    lz_forgive();
    return file;
}

PyObject *
found_locations(struct lz_engine *engine, PyObject *found)
{
    PyObject *package = part_borrowed(engine, found, PACKAGE);
    if (package == Py_None)
        return NULL;
    if (package != NULL)
        return locations_of(package);
    PyObject *locations =
        lz_get_optional(found, engine->names.search_locations);
    if (locations == Py_None)
        Py_CLEAR(locations);
    return locations;
}
