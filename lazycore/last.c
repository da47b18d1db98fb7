/* See last.h.
 *
 * An object that lives until the interpreter ends has its __del__ run after
 * sys.meta_path is gone, when a name that is still pending can only be
 * missing. So the last of the atexit callbacks, ours having come first, binds
 * the names that methods of classes with a finalizer load, functions of the
 * same module that those call, and generators that wait at a yield; and all
 * of the codec of host names, which may need its tables.
 */
#include "lazycore/last.h"

#include "lazycore/body.h"
#include "lazycore/settle.h"

#include <string.h>

/* FUNCTION is one of the module of DICT: read it too, once. */
static int
note_function(PyObject *functions, PyObject *dict, PyObject *function)
{
    if (!PyFunction_Check(function) ||
        PyFunction_GET_GLOBALS(function) != dict)
        return 0;
    int known = PySequence_Contains(functions, function);
    if (known != 0)
        return known < 0 ? -1 : 0;
    return PyList_Append(functions, function);
}

/* The methods of those of the classes in DICT that have a finalizer. */
static int
note_methods(PyObject *functions, PyObject *dict)
{
    int result = 0;
    PyObject *values = PyDict_Values(dict);
    if (values == NULL)
        return -1;
    for (Py_ssize_t i = 0; result == 0 && i < PyList_GET_SIZE(values); i++) {
        PyObject *value = PyList_GET_ITEM(values, i);
        PyTypeObject *type = (PyTypeObject *)value;
        if (!PyType_Check(value) || type->tp_finalize == NULL ||
            !PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE))
            continue;
        PyObject *methods = PyDict_Values(type->tp_dict);
        if (methods == NULL)
            result = -1;
        for (Py_ssize_t k = 0; result == 0 && k < PyList_GET_SIZE(methods);
             k++)
            result =
                note_function(functions, dict, PyList_GET_ITEM(methods, k));
        Py_XDECREF(methods);
    }
    Py_DECREF(values);
    return result;
}

/* Bind what is pending of the NAMES in DICT; note the functions there. */
static int
bind_names(struct lz_engine *engine, PyObject *functions, PyObject *dict,
           PyObject *names)
{
    int result = 0;
    PyObject *list = PySequence_List(names);
    if (list == NULL)
        return -1;
    for (Py_ssize_t i = 0; result == 0 && i < PyList_GET_SIZE(list); i++) {
        PyObject *name = PyList_GET_ITEM(list, i);
        struct lz_key *key = NULL;
        PyObject *value = namespace_peek_borrowed(engine, dict, name, &key);
        if (value == NULL)
            continue;
        if (!proxy_check(engine, value)) {
            result = note_function(functions, dict, value);
        } else if (PyDict_GetItemWithError(dict, name) == NULL) {
            lz_forgive(); /* __del__ will miss it, as it does unloaded */
        }
    }
    Py_DECREF(list);
    return result;
}

/* Bind what CODE loads of DICT, and note the functions that it calls. */
static int
bind_for_code(struct lz_engine *engine, PyObject *functions, PyObject *dict,
              PyCodeObject *code)
{
    PyObject *bytes = lz_code_bytes(code);
    PyObject *names = bytes == NULL ? NULL : bytecode_used_names(code, bytes);
    int result =
        names == NULL ? -1 : bind_names(engine, functions, dict, names);
    Py_XDECREF(names);
    Py_XDECREF(bytes);
    return result;
}

/* The same for the FUNCTIONS noted so far, and those noted meanwhile. */
static int
bind_for_functions(struct lz_engine *engine, PyObject *functions,
                   PyObject *dict)
{
    int result = 0;
    for (Py_ssize_t i = 0; result == 0 && i < PyList_GET_SIZE(functions);
         i++) {
        PyObject *function = PyList_GET_ITEM(functions, i);
        result = bind_for_code(engine, functions, dict,
                               (PyCodeObject *)PyFunction_GET_CODE(function));
    }
    return result;
}

static bool
waits_for_tables(struct lz_engine *engine, PyObject *dict)
{
    const char *name = place_text(
        namespace_peek_borrowed(engine, dict, engine->names.name, NULL));
    return name != NULL && strcmp(name, "encodings.idna") == 0;
}

static int
bind_for_finalizers(struct lz_engine *engine, PyObject *dict)
{
    if (waits_for_tables(engine, dict))
        return namespace_bind_all(engine, dict);
    PyObject *functions = PyList_New(0);
    int result = functions == NULL ? -1 : note_methods(functions, dict);
    if (result == 0)
        result = bind_for_functions(engine, functions, dict);
    Py_XDECREF(functions);
    return result;
}

/* GENERATOR is closed when the interpreter ends: what follows its yield, a
 * `finally` above all, runs then. FRAME is the name of its frame. */
static int
bind_for_generator(struct lz_engine *engine, PyObject *generator,
                   const char *frame_name)
{
    int result = 0;
    PyObject *functions = PyList_New(0);
    PyObject *frame = PyObject_GetAttrString(generator, frame_name);
    if (functions == NULL || frame == NULL) {
        result = -1;
    } else if (PyFrame_Check(frame)) { /* None once it has ended */
        PyObject *dict = PyFrame_GetGlobals((PyFrameObject *)frame);
        PyCodeObject *code = PyFrame_GetCode((PyFrameObject *)frame);
        struct lz_namespace *ns = namespace_find(engine, dict);
        if (ns != NULL && ns->pending > 0)
            result = bind_for_code(engine, functions, dict, code);
        if (result == 0)
            result = bind_for_functions(engine, functions, dict);
        Py_DECREF(code);
        Py_DECREF(dict);
    }
    Py_XDECREF(frame);
    Py_XDECREF(functions);
    return result;
}

/* Every generator and coroutine that waits at a yield. */
static int
bind_for_generators(struct lz_engine *engine)
{
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *objects =
        gc == NULL ? NULL : PyObject_CallMethod(gc, "get_objects", NULL);
    for (Py_ssize_t i = 0; objects != NULL && i < PyList_GET_SIZE(objects);
         i++) {
        PyObject *object = PyList_GET_ITEM(objects, i);
        const char *frame = PyGen_CheckExact(object)        ? "gi_frame"
                            : PyCoro_CheckExact(object)     ? "cr_frame"
                            : PyAsyncGen_CheckExact(object) ? "ag_frame"
                                                            : NULL;
        if (frame != NULL && bind_for_generator(engine, object, frame) < 0)
            lz_forgive();
    }
    int result = objects == NULL ? -1 : 0;
    Py_XDECREF(objects);
    Py_XDECREF(gc);
    return result;
}

/* The dicts in which names are pending: a new list. */
static PyObject *
pending_dicts(struct lz_engine *engine)
{
    PyObject *dicts = PyList_New(0);
    for (struct lz_node *node = table_first(&engine->namespaces);
         dicts != NULL && node != NULL; node = table_next(node)) {
        struct lz_namespace *ns = namespace_of_node(node);
        if (ns->pending > 0 && PyList_Append(dicts, ns->dict) < 0)
            Py_CLEAR(dicts);
    }
    return dicts;
}

/* Bind in each of DICTS. What is loaded for that registers with atexit, as
 * eager code has long ago. */
static void
bind_in_dicts(struct lz_engine *engine, PyObject *dicts, uint32_t limit)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(dicts); i++) {
        if (bind_for_finalizers(engine, PyList_GET_ITEM(dicts, i)) < 0)
            lz_forgive();
    }
    if (bind_for_generators(engine) < 0)
        lz_forgive();
    exits_call(engine, limit);
}

PyObject *
last_at_exit(PyObject *module, PyObject *Py_UNUSED(unused))
{
    struct lz_engine *engine = engine_of_module(module);
    if (engine == NULL)
        Py_RETURN_NONE;
    uint32_t limit = engine->moments + 1; /* nothing new after that */
    exits_call(engine, limit);
    if (!engine_enabled(engine))
        Py_RETURN_NONE;
    settle_end(engine);
    body_write_ledger(engine);
    PyObject *dicts = pending_dicts(engine);
    if (dicts != NULL && PyList_GET_SIZE(dicts) > 0)
        bind_in_dicts(engine, dicts, limit);
    Py_XDECREF(dicts);
    lz_forgive();
    /* It would keep the dict of __main__, and with it what lives there. */
    namespace_rebuild_queued(engine);
    Py_CLEAR(engine->outer);
    Py_RETURN_NONE;
}
