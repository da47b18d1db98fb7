/* Module dicts with pending names: finding, deferring, binding, rebuilding.
 *
 * A dict that holds a key of ours is in CPython's general form, in which name
 * look-up cannot be specialised; once no name is pending it is rebuilt in
 * place under ordinary keys. Never from below a comparison, whose caller
 * still looks at the old table: then it is queued. Needs the GIL.
 */
#include "lazycore/engine.h"

#include <limits.h>

struct lz_namespace *
namespace_find(struct lz_engine *engine, PyObject *dict)
{
    struct lz_node *node =
        table_find(&engine->namespaces, &dict, sizeof(dict));
    if (node == NULL)
        return NULL;
    return (
        struct lz_namespace *)(void *)((char *)node -
                                       offsetof(struct lz_namespace, node));
}

/* DICT["__name__"] and whether sys.modules has DICT's module under it. */
static PyObject *
module_name_of(struct lz_engine *engine, PyObject *dict)
{
    PyObject *name = PyDict_GetItemWithError(dict, engine->names.name);
    if (name == NULL || !PyUnicode_CheckExact(name))
        return NULL;
    PyObject *module = PyImport_GetModule(name);
    if (module == NULL)
        return NULL;
    bool own = PyModule_Check(module) && PyModule_GetDict(module) == dict;
    Py_DECREF(module);
    return own ? Py_NewRef(name) : NULL;
}

struct lz_namespace *
namespace_get(struct lz_engine *engine, PyObject *dict)
{
    struct lz_namespace *ns = namespace_find(engine, dict);
    if (ns != NULL)
        return (struct lz_namespace *)Py_NewRef((PyObject *)ns);
    PyObject *name = module_name_of(engine, dict);
    if (name == NULL)
        return NULL;
    ns = PyObject_GC_New(struct lz_namespace, engine->namespace_type);
    if (ns == NULL) {
        Py_DECREF(name);
        return NULL;
    }
    ns->engine = engine;
    ns->dict = Py_NewRef(dict);
    ns->name = name;
    ns->pending = ns->busy = 0;
    ns->queued = ns->leftovers = false;
    ns->code = NULL;
    ns->code_bytes = ns->used = NULL;
    ns->first_effect = INT_MAX;
    PyObject_GC_Track((PyObject *)ns);
    if (table_add(&engine->namespaces, &ns->node, &ns->dict,
                  sizeof(ns->dict)) < 0) {
        ns->engine = NULL; /* it is in no table */
        Py_DECREF(ns);
        PyErr_NoMemory();
        return NULL;
    }
    return ns;
}

/* The key object that DICT holds for NAME, or NULL; borrowed. Only called
 * for a dict that is known to hold keys of ours: it has to walk. */
static struct lz_key *
find_key(struct lz_engine *engine, PyObject *dict, PyObject *name)
{
    Py_ssize_t at = 0;
    PyObject *key, *value;
    while (PyDict_Next(dict, &at, &key, &value)) {
        if (Py_TYPE(key) == engine->key_type &&
            PyUnicode_Compare(key, name) == 0)
            return (struct lz_key *)key;
    }
    return NULL;
}

PyObject *
namespace_peek_borrowed(struct lz_engine *engine, PyObject *dict,
                        PyObject *name, struct lz_key **ret_key)
{
    engine->peek++;
    PyObject *value = PyDict_GetItemWithError(dict, name);
    engine->peek--;
    if (value == NULL && PyErr_Occurred())
        lz_forgive();
    if (ret_key == NULL)
        return value;
    *ret_key = NULL;
    if (value == NULL)
        return NULL;
    if (proxy_check(engine, value)) {
        struct lz_proxy *proxy = (struct lz_proxy *)value;
        if (proxy->key != NULL && proxy->key->ns != NULL &&
            proxy->key->ns->dict == dict &&
            PyUnicode_Compare((PyObject *)proxy->key, name) == 0)
            *ret_key = proxy->key;
    }
    if (*ret_key == NULL) {
        struct lz_namespace *ns = namespace_find(engine, dict);
        if (ns != NULL && (ns->pending > 0 || ns->leftovers))
            *ret_key = find_key(engine, dict, name);
    }
    return value;
}

/* Runs in the main thread between two instructions, when no look-up of its
 * own is under way. */
static int
rebuild_later(void *arg)
{
    PyObject *module = arg;
    struct lz_engine *engine = engine_of_module(module);
    if (engine != NULL) {
        engine->rebuild_posted = false;
        namespace_rebuild_queued(engine);
    }
    Py_DECREF(module);
    return 0;
}

void
namespace_post_rebuild(struct lz_engine *engine)
{
    if (engine->rebuild_posted)
        return;
    Py_INCREF(engine->module);
    if (Py_AddPendingCall(rebuild_later, engine->module) == 0)
        engine->rebuild_posted = true;
    else
        Py_DECREF(engine->module); /* the queue is full: the next load */
}

static void
queue_rebuild(struct lz_namespace *ns)
{
    struct lz_engine *engine = ns->engine;
    ns->leftovers = true;
    if (ns->queued || ns->pending > 0 || engine->rebuild == NULL)
        return;
    if (PyList_Append(engine->rebuild, (PyObject *)ns) < 0)
        lz_forgive();
    else
        ns->queued = true;
    namespace_post_rebuild(engine);
}

void
namespace_settled(struct lz_namespace *ns)
{
    ns->pending--;
    queue_rebuild(ns);
}

/* deferring and binding */

/* PyDict_SetItem under a key of ours hashes it: keep that quiet. */
static int
set_under_key(PyObject *dict, struct lz_key *key, PyObject *value)
{
    key->quiet = true;
    int result = PyDict_SetItem(dict, (PyObject *)key, value);
    key->quiet = false;
    return result;
}

/* KEY, done before, is used again for PROXY. */
static void
rearm_key(struct lz_namespace *ns, struct lz_key *key, struct lz_proxy *proxy)
{
    key_settle(key);
    key->proxy = (struct lz_proxy *)Py_NewRef((PyObject *)proxy);
    if (key->ns == NULL)
        key->ns = (struct lz_namespace *)Py_NewRef((PyObject *)ns);
}

int
namespace_defer(struct lz_namespace *ns, PyObject *name,
                struct lz_proxy *proxy, bool fresh)
{
    struct lz_engine *engine = ns->engine;
    struct lz_key *key;
    PyObject *current = namespace_peek_borrowed(engine, ns->dict, name, &key);
    if (current != NULL && key == NULL)
        return 0;
    if (key != NULL) {
        Py_INCREF(key);
        rearm_key(ns, key, proxy);
    } else {
        key = key_new(engine, ns, name, proxy);
        if (key == NULL)
            return -1;
    }
    ns->pending++;
    proxy->key = key;
    key->fresh = fresh ? key->fresh + 1 : 0;
    int result = set_under_key(ns->dict, key, (PyObject *)proxy);
    if (result < 0)
        key_settle(key);
    Py_DECREF(key);
    return result < 0 ? -1 : 1;
}

int
namespace_bind(struct lz_key *key, PyObject *value)
{
    if (key->ns == NULL || key->proxy == NULL)
        return 0;
    struct lz_namespace *ns =
        (struct lz_namespace *)Py_NewRef((PyObject *)key->ns);
    struct lz_engine *engine = ns->engine;
    int result = 0;
    Py_INCREF(key);
    PyObject *current =
        namespace_peek_borrowed(engine, ns->dict, (PyObject *)key, NULL);
    if (current != NULL && proxy_check(engine, current))
        result = set_under_key(ns->dict, key, value);
    if (result == 0)
        key_settle(key);
    Py_DECREF(key);
    Py_DECREF(ns);
    return result;
}

/* The pending keys of DICT: a new list. */
static PyObject *
pending_keys(struct lz_engine *engine, PyObject *dict)
{
    PyObject *list = PyList_New(0);
    if (list == NULL)
        return NULL;
    struct lz_namespace *ns = namespace_find(engine, dict);
    if (ns == NULL || ns->pending == 0)
        return list;
    Py_ssize_t at = 0;
    PyObject *key, *value;
    while (PyDict_Next(dict, &at, &key, &value)) {
        if (Py_TYPE(key) != engine->key_type ||
            ((struct lz_key *)key)->proxy == NULL)
            continue;
        if (PyList_Append(list, key) < 0) {
            Py_DECREF(list);
            return NULL;
        }
    }
    return list;
}

PyObject *
namespace_pending(struct lz_engine *engine, PyObject *dict)
{
    PyObject *keys = pending_keys(engine, dict);
    if (keys == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(keys); i++) {
        PyObject *plain = PyUnicode_FromObject(PyList_GET_ITEM(keys, i));
        if (plain == NULL || PyList_SetItem(keys, i, plain) < 0) {
            Py_DECREF(keys);
            return NULL;
        }
    }
    return keys;
}

static bool
list_has(PyObject *list, PyObject *object)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        if (PyList_GET_ITEM(list, i) == object)
            return true;
    }
    return false;
}

/* Load what waits under KEY. -1 with what must get through: KeyboardInterrupt,
 * SystemExit. Any other failure leaves it pending. */
static int
bind_key(struct lz_engine *engine, struct lz_key *key)
{
    if (key->proxy == NULL || proxy_resolving_here(key->proxy))
        return 0;
    struct lz_proxy *proxy =
        (struct lz_proxy *)Py_NewRef((PyObject *)key->proxy);
    PyObject *value = proxy_resolve(engine, proxy);
    Py_DECREF(proxy);
    if (value == NULL && !PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
    if (value == NULL)
        lz_forgive();
    Py_XDECREF(value);
    return 0;
}

int
namespace_bind_all(struct lz_engine *engine, PyObject *dict)
{
    struct lz_namespace *ns = namespace_find(engine, dict);
    if (ns == NULL || (ns->pending == 0 && !ns->leftovers))
        return 0;
    PyObject *tried = PyList_New(0);
    int result = tried == NULL ? -1 : 0;
    bool more = true;
    Py_INCREF(ns);
    /* What loads may put further pending names here: submodules. */
    while (result == 0 && more) {
        PyObject *keys = pending_keys(engine, dict);
        if (keys == NULL)
            result = -1;
        more = false;
        for (Py_ssize_t i = 0; result == 0 && i < PyList_GET_SIZE(keys); i++) {
            PyObject *key = PyList_GET_ITEM(keys, i);
            if (list_has(tried, key))
                continue;
            more = true;
            if (PyList_Append(tried, key) < 0 ||
                bind_key(engine, (struct lz_key *)key) < 0)
                result = -1;
        }
        Py_XDECREF(keys);
    }
    Py_DECREF(ns);
    Py_XDECREF(tried);
    if (result == 0)
        namespace_rebuild_queued(engine);
    return result;
}

/* rebuilding */

/* The items of DICT in order, as a list key, value, key, value, ... with
 * plain keys. Where the dict has a hole (a deleted entry), a unique object
 * stands for it: an iterator that is under way elsewhere counts entries. */
static PyObject *
items_in_order(struct lz_engine *engine, PyObject *dict, PyObject *holes)
{
    PyObject *items = PyList_New(0);
    Py_ssize_t at = 0, expected = 0;
    PyObject *key, *value;
    while (items != NULL && PyDict_Next(dict, &at, &key, &value)) {
        int failed = 0;
        for (; !failed && expected < at - 1; expected++) {
            PyObject *hole = PyLong_FromSsize_t(expected);
            failed = hole == NULL || PyList_Append(items, hole) < 0 ||
                     PyList_Append(items, Py_None) < 0 ||
                     PyList_Append(holes, hole) < 0;
            Py_XDECREF(hole);
        }
        expected = at;
        PyObject *plain;
        if (Py_TYPE(key) == engine->key_type) {
            plain = PyUnicode_FromObject(key);
            if (plain != NULL)
                PyUnicode_InternInPlace(&plain);
        } else {
            plain = Py_NewRef(key);
        }
        failed = failed || plain == NULL || PyList_Append(items, plain) < 0 ||
                 PyList_Append(items, value) < 0;
        Py_XDECREF(plain);
        if (failed)
            Py_CLEAR(items);
    }
    return items;
}

/* Whether all keys are str, so that no Python code runs when they are
 * hashed and compared; and none is pending. */
static bool
can_rebuild(struct lz_engine *engine, struct lz_namespace *ns)
{
    Py_ssize_t at = 0;
    PyObject *key, *value;
    while (PyDict_Next(ns->dict, &at, &key, &value)) {
        if (Py_TYPE(key) == engine->key_type) {
            if (((struct lz_key *)key)->proxy != NULL)
                return false;
        } else if (!PyUnicode_CheckExact(key)) {
            return false;
        }
    }
    return true;
}

/* A fresh dict is filled first, so that lack of memory leaves the old one
 * whole; what then happens to the old one cannot fail half-way for lack of
 * it but in the last step, where the fresh one's values are put back. */
static int
rebuild(struct lz_engine *engine, struct lz_namespace *ns)
{
    int result = -1;
    PyObject *fresh = NULL;
    PyObject *items = NULL;
    PyObject *holes = PyList_New(0);
    if (holes == NULL)
        goto done;
    items = items_in_order(engine, ns->dict, holes);
    fresh = items == NULL ? NULL : PyDict_New();
    if (fresh == NULL)
        goto done;
    for (Py_ssize_t i = 0; i + 1 < PyList_GET_SIZE(items); i += 2) {
        if (PyDict_SetItem(fresh, PyList_GET_ITEM(items, i),
                           PyList_GET_ITEM(items, i + 1)) < 0)
            goto done;
    }
    PyDict_Clear(ns->dict);
    result = PyDict_Update(ns->dict, fresh);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(holes) && result == 0; i++)
        result = PyDict_DelItem(ns->dict, PyList_GET_ITEM(holes, i));
    if (result == 0)
        ns->leftovers = false;
done:
    Py_XDECREF(fresh);
    Py_XDECREF(items);
    Py_XDECREF(holes);
    return result;
}

void
namespace_rebuild_queued(struct lz_engine *engine)
{
    if (engine->rebuild == NULL || PyList_GET_SIZE(engine->rebuild) == 0 ||
        lz_is_finalizing())
        return;
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    for (Py_ssize_t i = PyList_GET_SIZE(engine->rebuild) - 1; i >= 0; i--) {
        struct lz_namespace *ns =
            (struct lz_namespace *)PyList_GET_ITEM(engine->rebuild, i);
        if (ns->busy > 0)
            continue;
        Py_INCREF(ns);
        ns->queued = false;
        if (PyList_SetSlice(engine->rebuild, i, i + 1, NULL) < 0)
            lz_forgive();
        if (ns->pending == 0 && ns->leftovers && can_rebuild(engine, ns) &&
            rebuild(engine, ns) < 0)
            lz_forgive();
        Py_DECREF(ns);
        if (i > PyList_GET_SIZE(engine->rebuild))
            i = PyList_GET_SIZE(engine->rebuild);
    }
    PyErr_Restore(type, error, traceback);
}

/* The type */

void
namespace_forget_code(struct lz_engine *engine, PyObject *dict)
{
    struct lz_namespace *ns = namespace_find(engine, dict);
    if (ns == NULL)
        return;
    Py_CLEAR(ns->code);
    Py_CLEAR(ns->code_bytes);
    Py_CLEAR(ns->used);
}

static int
namespace_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct lz_namespace *ns = (struct lz_namespace *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(ns->dict);
    Py_VISIT(ns->code);
    return 0;
}

static int
namespace_clear(PyObject *self)
{
    struct lz_namespace *ns = (struct lz_namespace *)self;
    Py_CLEAR(ns->code);
    Py_CLEAR(ns->code_bytes);
    Py_CLEAR(ns->used);
    return 0; /* keys are what breaks the cycle with the dict */
}

static void
namespace_dealloc(PyObject *self)
{
    struct lz_namespace *ns = (struct lz_namespace *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (ns->engine != NULL) /* our type keeps the module and its state */
        table_remove(&ns->engine->namespaces, &ns->node);
    (void)namespace_clear(self);
    Py_CLEAR(ns->dict);
    Py_CLEAR(ns->name);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyType_Slot namespace_slots[] = {
    {Py_tp_doc, LZ_CHARS("What the engine knows of one module's dict.")},
    {Py_tp_traverse, (void *)namespace_traverse},
    {Py_tp_clear, (void *)namespace_clear},
    {Py_tp_dealloc, (void *)namespace_dealloc},
    {0, NULL},
};

PyType_Spec lz_namespace_spec = {
    .name = "lazycore.LazyNamespace",
    .basicsize = sizeof(struct lz_namespace),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = namespace_slots,
};
