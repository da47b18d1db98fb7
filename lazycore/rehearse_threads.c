/* In a rehearsal: who starts threads, through _thread's functions.
 *
 * They are replaced where threading and everybody after it finds them; what
 * has taken them before is only seen as one thread more. CPython's audit
 * event for this comes with 3.12. Needs the GIL.
 */
#include "lazycore/api.h"
#include "lazycore/rehearse_load.h"

struct watch {
    PyObject *original; /* borrowed: the module, or this, keeps it */
    void (*note)(void *arg, const char *name);
    void *arg;
};

static const char *const starters[] = {"start_new_thread", "start_new",
                                       "start_joinable_thread"};
enum { STARTERS = sizeof(starters) / sizeof(starters[0]) };

/* One rehearsal a process, which ends with it. */
static struct watch watches[STARTERS];

/* The name of the Thread whose method runs there, else the function's. */
static void
note_start(const struct watch *watch, PyObject *args)
{
    PyObject *function =
        PyTuple_GET_SIZE(args) > 0 ? PyTuple_GET_ITEM(args, 0) : NULL;
    PyObject *owner = function != NULL && PyMethod_Check(function)
                          ? PyMethod_GET_SELF(function)
                          : NULL;
    PyObject *name =
        owner == NULL ? NULL : PyObject_GetAttrString(owner, "_name");
    if (name == NULL) {
        PyErr_Clear();
        name = function == NULL
                   ? NULL
                   : PyObject_GetAttrString(function, "__qualname__");
    }
    const char *text = place_text(name);
    PyErr_Clear();
    watch->note(watch->arg, text == NULL ? "?" : text);
    Py_XDECREF(name);
}

static PyObject *
start_watched(PyObject *self, PyObject *args, PyObject *kwargs)
{
    const struct watch *watch = PyCapsule_GetPointer(self, NULL);
    if (watch == NULL)
        return NULL;
    PyObject *result = PyObject_Call(watch->original, args, kwargs);
    if (result != NULL)
        note_start(watch, args);
    return result;
}

static PyMethodDef method = {"start_new_thread",
                             (PyCFunction)(void (*)(void))start_watched,
                             METH_VARARGS | METH_KEYWORDS, NULL};

/* MODULE's PREFIX+starters[I], where it is the original. */
static void
replace(PyObject *module, const char *prefix, int i, PyObject *function)
{
    PyObject *name = PyUnicode_FromFormat("%s%s", prefix, starters[i]);
    PyObject *value = name == NULL ? NULL : PyObject_GetAttr(module, name);
    if (value == watches[i].original)
        (void)PyObject_SetAttr(module, name, function);
    PyErr_Clear();
    Py_XDECREF(value);
    Py_XDECREF(name);
}

void
rehearse_watch_threads(void (*note)(void *arg, const char *name), void *arg)
{
    PyObject *module = PyImport_ImportModule("_thread");
    PyObject *name = PyUnicode_FromString("threading");
    PyObject *threading = name == NULL ? NULL : PyImport_GetModule(name);
    for (int i = 0; module != NULL && i < STARTERS; i++) {
        struct watch *watch = &watches[i];
        watch->note = note;
        watch->arg = arg;
        watch->original = PyObject_GetAttrString(module, starters[i]);
        PyErr_Clear();
        if (watch->original == NULL)
            continue;
        PyObject *self = PyCapsule_New(watch, NULL, NULL);
        PyObject *function =
            self == NULL ? NULL : PyCFunction_New(&method, self);
        if (function != NULL) {
            if (threading != NULL)
                replace(threading, "_", i, function);
            replace(module, "", i, function);
        }
        Py_XDECREF(function);
        Py_XDECREF(self);
    }
    PyErr_Clear();
    Py_XDECREF(threading);
    Py_XDECREF(name);
    Py_XDECREF(module);
}
