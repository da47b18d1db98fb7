/* Turning an import statement into pending names.
 *
 * The statement's shape and the policy are given; this makes the targets and
 * proxies, puts them into the namespace and returns what IMPORT_NAME is to
 * push. Either all names of a statement are deferred or none is. Needs the
 * GIL.
 */
#include "lazycore/defer_private.h"
#include "lazycore/explain.h"
#include "lazycore/submodule.h"

int
deferral_allowed(struct deferral *d, PyObject *name, PyObject *found)
{
    return policy_allows(d->engine, d->ns, d->statement, name, found,
                         &d->reason);
}

static void
note(struct deferral *d, struct lz_target *target)
{
    explain_statement(d->engine, target, d->ns, d->statement);
}

/* The same for the parents of NAME that are not loaded, or that another
 * thread is loading: their targets make the names wait for them too. */
static int
parents_allowed(struct deferral *d, PyObject *name)
{
    int result = 1;
    Py_ssize_t at = PyUnicode_GET_LENGTH(name);
    while (result == 1) {
        at = PyUnicode_FindChar(name, '.', 0, at, -1);
        if (at < 0)
            break;
        PyObject *parent = PyUnicode_Substring(name, 0, at);
        if (parent == NULL)
            return -1;
        struct lz_target *target;
        result = find_target(d->engine, parent, &target);
        Py_DECREF(parent);
        if (result == 0)
            result = 1;
        if (target == NULL)
            continue;
        if (load_runs_here(target->name)) { /* it is what runs us */
            Py_DECREF(target);
            continue;
        }
        result = deferral_allowed(d, target->name, target->found);
        if (result == 1)
            note(d, target);
        Py_DECREF(target);
    }
    return result;
}

int
deferral_find(struct deferral *d, PyObject *name,
              struct lz_target **ret_target)
{
    int result = find_target(d->engine, name, ret_target);
    if (result <= 0) {
        d->reason = LZ_REASON_NOT_FOUND;
        return result;
    }
    result = deferral_allowed(d, name, (*ret_target)->found);
    if (result == 1 && submodule_is_taken(d->engine, name)) {
        d->reason = LZ_REASON_REBINDS;
        result = 0;
    }
    if (result == 1)
        result = parents_allowed(d, name);
    if (result == 1 && (*ret_target)->found == NULL) { /* they loaded it */
        d->reason = LZ_REASON_NONE;
        result = 0;
    }
    if (result <= 0)
        Py_CLEAR(*ret_target);
    else
        note(d, *ret_target);
    return result;
}

struct lz_proxy *
deferral_proxy(struct deferral *d, enum lz_proxy_kind kind, PyObject *name,
               PyObject *attr, struct lz_target *target)
{
    struct lz_proxy *proxy = proxy_new(d->engine, kind, name, attr, target);
    if (proxy != NULL) {
        proxy->line = d->statement->line;
        proxy->file = Py_NewRef(d->statement->code->co_filename);
    }
    return proxy;
}

bool
deferral_rebinds(struct deferral *d, PyObject *name)
{
    struct lz_key *key;
    PyObject *value =
        namespace_peek_borrowed(d->engine, d->ns->dict, name, &key);
    if (value == NULL || key != NULL)
        return false;
    d->reason = LZ_REASON_REBINDS;
    return true;
}

int
deferral_publish(struct deferral *d, PyObject *name)
{
    Py_ssize_t at = 0;
    int result = 0;
    PyObject *part;
    while (result == 0 && (part = dotted_next(name, &at)) != NULL) {
        result = submodule_publish(d->engine, part);
        Py_DECREF(part);
    }
    return PyErr_Occurred() ? -1 : result;
}

/* import a.b */

/* The pending proxy of `import a` that NAME already holds: a new reference,
 * so that statements for a.b and a.c add up on it; else a new one. */
static struct lz_proxy *
top_level_proxy(struct deferral *d, PyObject *stored, PyObject *top,
                struct lz_target *target)
{
    struct lz_key *key;
    PyObject *held =
        namespace_peek_borrowed(d->engine, d->ns->dict, stored, &key);
    if (held != NULL && key != NULL && proxy_check(d->engine, held)) {
        struct lz_proxy *proxy = (struct lz_proxy *)held;
        if (proxy->value == NULL && proxy->kind == LZ_PROXY_MODULE &&
            PyUnicode_Compare(proxy->name, top) == 0)
            return (struct lz_proxy *)Py_NewRef(held);
    }
    struct lz_target *first = target_get(d->engine, top);
    if (first == NULL) /* the top-level package has loaded */
        first = (struct lz_target *)Py_NewRef((PyObject *)target);
    struct lz_proxy *proxy =
        deferral_proxy(d, LZ_PROXY_MODULE, top, NULL, first);
    Py_DECREF(first);
    return proxy;
}

/* Whether MODULE shows the first submodule of d->name, pending or loaded. */
static bool
shows(struct deferral *d, PyObject *module, Py_ssize_t dot)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(d->name);
    Py_ssize_t end = PyUnicode_FindChar(d->name, '.', dot + 1, length, 1);
    PyObject *tail =
        PyUnicode_Substring(d->name, dot + 1, end < 0 ? length : end);
    bool result = tail != NULL &&
                  namespace_peek_borrowed(d->engine, PyModule_GetDict(module),
                                          tail, NULL) != NULL;
    Py_XDECREF(tail);
    lz_forgive();
    return result;
}

/* import a.b, of the standard library or the package's own, where a is loaded,
 * and bound to its name if that is bound: a is the value, and shows b. 1 done,
 * 0 this is no such case, -1. */
static int
defer_shown(struct deferral *d, PyObject **ret_value)
{
    Py_ssize_t dot =
        PyUnicode_FindChar(d->name, '.', 0, PyUnicode_GET_LENGTH(d->name), 1);
    struct lz_target *target = NULL;
    PyObject *top = PyUnicode_Substring(d->name, 0, dot);
    PyObject *module = top == NULL ? NULL : load_module_here(d->engine, top);
    int result = top == NULL || PyErr_Occurred() ? -1 : 0;
    if (module == NULL || !PyModule_CheckExact(module))
        goto done;
    PyObject *held = namespace_peek_borrowed(d->engine, d->ns->dict,
                                             d->statement->stored[0], NULL);
    if (held != NULL && held != module)
        goto done;
    result = deferral_find(d, d->name, &target);
    if (result == 1 && deferral_publish(d, d->name) < 0)
        result = -1;
    if (result == 1 && !shows(d, module, dot))
        result = 0;
    if (result == 1)
        *ret_value = Py_NewRef(module);
done:
    Py_XDECREF(target);
    Py_XDECREF(module);
    Py_XDECREF(top);
    return result;
}

static int
defer_import(struct deferral *d, PyObject **ret_value)
{
    bool dotted = d->statement->shape == LZ_SHAPE_IMPORT;
    int shown = dotted ? submodule_only_shows(d->engine, d->name) : 0;
    int early = shown;
    if (shown == 1 ||
        (shown == 0 && dotted && policy_is_own(d->engine, d->ns, d->name)))
        early = defer_shown(d, ret_value);
    if (early != 0)
        return early;
    PyObject *stored = d->statement->stored[0];
    struct lz_target *target = NULL;
    struct lz_proxy *proxy = NULL;
    PyObject *top = NULL;
    if (deferral_rebinds(d, stored))
        return 0;
    int result = deferral_find(d, d->name, &target);
    if (result <= 0)
        return result;
    result = -1;
    Py_ssize_t dot =
        PyUnicode_FindChar(d->name, '.', 0, PyUnicode_GET_LENGTH(d->name), 1);
    top = dot < 0 || d->statement->shape == LZ_SHAPE_ALIAS
              ? Py_NewRef(d->name)
              : PyUnicode_Substring(d->name, 0, dot);
    if (top == NULL)
        goto done;
    proxy = top_level_proxy(d, stored, top, target);
    bool pending = proxy != NULL && proxy->target != target;
    if (proxy == NULL || deferral_publish(d, d->name) < 0 ||
        (!(shown && pending) && proxy_add_extra(proxy, target) < 0))
        goto done;
    if (proxy->key != NULL && proxy->key->ns == d->ns) {
        proxy->key->fresh++; /* it is there, under this name */
        result = 1;
    } else {
        result = namespace_defer(d->ns, stored, proxy, true);
    }
    if (result == 1)
        *ret_value = Py_NewRef((PyObject *)proxy);
done:
    Py_XDECREF(top);
    Py_XDECREF(proxy);
    Py_DECREF(target);
    return result;
}

/* import a.b as c */

static int
defer_alias(struct deferral *d, PyObject **ret_value)
{
    PyObject *stored = d->statement->stored[0];
    struct lz_target *target = NULL;
    struct lz_from *from = NULL;
    if (d->statement->depth == 0)
        return defer_import(d, ret_value);
    if (deferral_rebinds(d, stored))
        return 0;
    int result = deferral_find(d, d->name, &target);
    if (result <= 0)
        return result;
    struct lz_proxy *proxy =
        deferral_proxy(d, LZ_PROXY_ALIAS, d->name, NULL, target);
    result = -1;
    if (proxy == NULL || deferral_publish(d, d->name) < 0)
        goto done;
    from = from_new(d->engine, 1);
    if (from == NULL)
        goto done;
    from->depth = d->statement->depth;
    from->entries[0].attr = dotted_tail(d->name);
    from->entries[0].value = Py_NewRef((PyObject *)proxy);
    if (from->entries[0].attr == NULL)
        goto done;
    result = namespace_defer(d->ns, stored, proxy, true);
    if (result == 1)
        *ret_value = Py_NewRef((PyObject *)from);
done:
    Py_XDECREF(from);
    Py_XDECREF(proxy);
    Py_DECREF(target);
    return result;
}

int
defer_statement(struct lz_engine *engine, struct lz_namespace *ns,
                const struct lz_statement *statement, PyObject *name,
                PyObject **ret_value, enum lz_reason *ret_reason)
{
    struct deferral d = {engine, ns, statement, name, LZ_REASON_LAZY};
    int result;
    switch (statement->shape) {
    case LZ_SHAPE_IMPORT:
        result = defer_import(&d, ret_value);
        break;
    case LZ_SHAPE_ALIAS:
        result = defer_alias(&d, ret_value);
        break;
    case LZ_SHAPE_FROM:
        result = defer_from(&d, ret_value);
        break;
    case LZ_SHAPE_STAR:
    case LZ_SHAPE_UNKNOWN:
    default:
        d.reason = LZ_REASON_UNKNOWN_SHAPE;
        result = 0;
        break;
    }
    if (result == 0 && d.reason == LZ_REASON_LAZY)
        d.reason = LZ_REASON_REBINDS;
    *ret_reason = d.reason;
    return result;
}
