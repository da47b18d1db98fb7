/* Rollback: a transaction back to what modules were before their last one.
 *
 * No code of theirs runs, and what they were is as it was then: the same
 * objects. All modules that the transaction replaced go back together. Needs
 * the GIL.
 */
#include "lazycore/reload.h"

#include <stdlib.h>
#include <string.h>

/* Every module whose newest generation SERIAL replaced, NAME first: a new
 * list of names. */
static PyObject *
group_of(struct lz_engine *engine, PyObject *name, uint64_t serial)
{
    PyObject *group = Py_BuildValue("[O]", name), *other, *held;
    Py_ssize_t at = 0;

    while (group != NULL &&
           PyDict_Next(engine->generations, &at, &other, &held)) {
        uint64_t its = 0;
        if (reload_newest_borrowed(engine, other, NULL, &its) != NULL &&
            its == serial && PyUnicode_Compare(other, name) != 0 &&
            PyList_Append(group, other) < 0) {
            Py_CLEAR(group);
        }
    }
    return group;
}

/* Whether another module of the transaction SERIAL has been reloaded since:
 * its name, borrowed. */
static PyObject *
later_borrowed(struct lz_engine *engine, uint64_t serial)
{
    PyObject *name, *held;
    Py_ssize_t at = 0;

    while (PyDict_Next(engine->generations, &at, &name, &held)) {
        uint64_t newest = 0;
        if (reload_newest_borrowed(engine, name, NULL, &newest) != NULL &&
            newest != serial && reload_has_generation(held, serial)) {
            return name;
        }
    }
    return NULL;
}

static int find_module(struct lz_reload *reload, uint64_t serial) LZ_NEEDS_GIL;

/* Step: what REPORT's module goes back to; it must be what SERIAL replaced,
 * where that is not 0. */
static int
find_module(struct lz_reload *reload, uint64_t serial)
{
    const char *text = reload_text(reload->name, "?");
    uint64_t newest = 0;
    int status = reload_find_live(reload);

    if (status != 1) {
        return status;
    }
    PyObject *generation = reload_newest_borrowed(reload->engine, reload->name,
                                                  reload->module, &newest);
    if (generation == NULL) {
        return reload_verdict(reload, LZ_VERDICT_REFUSED,
                              "no generation of '%.200s' is kept to go back "
                              "to",
                              text);
    }
    if (serial != 0 && newest != serial) {
        return reload_verdict(reload, LZ_VERDICT_INCONCLUSIVE,
                              "'%.200s' was reloaded again since", text);
    }
    PyObject *later = later_borrowed(reload->engine, newest);
    if (later != NULL) {
        return reload_verdict(reload, LZ_VERDICT_REFUSED,
                              "'%.100s', reloaded together with '%.100s', was "
                              "reloaded again since: roll that back first",
                              reload_text(later, "?"), text);
    }
    reload->generation = Py_NewRef(generation);
    reload->transaction->undoes = newest;
    return 1;
}

static int add_group(struct lz_transaction *transaction) LZ_NEEDS_GIL;

static int
add_group(struct lz_transaction *transaction)
{
    struct lz_reload_result *result = transaction->items[0].result;
    PyObject *group = group_of(transaction->engine, transaction->items[0].name,
                               transaction->undoes);
    size_t count = group == NULL ? 0 : (size_t)PyList_GET_SIZE(group);
    int status = group == NULL || transaction_grow(transaction, count) < 0 ||
                         (result->others =
                              calloc(count, sizeof(*result->others))) == NULL
                     ? -1
                     : 1;

    for (size_t i = 1; status == 1 && i < count; i++) {
        struct lz_reload_result *other = &result->others[i - 1];
        PyObject *name = PyList_GET_ITEM(group, (Py_ssize_t)i);
        if (transaction_add(transaction, Py_NewRef(name), other) < 0) {
            status = -1;
            break;
        }
        result->other_count++;
        struct lz_reload *reload = &transaction->items[i];
        status = transaction_claim(reload);
        if (status == 1) {
            status = find_module(reload, transaction->undoes);
        }
        if (status == 0) {
            transaction_blame(transaction, reload);
        }
    }
    if (status < 0 && !PyErr_Occurred()) {
        (void)PyErr_NoMemory();
    }
    Py_XDECREF(group);
    return status;
}

static int run_steps(struct lz_transaction *transaction,
                     uint64_t serial) LZ_NEEDS_GIL;

/* 0 with a verdict, -1 with an exception. */
static int
run_steps(struct lz_transaction *transaction, uint64_t serial)
{
    struct lz_reload *first = &transaction->items[0];
    struct lz_source now = {0};
    int status = transaction_claim(first);

    if (status == 1) {
        status = find_module(first, serial);
    }
    if (status == 1) {
        status = add_group(transaction);
    }
    for (size_t i = 0; status == 1 && i < transaction->count; i++) {
        struct lz_reload *reload = &transaction->items[i];
        (void)reload_recall(reload, &now);
        reload->result->old_hash = now.hash;
        if (reload_restore(reload) < 0) {
            status = reload_failed(reload);
            transaction_blame(transaction, reload);
        }
        reload->result->new_hash = reload->identity.hash;
    }
    return status == 1 ? transaction_publish(transaction) : status;
}

int
lazycore_rollback(const char *name, uint64_t serial,
                  struct lz_reload_result *ret_result, struct lz_error *error)
{
    PyObject *own = PyImport_ImportModule("lazycore");
    struct lz_engine *engine = own == NULL ? NULL : engine_of_module(own);
    struct lz_transaction *transaction =
        engine == NULL ? NULL : transaction_new(engine, 1);
    int status = -1;

    *ret_result = (struct lz_reload_result){0};
    if (transaction != NULL &&
        transaction_add(transaction, PyUnicode_FromString(name), ret_result) ==
            0) {
        uint64_t start = usage_wall_ns();
        status = run_steps(transaction, serial);
        ret_result->wall_ns = usage_wall_ns() - start;
        if (status >= 0) {
            transaction_tell(transaction);
            status = 0;
        }
    }
    status = transaction_answer(transaction, name, status, ret_result, error);
    Py_XDECREF(own);
    return status;
}
