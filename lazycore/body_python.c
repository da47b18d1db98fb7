/* lazycore.body(): see body.h. Needs the GIL. */
#include "lazycore/body.h"

static PyObject *
as_dict(const struct lz_body *body)
{
    PyObject *nothing = PyList_New(0);
    PyObject *result =
        nothing == NULL
            ? NULL
            : Py_BuildValue(
                  "{sOszsOsOsO}", "free", body->free ? Py_True : Py_False,
                  "why", body->free ? NULL : body->why, "file",
                  body->file == NULL ? Py_None : body->file, "imports",
                  body->imports == NULL ? nothing : body->imports, "maybe",
                  body->maybe == NULL ? nothing : body->maybe);
    Py_XDECREF(nothing);
    return result;
}

PyObject *
body_python(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {LZ_CHARS("name"), LZ_CHARS("within"), NULL};
    PyObject *name;
    const char *within = NULL;
    struct lz_engine *engine = engine_or_raise(module);
    if (engine == NULL ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "U|z:body", keywords, &name,
                                     &within))
        return NULL;
    if (!engine->installed) {
        PyErr_SetString(PyExc_RuntimeError, "lazycore is not installed");
        return NULL;
    }
    struct lz_reader *reader = body_reader_new(engine, within);
    const struct lz_body *body =
        reader == NULL ? NULL : body_read(reader, name);
    PyObject *result = body == NULL ? NULL : as_dict(body);
    body_reader_free(reader);
    return result;
}
