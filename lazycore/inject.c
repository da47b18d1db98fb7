/* Putting a loaded value where its proxy leaked to: the seed's injection.
 *
 * The recorded place, the namespace, was served before; this is the walk over
 * gc.get_referrers() for dicts, lists, cells and instance attributes. It
 * costs milliseconds in a large heap with the GIL held, so it runs by itself
 * only for a proxy whose references say that it leaked, in a small heap.
 * Needs the GIL.
 */
#include "lazycore/engine.h"

/* A heap with more allocated blocks than this is not walked unasked; about
 * a third of them are objects that the collector tracks. */
enum { BLOCKS_MAX = 3000000 };

static PyObject *
value_for(struct lz_engine *engine, PyObject *object)
{
    if (!proxy_check(engine, object))
        return NULL;
    return ((struct lz_proxy *)object)->value;
}

static Py_ssize_t
inject_dict(struct lz_engine *engine, PyObject *dict)
{
    Py_ssize_t count = 0, at = 0;
    PyObject *key, *value;
    PyObject *found = PyList_New(0);
    while (found != NULL && PyDict_Next(dict, &at, &key, &value)) {
        if (value_for(engine, value) != NULL &&
            (PyList_Append(found, key) < 0 || PyList_Append(found, value) < 0))
            Py_CLEAR(found);
    }
    if (found == NULL)
        return -1;
    for (Py_ssize_t i = 0; i + 1 < PyList_GET_SIZE(found); i += 2) {
        key = PyList_GET_ITEM(found, i);
        value = value_for(engine, PyList_GET_ITEM(found, i + 1));
        engine->peek++;
        int result = PyDict_SetItem(dict, key, value);
        engine->peek--;
        if (result < 0) {
            count = -1;
            break;
        }
        count++;
    }
    Py_DECREF(found);
    return count;
}

static Py_ssize_t
inject_list(struct lz_engine *engine, PyObject *list)
{
    Py_ssize_t count = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *value = value_for(engine, PyList_GET_ITEM(list, i));
        if (value == NULL)
            continue;
        if (PyList_SetItem(list, i, Py_NewRef(value)) < 0)
            return -1;
        count++;
    }
    return count;
}

static Py_ssize_t
inject_cell(struct lz_engine *engine, PyObject *cell)
{
    PyObject *content = PyCell_Get(cell);
    PyObject *value = content == NULL ? NULL : value_for(engine, content);
    Py_XDECREF(content);
    if (value == NULL)
        return 0;
    return PyCell_Set(cell, value) < 0 ? -1 : 1;
}

/* Attributes that an instance keeps without a dict object. */
static Py_ssize_t
inject_instance(struct lz_engine *engine, PyObject *object)
{
    if (PyType_Check(object) || proxy_check(engine, object) ||
        Py_TYPE(object)->tp_dictoffset == 0)
        return 0;
    PyObject *dict = PyObject_GenericGetDict(object, NULL);
    if (dict == NULL || !PyDict_CheckExact(dict)) {
        PyErr_Clear();
        Py_XDECREF(dict);
        return 0;
    }
    Py_ssize_t count = inject_dict(engine, dict);
    Py_DECREF(dict);
    return count;
}

static Py_ssize_t
inject_into(struct lz_engine *engine, PyObject *holder, PyObject *proxies)
{
    if (holder == proxies || Py_TYPE(holder) == engine->from_type ||
        Py_TYPE(holder) == engine->key_type)
        return 0;
    if (PyDict_Check(holder))
        return inject_dict(engine, holder);
    if (PyList_CheckExact(holder))
        return inject_list(engine, holder);
    if (PyCell_Check(holder))
        return inject_cell(engine, holder);
    return inject_instance(engine, holder);
}

Py_ssize_t
inject_values(struct lz_engine *engine, PyObject *proxies)
{
    Py_ssize_t count = 0;
    PyObject *referrers = NULL;
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *function =
        gc == NULL ? NULL : PyObject_GetAttrString(gc, "get_referrers");
    PyObject *args = function == NULL ? NULL : PySequence_Tuple(proxies);
    if (args != NULL)
        referrers = PyObject_Call(function, args, NULL);
    for (Py_ssize_t i = 0;
         referrers != NULL && i < PyList_GET_SIZE(referrers) && count >= 0;
         i++) {
        PyObject *holder = PyList_GET_ITEM(referrers, i);
        if (holder == args)
            continue;
        Py_ssize_t more = inject_into(engine, holder, proxies);
        count = more < 0 ? -1 : count + more;
    }
    if (referrers == NULL)
        count = -1;
    Py_XDECREF(referrers);
    Py_XDECREF(args);
    Py_XDECREF(function);
    Py_XDECREF(gc);
    return count;
}

void
inject_leaked(struct lz_engine *engine, struct lz_proxy *proxy,
              Py_ssize_t expected)
{
    if (Py_REFCNT(proxy) <= expected || lz_is_finalizing())
        return;
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyObject *blocks = PyObject_CallNoArgs(engine->getallocatedblocks);
    bool small = blocks != NULL && PyLong_AsLong(blocks) < BLOCKS_MAX;
    Py_XDECREF(blocks);
    if (small) {
        PyObject *list = PyList_New(1);
        if (list != NULL) {
            PyList_SET_ITEM(list, 0, Py_NewRef((PyObject *)proxy));
            (void)inject_values(engine, list);
            Py_DECREF(list);
        }
    }
    PyErr_Clear();
    PyErr_Restore(type, error, traceback);
}
