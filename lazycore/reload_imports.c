/* Reload: what the code of a module imports, read and not run.
 *
 * Who has a value of a module says little; that its code imports it says
 * that it has it from there. Needs the GIL.
 */
#include "lazycore/reload.h"
#include "lazycore/foresee.h"

#include "lazycore/bytecode.h"

int
reload_forgive(void)
{
    if (PyErr_Occurred() && (!PyErr_ExceptionMatches(PyExc_Exception) ||
                             PyErr_ExceptionMatches(PyExc_MemoryError))) {
        return -1;
    }
    lz_forgive();
    return 0;
}

struct reading {
    PyObject *package; /* "" where there is none */
    PyObject *set;
};

/* MODULE and a name of it, after a colon. */
static int
add_item(struct reading *reading, PyObject *module, const char *name)
{
    PyObject *item = PyUnicode_FromFormat("%U:%s", module, name);
    int status = item == NULL ? -1 : PySet_Add(reading->set, item);

    Py_XDECREF(item);
    return status;
}

static int
note_import(void *arg, PyObject *name, PyObject *fromlist, int level)
{
    struct reading *reading = arg;
    int status = 0;

    PyObject *module = foresee_absolute(reading->package, name, level);
    if (module == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    if (fromlist == NULL || !PyTuple_Check(fromlist)) {
        status = add_item(reading, module, "");
        Py_DECREF(module);
        return status;
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
    PyObject *file = builtins == NULL ? NULL : PyFile_OpenCodeObject(path);
    PyObject *text =
        file == NULL ? NULL : PyObject_CallMethod(file, "read", NULL);
    PyObject *code = text == NULL
                         ? NULL
                         : PyObject_CallMethod(builtins, "compile", "OOsii",
                                               text, path, "exec", 0, 1);
    PyObject *error = lz_take_error();
    PyObject *closed =
        file == NULL ? NULL : PyObject_CallMethod(file, "close", NULL);
    lz_forgive();
    lz_raise(error);
    Py_XDECREF(closed);
    Py_XDECREF(text);
    Py_XDECREF(file);
    Py_XDECREF(builtins);
    return code;
}

static PyObject *
peek(struct lz_engine *engine, PyObject *dict, const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    PyObject *value =
        key == NULL ? NULL : namespace_peek_borrowed(engine, dict, key, NULL);

    Py_XDECREF(key);
    return Py_XNewRef(value == Py_None ? NULL : value);
}

/* The code of the module that DICT is of, and its package; NULL where it
 * cannot be read, perhaps with an exception. */
static PyObject *
code_of(struct lz_engine *engine, PyObject *dict, PyObject **ret_package)
{
    PyObject *spec = peek(engine, dict, "__spec__");
    PyObject *code = NULL;

    if (spec == NULL) {
        PyObject *file =
            PyErr_Occurred() ? NULL : peek(engine, dict, "__file__");
        *ret_package = file == NULL ? NULL : peek(engine, dict, "__package__");
        if (file != NULL && PyUnicode_Check(file) && !PyErr_Occurred()) {
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

/* The set, which holds what was read before an exception that is left set;
 * NULL for lack of memory. */
static PyObject *
read_once(struct lz_engine *engine, PyObject *dict)
{
    struct reading reading = {.set = PySet_New(NULL)};
    PyObject *bytes = NULL;
    PyObject *code =
        reading.set == NULL ? NULL : code_of(engine, dict, &reading.package);

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
    return reading.set;
}

/* What lacked memory for a moment comes out of importlib as an exception of
 * any kind: what can be read is read the second time. */
PyObject *
reload_read_imports(struct lz_engine *engine, PyObject *dict)
{
    PyObject *set = read_once(engine, dict);

    if (set != NULL && PyErr_Occurred()) {
        Py_CLEAR(set);
        if (reload_forgive() == 0) {
            set = read_once(engine, dict);
        }
    }
    if (set != NULL && reload_forgive() < 0) {
        Py_CLEAR(set);
    }
    return set;
}
