/* Reload with dependents: who imported a module, and who imported those.
 *
 * Told by their code, read and not run: who has let go of what it imported
 * is found as well. In the order in which their bodies first ran. Needs the
 * GIL.
 */
#include "lazycore/reload.h"

#include <stdlib.h>

struct search {
    struct lz_transaction *transaction;
    PyObject *imports; /* dict: module's name -> set, reload_imports.c's */
    PyObject *stdlib;  /* names of its top-level modules */
    PyObject *found;   /* list of names, the first module's at the start */
};

static int
is_stdlib(struct search *search, PyObject *name)
{
    Py_ssize_t dot =
        PyUnicode_FindChar(name, '.', 0, PyUnicode_GET_LENGTH(name), 1);
    PyObject *top =
        dot > 0 ? PyUnicode_Substring(name, 0, dot) : Py_NewRef(name);
    int answer = top == NULL ? -1 : PySet_Contains(search->stdlib, top);

    Py_XDECREF(top);
    return answer;
}

/* What each loaded module imports. The standard library imports nothing but
 * itself, and is left out where that cannot matter. */
static int
read_all(struct search *search)
{
    struct lz_engine *engine = search->transaction->engine;
    PyObject *modules = PyDict_Items(PyImport_GetModuleDict());
    int all = is_stdlib(search, search->transaction->items[0].name);
    int status = modules == NULL || all < 0 ? -1 : 0;

    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(modules); i++) {
        PyObject *name = PyTuple_GET_ITEM(PyList_GET_ITEM(modules, i), 0);
        PyObject *module = PyTuple_GET_ITEM(PyList_GET_ITEM(modules, i), 1);
        if (!PyModule_Check(module) || !PyUnicode_CheckExact(name)) {
            continue;
        }
        int skip = all ? 0 : is_stdlib(search, name);
        if (skip != 0) {
            status = skip < 0 ? -1 : 0;
            continue;
        }
        PyObject *set = reload_read_imports(engine, PyModule_GetDict(module));
        status = set == NULL ? -1 : PyDict_SetItem(search->imports, name, set);
        Py_XDECREF(set);
    }
    Py_XDECREF(modules);
    return status;
}

/* Whether IMPORTS has module NAME: "name:...", or "parent:child". */
static int
imports_it(PyObject *imports, PyObject *name)
{
    PyObject *prefix = PyUnicode_FromFormat("%U:", name);
    PyObject *parent = dotted_parent(name);
    PyObject *child = parent == NULL ? NULL : dotted_tail(name);
    PyObject *item = parent != NULL && child != NULL
                         ? PyUnicode_FromFormat("%U:%U", parent, child)
                         : NULL;
    PyObject *items = prefix == NULL ? NULL : PySequence_List(imports);
    int found = items == NULL || PyErr_Occurred() ? -1 : 0;

    if (found == 0 && item != NULL) {
        found = PySet_Contains(imports, item);
    }
    for (Py_ssize_t i = 0; found == 0 && i < PyList_GET_SIZE(items); i++) {
        found = PyUnicode_Tailmatch(PyList_GET_ITEM(items, i), prefix, 0,
                                    PY_SSIZE_T_MAX, -1) != 0;
    }
    Py_XDECREF(items);
    Py_XDECREF(item);
    Py_XDECREF(child);
    Py_XDECREF(parent);
    Py_XDECREF(prefix);
    return found;
}

/* Add to found, until there is no more, who imports one of found. */
static int
find_all(struct search *search)
{
    for (Py_ssize_t at = 0; at < PyList_GET_SIZE(search->found); at++) {
        PyObject *name = PyList_GET_ITEM(search->found, at);
        PyObject *other, *imports;
        Py_ssize_t next = 0;
        while (PyDict_Next(search->imports, &next, &other, &imports)) {
            int known = PySequence_Contains(search->found, other);
            int found = known == 0 ? imports_it(imports, name) : 0;
            if (known < 0 || found < 0 ||
                (found > 0 && PyList_Append(search->found, other) < 0)) {
                return -1;
            }
        }
    }
    return 0;
}

/* --- their order -------------------------------------------------------- */

static uint64_t
order_of(struct lz_engine *engine, PyObject *name)
{
    struct lz_module *module = NULL;
    uint64_t order = 0;

    if (registry_show(engine->core->registry, reload_text(name, ""),
                      &module) == 1) {
        order = module->sequence;
        registry_modules_free(module, 1);
    }
    return order;
}

/* All but the first by when their bodies ended, which is after those of what
 * they import. */
static PyObject *
in_order(struct search *search)
{
    PyObject *rows = PyList_New(0);
    int status = rows == NULL ? -1 : 0;

    for (Py_ssize_t i = 1; status == 0 && i < PyList_GET_SIZE(search->found);
         i++) {
        PyObject *name = PyList_GET_ITEM(search->found, i);
        PyObject *row = Py_BuildValue(
            "KnO",
            (unsigned long long)order_of(search->transaction->engine, name), i,
            name);
        status = row == NULL ? -1 : PyList_Append(rows, row);
        Py_XDECREF(row);
    }
    if (status < 0 || PyList_Sort(rows) < 0) {
        Py_CLEAR(rows);
    }
    return rows;
}

/* --- into the transaction ----------------------------------------------- */

static int add_one(struct lz_transaction *transaction,
                   PyObject *name) LZ_NEEDS_GIL;

/* 1 in; 0 it makes the transaction fail; -1. */
static int
add_one(struct lz_transaction *transaction, PyObject *name)
{
    struct lz_reload_result *root = transaction->items[0].result;
    struct lz_reload_result *result = &root->others[root->other_count];

    if (transaction_add(transaction, Py_NewRef(name), result) < 0) {
        return -1;
    }
    root->other_count++;
    struct lz_reload *reload = &transaction->items[transaction->count - 1];
    reload->force = true;
    int status = reload_prepare(reload);
    if (status == 0 && result->verdict == LZ_VERDICT_REFUSED &&
        sources_held(transaction->engine->core->sources, result->name) == 0) {
        transaction_drop_last(transaction);
        return 1;
    }
    if (status == 0) {
        transaction_blame(transaction, reload);
    }
    return status;
}

static int add_all(struct lz_transaction *transaction,
                   PyObject *rows) LZ_NEEDS_GIL;

static int
add_all(struct lz_transaction *transaction, PyObject *rows)
{
    struct lz_reload_result *root = transaction->items[0].result;
    size_t count = (size_t)PyList_GET_SIZE(rows);
    int status = 1;

    if (count + 1 > LZ_RELOAD_MODULES_MAX) {
        return reload_verdict(&transaction->items[0], LZ_VERDICT_REFUSED,
                              "%zu modules depend on '%.200s', more than the "
                              "%d of one transaction",
                              count,
                              reload_text(transaction->items[0].name, "?"),
                              (int)LZ_RELOAD_MODULES_MAX);
    }
    root->others = calloc(count + 1, sizeof(*root->others));
    if (root->others == NULL || transaction_grow(transaction, count + 1) < 0) {
        (void)PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; status == 1 && i < count; i++) {
        PyObject *row = PyList_GET_ITEM(rows, (Py_ssize_t)i);
        status = add_one(transaction, PyTuple_GET_ITEM(row, 2));
    }
    return status;
}

int
reload_add_dependents(struct lz_transaction *transaction)
{
    struct search search = {
        .transaction = transaction,
        .imports = PyDict_New(),
        .found = Py_BuildValue("[O]", transaction->items[0].name),
    };
    PyObject *names = PySys_GetObject("stdlib_module_names"); /* borrowed */
    PyObject *rows = NULL;
    int status = -1;

    search.stdlib = names == NULL ? PySet_New(NULL) : PySet_New(names);
    if (search.imports != NULL && search.found != NULL &&
        search.stdlib != NULL && read_all(&search) == 0 &&
        find_all(&search) == 0) {
        rows = in_order(&search);
    }
    if (rows != NULL) {
        status = add_all(transaction, rows);
    }
    Py_XDECREF(rows);
    Py_XDECREF(search.stdlib);
    Py_XDECREF(search.found);
    Py_XDECREF(search.imports);
    return status;
}
