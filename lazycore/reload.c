/* Reload: the transaction of DESIGN 5, in its order.
 *
 * Responsible for the order of the steps, for one module or for it and its
 * dependents. While bodies run, sys.modules has the live modules under their
 * names; the thread that runs them sees the new ones in their place. Needs
 * the GIL; a module is in one transaction at a time.
 */
#include "lazycore/reload.h"

int
reload_prepare(struct lz_reload *reload)
{
    const char *text = reload_text(reload->name, "");
    int status = transaction_claim(reload);

    if (status == 1 &&
        sources_held(reload->engine->core->sources, text) != 0) {
        return reload_verdict(reload, LZ_VERDICT_REFUSED,
                              "'%.200s' waits to be confirmed: confirm it, or "
                              "roll it back, first",
                              text);
    }
    if (status == 1) {
        status = reload_find(reload);
    }
    if (status == 1) {
        status = reload_read(reload);
        if (status < 0) {
            status = reload_failed(reload);
        }
    }
    return status;
}

static int run_bodies(struct lz_transaction *transaction) LZ_NEEDS_GIL;

/* All of them, apart: 1; 0 one has failed and has its verdict; -1. None runs
 * where one does not compile. */
static int
run_bodies(struct lz_transaction *transaction)
{
    int status = 1;

    for (size_t i = 0; status == 1 && i < transaction->count; i++) {
        status = reload_compile(&transaction->items[i]);
        if (status == 0) {
            transaction_blame(transaction, &transaction->items[i]);
        }
    }
    if (status == 1 && (reload_note_containers(transaction) < 0 ||
                        reload_reserve(transaction) < 0)) {
        status = -1;
    }
    for (size_t i = 0; status == 1 && i < transaction->count; i++) {
        struct lz_reload *reload = &transaction->items[i];
        uint64_t start = usage_wall_ns();
        status = reload_execute(reload);
        reload->result->wall_ns = usage_wall_ns() - start;
        if (status == 0) {
            transaction_blame(transaction, reload);
        }
    }
    return status;
}

static void undo(struct lz_transaction *transaction) LZ_NEEDS_GIL;

/* What bodies have left elsewhere goes. Keeps an exception that is set. */
static void
undo(struct lz_transaction *transaction)
{
    PyObject *error = lz_take_error();
    reload_undo_containers(transaction);
    reload_take_back(transaction);
    lz_raise(error);
}

static int run_steps(struct lz_transaction *transaction,
                     bool dependents) LZ_NEEDS_GIL;

/* 0 with a verdict, -1 with an exception. */
static int
run_steps(struct lz_transaction *transaction, bool dependents)
{
    int status = reload_prepare(&transaction->items[0]);

    if (status == 1 && dependents) {
        status = reload_add_dependents(transaction);
    }
    if (status != 1) {
        return status;
    }
    transaction_begin(transaction);
    status = run_bodies(transaction);
    PyObject *error = lz_take_error();
    transaction_end(transaction);
    lz_raise(error);
    if (status == 1 && reload_note_again(transaction) < 0) {
        status = -1;
    }
    if (status == 1) {
        status = transaction_publish(transaction);
    }
    if (status != 1 && !transaction->changed) {
        undo(transaction);
    }
    return status < 0 ? -1 : 0;
}

int
lazycore_reload(const char *name, const struct lz_reload_options *options,
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
        transaction->strict = options->strict;
        transaction->forget = options->forget;
        transaction->hold = options->hold;
        transaction->items[0].force = options->force;
        uint64_t start = usage_wall_ns();
        status = run_steps(transaction, options->dependents);
        ret_result->wall_ns = usage_wall_ns() - start;
        if (status == 0) {
            transaction_tell(transaction);
        }
    }
    status = transaction_answer(transaction, name, status, ret_result, error);
    Py_XDECREF(own);
    return status;
}
