/* See dotted.h. */
#include "lazycore/dotted.h"

bool
dotted_begins_with(PyObject *name, PyObject *prefix)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(prefix);
    return PyUnicode_Tailmatch(name, prefix, 0, PY_SSIZE_T_MAX, -1) == 1 &&
           (PyUnicode_GET_LENGTH(name) == length ||
            PyUnicode_READ_CHAR(name, length) == '.');
}

PyObject *
dotted_join(PyObject *base, Py_UCS4 between, PyObject *tail)
{
    Py_ssize_t before = PyUnicode_GET_LENGTH(base);
    Py_ssize_t after = PyUnicode_GET_LENGTH(tail);
    Py_UCS4 most = PyUnicode_MAX_CHAR_VALUE(base); /* BETWEEN is ASCII */
    if (most < PyUnicode_MAX_CHAR_VALUE(tail))
        most = PyUnicode_MAX_CHAR_VALUE(tail);
    PyObject *name = PyUnicode_New(before + 1 + after, most);
    if (name != NULL &&
        (PyUnicode_CopyCharacters(name, 0, base, 0, before) < 0 ||
         PyUnicode_WriteChar(name, before, between) < 0 ||
         PyUnicode_CopyCharacters(name, before + 1, tail, 0, after) < 0))
        Py_CLEAR(name);
    return name;
}

static Py_ssize_t
last_dot(PyObject *name)
{
    return PyUnicode_FindChar(name, '.', 0, PyUnicode_GET_LENGTH(name), -1);
}

PyObject *
dotted_parent(PyObject *name)
{
    Py_ssize_t dot = last_dot(name);
    return dot <= 0 ? NULL : PyUnicode_Substring(name, 0, dot);
}

PyObject *
dotted_tail(PyObject *name)
{
    return PyUnicode_Substring(name, last_dot(name) + 1,
                               PyUnicode_GET_LENGTH(name));
}

PyObject *
dotted_next(PyObject *name, Py_ssize_t *at)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(name);
    if (*at >= length)
        return NULL;
    Py_ssize_t dot = PyUnicode_FindChar(name, '.', *at, length, 1);
    if (dot < 0)
        dot = length;
    *at = dot + 1;
    return PyUnicode_Substring(name, 0, dot);
}
