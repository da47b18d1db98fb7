/* A transaction of reload: its modules, and that each is in one at a time.
 *
 * Responsible for its memory, for the table of what is being reloaded and
 * for telling the registry and the host of what came of it. Needs the GIL.
 */
#include "lazycore/reload.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct lz_transaction *
transaction_new(struct lz_engine *engine, size_t count)
{
    struct lz_transaction *transaction = calloc(1, sizeof(*transaction));

    if (transaction == NULL ||
        (transaction->items = calloc(count, sizeof(*transaction->items))) ==
            NULL) {
        free(transaction);
        (void)PyErr_NoMemory();
        return NULL;
    }
    transaction->engine = engine;
    transaction->thread = PyThread_get_thread_ident();
    transaction->pid = (long)getpid();
    return transaction;
}

int
transaction_grow(struct lz_transaction *transaction, size_t count)
{
    struct lz_reload *items =
        realloc(transaction->items, count * sizeof(*items));

    if (items == NULL) {
        (void)PyErr_NoMemory();
        return -1;
    }
    memset(items + transaction->count, 0,
           (count - transaction->count) * sizeof(*items));
    transaction->items = items;
    return 0;
}

int
transaction_add(struct lz_transaction *transaction, PyObject *name,
                struct lz_reload_result *result)
{
    struct lz_reload *reload = &transaction->items[transaction->count];
    const char *text = name == NULL ? NULL : PyUnicode_AsUTF8(name);

    if (text == NULL || (result->name = strdup(text)) == NULL) {
        Py_XDECREF(name);
        return PyErr_Occurred() ? -1 : (PyErr_NoMemory(), -1);
    }
    reload->name = name;
    reload->engine = transaction->engine;
    reload->transaction = transaction;
    reload->result = result;
    (void)reload_verdict(reload, LZ_VERDICT_INCONCLUSIVE,
                         "'%.200s' was left as it is", text);
    transaction->count++;
    return 0;
}

static void
reload_done(struct lz_reload *reload)
{
    Py_XDECREF(reload->foreign);
    Py_XDECREF(reload->suspects);
    Py_XDECREF(reload->constants);
    Py_XDECREF(reload->generation);
    Py_XDECREF(reload->fresh);
    Py_XDECREF(reload->stand_in);
    Py_XDECREF(reload->code);
    Py_XDECREF(reload->source);
    Py_XDECREF(reload->origin);
    Py_XDECREF(reload->loader);
    Py_XDECREF(reload->spec);
    Py_XDECREF(reload->live);
    Py_XDECREF(reload->module);
    Py_XDECREF(reload->name);
}

void
transaction_begin(struct lz_transaction *transaction)
{
    transaction->next = transaction->engine->transactions;
    transaction->engine->transactions = transaction;
}

void
transaction_end(struct lz_transaction *transaction)
{
    struct lz_transaction **at = &transaction->engine->transactions;

    for (size_t i = 0; i < transaction->count; i++) {
        reload_view_end(&transaction->items[i]);
    }
    while (*at != NULL && *at != transaction) {
        at = &(*at)->next;
    }
    if (*at == transaction) {
        *at = transaction->next;
    }
}

/* --- one at a time ------------------------------------------------------ */

/* Names of the modules being reloaded, each with the process that does: a
 * forked child has not its parent's threads. A dict in the interpreter's.
 * Borrowed; NULL with an exception. */
static PyObject *
running_borrowed(void)
{
    PyObject *all = PyInterpreterState_GetDict(PyInterpreterState_Get());
    PyObject *running =
        all == NULL ? NULL : PyDict_GetItemString(all, "lazycore.reloading");

    if (all == NULL || running != NULL) {
        return running;
    }
    running = PyDict_New();
    if (running != NULL &&
        PyDict_SetItemString(all, "lazycore.reloading", running) < 0) {
        Py_CLEAR(running);
    }
    Py_XDECREF(running); /* ALL has it */
    return running;
}

/* 1 this process reloads NAME, 0 it does not, -1. */
static int
is_running(PyObject *running, PyObject *name)
{
    PyObject *pid = PyDict_GetItemWithError(running, name);

    if (pid == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    return PyLong_AsLong(pid) == (long)getpid();
}

int
transaction_claim(struct lz_reload *reload)
{
    PyObject *running = running_borrowed();
    int busy = running == NULL ? -1 : is_running(running, reload->name);

    if (busy == 1) {
        return reload_verdict(reload, LZ_VERDICT_INCONCLUSIVE,
                              "'%s' is being reloaded right now; try again",
                              reload_text(reload->name, "?"));
    }
    PyObject *pid = busy < 0 ? NULL : PyLong_FromLong((long)getpid());
    if (pid == NULL || PyDict_SetItem(running, reload->name, pid) < 0) {
        Py_XDECREF(pid);
        return -1;
    }
    Py_DECREF(pid);
    reload->running = true;
    return 1;
}

/* Leaves no exception and keeps one that is set. */
static void
release(struct lz_reload *reload)
{
    PyObject *error = lz_take_error();
    PyObject *running = reload->running ? running_borrowed() : NULL;
    if (running != NULL && PyDict_DelItem(running, reload->name) < 0) {
        lz_forgive();
    }
    lz_forgive();
    reload_done(reload);
    lz_raise(error);
}

void
transaction_drop_last(struct lz_transaction *transaction)
{
    struct lz_reload *reload = &transaction->items[transaction->count - 1];

    release(reload);
    *reload = (struct lz_reload){0};
    transaction->count--;
}

void
transaction_free(struct lz_transaction *transaction)
{
    if (transaction == NULL) {
        return;
    }
    reload_release(transaction);
    reload_forget_containers(transaction);
    for (size_t i = 0; i < transaction->count; i++) {
        release(&transaction->items[i]);
    }
    free(transaction->items);
    free(transaction);
}

/* --- step 3 -------------------------------------------------------------- */

void
transaction_blame(struct lz_transaction *transaction,
                  const struct lz_reload *reported)
{
    struct lz_reload *first = &transaction->items[0];
    const struct lz_reload_result *cause = reported->result;

    if (reported == first) {
        return;
    }
    (void)reload_verdict(first, cause->verdict,
                         "%.200s (in '%s'; nothing was changed)", cause->text,
                         reload_text(reported->name, "?"));
    first->result->file = cause->file == NULL ? NULL : strdup(cause->file);
    first->result->line = cause->line;
    first->result->column = cause->column;
    first->result->traceback =
        cause->traceback == NULL ? NULL : strdup(cause->traceback);
}

int
transaction_publish(struct lz_transaction *transaction)
{
    int status = 0;

    for (size_t i = 0; status == 0 && i < transaction->count; i++) {
        status = reload_find_constants(&transaction->items[i]);
    }
    if (status == 0) {
        status = reload_publish(transaction);
    }
    for (size_t i = 0; status == 1 && i < transaction->count; i++) {
        reload_applied(&transaction->items[i]);
    }
    if (status == 0) { /* a strict one: whose class it was is in the text */
        for (size_t i = 1; i < transaction->count; i++) {
            if (transaction->items[i].result->verdict == LZ_VERDICT_REFUSED) {
                transaction_blame(transaction, &transaction->items[i]);
            }
        }
    }
    return status;
}

/* --- who is told -------------------------------------------------------- */

static void
tell(struct lz_reload *reload)
{
    const char *name = reload_text(reload->name, NULL);
    struct lz_core *core = reload->engine->core;

    if (name == NULL) {
        return;
    }
    struct lz_load load = {
        .name = name,
        .wall_ns = reload->result->wall_ns,
        .wall_self_ns = reload->result->wall_ns,
    };
    if (reload->result->verdict == LZ_VERDICT_FAILED) {
        load.error = reload->result->text;
    } else if (reload->result->verdict != LZ_VERDICT_APPLIED) {
        return;
    }
    registry_loaded(core->registry, &load, NULL);
}

void
transaction_tell(struct lz_transaction *transaction)
{
    PyObject *error = lz_take_error();
    for (size_t i = 0; i < transaction->count; i++) {
        tell(&transaction->items[i]);
    }
    lz_raise(error);
}

/* --- the door ----------------------------------------------------------- */

/* What STATUS, of a transaction, is to the host. Takes what there is to
 * free. */
int
transaction_answer(struct lz_transaction *transaction, const char *name,
                   int status, struct lz_reload_result *ret_result,
                   struct lz_error *error)
{
    if (status < 0) {
        if (PyErr_ExceptionMatches(PyExc_ModuleNotFoundError)) {
            lz_forgive();
            (void)lz_error_set(error, LZ_ERROR_NO_SUCH_MODULE,
                               "no module is named '%s'", name);
        }
        if (PyErr_Occurred()) {
            lz_error_from_python(error, LZ_ERROR_INTERNAL);
        }
        (void)lz_error_set(error, LZ_ERROR_INTERNAL,
                           "the reload of '%s' ended without a cause", name);
        lazycore_reload_result_done(ret_result);
    }
    transaction_free(transaction);
    return status < 0 ? -1 : 0;
}
