/* Module dicts with pending names: finding, deferring, binding.
 *
 * Bringing a dict back to its fast form is rebuild.c's. Needs the GIL.
 */
#include "lazycore/engine.h"
#include "lazycore/hold.h"

#include <limits.h>

struct lz_namespace *
namespace_of_node(struct lz_node *node)
{
    return (
        struct lz_namespace *)(void *)((char *)node -
                                       offsetof(struct lz_namespace, node));
}

struct lz_namespace *
namespace_find(struct lz_engine *engine, PyObject *dict)
{
    struct lz_node *node =
        table_find(&engine->namespaces, &dict, sizeof(dict));
    return node == NULL ? NULL : namespace_of_node(node);
}

/* DICT["__name__"] and whether sys.modules has DICT's module under it. */
static PyObject *
module_name_of(struct lz_engine *engine, PyObject *dict)
{
    PyObject *name = PyDict_GetItemWithError(dict, engine->names.name);
    if (name == NULL || !PyUnicode_CheckExact(name))
        return NULL;
    PyObject *module = load_peek_module(name);
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
    ns->heat_ns = ns->look = ns->sightings = 0;
    ns->refused = 0;
    ns->queued = ns->leftovers = ns->copies = false;
    ns->code = NULL;
    ns->code_bytes = ns->used = NULL;
    ns->first_effect = INT_MAX;
    ns->lines = (struct lz_lines){0};
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

void
namespace_settled(struct lz_namespace *ns)
{
    ns->pending--;
    rebuild_queue(ns);
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

struct lz_key *
namespace_next_pending(struct lz_namespace *ns, Py_ssize_t *at)
{
    PyObject *key, *value;
    while (PyDict_Next(ns->dict, at, &key, &value)) {
        if (Py_TYPE(key) == ns->engine->key_type &&
            ((struct lz_key *)key)->proxy != NULL)
            return (struct lz_key *)key;
    }
    return NULL;
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
    struct lz_key *key;
    while ((key = namespace_next_pending(ns, &at)) != NULL) {
        if (PyList_Append(list, (PyObject *)key) < 0) {
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
    hold_begin();
    PyObject *value = proxy_resolve(engine, proxy);
    Py_DECREF(proxy);
    return hold_end_forgiving(engine, value);
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
