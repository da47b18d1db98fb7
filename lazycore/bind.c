/* Binding at load: what waited for a module gets its value when the module
 * is there, as eager code would have had it, before anyone can patch it.
 *
 * A name that waits for a re-export goes on waiting for what that waits for.
 * Needs the GIL.
 */
#include "lazycore/submodule.h"

/* PROXY goes on waiting, for what OTHER waits for: a re-export. */
static void
follow(struct lz_engine *engine, struct lz_proxy *proxy,
       const struct lz_proxy *other)
{
    registry_names(engine->core->registry,
                   PyUnicode_AsUTF8(proxy->target->name), -1, 0);
    proxy->kind = other->kind;
    Py_XSETREF(proxy->name, Py_NewRef(other->name));
    Py_XSETREF(proxy->attr, Py_XNewRef(other->attr));
    Py_XSETREF(proxy->extras,
               other->extras == NULL ? NULL : PySequence_List(other->extras));
    struct lz_target *target = other->target;
    Py_INCREF(target);
    Py_SETREF(proxy->target, target);
    registry_names(engine->core->registry, PyUnicode_AsUTF8(target->name), 1,
                   0);
    target_wait(other->waits_for != NULL ? other->waits_for : target, proxy);
}

/* from PACKAGE import ATTR, where PACKAGE has loaded and has no such name:
 * a submodule, which stays pending. */
static void
await_submodule(struct lz_engine *engine, struct lz_proxy *proxy)
{
    struct lz_target *target = NULL;
    PyObject *full =
        PyUnicode_FromFormat("%U.%U", proxy->target->name, proxy->attr);
    if (full != NULL && find_target(engine, full, &target) == 1) {
        target_note(engine, target, proxy->file, proxy->line);
        target_wait(target, proxy);
        if (proxy_add_extra(proxy, target) < 0 ||
            submodule_publish(engine, full) < 0)
            lz_forgive();
    }
    lz_forgive();
    Py_XDECREF(target);
    Py_XDECREF(full);
}

/* The value of an ATTR proxy whose module has loaded: a new reference, or
 * NULL without an exception where it must stay pending. */
static PyObject *
attr_of_loaded(struct lz_engine *engine, struct lz_proxy *proxy,
               PyObject *module)
{
    PyObject *value = NULL;
    if (!PyModule_CheckExact(module)) {
        value = PyObject_GetAttr(module, proxy->attr);
        goto done;
    }
    PyObject *dict = PyModule_GetDict(module);
    value = namespace_peek_borrowed(engine, dict, proxy->attr, NULL);
    if (value != NULL && proxy_check(engine, value)) {
        struct lz_proxy *other = (struct lz_proxy *)value;
        value = NULL;
        if (other->value != NULL)
            value = Py_NewRef(other->value);
        else if (other != proxy && other->target != NULL)
            follow(engine, proxy, other);
        goto done;
    }
    if (value != NULL)
        return Py_NewRef(value);
    if (namespace_peek_borrowed(engine, dict, engine->names.getattr, NULL) !=
        NULL)
        value = PyObject_GetAttr(module, proxy->attr);
    else
        await_submodule(engine, proxy);
done:
    if (value == NULL)
        lz_forgive();
    return value;
}

/* The first of PROXY's targets that has not loaded: borrowed or NULL. */
static struct lz_target *
next_target(const struct lz_proxy *proxy)
{
    if (proxy->target != NULL && !proxy->target->loaded)
        return proxy->target;
    for (Py_ssize_t i = 0;
         proxy->extras != NULL && i < PyList_GET_SIZE(proxy->extras); i++) {
        struct lz_target *extra =
            (struct lz_target *)PyList_GET_ITEM(proxy->extras, i);
        if (!extra->loaded)
            return extra;
    }
    return NULL;
}

/* The target of a package of NAME whose code has not run to its end: a new
 * reference or NULL. */
static struct lz_target *
unfinished_parent(struct lz_engine *engine, PyObject *name)
{
    struct lz_target *target = NULL;
    Py_ssize_t at = PyUnicode_GET_LENGTH(name);
    while (target == NULL &&
           (at = PyUnicode_FindChar(name, '.', 0, at, -1)) >= 0) {
        PyObject *parent = PyUnicode_Substring(name, 0, at);
        if (parent != NULL)
            target = target_get(engine, parent);
        Py_XDECREF(parent);
    }
    lz_forgive();
    return target;
}

/* The value of `import a.b as c`, a and a.b having loaded: the attribute b
 * of a, which `from .b import b` in a/__init__.py makes another than the
 * module. MODULE has just loaded. A new reference, or NULL without an
 * exception where it must stay pending. */
static PyObject *
alias_of_loaded(struct lz_engine *engine, struct lz_proxy *proxy,
                PyObject *module)
{
    PyObject *value = PyImport_GetModule(proxy->name);
    PyObject *parent_name = value == NULL ? NULL : dotted_parent(proxy->name);
    if (parent_name == NULL)
        goto done;
    PyObject *tail = dotted_tail(proxy->name);
    PyObject *parent = PyImport_GetModule(parent_name);
    if (tail != NULL && parent != NULL && PyModule_Check(parent)) {
        PyObject *held = namespace_peek_borrowed(
            engine, PyModule_GetDict(parent), tail, NULL);
        struct lz_proxy *other = (struct lz_proxy *)held;
        if (held != NULL && !proxy_check(engine, held)) {
            /* Where that is what has just loaded, importlib has yet to store
             * it over a value that was there: the first use looks then. */
            Py_XSETREF(value, held != value && value == module
                                  ? NULL
                                  : Py_NewRef(held));
        } else if (held != NULL && other->kind != LZ_PROXY_MODULE) {
            Py_CLEAR(value);
            if (other->value != NULL)
                value = Py_NewRef(other->value);
            else if (other != proxy && other->target != NULL)
                follow(engine, proxy, other);
        }
    }
    Py_XDECREF(parent);
    Py_DECREF(parent_name);
    Py_XDECREF(tail);
done:
    lz_forgive();
    return value;
}

/* Binding at load */

/* Whether PROXY is an attribute of its target, and waits for nothing else. */
static bool
is_attribute(const struct lz_proxy *proxy)
{
    return proxy->kind == LZ_PROXY_ATTR && proxy->extras == NULL;
}

static void
bind_or_wait(struct lz_engine *engine, struct lz_proxy *proxy,
             PyObject *module)
{
    PyObject *value = NULL;
    if (is_attribute(proxy)) {
        value = attr_of_loaded(engine, proxy, module);
    } else {
        struct lz_target *target =
            (struct lz_target *)Py_XNewRef((PyObject *)next_target(proxy));
        if (target == NULL && proxy->kind == LZ_PROXY_ALIAS)
            target = unfinished_parent(engine, proxy->name);
        if (target != NULL) {
            target_wait(target, proxy);
            Py_DECREF(target);
            return;
        }
        /* A submodule that a from-import named, or the last of several
         * parts: the value is a module. */
        if (proxy->kind == LZ_PROXY_MODULE) {
            value = PyImport_GetModule(proxy->name);
            lz_forgive();
        } else if (proxy->kind == LZ_PROXY_ATTR) {
            value = Py_NewRef(module);
        } else {
            value = alias_of_loaded(engine, proxy, module);
        }
    }
    if (value == NULL)
        return;
    if (proxy_settle(engine, proxy, value) < 0)
        lz_forgive();
    Py_DECREF(value);
}

/* Whether PROXY gets its value from MODULE, its target, without any code that
 * is not ours. */
static bool
is_quick(struct lz_engine *engine, const struct lz_proxy *proxy,
         PyObject *module)
{
    return is_attribute(proxy) && PyModule_CheckExact(module) &&
           namespace_peek_borrowed(engine, PyModule_GetDict(module),
                                   proxy->attr, NULL) != NULL;
}

/* What waits at place I of WAITERS gets its value, or goes on waiting: then it
 * is not kept here, where a reference to it would look like a leak. */
static void
advance(struct lz_engine *engine, PyObject *waiters, Py_ssize_t i,
        PyObject *module)
{
    struct lz_proxy *proxy = (struct lz_proxy *)PyList_GET_ITEM(waiters, i);
    if (proxy->value == NULL)
        bind_or_wait(engine, proxy, module);
    if (proxy->value == NULL)
        (void)PyList_SetItem(waiters, i, Py_NewRef(Py_None));
}

/* Replace what leaked of WAITERS from place *FROM to END. */
static void
replace_leaked(struct lz_engine *engine, PyObject *waiters, Py_ssize_t *from,
               Py_ssize_t end)
{
    for (; *from < end; ++*from) {
        PyObject *waiter = PyList_GET_ITEM(waiters, *from);
        if (proxy_check(engine, waiter) &&
            !proxy_resolving_here((struct lz_proxy *)waiter))
            inject_leaked(engine, (struct lz_proxy *)waiter, 1);
    }
}

/* One walk finds what a copy of a namespace holds of them all, but no foreign
 * code runs before it. */
void
proxies_advance(struct lz_engine *engine, PyObject *waiters, PyObject *module)
{
    Py_ssize_t replaced = 0, count = PyList_GET_SIZE(waiters);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!is_quick(engine, (struct lz_proxy *)PyList_GET_ITEM(waiters, i),
                      module))
            replace_leaked(engine, waiters, &replaced, i);
        advance(engine, waiters, i, module);
    }
    replace_leaked(engine, waiters, &replaced, count);
}
