/* Deferring `from a import b, c`: each name is a value, where a has it, or
 * becomes a proxy. All of a statement's are deferred or none is. Needs the
 * GIL.
 */
#include "lazycore/defer_private.h"
#include "lazycore/record.h"
#include "lazycore/standard.h"
#include "lazycore/submodule.h"

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
    int result = deferral_find(d, full, &target);
    if (result == 1) {
        *ret_value =
            (PyObject *)deferral_proxy(d, LZ_PROXY_MODULE, full, NULL, target);
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
        int result = deferral_allowed(d, name, found);
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

/* Whether ATTR of the package that waits, if it is a submodule of the same
 * package as the statement, may wait: 1, 0 or -1. Of packages that nothing is
 * recorded of, none waits within its own. */
static int
submodule_allowed(struct deferral *d, PyObject *attr)
{
    if (!policy_is_own(d->engine, d->ns, d->name))
        return 1;
    PyObject *full = dotted_join(d->name, '.', attr);
    struct lz_target *target = NULL;
    int result = full == NULL ? -1 : 1;
    if (full != NULL && record_has(d->engine, d->name, full)) {
        int found = find_target(d->engine, full, &target);
        if (found < 0)
            result = -1;
        else if (found == 1 && target->found != NULL)
            result = deferral_allowed(d, full, target->found);
    }
    Py_XDECREF(target);
    Py_XDECREF(full);
    return result;
}

/* The same of all names, of TARGET, which may be loaded on the way. */
static int
submodules_allowed(struct deferral *d, const struct lz_target *target)
{
    int result = 1;
    for (int i = 0; result == 1 && i < d->statement->count; i++)
        result = submodule_allowed(d, d->statement->attrs[i]);
    if (result == 1 && target->found == NULL) {
        d->reason = LZ_REASON_NONE;
        result = 0;
    }
    return result;
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
        result = PyErr_Occurred() ? -1 : deferral_find(d, d->name, &target);
    } else if (!PyModule_CheckExact(module)) {
        d->reason = LZ_REASON_NONE;
        result = 0;
    }
    if (result == 1 && target != NULL)
        result = submodules_allowed(d, target);
    if (result == 1 && target != NULL && deferral_publish(d, d->name) < 0)
        result = -1;
    for (int i = 0; result == 1 && i < statement->count; i++) {
        PyObject *attr = statement->attrs[i];
        PyObject **value = &from->entries[i].value;
        from->entries[i].attr = Py_NewRef(attr);
        if (module != NULL)
            result = loaded_value(d, PyModule_GetDict(module), attr, value);
        else
            *value = (PyObject *)deferral_proxy(d, LZ_PROXY_ATTR, d->name,
                                                attr, target);
        if (result == 1 && *value == NULL)
            result = -1;
        if (result == 1 && proxy_check(d->engine, *value)) {
            *ret_pending += 1;
            if (deferral_rebinds(d, statement->stored[i]))
                result = 0;
        }
    }
    if (result == 1 && module != NULL)
        from_refresh(d, from, module);
    Py_XDECREF(target);
    Py_XDECREF(module);
    return result;
}

int
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
