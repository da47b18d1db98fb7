/* Reload, step 4 for numbers, texts and the like, which anyone may share.
 *
 * That a module has the same 10 under the same name says little; that its
 * code, read and not run, imports the name from the reloaded module says
 * that it is the same one. So what such a constant becomes is decided before
 * the step that may run no code, and done in it. Needs the GIL.
 */
#include "lazycore/reload.h"

#include "lazycore/bytecode.h"

enum { ROW_MODULE, ROW_DICT, ROW_KEY, ROW_OLD, ROW_NAME };

struct hunt {
    struct lz_reload *reload;
    PyObject *changed;    /* dict: name -> old constant */
    struct lz_ptrmap own; /* old constant that few share -> its name */
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

/* Forget that something could not be read. 0, or -1 where KeyboardInterrupt
 * or SystemExit is pending. */
static int
forgive_unreadable(void)
{
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_Exception)) {
        return -1;
    }
    lz_forgive();
    return 0;
}

/* --- what changed, and who has it --------------------------------------- */

/* 1 the constant OLD became another; 0, -1. */
static int
differs(PyObject *old, PyObject *new)
{
    if (!reload_is_constant(old) || old == new) {
        return 0;
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

static int
find_changed(struct hunt *hunt)
{
    struct lz_reload *reload = hunt->reload;
    PyObject *key, *new;
    Py_ssize_t at = 0;

    while (PyDict_Next(reload->fresh, &at, &key, &new)) {
        struct lz_key *pending = NULL;
        PyObject *old = PyUnicode_CheckExact(key) && !is_dunder(key)
                            ? namespace_peek_borrowed(
                                  reload->engine, reload->live, key, &pending)
                            : NULL;
        int changed = old == NULL || pending != NULL ? 0 : differs(old, new);
        if (changed < 0 ||
            (changed > 0 && PyDict_SetItem(hunt->changed, key, old) < 0)) {
            return -1;
        }
        if (changed > 0 && !is_everywhere(old) &&
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

static int
look_through_modules(struct hunt *hunt)
{
    PyObject *name, *module;
    Py_ssize_t at = 0;

    while (PyDict_Next(PyImport_GetModuleDict(), &at, &name, &module)) {
        if (!PyModule_Check(module) || !PyUnicode_CheckExact(name)) {
            continue;
        }
        PyObject *dict = PyModule_GetDict(module);
        if (dict != hunt->reload->live &&
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

struct reading {
    PyObject *package; /* "" where there is none */
    PyObject *set;
};

static int
note_import(void *arg, PyObject *name, PyObject *fromlist, int level)
{
    struct reading *reading = arg;
    int status = 0;

    if (fromlist == NULL || !PyTuple_Check(fromlist)) {
        return 0;
    }
    PyObject *module = foresee_absolute(reading->package, name, level);
    if (module == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    for (Py_ssize_t i = 0; status == 0 && i < PyTuple_GET_SIZE(fromlist);
         i++) {
        PyObject *item = PyUnicode_FromFormat("%U:%S", module,
                                              PyTuple_GET_ITEM(fromlist, i));
        status = item == NULL ? -1 : PySet_Add(reading->set, item);
        Py_XDECREF(item);
    }
    Py_DECREF(module);
    return status;
}

/* A program that was started from a file: nothing says how it was loaded.
 * get_code() would leave a .pyc beside it. */
static PyObject *
compile_file(PyObject *path)
{
    PyObject *builtins = PyImport_ImportModule("builtins");
    PyObject *file = PyFile_OpenCodeObject(path);
    PyObject *text =
        file == NULL ? NULL : PyObject_CallMethod(file, "read", NULL);
    PyObject *code = text == NULL || builtins == NULL
                         ? NULL
                         : PyObject_CallMethod(builtins, "compile", "OOsii",
                                               text, path, "exec", 0, 1);
    PyObject *type, *error, *traceback;

    PyErr_Fetch(&type, &error, &traceback);
    PyObject *closed =
        file == NULL ? NULL : PyObject_CallMethod(file, "close", NULL);
    lz_forgive();
    PyErr_Restore(type, error, traceback);
    Py_XDECREF(closed);
    Py_XDECREF(text);
    Py_XDECREF(file);
    Py_XDECREF(builtins);
    return code;
}

static PyObject *
peek(struct hunt *hunt, PyObject *dict, const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    PyObject *value =
        key == NULL
            ? NULL
            : namespace_peek_borrowed(hunt->reload->engine, dict, key, NULL);

    Py_XDECREF(key);
    return Py_XNewRef(value == Py_None ? NULL : value);
}

/* The code of the module that DICT is of, and its package; NULL where it
 * cannot be read, perhaps with an exception. */
static PyObject *
code_of(struct hunt *hunt, PyObject *dict, PyObject **ret_package)
{
    PyObject *spec = peek(hunt, dict, "__spec__");
    PyObject *code = NULL;

    if (spec == NULL) {
        PyObject *file = peek(hunt, dict, "__file__");
        *ret_package = peek(hunt, dict, "__package__");
        if (file != NULL && PyUnicode_Check(file)) {
            code = compile_file(file);
        }
        Py_XDECREF(file);
        return code;
    }
    PyObject *name = PyObject_GetAttrString(spec, "name");
    PyObject *loader =
        name == NULL ? NULL : PyObject_GetAttrString(spec, "loader");
    *ret_package =
        loader == NULL ? NULL : PyObject_GetAttrString(spec, "parent");
    if (*ret_package != NULL && loader != Py_None) {
        code = PyObject_CallMethod(loader, "get_code", "O", name);
    }
    Py_XDECREF(loader);
    Py_XDECREF(name);
    Py_DECREF(spec);
    return code;
}

/* A new set, empty where nothing can be read. */
static PyObject *
read_imports(struct hunt *hunt, PyObject *dict)
{
    struct reading reading = {.set = PySet_New(NULL)};
    PyObject *bytes = NULL;
    PyObject *code =
        reading.set == NULL ? NULL : code_of(hunt, dict, &reading.package);

    if (reading.package == NULL || !PyUnicode_Check(reading.package)) {
        Py_XSETREF(reading.package, PyErr_Occurred()
                                        ? NULL
                                        : PyUnicode_FromStringAndSize("", 0));
    }
    if (code != NULL && PyCode_Check(code) && reading.package != NULL) {
        bytes = lz_code_bytes((PyCodeObject *)code);
    }
    if (bytes != NULL) {
        (void)bytecode_imports((PyCodeObject *)code, bytes, note_import,
                               &reading);
    }
    Py_XDECREF(bytes);
    Py_XDECREF(code);
    Py_XDECREF(reading.package);
    if (reading.set != NULL && forgive_unreadable() < 0) {
        Py_CLEAR(reading.set);
    }
    return reading.set;
}

static int
read_holders(struct hunt *hunt)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(hunt->rows); i++) {
        PyObject *row = PyList_GET_ITEM(hunt->rows, i);
        PyObject *module = PyTuple_GET_ITEM(row, ROW_MODULE);
        int known = PyDict_Contains(hunt->imports, module);
        PyObject *set =
            known == 0 ? read_imports(hunt, PyTuple_GET_ITEM(row, ROW_DICT))
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

    reload->constants = PyList_New(0);
    if (hunt.changed != NULL && hunt.rows != NULL && hunt.imports != NULL &&
        hunt.sources != NULL && reload->constants != NULL) {
        status = find_holders(&hunt) < 0 || read_holders(&hunt) < 0
                     ? -1
                     : confirm_all(&hunt);
    }
    ptrmap_done(&hunt.own);
    Py_XDECREF(hunt.sources);
    Py_XDECREF(hunt.imports);
    Py_XDECREF(hunt.rows);
    Py_XDECREF(hunt.changed);
    return status;
}

/* --- in the step -------------------------------------------------------- */

static const char *
text_of(PyObject *text)
{
    const char *utf8 = PyUnicode_AsUTF8(text);

    lz_forgive();
    return utf8 == NULL ? "?" : utf8;
}

static int
rebind(struct lz_publish *publish, PyObject *row)
{
    struct lz_reload *reload = publish->reload;
    PyObject *dict = PyTuple_GET_ITEM(row, ROW_DICT);
    PyObject *key = PyTuple_GET_ITEM(row, ROW_KEY);
    PyObject *old = PyTuple_GET_ITEM(row, ROW_OLD);
    PyObject *name = PyTuple_GET_ITEM(row, ROW_NAME);
    struct lz_key *pending = NULL;
    PyObject *new = PyDict_GetItemWithError(reload->fresh, name);

    /* Another thread may have set it since. */
    if (namespace_peek_borrowed(reload->engine, dict, key, &pending) != old ||
        pending != NULL || new == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    if (key != name) {
        return reload_unrepaired(publish, "module %s.%s: %s",
                                 text_of(PyTuple_GET_ITEM(row, ROW_MODULE)),
                                 text_of(key), text_of(name));
    }
    reload->result->names_rebound++;
    return PyDict_SetItem(dict, key, reload_mapped_borrowed(publish, new));
}

int
reload_rebind_constants(struct lz_publish *publish)
{
    PyObject *rows = publish->reload->constants;

    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(rows); i++) {
        if (rebind(publish, PyList_GET_ITEM(rows, i)) < 0) {
            return -1;
        }
    }
    return 0;
}
