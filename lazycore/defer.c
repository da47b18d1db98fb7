/* Turning an import statement into pending names.
 *
 * The statement's shape and the policy are given; this makes the targets and
 * proxies, puts them into the namespace and returns what IMPORT_NAME is to
 * push. Either all names of a statement are deferred or none is. Needs the
 * GIL.
 */
#include "lazycore/explain.h"
#include "lazycore/standard.h"

/* What one deferral works on. */
struct deferral {
    struct lz_engine *engine;
    struct lz_namespace *ns;
    const struct lz_statement *statement;
    PyObject *name; /* absolute */
    enum lz_reason reason;
};

/* 1: lazy, 0: eager for d->reason, -1. */
static int
allowed(struct deferral *d, PyObject *name, PyObject *found)
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
        result = allowed(d, target->name, target->found);
        if (result == 1)
            note(d, target);
        Py_DECREF(target);
    }
    return result;
}

/* Find NAME and ask the policy, for the parents that it would load too. */
static int
find_allowed(struct deferral *d, PyObject *name, struct lz_target **ret_target)
{
    int result = find_target(d->engine, name, ret_target);
    if (result <= 0) {
        d->reason = LZ_REASON_NOT_FOUND;
        return result;
    }
    result = allowed(d, name, (*ret_target)->found);
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

static struct lz_proxy *
make_proxy(struct deferral *d, enum lz_proxy_kind kind, PyObject *name,
           PyObject *attr, struct lz_target *target)
{
    struct lz_proxy *proxy = proxy_new(d->engine, kind, name, attr, target);
    if (proxy != NULL) {
        proxy->line = d->statement->line;
        proxy->file = Py_NewRef(d->statement->code->co_filename);
    }
    return proxy;
}

/* Whether a store under NAME would replace an ordinary value, whose place
 * in the dict we could only take by moving it. */
static bool
rebinds(struct deferral *d, PyObject *name)
{
    struct lz_key *key;
    PyObject *value =
        namespace_peek_borrowed(d->engine, d->ns->dict, name, &key);
    if (value == NULL || key != NULL)
        return false;
    d->reason = LZ_REASON_REBINDS;
    return true;
}

/* Every package of the dotted NAME shows its submodule. */
static int
publish_chain(struct deferral *d, PyObject *name)
{
    Py_ssize_t at = PyUnicode_GET_LENGTH(name);
    int result = 0;
    while (result == 0 && PyUnicode_FindChar(name, '.', 0, at, -1) >= 0) {
        PyObject *part = PyUnicode_Substring(name, 0, at);
        if (part == NULL)
            return -1;
        result = submodule_publish(d->engine, part);
        at = PyUnicode_FindChar(part, '.', 0, at, -1);
        Py_DECREF(part);
    }
    return result;
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
    struct lz_proxy *proxy = make_proxy(d, LZ_PROXY_MODULE, top, NULL, first);
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
    result = find_allowed(d, d->name, &target);
    if (result == 1 && publish_chain(d, d->name) < 0)
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
    if (rebinds(d, stored))
        return 0;
    int result = find_allowed(d, d->name, &target);
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
    if (proxy == NULL || publish_chain(d, d->name) < 0 ||
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
    if (rebinds(d, stored))
        return 0;
    int result = find_allowed(d, d->name, &target);
    if (result <= 0)
        return result;
    struct lz_proxy *proxy =
        make_proxy(d, LZ_PROXY_ALIAS, d->name, NULL, target);
    result = -1;
    if (proxy == NULL || publish_chain(d, d->name) < 0)
        goto done;
    from = from_new(d->engine, 1);
    if (from == NULL)
        goto done;
    Py_ssize_t length = PyUnicode_GET_LENGTH(d->name);
    Py_ssize_t dot = PyUnicode_FindChar(d->name, '.', 0, length, -1);
    from->depth = d->statement->depth;
    from->entries[0].attr = PyUnicode_Substring(d->name, dot + 1, length);
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

/* from a import b, c */

/* ATTR is not in the loaded package's dict: the submodule, pending. */
static int
missing_value(struct deferral *d, PyObject *dict, PyObject *attr,
              PyObject **ret_value)
{
    struct lz_target *target = NULL;
    d->reason = LZ_REASON_NOT_FOUND;
    if (namespace_peek_borrowed(d->engine, dict, d->engine->names.getattr,
                                NULL) != NULL ||
        namespace_peek_borrowed(d->engine, dict, d->engine->names.path,
                                NULL) == NULL)
        return 0;
    PyObject *full = PyUnicode_FromFormat("%U.%U", d->name, attr);
    if (full == NULL)
        return -1;
    int result = find_allowed(d, full, &target);
    if (result == 1) {
        *ret_value =
            (PyObject *)make_proxy(d, LZ_PROXY_MODULE, full, NULL, target);
        result = *ret_value == NULL || submodule_publish(d->engine, full) < 0
                     ? -1
                     : 1;
    }
    Py_XDECREF(target);
    Py_DECREF(full);
    return result;
}

/* What OTHER, of a loaded module's namespace, stands for: its value, or a
 * proxy of our own. */
static int
pending_value(struct deferral *d, struct lz_proxy *other, PyObject **ret_value)
{
    if (other->value == NULL) {
        if (other->target == NULL || other->target->found == NULL) {
            d->reason = LZ_REASON_NOT_FOUND;
            return 0;
        }
        PyObject *name = Py_NewRef(other->target->name);
        PyObject *found = Py_NewRef(other->target->found);
        int result = allowed(d, name, found);
        Py_DECREF(found);
        Py_DECREF(name);
        if (result != 1)
            return result;
    }
    if (other->value != NULL) {
        *ret_value = Py_NewRef(other->value);
        return 1;
    }
    struct lz_proxy *copy = proxy_copy(d->engine, other);
    if (copy == NULL)
        return -1;
    copy->line = d->statement->line;
    copy->file = Py_NewRef(d->statement->code->co_filename);
    *ret_value = (PyObject *)copy;
    return 1;
}

/* What ATTR of the loaded module with DICT is: its value, or a proxy. */
static int
loaded_value(struct deferral *d, PyObject *dict, PyObject *attr,
             PyObject **ret_value)
{
    PyObject *held = namespace_peek_borrowed(d->engine, dict, attr, NULL);
    if (held == NULL)
        return missing_value(d, dict, attr, ret_value);
    if (!proxy_check(d->engine, held)) {
        *ret_value = Py_NewRef(held);
        return 1;
    }
    /* Strong: the policy asks Python, and another thread may bind it. */
    Py_INCREF(held);
    int result = pending_value(d, (struct lz_proxy *)held, ret_value);
    Py_DECREF(held);
    return result;
}

/* What came with a name of FROM may have bound others anew: eager code takes
 * all of them from MODULE after that. */
static void
from_refresh(struct deferral *d, struct lz_from *from, PyObject *module)
{
    PyObject *dict = PyModule_GetDict(module);
    for (int i = 0; i < d->statement->count; i++) {
        PyObject **value = &from->entries[i].value;
        PyObject *held = namespace_peek_borrowed(d->engine, dict,
                                                 d->statement->attrs[i], NULL);
        if (held != NULL && held != *value && !proxy_check(d->engine, held) &&
            !proxy_check(d->engine, *value))
            Py_SETREF(*value, Py_NewRef(held));
    }
}

/* The entries of FROM, each a value or a proxy. *ret_pending: proxies. */
static int
from_fill(struct deferral *d, struct lz_from *from, int *ret_pending)
{
    const struct lz_statement *statement = d->statement;
    struct lz_target *target = NULL;
    int result = 1;
    *ret_pending = 0;
    PyObject *module = load_module_here(d->engine, d->name);
    if (statement->certain_names && !PyErr_Occurred() &&
        (module != NULL || !standard_binds(d->engine, d->name, statement))) {
        d->reason = LZ_REASON_GUARDED;
        result = 0;
    } else if (module == NULL) {
        result = PyErr_Occurred() ? -1 : find_allowed(d, d->name, &target);
    } else if (!PyModule_CheckExact(module)) {
        d->reason = LZ_REASON_NONE;
        result = 0;
    }
    if (result == 1 && target != NULL && publish_chain(d, d->name) < 0)
        result = -1;
    for (int i = 0; result == 1 && i < statement->count; i++) {
        PyObject *attr = statement->attrs[i];
        PyObject **value = &from->entries[i].value;
        from->entries[i].attr = Py_NewRef(attr);
        if (module != NULL)
            result = loaded_value(d, PyModule_GetDict(module), attr, value);
        else
            *value = (PyObject *)make_proxy(d, LZ_PROXY_ATTR, d->name, attr,
                                            target);
        if (result == 1 && *value == NULL)
            result = -1;
        if (result == 1 && proxy_check(d->engine, *value)) {
            *ret_pending += 1;
            if (rebinds(d, statement->stored[i]))
                result = 0;
        }
    }
    if (result == 1 && module != NULL)
        from_refresh(d, from, module);
    Py_XDECREF(target);
    Py_XDECREF(module);
    return result;
}

static int
defer_from(struct deferral *d, PyObject **ret_value)
{
    const struct lz_statement *statement = d->statement;
    struct lz_from *from = from_new(d->engine, statement->count);
    if (from == NULL)
        return -1;
    int pending;
    int result = from_fill(d, from, &pending);
    if (result == 1 && pending == 0) {
        d->reason = LZ_REASON_NONE; /* all there: as eager code has it */
        result = 0;
    }
    for (int i = 0; result == 1 && i < statement->count; i++) {
        PyObject *value = from->entries[i].value;
        if (!proxy_check(d->engine, value))
            continue;
        struct lz_proxy *proxy = (struct lz_proxy *)value;
        result =
            proxy->key != NULL
                ? 1
                : namespace_defer(d->ns, statement->stored[i], proxy, true);
    }
    if (result == 1)
        *ret_value = Py_NewRef((PyObject *)from);
    Py_DECREF(from);
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
