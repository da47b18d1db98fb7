/* Reload, step 2: the new source is compiled and runs apart.
 *
 * Its namespace is that of a module of its own, the stand-in, which this
 * thread sees in the live one's place meanwhile (reload_view.c), and no
 * other. Changes nothing of the live module. Needs the GIL.
 */
#include "lazycore/reload.h"

static PyObject *
compile_source(struct lz_reload *reload)
{
    if (PyObject_HasAttrString(reload->loader, "source_to_code")) {
        return PyObject_CallMethod(reload->loader, "source_to_code", "OO",
                                   reload->source, reload->origin);
    }
    PyObject *builtins = PyImport_ImportModule("builtins");
    PyObject *code =
        builtins == NULL
            ? NULL
            : PyObject_CallMethod(builtins, "compile", "OOsii", reload->source,
                                  reload->origin, "exec", 0, 1);
    Py_XDECREF(builtins);
    return code;
}

/* What the import system put in the live module, for the new body to find. */
static int
fill_stand_in(struct lz_reload *reload)
{
    static const char *const names[] = {
        "__name__", "__loader__", "__package__", "__spec__",
        "__path__", "__file__",   "__cached__",  "__builtins__",
    };
    int status = PyDict_SetItemString(reload->fresh, "__doc__", Py_None);

    for (size_t i = 0; status == 0 && i < sizeof(names) / sizeof(names[0]);
         i++) {
        PyObject *value = reload_live_borrowed(reload, names[i]);
        if (value == NULL) {
            status = PyErr_Occurred() ? -1 : 0;
            continue;
        }
        /* A body that extends its __path__ must not extend the live one. */
        PyObject *own = PyList_CheckExact(value)
                            ? PyList_GetSlice(value, 0, PY_SSIZE_T_MAX)
                            : Py_NewRef(value);
        status = own == NULL
                     ? -1
                     : PyDict_SetItemString(reload->fresh, names[i], own);
        Py_XDECREF(own);
    }
    return status;
}

static int
make_stand_in(struct lz_reload *reload)
{
    reload->stand_in = PyModule_NewObject(reload->name);
    if (reload->stand_in == NULL) {
        return -1;
    }
    reload->fresh = Py_NewRef(PyModule_GetDict(reload->stand_in));
    PyDict_Clear(reload->fresh);
    return fill_stand_in(reload);
}

/* The body may have put another object in sys.modules: that is not a reload
 * of this module. 0, or -1 with an exception. */
static int
check_place(struct lz_reload *reload)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *now = PyDict_GetItemWithError(modules, reload->name);

    if (now == reload->module) {
        return 0;
    }
    if (!PyErr_Occurred() &&
        PyDict_SetItem(modules, reload->name, reload->module) == 0) {
        PyErr_Format(PyExc_ImportError,
                     "the new body replaces '%U' in sys.modules",
                     reload->name);
    }
    return -1;
}

static PyObject *
run_body(struct lz_reload *reload)
{
    int64_t before = usage_resident_bytes();

    reload_view_begin(reload);
    PyObject *done =
        PyEval_EvalCode(reload->code, reload->fresh, reload->fresh);
    int64_t bytes = usage_resident_bytes() - before;
    reload->bytes = bytes > 0 ? bytes : 0;
    return done;
}

int
reload_compile(struct lz_reload *reload)
{
    reload->code = compile_source(reload);
    if (reload->code == NULL) {
        return reload_failed(reload);
    }
    if (!PyCode_Check(reload->code)) {
        PyErr_SetString(PyExc_TypeError, "the loader compiled no code");
        return reload_failed(reload);
    }
    return 1;
}

int
reload_execute(struct lz_reload *reload)
{
    if (make_stand_in(reload) < 0) {
        return -1;
    }
    PyObject *done = run_body(reload);
    if (done == NULL) {
        return reload_failed(reload);
    }
    Py_DECREF(done);
    return check_place(reload) < 0 ? reload_failed(reload) : 1;
}
