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
