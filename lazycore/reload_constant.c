/* Reload, step 4 for numbers, texts and whatever else others may have from
 * elsewhere.
 *
 * That a module has the same 10 under the same name says little, nor does
 * that it has the same function where the reloaded module had only imported
 * it; that its code, read and not run, imports the name from the reloaded
 * module says that it is the same one. So what such a value becomes is
 * decided before the step that may run no code, and done in it. Functions and
 * classes that say they are of the module need no such proof. Needs the GIL.
 */
#include "lazycore/reload.h"

enum { ROW_MODULE, ROW_DICT, ROW_KEY, ROW_OLD, ROW_NAME };

struct hunt {
    struct lz_reload *reload;
    PyObject *changed;    /* dict: name -> old value */
    struct lz_ptrmap own; /* old value that few share -> its name */
    PyObject *rows;       /* list of (module, dict, key, old, name) */
    PyObject *imports;    /* dict: module -> set of "module:name" */
    PyObject *sources;    /* dict: name -> list of modules it comes from */
};

bool
reload_is_constant(PyObject *object)
{
    return object == Py_None || object == Py_Ellipsis ||
           PyBool_Check(object) || PyLong_CheckExact(object) ||
           PyUnicode_CheckExact(object) || PyBytes_CheckExact(object) ||
           PyFloat_CheckExact(object) || PyComplex_CheckExact(object) ||
           (PyTuple_CheckExact(object) && PyTuple_GET_SIZE(object) == 0);
}

/* Whether the interpreter itself hands OBJECT to all who write it. */
static bool
is_everywhere(PyObject *object)
{
    if (PyLong_CheckExact(object)) {
        int overflow;
        long value = PyLong_AsLongAndOverflow(object, &overflow);
        return overflow == 0 && value >= -5 && value <= 256;
    }
    if (PyUnicode_CheckExact(object)) {
        return PyUnicode_GET_LENGTH(object) <= 1 ||
               PyUnicode_CHECK_INTERNED(object);
    }
    if (PyBytes_CheckExact(object)) {
        return PyBytes_GET_SIZE(object) <= 1;
    }
    return !PyFloat_CheckExact(object) && !PyComplex_CheckExact(object);
}

/* --- what changed, and who has it --------------------------------------- */

/* Whether OLD says itself that it is of the reloaded module: step 3 knows. */
static bool
is_own(struct lz_reload *reload, PyObject *old)
{
    const struct lz_publish publish = {.reload = reload};

    return reload_is_own(&publish, old);
}

/* 1 the value OLD became another; 0, -1. */
static int
differs(struct lz_reload *reload, PyObject *old, PyObject *new)
{
    if (old == new || PyModule_Check(old)) {
        return 0;
    }
    if (!reload_is_constant(old)) {
        return reload->takes_back || !is_own(reload, old);
    }
    return Py_TYPE(old) != Py_TYPE(new)
               ? 1
               : PyObject_RichCompareBool(old, new, Py_NE);
}

static bool
is_dunder(PyObject *key)
{
    return PyUnicode_GET_LENGTH(key) > 4 &&
           PyUnicode_READ_CHAR(key, 0) == '_' &&
           PyUnicode_READ_CHAR(key, 1) == '_';
}

/* What KEY, whose value in the fresh namespace is FRESH, was and becomes:
 * borrowed. 1, or 0 where nothing is to be done. */
static int
ends_of(struct lz_reload *reload, PyObject *key, PyObject *fresh,
        PyObject **ret_old, PyObject **ret_new)
{
    struct lz_key *pending = NULL;
    PyObject *live = PyUnicode_CheckExact(key) && !is_dunder(key)
                         ? namespace_peek_borrowed(reload->engine,
                                                   reload->live, key, &pending)
                         : NULL;

    if (live == NULL || pending != NULL) {
        return 0;
    }
    *ret_old = reload->takes_back ? fresh : live;
    *ret_new = reload->takes_back ? live : fresh;
    return 1;
}

static int
find_changed(struct hunt *hunt)
{
    struct lz_reload *reload = hunt->reload;
    PyObject *key, *fresh;
    Py_ssize_t at = 0;

    while (PyDict_Next(reload->fresh, &at, &key, &fresh)) {
        PyObject *old, *new;
        int changed = ends_of(reload, key, fresh, &old, &new) == 0
                          ? 0
                          : differs(reload, old, new);
        if (changed < 0 ||
            (changed > 0 && PyDict_SetItem(hunt->changed, key, old) < 0)) {
            return -1;
        }
        if (changed > 0 && !(reload_is_constant(old) && is_everywhere(old)) &&
            ptrmap_put(&hunt->own, old, key) != 0) {
            (void)PyErr_NoMemory();
            return -1;
        }
    }
    return 0;
}

static int
add_row(struct hunt *hunt, PyObject *module, PyObject *dict, PyObject *key,
        PyObject *old, PyObject *name)
{
    PyObject *row = PyTuple_Pack(5, module, dict, key, old, name);
    int status = row == NULL ? -1 : PyList_Append(hunt->rows, row);

    Py_XDECREF(row);
    return status;
}

/* The changed names that DICT has with their old values. */
static int
find_names(struct hunt *hunt, PyObject *module, PyObject *dict)
{
    PyObject *name, *old;
    Py_ssize_t at = 0;

    while (PyDict_Next(hunt->changed, &at, &name, &old)) {
        struct lz_key *pending = NULL;
        PyObject *value = namespace_peek_borrowed(hunt->reload->engine, dict,
                                                  name, &pending);
        if (value == old && pending == NULL &&
            add_row(hunt, module, dict, name, old, name) < 0) {
            return -1;
        }
    }
    return 0;
}

/* The same values under other names. */
static int
find_aliases(struct hunt *hunt, PyObject *module, PyObject *dict)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;

    while (hunt->own.count != 0 && PyDict_Next(dict, &at, &key, &value)) {
        PyObject *name = ptrmap_get(&hunt->own, value);
        if (name != NULL && PyUnicode_CheckExact(key) &&
            PyUnicode_Compare(key, name) != 0 &&
            PyDict_GetItemWithError(hunt->changed, key) != value &&
            add_row(hunt, module, dict, key, value, name) < 0) {
            return -1;
        }
    }
    return 0;
}

/* MODULE's namespace, or the one that is about to take its place. */
static PyObject *
dict_of_borrowed(struct hunt *hunt, PyObject *module)
{
    const struct lz_transaction *transaction = hunt->reload->transaction;

    for (size_t i = 0; i < transaction->count; i++) {
        const struct lz_reload *other = &transaction->items[i];
        if (other->module == module && other->fresh != NULL) {
            return other->fresh;
        }
    }
    return PyModule_GetDict(module);
}

static int
look_through_modules(struct hunt *hunt)
{
    PyObject *name, *module;
    Py_ssize_t at = 0;

    while (PyDict_Next(PyImport_GetModuleDict(), &at, &name, &module)) {
        if (!PyModule_Check(module) || !PyUnicode_CheckExact(name)) {
            continue;
        }
        PyObject *dict = dict_of_borrowed(hunt, module);
        if (dict != hunt->reload->live && dict != hunt->reload->fresh &&
            (find_names(hunt, name, dict) < 0 ||
             find_aliases(hunt, name, dict) < 0)) {
            return -1;
        }
    }
    return 0;
}

/* A collection could run code that changes what is walked through. */
static int
find_holders(struct hunt *hunt)
{
    int collecting = PyGC_Disable();
    int status = find_changed(hunt);

    if (status == 0 && PyDict_GET_SIZE(hunt->changed) > 0) {
        status = look_through_modules(hunt);
    }
    if (collecting) {
        (void)PyGC_Enable();
    }
    return status;
}

/* --- what a holder imports ---------------------------------------------- */

static int
read_holders(struct hunt *hunt)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(hunt->rows); i++) {
        PyObject *row = PyList_GET_ITEM(hunt->rows, i);
        PyObject *module = PyTuple_GET_ITEM(row, ROW_MODULE);
        int known = PyDict_Contains(hunt->imports, module);
        PyObject *set =
            known == 0 ? reload_read_imports(hunt->reload->engine,
                                             PyTuple_GET_ITEM(row, ROW_DICT))
                       : NULL;
        if (known < 0 || (known == 0 && set == NULL) ||
            (set != NULL && PyDict_SetItem(hunt->imports, module, set) < 0)) {
            Py_XDECREF(set);
            return -1;
        }
        Py_XDECREF(set);
    }
    return 0;
}

/* --- the decision ------------------------------------------------------- */

/* Whether IMPORTS has NAME from SOURCE, by name or by a star. */
static int
imports_it(PyObject *imports, PyObject *source, PyObject *name)
{
    PyObject *item = PyUnicode_FromFormat("%U:%U", source, name);
    int found = item == NULL ? -1 : PySet_Contains(imports, item);

    Py_XDECREF(item);
    if (found == 0 && PyUnicode_READ_CHAR(name, 0) != '_') {
        item = PyUnicode_FromFormat("%U:*", source);
        found = item == NULL ? -1 : PySet_Contains(imports, item);
        Py_XDECREF(item);
    }
    return found;
}

/* The modules that NAME is known to come from, by way of others: borrowed. */
static PyObject *
sources_borrowed(struct hunt *hunt, PyObject *name)
{
    PyObject *list = PyDict_GetItemWithError(hunt->sources, name);

    if (list == NULL && !PyErr_Occurred()) {
        list = Py_BuildValue("[O]", hunt->reload->name);
        if (list != NULL && PyDict_SetItem(hunt->sources, name, list) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(list); /* the dict has it */
    }
    return list;
}

/* 1 ROW's name comes from the reloaded module: it is confirmed. */
static int
confirm(struct hunt *hunt, PyObject *row)
{
    PyObject *module = PyTuple_GET_ITEM(row, ROW_MODULE);
    PyObject *name = PyTuple_GET_ITEM(row, ROW_NAME);
    PyObject *sources = sources_borrowed(hunt, name);
    PyObject *imports = PyDict_GetItemWithError(hunt->imports, module);
    int found = sources == NULL || imports == NULL ? -1 : 0;

    for (Py_ssize_t i = 0; found == 0 && i < PyList_GET_SIZE(sources); i++) {
        found = imports_it(imports, PyList_GET_ITEM(sources, i), name);
    }
    if (found > 0 && (PyList_Append(hunt->reload->constants, row) < 0 ||
                      (name == PyTuple_GET_ITEM(row, ROW_KEY) &&
                       PyList_Append(sources, module) < 0))) {
        found = -1;
    }
    return found;
}

/* Until a round confirms nothing: a confirmed holder hands the name on. */
static int
confirm_all(struct hunt *hunt)
{
    bool more = true;

    while (more) {
        more = false;
        for (Py_ssize_t i = PyList_GET_SIZE(hunt->rows); i > 0; i--) {
            int found = confirm(hunt, PyList_GET_ITEM(hunt->rows, i - 1));
            if (found < 0 || (found > 0 && PyList_SetSlice(hunt->rows, i - 1,
                                                           i, NULL) < 0)) {
                return -1;
            }
            more |= found > 0;
        }
    }
    return 0;
}

/* Whether IMPORTS, a set, has anything of the reloaded module: 1, 0, -1. */
static int
imports_module(struct hunt *hunt, PyObject *imports)
{
    PyObject *prefix = PyUnicode_FromFormat("%U:", hunt->reload->name);
    PyObject *items = prefix == NULL ? NULL : PySequence_List(imports);
    int found = items == NULL ? -1 : 0;

    for (Py_ssize_t i = 0; found == 0 && i < PyList_GET_SIZE(items); i++) {
        found = PyUnicode_Tailmatch(PyList_GET_ITEM(items, i), prefix, 0,
                                    PY_SSIZE_T_MAX, -1) != 0;
    }
    Py_XDECREF(items);
    Py_XDECREF(prefix);
    return found;
}

/* What no statement explains: who imports the module otherwise has taken the
 * value from it by some code; who does not has it from elsewhere. */
static int
sort_the_rest(struct hunt *hunt)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(hunt->rows); i++) {
        PyObject *row = PyList_GET_ITEM(hunt->rows, i);
        PyObject *old = PyTuple_GET_ITEM(row, ROW_OLD);
        if (reload_is_constant(old)) {
            continue;
        }
        PyObject *imports = PyDict_GetItemWithError(
            hunt->imports, PyTuple_GET_ITEM(row, ROW_MODULE));
        int suspect = imports == NULL ? -1 : imports_module(hunt, imports);
        if (suspect < 0 ||
            (suspect > 0 && PyList_Append(hunt->reload->suspects, row) < 0) ||
            (suspect == 0 && PyList_Append(hunt->reload->foreign, old) < 0)) {
            return -1;
        }
    }
    return 0;
}

int
reload_find_constants(struct lz_reload *reload)
{
    struct hunt hunt = {
        .reload = reload,
        .changed = PyDict_New(),
        .rows = PyList_New(0),
        .imports = PyDict_New(),
        .sources = PyDict_New(),
    };
    int status = -1;

    Py_XSETREF(reload->constants, PyList_New(0));
    Py_XSETREF(reload->suspects, PyList_New(0));
    Py_XSETREF(reload->foreign, PyList_New(0));
    if (hunt.changed != NULL && hunt.rows != NULL && hunt.imports != NULL &&
        hunt.sources != NULL && reload->constants != NULL &&
        reload->suspects != NULL && reload->foreign != NULL) {
        status = find_holders(&hunt) < 0 || read_holders(&hunt) < 0 ||
                         confirm_all(&hunt) < 0
                     ? -1
                     : sort_the_rest(&hunt);
    }
    ptrmap_done(&hunt.own);
    Py_XDECREF(hunt.sources);
    Py_XDECREF(hunt.imports);
    Py_XDECREF(hunt.rows);
    Py_XDECREF(hunt.changed);
    return status;
}

/* --- in the step -------------------------------------------------------- */

/* What the value of ROW becomes, borrowed; NULL where nothing is to be done:
 * another thread may have set it since. */
static PyObject *
successor_borrowed(struct lz_publish *publish, PyObject *row)
{
    struct lz_reload *reload = publish->reload;
    PyObject *old = PyTuple_GET_ITEM(row, ROW_OLD);
    struct lz_key *pending = NULL;
    PyObject *new = namespace_peek_borrowed(
        reload->engine, reload->takes_back ? reload->live : reload->fresh,
        PyTuple_GET_ITEM(row, ROW_NAME), NULL);
    PyObject *now = namespace_peek_borrowed(
        reload->engine, PyTuple_GET_ITEM(row, ROW_DICT),
        PyTuple_GET_ITEM(row, ROW_KEY), &pending);

    if (new == NULL || now != old || pending != NULL ||
        proxy_check(reload->engine, new)) {
        return NULL;
    }
    new = reload_mapped_borrowed(publish, new);
    return new == old ? NULL : new;
}

static int
list_row(struct lz_publish *publish, PyObject *row)
{
    return reload_unrepaired(
        publish, "module %.100s.%.60s: %.60s",
        reload_text(PyTuple_GET_ITEM(row, ROW_MODULE), "?"),
        reload_text(PyTuple_GET_ITEM(row, ROW_KEY), "?"),
        reload_text(PyTuple_GET_ITEM(row, ROW_NAME), "?"));
}

static int
rebind(struct lz_publish *publish, PyObject *row)
{
    PyObject *key = PyTuple_GET_ITEM(row, ROW_KEY);
    PyObject *old = PyTuple_GET_ITEM(row, ROW_OLD);
    PyObject *new = successor_borrowed(publish, row);

    if (new == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    if (reload_is_constant(old) && key != PyTuple_GET_ITEM(row, ROW_NAME)) {
        return publish->takes_back ? 0 : list_row(publish, row);
    }
    publish->reload->result->names_rebound++;
    return reload_bury(publish, old) < 0
               ? -1
               : PyDict_SetItem(PyTuple_GET_ITEM(row, ROW_DICT), key, new);
}

int
reload_rebind_constants(struct lz_publish *publish)
{
    PyObject *rows = publish->reload->constants;
    PyObject *suspects = publish->reload->suspects;

    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(rows); i++) {
        if (rebind(publish, PyList_GET_ITEM(rows, i)) < 0) {
            return -1;
        }
    }
    for (Py_ssize_t i = 0;
         !publish->takes_back && i < PyList_GET_SIZE(suspects); i++) {
        PyObject *row = PyList_GET_ITEM(suspects, i);
        PyObject *new = successor_borrowed(publish, row);
        if (new == NULL ? PyErr_Occurred() != NULL
                        : list_row(publish, row) < 0) {
            return -1;
        }
    }
    return 0;
}
