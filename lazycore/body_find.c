/* The modules that a reader has met, and how they are found: see
 * body_private.h. Needs the GIL; runs importlib's code, and finders.
 */
#include "lazycore/body_private.h"

#include "lazycore/foresee.h"
#include "lazycore/search.h"

struct unit *
unit_get(struct lz_reader *reader, PyObject *name)
{
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(name, &size);
    if (text == NULL)
        return NULL;
    struct unit *unit =
        (struct unit *)table_find(&reader->by_name, text, (size_t)size);
    if (unit != NULL)
        return unit;
    unit = PyMem_Calloc(1, sizeof(*unit));
    if (unit == NULL ||
        table_add(&reader->by_name, unit, text, (size_t)size) < 0) {
        PyMem_Free(unit);
        PyErr_NoMemory();
        return NULL;
    }
    unit->name = Py_NewRef(name); /* its text is the key */
    unit->next = reader->units;
    reader->units = unit;
    if (++reader->unit_count > BODY_UNITS_MAX)
        unit->state = UNIT_CLOSED;
    return unit;
}

/* The spec of MODULE, which is loaded, or NULL. */
static PyObject *
loaded_spec(struct lz_reader *reader, PyObject *module)
{
    struct lz_engine *engine = reader->engine;
    PyObject *spec =
        PyModule_Check(module)
            ? namespace_peek_borrowed(engine, PyModule_GetDict(module),
                                      engine->names.spec, NULL)
            : NULL;
    return spec == NULL || spec == Py_None ? NULL : Py_NewRef(spec);
}

/* Where modules of the package NAME are: what importlib would search, a new
 * reference; or NULL, perhaps with an exception. */
static PyObject *
locations(struct lz_reader *reader, PyObject *name)
{
    struct lz_engine *engine = reader->engine;
    PyObject *module = load_peek_module(name);
    if (module != NULL) {
        PyObject *path = lz_get_optional(module, engine->names.path);
        Py_DECREF(module);
        return path;
    }
    struct unit *unit = PyErr_Occurred() ? NULL : unit_get(reader, name);
    if (unit == NULL)
        return NULL;
    if (!unit->placed) {
        PyObject *spec = unit_spec(reader, name);
        PyObject *path = spec == NULL ? NULL : found_locations(engine, spec);
        Py_XDECREF(spec);
        if (PyErr_Occurred()) {
            Py_XDECREF(path);
            return NULL;
        }
        unit->placed = true;
        unit->locations = path;
    }
    return Py_XNewRef(unit->locations);
}

/* What would be found for NAME, which no statement has found, in PARENT; its
 * own parents are not searched for again each time. */
static PyObject *
spec_in(struct lz_reader *reader, PyObject *name, PyObject *parent)
{
    PyObject *path = locations(reader, parent), *spec = NULL;
    if (path != NULL && path != Py_None)
        spec = search_spec(reader->engine, name, path);
    Py_XDECREF(path);
    if (spec == Py_None)
        Py_CLEAR(spec);
    (void)foresee_clear();
    return spec;
}

PyObject *
unit_spec(struct lz_reader *reader, PyObject *name)
{
    PyObject *module = load_peek_module(name);
    if (module != NULL) {
        PyObject *spec = loaded_spec(reader, module);
        Py_DECREF(module);
        return spec;
    }
    if (PyErr_Occurred())
        return NULL;
    struct lz_target *target = target_get(reader->engine, name);
    PyObject *parent = target == NULL ? dotted_parent(name) : NULL;
    PyObject *spec = NULL;
    if (parent != NULL)
        spec = spec_in(reader, name, parent);
    else if (!PyErr_Occurred())
        spec = foresee_spec(reader->engine, name, NULL);
    Py_XDECREF(parent);
    Py_XDECREF(target);
    return spec;
}

int
import_finds(struct lz_reader *reader, PyObject *name)
{
    PyObject *module = load_peek_module(name);
    if (module != NULL) {
        Py_DECREF(module);
        return module != Py_None;
    }
    struct unit *unit = PyErr_Occurred() ? NULL : unit_get(reader, name);
    if (unit == NULL)
        return -1;
    if (!unit->sought) {
        PyObject *spec = unit_spec(reader, name);
        if (spec == NULL && PyErr_Occurred())
            return -1;
        unit->sought = true;
        unit->found = spec != NULL;
        Py_XDECREF(spec);
    }
    return unit->found;
}
