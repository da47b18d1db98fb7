/* ModuleProxy and NameProxy: resolving the value they stand for.
 *
 * What the names that hold one get is namespace.c's; how a proxy that got
 * out behaves like its value is forward.c's. No lock is held while a module
 * loads: importlib's own lock for that module makes a second thread wait.
 * Needs the GIL.
 */
#include "lazycore/engine.h"
#include "lazycore/hold.h"

/* A resolve under way on this thread. On the heap and doubly linked, since
 * greenlets copy the C stack away and return in any order. */
struct resolving {
    const struct lz_proxy *proxy;
    PyFrameObject *frame; /* strong: who asked; NULL: no Python code did */
    struct resolving *above, *below;
};

static _Thread_local struct resolving *resolving_top;

/* Whether FRAME, or NULL, is one of those that the current code returns to;
 * those of another greenlet are not. */
static bool
is_below_us(const PyFrameObject *frame)
{
    PyFrameObject *at = PyEval_GetFrame();
    if (frame == NULL || at == NULL)
        return true;
    Py_INCREF(at);
    while (at != NULL && at != frame) {
        PyFrameObject *back = PyFrame_GetBack(at);
        Py_SETREF(at, back);
    }
    Py_XDECREF(at);
    return at != NULL;
}

bool
proxy_resolving_here(const struct lz_proxy *proxy)
{
    for (struct resolving *r = resolving_top; r != NULL; r = r->below) {
        if (r->proxy == proxy && is_below_us(r->frame))
            return true;
    }
    return false;
}

static struct resolving *
resolving_push(const struct lz_proxy *proxy)
{
    struct resolving *r = PyMem_Malloc(sizeof(*r));
    if (r == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    r->proxy = proxy;
    r->frame = (PyFrameObject *)Py_XNewRef((PyObject *)PyEval_GetFrame());
    r->above = NULL;
    r->below = resolving_top;
    if (resolving_top != NULL)
        resolving_top->above = r;
    resolving_top = r;
    return r;
}

static void
resolving_pop(struct resolving *r)
{
    if (r->above != NULL)
        r->above->below = r->below;
    else if (resolving_top == r)
        resolving_top = r->below;
    if (r->below != NULL)
        r->below->above = r->above;
    Py_XDECREF(r->frame);
    PyMem_Free(r);
}

bool
proxy_check(const struct lz_engine *engine, PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    return type == engine->module_proxy_type ||
           type == engine->name_proxy_type;
}

struct lz_proxy *
proxy_new(struct lz_engine *engine, enum lz_proxy_kind kind, PyObject *name,
          PyObject *attr, struct lz_target *target)
{
    PyTypeObject *type = kind == LZ_PROXY_ATTR ? engine->name_proxy_type
                                               : engine->module_proxy_type;
    struct lz_proxy *proxy = PyObject_GC_New(struct lz_proxy, type);
    if (proxy == NULL)
        return NULL;
    proxy->kind = kind;
    proxy->resolvers = 0;
    proxy->line = 0;
    proxy->name = Py_NewRef(name);
    proxy->attr = Py_XNewRef(attr);
    proxy->target = (struct lz_target *)Py_XNewRef((PyObject *)target);
    proxy->extras = NULL;
    proxy->file = NULL;
    proxy->value = NULL;
    proxy->key = NULL;
    proxy->prev = proxy->next = NULL;
    proxy->waits_for = NULL;
    if (target != NULL) {
        target_wait(target, proxy);
        registry_names(engine->core->registry, PyUnicode_AsUTF8(target->name),
                       1, 0);
    }
    /* Not tracked: who asks all objects what they are would load it, and what
     * it refers to until it has its value is part of no cycle. */
    return proxy;
}

int
proxy_add_extra(struct lz_proxy *proxy, struct lz_target *target)
{
    if (proxy->target == target)
        return 0;
    if (proxy->extras == NULL)
        proxy->extras = PyList_New(0);
    if (proxy->extras == NULL)
        return -1;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(proxy->extras); i++) {
        if (PyList_GET_ITEM(proxy->extras, i) == (PyObject *)target)
            return 0;
    }
    return PyList_Append(proxy->extras, (PyObject *)target);
}

struct lz_proxy *
proxy_copy(struct lz_engine *engine, const struct lz_proxy *proxy)
{
    struct lz_proxy *copy = proxy_new(engine, proxy->kind, proxy->name,
                                      proxy->attr, proxy->target);
    if (copy == NULL)
        return NULL;
    for (Py_ssize_t i = 0;
         proxy->extras != NULL && i < PyList_GET_SIZE(proxy->extras); i++) {
        if (proxy_add_extra(copy, (struct lz_target *)PyList_GET_ITEM(
                                      proxy->extras, i)) < 0) {
            Py_DECREF(copy);
            return NULL;
        }
    }
    return copy;
}

PyObject *
proxy_describe(const struct lz_proxy *proxy)
{
    if (proxy->kind == LZ_PROXY_ATTR)
        return PyUnicode_FromFormat("from %U import %U", proxy->target->name,
                                    proxy->attr);
    return PyUnicode_FromFormat("import %U", proxy->name);
}

/* Resolving */

/* What the interpreter says when a from-import misses, word for word. */
static void
raise_missing(struct lz_engine *engine, PyObject *module, PyObject *name,
              PyObject *attr)
{
    PyObject *file = PyObject_GetAttr(module, engine->names.file);
    lz_forgive();
    PyObject *text;
    if (file == NULL || !PyUnicode_Check(file))
        text = PyUnicode_FromFormat(
            "cannot import name %R from %R (unknown location)", attr, name);
    else
        text = PyUnicode_FromFormat(
            load_initializing(engine, module)
                ? "cannot import name %R from partially initialized module "
                  "%R (most likely due to a circular import) (%S)"
                : "cannot import name %R from %R (%S)",
            attr, name, file);
    if (text != NULL)
        PyErr_SetImportError(text, name, file);
    Py_XDECREF(text);
    Py_XDECREF(file);
}

/* from MODULE import ATTR, as IMPORT_FROM does it: the attribute, else the
 * submodule in sys.modules; imported first where it is no attribute. */
static PyObject *
from_module(struct lz_engine *engine, PyObject *module, PyObject *name,
            PyObject *attr)
{
    PyObject *value = PyObject_GetAttr(module, attr);
    if (value != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return value;
    lz_forgive();
    PyObject *path = PyObject_GetAttr(module, engine->names.path);
    if (path != NULL) {
        Py_DECREF(path);
        PyObject *fromlist = PyTuple_Pack(1, attr);
        if (fromlist == NULL)
            return NULL;
        PyObject *again =
            PyImport_ImportModuleLevelObject(name, NULL, NULL, fromlist, 0);
        Py_DECREF(fromlist);
        if (again == NULL)
            return NULL;
        Py_DECREF(again);
        value = PyObject_GetAttr(module, attr);
        if (value != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError))
            return value;
    }
    lz_forgive();
    PyObject *full = PyUnicode_FromFormat("%U.%U", name, attr);
    if (full == NULL)
        return NULL;
    value = PyImport_GetModule(full);
    Py_DECREF(full);
    if (value == NULL && !PyErr_Occurred())
        raise_missing(engine, module, name, attr);
    return value;
}

/* import a.b.c as x: a, then its attribute b, then c. */
static PyObject *
walk_alias(struct lz_engine *engine, PyObject *name)
{
    PyObject *dot = PyUnicode_FromString(".");
    PyObject *parts = dot == NULL ? NULL : PyUnicode_Split(name, dot, -1);
    Py_XDECREF(dot);
    if (parts == NULL)
        return NULL;
    PyObject *prefix = Py_NewRef(PyList_GET_ITEM(parts, 0));
    PyObject *value = PyImport_GetModule(prefix);
    if (value == NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_ImportError, "%R not in sys.modules as expected",
                     prefix);
    for (Py_ssize_t i = 1; value != NULL && i < PyList_GET_SIZE(parts); i++) {
        PyObject *next =
            from_module(engine, value, prefix, PyList_GET_ITEM(parts, i));
        Py_SETREF(value, next);
        PyObject *longer =
            PyUnicode_FromFormat("%U.%U", prefix, PyList_GET_ITEM(parts, i));
        Py_SETREF(prefix, longer);
        if (prefix == NULL)
            Py_CLEAR(value);
    }
    Py_XDECREF(prefix);
    Py_DECREF(parts);
    return value;
}

/* Import every further target. */
static int
import_extras(struct lz_engine *engine, PyObject *extras)
{
    for (Py_ssize_t i = 0; extras != NULL && i < PyList_GET_SIZE(extras);
         i++) {
        struct lz_target *target =
            (struct lz_target *)Py_NewRef(PyList_GET_ITEM(extras, i));
        PyObject *extra = target_import(engine, target);
        Py_DECREF(target);
        if (extra == NULL)
            return -1;
        Py_DECREF(extra);
    }
    return 0;
}

/* Run what must run; the value of what was asked. Works on references of
 * its own: while a module loads, the proxy may come to follow another. */
static PyObject *
compute(struct lz_engine *engine, struct lz_proxy *proxy)
{
    enum lz_proxy_kind kind = proxy->kind;
    PyObject *name = Py_NewRef(proxy->name);
    PyObject *attr = Py_XNewRef(proxy->attr);
    PyObject *extras = Py_XNewRef(proxy->extras);
    struct lz_target *target =
        (struct lz_target *)Py_XNewRef((PyObject *)proxy->target);
    PyObject *module = NULL, *value = NULL;
    if (target != NULL) {
        module = target_import(engine, target);
        if (module == NULL)
            goto done;
    }
    if (import_extras(engine, extras) < 0)
        goto done;
    switch (kind) {
    case LZ_PROXY_ATTR:
        value = from_module(engine, module, target->name, attr);
        break;
    case LZ_PROXY_ALIAS:
        value = walk_alias(engine, name);
        break;
    case LZ_PROXY_MODULE:
    default:
        value = PyImport_GetModule(name);
        if (value == NULL && !PyErr_Occurred())
            value = Py_XNewRef(module);
        break;
    }
done:
    Py_XDECREF(module);
    Py_XDECREF(target);
    Py_XDECREF(extras);
    Py_XDECREF(attr);
    Py_DECREF(name);
    return value;
}

/* A load that failed says which statement it comes from; an AttributeError
 * of a module's body becomes an ImportError, or hasattr() would eat it. */
static void
decorate_error(struct lz_proxy *proxy)
{
    PyObject *error = lz_take_error();
    if (PyErr_GivenExceptionMatches(error, PyExc_AttributeError)) {
        PyErr_Format(PyExc_ImportError, "importing %R failed: %S",
                     proxy->target != NULL ? proxy->target->name : proxy->name,
                     error);
        PyObject *wrapper = lz_take_error();
        PyException_SetCause(wrapper, Py_NewRef(error));
        PyException_SetContext(wrapper, error);
        error = wrapper;
    }
    PyObject *statement = proxy_describe(proxy);
    if (proxy->file != NULL && statement != NULL &&
        PyObject_IsInstance(error, PyExc_Exception) == 1) {
        PyObject *done = PyObject_CallMethod(
            error, "add_note", "N",
            PyUnicode_FromFormat("deferred at %U:%d: %U", proxy->file,
                                 proxy->line, statement));
        Py_XDECREF(done);
    }
    Py_XDECREF(statement);
    lz_raise(error);
}

/* PROXY's value is known: its name gets it. */
int
proxy_settle(struct lz_engine *engine, struct lz_proxy *proxy, PyObject *value)
{
    if (proxy->value != NULL)
        return 0;
    proxy->value = Py_NewRef(value);
    PyObject_GC_Track((PyObject *)proxy);
    target_unwait(proxy);
    if (proxy->target != NULL)
        registry_names(engine->core->registry,
                       PyUnicode_AsUTF8(proxy->target->name), -1, 1);
    if (proxy->key == NULL)
        return 0;
    struct lz_key *key = (struct lz_key *)Py_NewRef((PyObject *)proxy->key);
    int result = namespace_bind(key, value);
    Py_DECREF(key);
    return result;
}

/* A submodule's import has put the module where a from-import of the
 * package's had bound a value of the same name: put the value back. */
static int
put_back(struct lz_engine *engine, struct lz_namespace *ns, PyObject *name,
         struct lz_proxy *proxy)
{
    if (proxy->kind == LZ_PROXY_MODULE || ns == NULL)
        return 0;
    PyObject *now = namespace_peek_borrowed(engine, ns->dict, name, NULL);
    if (now == NULL || now == proxy->value || !PyModule_Check(now))
        return 0;
    PyObject *module_name = PyObject_GetAttr(now, engine->names.name);
    PyObject *full = PyUnicode_FromFormat("%U.%U", ns->name, name);
    int same = module_name == NULL || full == NULL
                   ? -1
                   : PyObject_RichCompareBool(module_name, full, Py_EQ);
    Py_XDECREF(module_name);
    Py_XDECREF(full);
    if (same <= 0)
        return same;
    engine->peek++;
    int result = PyDict_SetItem(ns->dict, name, proxy->value);
    engine->peek--;
    return result;
}

/* compute(), and if that loads what the proxy waits for, how long the first
 * use took: with its search, its parents and the locks that it waited for. */
static PyObject *
compute_first(struct lz_engine *engine, struct lz_proxy *proxy)
{
    struct lz_target *target =
        (struct lz_target *)Py_XNewRef((PyObject *)proxy->target);
    bool first = target != NULL && !target->loaded &&
                 !engine->rule_off[LZ_RULE_ACCOUNTING];
    uint64_t start = first ? usage_wall_ns() : 0;
    PyObject *value = compute(engine, proxy);
    if (first && target->loaded && value != NULL)
        registry_first_use(engine->core->registry,
                           PyUnicode_AsUTF8(target->name),
                           usage_wall_ns() - start);
    Py_XDECREF(target);
    return value;
}

PyObject *
proxy_resolve(struct lz_engine *engine, struct lz_proxy *proxy)
{
    if (proxy->value != NULL)
        return Py_NewRef(proxy->value);
    PyObject *value = NULL;
    struct lz_namespace *ns = NULL;
    PyObject *name = NULL;
    struct resolving *resolving = resolving_push(proxy);
    if (resolving == NULL)
        return NULL;
    hold_begin();
    Py_INCREF(proxy);
    proxy->resolvers++;
    if (proxy->key != NULL) {
        ns = (struct lz_namespace *)Py_XNewRef((PyObject *)proxy->key->ns);
        name = PyUnicode_FromObject((PyObject *)proxy->key);
        if (name == NULL)
            goto done;
    }
    value = compute_first(engine, proxy);
    if (value == NULL) {
        decorate_error(proxy);
        goto done;
    }
    if (proxy->value == NULL) {
        if (proxy_settle(engine, proxy, value) < 0)
            Py_CLEAR(value);
    } else {
        Py_SETREF(value, Py_NewRef(proxy->value));
    }
    if (value != NULL && name != NULL && put_back(engine, ns, name, proxy) < 0)
        Py_CLEAR(value);
done:
    resolving_pop(resolving);
    /* It may have a value although this call failed. */
    if (proxy->value != NULL)
        inject_leaked(engine, proxy, 0);
    proxy->resolvers--;
    Py_XDECREF(name);
    Py_XDECREF(ns);
    Py_DECREF(proxy);
    if (hold_finish(engine) < 0)
        Py_CLEAR(value);
    return value;
}
