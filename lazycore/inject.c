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

/* gc.get_referrers(*ARGS) */
static PyObject *
referrers_of(PyObject *args)
{
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *function =
        gc == NULL ? NULL : PyObject_GetAttrString(gc, "get_referrers");
    PyObject *result =
        function == NULL ? NULL : PyObject_Call(function, args, NULL);
    Py_XDECREF(function);
    Py_XDECREF(gc);
    return result;
}

/* DICT has changed. If it is a type's, the type caches what it found there
 * without a reference of its own: it must be told. */
static int
tell_type(PyObject *dict)
{
    if (PyDict_GetItemString(dict, "__module__") == NULL &&
        PyDict_GetItemString(dict, "__dict__") == NULL)
        return 0;
    PyObject *args = PyTuple_Pack(1, dict);
    PyObject *referrers = args == NULL ? NULL : referrers_of(args);
    for (Py_ssize_t i = 0; referrers != NULL && i < PyList_GET_SIZE(referrers);
         i++) {
        PyObject *holder = PyList_GET_ITEM(referrers, i);
        if (PyType_Check(holder) && ((PyTypeObject *)holder)->tp_dict == dict)
            PyType_Modified((PyTypeObject *)holder);
    }
    int result = referrers == NULL ? -1 : 0;
    Py_XDECREF(referrers);
    Py_XDECREF(args);
    return result;
}

/* DICT[KEY] = VALUE where KEY is there. A str may be a key of ours, which
 * must not load; another one's __hash__ may look up names that must. */
static int
replace_item(struct lz_engine *engine, PyObject *dict, PyObject *key,
             PyObject *value)
{
    bool quiet = PyUnicode_Check(key);
    if (quiet)
        engine->peek++;
    int result = PyDict_SetItem(dict, key, value);
    if (quiet)
        engine->peek--;
    return result;
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
        if (replace_item(engine, dict, key, value) < 0) {
            count = -1;
            break;
        }
        count++;
    }
    if (PyList_GET_SIZE(found) > 0 && tell_type(dict) < 0)
        count = -1;
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
        lz_forgive();
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
    PyObject *args = PySequence_Tuple(proxies);
    PyObject *referrers = args == NULL ? NULL : referrers_of(args);
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
    return count;
}

void
inject_leaked(struct lz_engine *engine, struct lz_proxy *proxy,
              Py_ssize_t expected)
{
    expected += 2 * (Py_ssize_t)proxy->resolvers;
    if (Py_REFCNT(proxy) <= expected || lz_is_finalizing())
        return;
    PyObject *error = lz_take_error();
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
    lz_forgive();
    lz_raise(error);
}
