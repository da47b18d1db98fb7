/* LazyKey: the str under which a namespace holds a pending name.
 *
 * Same text and hash as the name. While its proxy is pending, the dict's own
 * comparison of it with a name that is looked up is what loads the module;
 * once settled it is a plain str. What is done to the namespace belongs to
 * namespace.c. Needs the GIL.
 */
#include "lazycore/engine.h"

/* Hash and basic comparison are str's own. */
static Py_hash_t
plain_hash(PyObject *self)
{
    return PyUnicode_Type.tp_hash(self);
}

void
key_settle(struct lz_key *key)
{
    if (key->proxy == NULL)
        return;
    struct lz_proxy *proxy = key->proxy;
    key->proxy = NULL;
    if (proxy->key == key)
        proxy->key = NULL;
    if (proxy->value == NULL)
        target_unwait(proxy);
    if (key->ns != NULL)
        namespace_settled(key->ns);
    Py_DECREF(proxy);
}

PyObject *
key_plain(struct lz_engine *engine, PyObject *key)
{
    return Py_TYPE(key) == engine->key_type ? PyUnicode_FromObject(key)
                                            : Py_NewRef(key);
}

/* Whether a store into KEY's namespace under KEY's name is what the current
 * instruction does; it needs no value and so loads nothing. */
static bool
is_store(struct lz_engine *engine, struct lz_key *key)
{
    PyFrameObject *frame = PyEval_GetFrame();
    if (frame == NULL)
        return false;
    if (load_stores_submodule(engine, frame)) {
        key_settle(key);
        return true;
    }
    bool star, attribute;
    PyObject *name = bytecode_stored_name(frame, &star, &attribute);
    if (name == NULL && !star)
        return false;
    if (name != NULL && PyUnicode_Compare(name, (PyObject *)key) != 0)
        return false;
    if (!attribute) {
        PyObject *globals = PyFrame_GetGlobals(frame);
        bool same = globals == key->ns->dict;
        Py_DECREF(globals);
        if (!same)
            return false;
    }
    if (key->fresh > 0)
        key->fresh--;
    else if (!star) /* a star import of the module itself reads it too */
        key_settle(key);
    return true;
}

/* Whether KEY is the name of a submodule in its package while this thread
 * runs the submodule's body: importlib binds it only afterwards. */
static bool
is_own_body(const struct lz_key *key)
{
    const struct lz_proxy *proxy = key->proxy;
    if (proxy->kind != LZ_PROXY_MODULE || proxy->value != NULL)
        return false;
    Py_ssize_t dot = PyUnicode_FindChar(proxy->name, '.', 0,
                                        PyUnicode_GET_LENGTH(proxy->name), -1);
    return dot == PyUnicode_GET_LENGTH(key->ns->name) &&
           PyUnicode_Tailmatch(proxy->name, key->ns->name, 0, dot, -1) == 1 &&
           load_runs_here(proxy->name);
}

bool
key_is_hidden(const struct lz_key *key)
{
    return key->proxy != NULL && key->ns != NULL &&
           (proxy_resolving_here(key->proxy) || is_own_body(key));
}

/* KEY is looked up by another str of the same text. 1: it is there; 0: it
 * is not (yet); -1 with an exception. */
static int
look_up(struct lz_engine *engine, struct lz_key *key)
{
    PyObject *current =
        namespace_peek_borrowed(engine, key->ns->dict, (PyObject *)key, NULL);
    if (current == NULL || !proxy_check(engine, current)) {
        key_settle(key); /* something else was put there */
        return 1;
    }
    if (is_store(engine, key))
        return 1;
    if (key_is_hidden(key))
        return 0;
    struct lz_namespace *ns = key->ns;
    struct lz_proxy *proxy = key->proxy;
    Py_INCREF(ns);
    Py_INCREF(proxy);
    ns->busy++;
    PyObject *value = proxy_resolve(engine, proxy);
    if (value != NULL && key->proxy == proxy && namespace_bind(key, value) < 0)
        Py_CLEAR(value); /* resolved before it was stored here, or no memory */
    ns->busy--;
    if (ns->queued) /* it could not be rebuilt while we were at it */
        namespace_post_rebuild(engine);
    Py_DECREF(proxy);
    Py_DECREF(ns);
    if (value == NULL)
        return -1;
    Py_DECREF(value);
    return 1;
}

static bool
is_plain(struct lz_engine *engine, struct lz_key *key)
{
    return key->proxy == NULL || key->ns == NULL || key->quiet ||
           engine == NULL || engine->peek > 0 || lz_is_finalizing();
}

static PyObject *
key_richcompare(PyObject *self, PyObject *other, int op)
{
    struct lz_key *key = (struct lz_key *)self;
    if ((op != Py_EQ && op != Py_NE) || !PyUnicode_Check(other))
        return PyUnicode_Type.tp_richcompare(self, other, op);
    int order = PyUnicode_Compare(self, other);
    if (order == -1 && PyErr_Occurred())
        return NULL;
    bool equal = order == 0;
    if (equal && self != other) {
        struct lz_engine *engine = engine_of(self);
        if (!is_plain(engine, key)) {
            int found = look_up(engine, key);
            if (found < 0)
                return NULL;
            equal = found == 1;
        }
    }
    return PyBool_FromLong(equal == (op == Py_EQ));
}

/* A look-up by the key itself (taken from dir() or a dict) is by identity
 * and never compares; but it hashes a str that is not an exact one. */
static Py_hash_t
key_hash(PyObject *self)
{
    struct lz_key *key = (struct lz_key *)self;
    struct lz_engine *engine = engine_of(self);
    if (!is_plain(engine, key) && !proxy_resolving_here(key->proxy) &&
        look_up(engine, key) < 0)
        return -1;
    return plain_hash(self);
}

struct lz_key *
key_new(struct lz_engine *engine, struct lz_namespace *ns, PyObject *name,
        struct lz_proxy *proxy)
{
    PyObject *args = PyTuple_Pack(1, name);
    if (args == NULL)
        return NULL;
    PyObject *self = PyUnicode_Type.tp_new(engine->key_type, args, NULL);
    Py_DECREF(args);
    if (self == NULL)
        return NULL;
    struct lz_key *key = (struct lz_key *)self;
    (void)plain_hash(self);
    key->ns = (struct lz_namespace *)Py_NewRef((PyObject *)ns);
    key->proxy = (struct lz_proxy *)Py_NewRef((PyObject *)proxy);
    key->fresh = 0;
    key->quiet = false;
    return key;
}

static int
key_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct lz_key *key = (struct lz_key *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(key->ns);
    Py_VISIT(key->proxy);
    return 0;
}

static int
key_clear(PyObject *self)
{
    struct lz_key *key = (struct lz_key *)self;
    key_settle(key);
    Py_CLEAR(key->ns);
    return 0;
}

static void
key_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    (void)key_clear(self);
    PyUnicode_Type.tp_dealloc(self);
    Py_DECREF(type);
}

/* Copies and pickles are plain str. */
static PyObject *
key_reduce(PyObject *self, PyObject *Py_UNUSED(unused))
{
    PyObject *plain = PyUnicode_FromObject(self);
    if (plain == NULL)
        return NULL;
    return Py_BuildValue("(O(N))", &PyUnicode_Type, plain);
}

static PyMethodDef key_methods[] = {
    {"__reduce__", key_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot key_slots[] = {
    {Py_tp_doc, LZ_CHARS("A pending name in a module's namespace.")},
    {Py_tp_richcompare, (void *)key_richcompare},
    {Py_tp_hash, (void *)key_hash},
    {Py_tp_traverse, (void *)key_traverse},
    {Py_tp_clear, (void *)key_clear},
    {Py_tp_dealloc, (void *)key_dealloc},
    {Py_tp_methods, key_methods},
    {0, NULL},
};

PyType_Spec lz_key_spec = {
    .name = "lazycore.LazyKey",
    .basicsize = sizeof(struct lz_key),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = key_slots,
};
