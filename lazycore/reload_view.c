/* Reload, step 2: the module as the thread that runs its new body sees it.
 *
 * A body reaches its own module by other ways than its globals:
 * sys.modules[__name__], an import of it by what it imports, dataclasses and
 * pickle by the module's name. In a first import all of them find what the
 * body has done so far, so they must here; and no other thread may, nor any
 * other greenlet of the same one. So while bodies of a transaction run, the
 * live module is of a class whose attributes are, for what they call, the
 * stand-in's. Needs the GIL.
 */
#include "lazycore/reload.h"

#include <unistd.h>

static bool
is_body(struct lz_transaction *transaction, PyFrameObject *frame)
{
    PyObject *code = (PyObject *)PyFrame_GetCode(frame);
    bool yes = false;

    for (size_t i = 0; !yes && i < transaction->count; i++) {
        yes = transaction->items[i].code == code;
    }
    Py_DECREF(code);
    return yes;
}

/* Whether the current code was called by a body of TRANSACTION, which this
 * thread runs: another greenlet does not return to it. */
static bool
is_called_by(struct lz_transaction *transaction)
{
    bool quiet = PyErr_Occurred() == NULL;
    PyFrameObject *frame = PyEval_GetFrame();

    if (frame == NULL) {
        return true; /* no Python code runs */
    }
    Py_INCREF(frame);
    while (frame != NULL && !is_body(transaction, frame)) {
        PyFrameObject *back = PyFrame_GetBack(frame);
        Py_SETREF(frame, back);
    }
    if (quiet) {
        lz_forgive(); /* there was no memory for a frame */
    }
    Py_XDECREF(frame);
    return frame != NULL;
}

/* The module of a transaction whose bodies called the current code, or
 * NULL. */
static struct lz_reload *
viewed_here(PyObject *module)
{
    struct lz_engine *engine = engine_of(module);
    unsigned long here = PyThread_get_thread_ident();

    for (struct lz_transaction *t = engine == NULL ? NULL
                                                   : engine->transactions;
         t != NULL; t = t->next) {
        if (t->thread != here || t->pid != (long)getpid()) {
            continue;
        }
        for (size_t i = 0; i < t->count; i++) {
            if (t->items[i].viewed && t->items[i].module == module) {
                return is_called_by(t) ? &t->items[i] : NULL;
            }
        }
    }
    return NULL;
}

/* Whether VALUE (may be NULL) is the loaded submodule NAME. Leaves no
 * exception. */
static bool
is_submodule(struct lz_reload *reload, PyObject *name, PyObject *value)
{
    if (value == NULL || !PyModule_Check(value) || !PyUnicode_Check(name)) {
        return false;
    }
    PyObject *full = PyUnicode_FromFormat("%U.%U", reload->name, name);
    bool yes = full != NULL && PyDict_GetItemWithError(
                                   PyImport_GetModuleDict(), full) == value;

    lz_forgive();
    Py_XDECREF(full);
    return yes;
}

/* A submodule that is loaded stays an attribute of its package, which loads
 * none again: a new reference, or NULL with the AttributeError still set. */
static PyObject *
submodule_of(struct lz_reload *reload, PyObject *name)
{
    PyObject *error = lz_take_error();
    PyObject *value =
        PyUnicode_Check(name)
            ? namespace_peek_borrowed(reload->engine, reload->live, name, NULL)
            : NULL;
    if (!is_submodule(reload, name, value)) {
        lz_raise(error);
        return NULL;
    }
    Py_INCREF(value);
    Py_XDECREF(error);
    return value;
}

static PyObject *
view_getattro(PyObject *self, PyObject *name)
{
    struct lz_reload *reload = viewed_here(self);

    if (reload == NULL) {
        return Py_TYPE(self)->tp_base->tp_getattro(self, name);
    }
    PyObject *stand_in = Py_NewRef(reload->stand_in);
    PyObject *value = PyObject_GetAttr(stand_in, name);
    if (value == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        value = submodule_of(reload, name);
    }
    Py_DECREF(stand_in);
    return value;
}

static int
view_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    struct lz_reload *reload = viewed_here(self);

    if (reload == NULL) {
        return Py_TYPE(self)->tp_base->tp_setattro(self, name, value);
    }
    PyObject *stand_in = Py_NewRef(reload->stand_in);
    int status = PyObject_SetAttr(stand_in, name, value);
    Py_DECREF(stand_in);
    /* A submodule that was loaded is there for all. */
    if (status == 0 && is_submodule(reload, name, value)) {
        status = Py_TYPE(self)->tp_base->tp_setattro(self, name, value);
    }
    return status;
}

static PyType_Slot view_slots[] = {
    {Py_tp_doc, LZ_CHARS("A module that is being reloaded.")},
    {Py_tp_getattro, (void *)view_getattro},
    {Py_tp_setattro, (void *)view_setattro},
    {0, NULL},
};

static PyType_Spec view_spec = {
    .name = "lazycore.ReloadedModule",
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = view_slots,
};

/* The class for modules of class BASE: a new reference. */
static PyObject *
view_class(struct lz_engine *engine, PyTypeObject *base)
{
    if (base == &PyModule_Type && engine->view_type != NULL) {
        return Py_NewRef((PyObject *)engine->view_type);
    }
    PyObject *bases = PyTuple_Pack(1, base);
    PyObject *class =
        bases == NULL
            ? NULL
            : PyType_FromModuleAndSpec(engine->module, &view_spec, bases);
    Py_XDECREF(bases);
    if (class != NULL && base == &PyModule_Type) {
        engine->view_type = (PyTypeObject *)Py_NewRef(class);
    }
    return class;
}

static int
set_class(PyObject *module, PyObject *class)
{
    PyObject *name = PyUnicode_InternFromString("__class__");
    int status =
        name == NULL ? -1 : PyObject_GenericSetAttr(module, name, class);

    Py_XDECREF(name);
    return status;
}

bool
reload_is_view(PyObject *module)
{
    return Py_TYPE(module)->tp_getattro == view_getattro;
}

void
reload_view_begin(struct lz_reload *reload)
{
    PyTypeObject *base = Py_TYPE(reload->module);
    PyObject *class = view_class(reload->engine, base);

    if (class != NULL && set_class(reload->module, class) == 0) {
        reload->class = (PyTypeObject *)Py_NewRef((PyObject *)base);
        reload->viewed = true;
    }
    Py_XDECREF(class);
    lz_forgive(); /* a class that cannot be left: the body sees the live one*/
}

void
reload_view_end(struct lz_reload *reload)
{
    if (!reload->viewed) {
        return;
    }
    PyObject *error = lz_take_error();
    reload->viewed = false;
    if (reload_is_view(reload->module)) {
        (void)set_class(reload->module, (PyObject *)reload->class);
        lz_forgive();
    }
    Py_CLEAR(reload->class);
    lz_raise(error);
}

int
reload_set_module_class(struct lz_reload *reload, PyObject *class)
{
    if (class == (PyObject *)Py_TYPE(reload->module)) {
        return 0;
    }
    return set_class(reload->module, class);
}
