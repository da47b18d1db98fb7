/* from MODULE import *, where names are pending in MODULE: they are handed
 * on as pending, for loading them could break a cycle that eager code closes.
 *
 * Needs the GIL.
 */
#include "lazycore/engine.h"

/* The names that `from MODULE import *` binds, as plain str. */
static PyObject *
star_names(struct lz_engine *engine, PyObject *dict)
{
    PyObject *all =
        namespace_peek_borrowed(engine, dict, engine->names.all, NULL);
    if (all != NULL)
        return PyList_CheckExact(all) || PyTuple_CheckExact(all)
                   ? PySequence_List(all)
                   : NULL;
    PyObject *names = PyList_New(0);
    Py_ssize_t at = 0;
    PyObject *key, *value;
    while (names != NULL && PyDict_Next(dict, &at, &key, &value)) {
        if (!PyUnicode_Check(key) || (PyUnicode_GET_LENGTH(key) > 0 &&
                                      PyUnicode_READ_CHAR(key, 0) == '_'))
            continue;
        /* Eager code does not see the submodule whose body asks. */
        if (Py_TYPE(key) == engine->key_type &&
            key_is_hidden((struct lz_key *)key))
            continue;
        PyObject *plain = PyUnicode_FromObject(key);
        if (plain != NULL)
            PyUnicode_InternInPlace(&plain);
        if (plain == NULL || PyList_Append(names, plain) < 0)
            Py_CLEAR(names);
        Py_XDECREF(plain);
    }
    return names;
}

/* ATTR of MODULE for a star import into NS: its value, or a pending copy. */
static PyObject *
star_value(struct lz_engine *engine, struct lz_namespace *ns, PyObject *module,
           PyObject *attr)
{
    struct lz_key *key = NULL;
    PyObject *held =
        namespace_peek_borrowed(engine, PyModule_GetDict(module), attr, &key);
    if (key != NULL && key_is_hidden(key))
        return NULL;
    if (held == NULL || !PyModule_CheckExact(module) ||
        !proxy_check(engine, held) ||
        ((struct lz_proxy *)held)->value != NULL ||
        ((struct lz_proxy *)held)->target == NULL)
        return PyObject_GetAttr(module, attr);
    struct lz_proxy *copy = proxy_copy(engine, (struct lz_proxy *)held);
    if (copy == NULL)
        return NULL;
    copy->line = ((struct lz_proxy *)held)->line;
    copy->file = Py_XNewRef(((struct lz_proxy *)held)->file);
    int result = namespace_defer(ns, attr, copy, true);
    if (result == 1)
        return (PyObject *)copy;
    Py_DECREF(copy);
    return result < 0 ? NULL : PyObject_GetAttr(module, attr);
}

/* Bind ATTR to VALUE where NS lacks it: IMPORT_STAR will do so, too, but after
 * names that are pending, which it is to come before. */
static void
bind_in_order(struct lz_engine *engine, const struct lz_namespace *ns,
              PyObject *attr, PyObject *value)
{
    if (namespace_peek_borrowed(engine, ns->dict, attr, NULL) == NULL) {
        engine->peek++;
        (void)PyDict_SetItem(ns->dict, attr, value);
        engine->peek--;
    }
    lz_forgive();
}

/* from a import * */

PyObject *
defer_star(struct lz_engine *engine, struct lz_namespace *ns, PyObject *module)
{
    struct lz_namespace *source =
        PyModule_Check(module)
            ? namespace_find(engine, PyModule_GetDict(module))
            : NULL;
    /* Keys of ours that are done must not become the importer's keys. */
    if (source == NULL || source == ns ||
        (source->pending == 0 && !source->leftovers))
        return Py_NewRef(module);
    PyObject *names = star_names(engine, source->dict);
    if (names == NULL)
        return PyErr_Occurred() ? NULL : Py_NewRef(module);
    struct lz_from *from = from_new(engine, PyList_GET_SIZE(names));
    if (from == NULL) {
        Py_DECREF(names);
        return NULL;
    }
    from->all = names;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(names); i++) {
        PyObject *attr = PyList_GET_ITEM(names, i);
        PyObject *value = PyUnicode_Check(attr)
                              ? star_value(engine, ns, module, attr)
                              : NULL;
        if (value == NULL) { /* IMPORT_STAR raises what eager code sees */
            lz_forgive();
            Py_DECREF(from);
            return Py_NewRef(module);
        }
        from->entries[i].attr = Py_NewRef(attr);
        from->entries[i].value = value;
        if (!proxy_check(engine, value))
            bind_in_order(engine, ns, attr, value);
    }
    return (PyObject *)from;
}
