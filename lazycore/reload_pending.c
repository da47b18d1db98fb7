/* Reload: names of other modules that are pending when a body runs, for the
 * case that the body puts something in their place and fails.
 *
 * Loads nothing. Needs the GIL.
 */
#include "lazycore/reload_containers.h"

PyObject *
pending_keep(struct lz_engine *engine, struct lz_proxy *proxy)
{
    if (proxy->value != NULL) {
        return Py_NewRef(proxy->value);
    }
    struct lz_proxy *copy = proxy_copy(engine, proxy);
    if (copy != NULL) {
        copy->line = proxy->line;
        copy->file = Py_XNewRef(proxy->file);
        target_unwait(copy); /* it is nowhere to be bound */
    }
    return (PyObject *)copy;
}

struct putting {
    struct lz_namespace *ns;
    PyObject *name;
    struct lz_proxy *copy;
};

static int
put(void *arg)
{
    const struct putting *putting = arg;

    return namespace_defer(putting->ns, putting->name, putting->copy, false);
}

int
pending_put_back(struct lz_transaction *transaction, PyObject *dict,
                 PyObject *name, struct lz_proxy *copy)
{
    struct lz_namespace *ns = namespace_get(transaction->engine, dict);
    struct putting putting = {ns, name, copy};
    int status = ns == NULL ? -1 : put(&putting);

    /* Between the two the name is gone. */
    if (status == 0 && PyDict_DelItem(dict, name) == 0) {
        status = reload_persist(transaction, put, &putting);
    }
    if (status == 1 && copy->target != NULL) {
        target_wait(copy->target, copy);
    }
    Py_XDECREF(ns);
    return status == 1 ? 0 : -1;
}
