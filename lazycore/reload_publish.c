/* Reload, step 3: the fresh namespaces take the live ones' places.
 *
 * Between the first change and the last no Python code runs and the GIL is
 * not released, so no thread sees a mix: the collector is off, keys of
 * pending names compare plainly, and what is replaced is kept in a graveyard
 * until all is done, because its end may run code. The modules of a
 * transaction are put in place in the order of their bodies, all in the one
 * step. Needs the GIL.
 */
#include "lazycore/reload.h"

#include <stdlib.h>

int
reload_bury(struct lz_publish *publish, PyObject *object)
{
    return object == NULL ? 0 : PyList_Append(publish->graveyard, object);
}

/* --- the namespace
 * ------------------------------------------------------------------ */

bool
reload_keeps_name(PyObject *key)
{
    static const char *const gone[] = {"__all__", "__getattr__", "__dir__",
                                       "__annotations__"};
    Py_ssize_t length = PyUnicode_GET_LENGTH(key);

    if (length < 5 || PyUnicode_READ_CHAR(key, 0) != '_' ||
        PyUnicode_READ_CHAR(key, 1) != '_' ||
        PyUnicode_READ_CHAR(key, length - 1) != '_' ||
        PyUnicode_READ_CHAR(key, length - 2) != '_') {
        return false;
    }
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
        if (PyUnicode_CompareWithASCIIString(key, gone[i]) == 0) {
            return false;
        }
    }
    return true;
}

static int
is_submodule(struct lz_publish *publish, PyObject *key, PyObject *value)
{
    if (!PyModule_Check(value)) {
        return 0;
    }
    PyObject *full = PyUnicode_FromFormat("%U.%U", publish->reload->name, key);
    if (full == NULL) {
        return -1;
    }
    PyObject *loaded = PyDict_GetItemWithError(PyImport_GetModuleDict(), full);
    Py_DECREF(full);
    return loaded == value;
}

static int
set_name(struct lz_publish *publish, PyObject *key, PyObject *value)
{
    struct lz_reload *reload = publish->reload;
    struct lz_key *pending;
    PyObject *old =
        namespace_peek_borrowed(reload->engine, reload->live, key, &pending);

    if (old == value && pending == NULL) {
        return 0;
    }
    if (reload_bury(publish, old) < 0 ||
        reload_bury(publish, (PyObject *)pending) < 0 ||
        PyDict_SetItem(reload->live, key, value) < 0) {
        return -1;
    }
    if (pending != NULL) {
        key_settle(pending);
    }
    return 0;
}

static int
set_names(struct lz_publish *publish)
{
    PyObject *items = PyDict_Items(publish->reload->fresh);
    int status = items == NULL ? -1 : 0;

    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(items); i++) {
        PyObject *key = PyTuple_GET_ITEM(PyList_GET_ITEM(items, i), 0);
        PyObject *value = PyTuple_GET_ITEM(PyList_GET_ITEM(items, i), 1);
        if (!PyUnicode_CheckExact(key)) {
            continue;
        }
        status =
            set_name(publish, key, reload_mapped_borrowed(publish, value));
    }
    Py_XDECREF(items);
    return status;
}

/* Names gone from the source go; a key of ours is a pending import that the
 * new body has no value for, and stays. */
static int
remove_names(struct lz_publish *publish)
{
    struct lz_reload *reload = publish->reload;
    PyObject *keys = PyDict_Keys(reload->live);
    int status = keys == NULL ? -1 : 0;

    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(keys); i++) {
        PyObject *key = PyList_GET_ITEM(keys, i);
        if (!PyUnicode_CheckExact(key) || reload_keeps_name(key) ||
            PyDict_Contains(reload->fresh, key) != 0) {
            continue;
        }
        PyObject *value =
            namespace_peek_borrowed(reload->engine, reload->live, key, NULL);
        int submodule = value == NULL ? 1 : is_submodule(publish, key, value);
        if (submodule != 0) {
            status = submodule < 0 ? -1 : 0;
            continue;
        }
        status = reload_bury(publish, value) < 0 ||
                         PyDict_DelItem(reload->live, key) < 0
                     ? -1
                     : 0;
    }
    Py_XDECREF(keys);
    return status;
}

/* --- the step ----------------------------------------------------------- */

/* What the walk has found so far. */
static void
forget_walk(struct lz_publish *publish)
{
    PyObject *const lists[] = {publish->functions, publish->instances,
                               publish->children, publish->holders};

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        (void)PyList_SetSlice(lists[i], 0, PY_SSIZE_T_MAX, NULL);
    }
    ptrmap_done(&publish->watched);
    ptrmap_done(&publish->ours);
    ptrmap_done(&publish->modules);
    ptrmap_done(&publish->types);
    publish->old_instances = 0;
}

/* Who refers to what changes. Once; where it has failed, anew. */
static int
walk(struct lz_publish *publish)
{
    if (!publish->walked) {
        forget_walk(publish);
        publish->walked =
            reload_own(publish) == 0 && reload_walk(publish) == 0;
        publish->listed = publish->reload->result->unrepaired_count;
    }
    return publish->walked ? 0 : -1;
}

/* The step that failed is gone through again, and lists its lines again. */
static void
forget_lines(struct lz_publish *publish)
{
    struct lz_reload_result *result = publish->reload->result;

    while (result->unrepaired_count > publish->listed) {
        free(result->unrepaired[--result->unrepaired_count]);
    }
}

/* Goes on where it has failed. */
static int
change(void *arg)
{
    struct lz_publish *publish = arg;
    static const struct {
        int (*run)(struct lz_publish *publish);
        bool takes_back; /* it is one of taking back, too */
    } steps[] = {{reload_adopt_functions, false}, {reload_move_all, false},
                 {reload_adopt_instances, true},  {set_names, false},
                 {remove_names, false},           {reload_repair, true}};

    if (walk(publish) < 0) {
        return -1;
    }
    forget_lines(publish);
    for (; publish->step < sizeof(steps) / sizeof(steps[0]); publish->step++) {
        publish->listed = publish->reload->result->unrepaired_count;
        if ((steps[publish->step].takes_back || !publish->takes_back) &&
            steps[publish->step].run(publish) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
put_in_place(struct lz_publish *publish)
{
    struct lz_transaction *transaction = publish->reload->transaction;

    if (!transaction->changed && walk(publish) < 0) {
        return -1;
    }
    transaction->changed = true;
    return reload_persist(transaction, change, publish);
}

/* --- its life ----------------------------------------------------------- */

static void
publish_free(struct lz_publish *publish)
{
    ptrmap_done(&publish->moved);
    ptrmap_done(&publish->taken);
    ptrmap_done(&publish->replaced);
    ptrmap_done(&publish->names);
    ptrmap_done(&publish->classes);
    ptrmap_done(&publish->watched);
    ptrmap_done(&publish->ours);
    ptrmap_done(&publish->modules);
    ptrmap_done(&publish->types);
    Py_XDECREF(publish->get_objects);
    Py_XDECREF(publish->functions);
    Py_XDECREF(publish->instances);
    Py_XDECREF(publish->children);
    Py_XDECREF(publish->holders);
    Py_XDECREF(publish->late);
    Py_XDECREF(publish->made);
    Py_XDECREF(publish->keep);
    Py_XDECREF(publish->graveyard);
    PyMem_Free(publish);
}

static int
publish_new(struct lz_reload *reload, const struct lz_publish *before,
            bool takes_back)
{
    PyObject *gc = PyImport_ImportModule("gc");
    struct lz_publish *publish = PyMem_Calloc(1, sizeof(*publish));

    if (publish == NULL) {
        (void)PyErr_NoMemory();
        Py_XDECREF(gc);
        return -1;
    }
    publish->reload = reload;
    publish->before = before;
    publish->takes_back = takes_back;
    publish->get_objects =
        gc == NULL ? NULL : PyObject_GetAttrString(gc, "get_objects");
    Py_XDECREF(gc);
    publish->keep = PyList_New(0);
    publish->graveyard = PyList_New(0);
    publish->late = PyList_New(0);
    publish->functions = PyList_New(0);
    publish->instances = PyList_New(0);
    publish->children = PyList_New(0);
    publish->holders = PyList_New(0);
    reload->publish = publish;
    return publish->get_objects != NULL && publish->keep != NULL &&
                   publish->graveyard != NULL && publish->late != NULL &&
                   publish->functions != NULL && publish->instances != NULL &&
                   publish->children != NULL && publish->holders != NULL
               ? 0
               : -1;
}

static void
free_all(struct lz_transaction *transaction)
{
    PyObject *error = lz_take_error();
    for (size_t i = 0; i < transaction->count; i++) {
        struct lz_reload *reload = &transaction->items[i];
        if (reload->publish != NULL) {
            struct lz_publish *publish = reload->publish;
            reload->publish = NULL;
            publish_free(publish);
        }
    }
    lz_raise(error);
}

/* For each module whose body has run, or that goes back. 0 or -1. */
static int
new_all(struct lz_transaction *transaction, bool takes_back)
{
    const struct lz_publish *before = NULL;
    int status = 0;

    for (size_t i = 0; status == 0 && i < transaction->count; i++) {
        if (transaction->items[i].fresh != NULL) {
            status = publish_new(&transaction->items[i], before, takes_back);
            before = transaction->items[i].publish;
        }
    }
    return status;
}

/* --- the step of all modules -------------------------------------------- */

typedef int (*publish_function)(struct lz_publish *publish);

static int each(struct lz_transaction *transaction,
                publish_function function) LZ_NEEDS_GIL;

/* 0, or the first answer that is not. */
static int
each(struct lz_transaction *transaction, publish_function function)
{
    int status = 0;

    for (size_t i = 0; status == 0 && i < transaction->count; i++) {
        if (transaction->items[i].publish != NULL) {
            status = function(transaction->items[i].publish);
        }
    }
    return status;
}

static int
forbid(struct lz_publish *publish)
{
    int strict = reload_is_strict(publish);

    return strict < 0 ? -1 : !strict;
}

static int publish_atomically(struct lz_transaction *transaction) LZ_NEEDS_GIL;

/* 1; 0 where it is forbidden; -1. Nothing is changed before all is known. */
static int
publish_atomically(struct lz_transaction *transaction)
{
    bool takes_back = transaction->items[0].publish != NULL &&
                      transaction->items[0].publish->takes_back;
    int status = each(transaction, reload_pair);

    if (status == 0 && transaction->strict && !takes_back) {
        status = each(transaction, forbid);
        if (status > 0) {
            return 0;
        }
    }
    if (status == 0 && !takes_back) {
        status = each(transaction, reload_keep);
    }
    if (status == 0) {
        status = each(transaction, put_in_place);
    }
    return status < 0 ? -1 : 1;
}

static int take_step(struct lz_transaction *transaction,
                     uint64_t *ret_pause_ns) LZ_NEEDS_GIL;

static int
take_step(struct lz_transaction *transaction, uint64_t *ret_pause_ns)
{
    struct lz_engine *engine = transaction->engine;
    uint64_t start = usage_wall_ns();
    int collecting = PyGC_Disable();

    engine->peek++;
    int status = publish_atomically(transaction);
    engine->peek--;
    if (collecting) {
        (void)PyGC_Enable();
    }
    PyObject *error = lz_take_error();
    Py_CLEAR(transaction->objects);
    lz_raise(error);
    *ret_pause_ns = usage_wall_ns() - start;
    return status;
}

int
reload_publish(struct lz_transaction *transaction)
{
    uint64_t pause_ns = 0;
    bool classes = false;
    int status =
        reload_reserve(transaction) < 0 ? -1 : new_all(transaction, false);

    transaction->serial = ++transaction->engine->reload_serial;
    if (status == 0) {
        status = take_step(transaction, &pause_ns);
    }
    if (status == 1 && (each(transaction, reload_after) < 0 ||
                        each(transaction, reload_kept) < 0)) {
        status = -1;
    }
    for (size_t i = 0; i < transaction->count; i++) {
        struct lz_reload *reload = &transaction->items[i];
        reload->result->pause_ns = status == 1 ? pause_ns : 0;
        classes |=
            reload->publish != NULL && reload->publish->classes.count != 0;
    }
    free_all(transaction);
    if (status == 1) {
        for (size_t i = 0; i < transaction->count; i++) {
            Py_CLEAR(transaction->items[i].stand_in);
            Py_CLEAR(transaction->items[i].fresh);
        }
        if (classes) {
            reload_collect_young();
        }
    }
    return status;
}

static int take_back(void *arg) LZ_NEEDS_GIL;

/* 0, or -1 where memory lacks before anything is changed. */
static int
take_back(void *arg)
{
    struct lz_transaction *transaction = arg;
    uint64_t pause_ns;
    int status = 0;

    for (size_t i = 0; status == 0 && i < transaction->count; i++) {
        if (transaction->items[i].fresh != NULL) {
            transaction->items[i].takes_back = true;
            status = reload_find_constants(&transaction->items[i]);
        }
    }
    if (status == 0) {
        status = new_all(transaction, true);
    }
    if (status == 0) {
        status = take_step(transaction, &pause_ns);
    }
    if (status == 1) {
        (void)each(transaction, reload_after);
    }
    free_all(transaction);
    return status < 0 && !transaction->changed ? -1 : 0;
}

void
reload_take_back(struct lz_transaction *transaction)
{
    (void)reload_persist(transaction, take_back, transaction);
    lz_forgive();
}
