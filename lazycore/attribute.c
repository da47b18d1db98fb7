/* Attributes of modules, where plain CPython would not ask anyone: stands in
 * PyModule_Type.tp_getattro while installed.
 *
 * `import importlib` and then importlib.util works in eager code when any
 * module imported before brought importlib.util. So when an attribute of a
 * package is missing, and a submodule of that name can be found, it is
 * imported now if a module that is still pending would import it. And what
 * waits in a module whose __dict__ is walked is bound before. Needs the GIL.
 */
#include "lazycore/attribute.h"
#include "lazycore/foresee.h"
#include "lazycore/reload.h"

/* Cheap refusals first: most misses are of no submodule. */
static bool
may_be_submodule(struct lz_engine *engine, PyObject *dict, PyObject *attr)
{
    if (PyUnicode_GET_LENGTH(attr) == 0 ||
        PyUnicode_READ_CHAR(attr, 0) == '_' || !PyUnicode_IsIdentifier(attr))
        return false;
    return PyDict_GET_SIZE(engine->targets) > 0 &&
           namespace_peek_borrowed(engine, dict, engine->names.path, NULL) !=
               NULL;
}

/* 1 if ATTR may be there now, 0 if not, -1 with an exception. The caller's
 * AttributeError is put aside. */
static int
supply(struct lz_engine *engine, PyObject *module, PyObject *attr)
{
    PyObject *dict = PyModule_GetDict(module);
    /* An import that misses a submodule goes on to load it by itself. */
    if (!may_be_submodule(engine, dict, attr) || place_in_import())
        return 0;
    PyObject *name =
        namespace_peek_borrowed(engine, dict, engine->names.name, NULL);
    if (name == NULL || !PyUnicode_Check(name))
        return 0;
    PyObject *full = PyUnicode_FromFormat("%U.%U", name, attr);
    int result = full == NULL ? -1 : foresee_submodule(engine, full);
    if (result == 1) {
        PyObject *top =
            PyImport_ImportModuleLevelObject(full, NULL, NULL, NULL, 0);
        result = top == NULL ? -1 : 1;
        Py_XDECREF(top);
    }
    Py_XDECREF(full);
    return result;
}

/* PyModule_Type's slot takes no closure: the one interpreter's module, and
 * what stood in the slot. Written with the GIL by install and uninstall, and
 * after the interpreter's end: the type outlives it, the module does not. */
static struct {
    getattrofunc original;
    PyObject *module; /* borrowed: it takes itself out */
    const PyObject *dict_name, *modules_name; /* interned; compared only */
    bool at_exit; /* this life's end is registered */
} patch;

/* The engine, where attributes of MODULE are its: the slot is every
 * interpreter's, the engine is the main one's. */
static struct lz_engine *
engine_for(PyObject *module)
{
    if (foresee_is_reading() || patch.module == NULL || lz_is_finalizing() ||
        !(PyModule_CheckExact(module) || reload_is_view(module)) ||
        PyInterpreterState_Get() != PyInterpreterState_Main())
        return NULL;
    struct lz_engine *engine = engine_of_module(patch.module);
    return engine != NULL && engine_enabled(engine) ? engine : NULL;
}

/* ATTR of MODULE is missing, as the pending exception says: its value, now, or
 * NULL with that, or with another one that interrupts. */
static PyObject *
supplied(struct lz_engine *engine, PyObject *module, PyObject *attr)
{
    PyObject *value = NULL, *error = lz_take_error();
    if (supply(engine, module, attr) == 1)
        value = patch.original(module, attr);
    /* Whatever the submodule raised, the attribute is missing. */
    if (value == NULL && foresee_clear() == 0)
        lz_raise(error);
    else
        Py_DECREF(error);
    return value;
}

/* ATTR of MODULE is asked for: what is handed out may be walked. */
static int
before_walk(PyObject *module, PyObject *attr)
{
    struct lz_engine *engine = engine_for(module);
    /* Half-way through a load, on whatever thread, there is more that waits
     * than eager code would have, and what is to wait for the loop. */
    if (engine == NULL || engine->rule_off[LZ_RULE_NAMESPACES] ||
        engine->loads_running > 0 || engine->loads_lost)
        return 0;
    if (attr == patch.dict_name)
        return hook_module_dict(engine, module);
    return PyModule_GetDict(module) == engine->sys_dict
               ? hook_sys_modules(engine)
               : 0;
}

static PyObject *
module_getattro(PyObject *module, PyObject *attr)
{
    if ((attr == patch.dict_name || attr == patch.modules_name) &&
        before_walk(module, attr) < 0)
        return NULL;
    PyObject *value = patch.original(module, attr);
    if (value != NULL || !PyUnicode_Check(attr) ||
        !PyErr_ExceptionMatches(PyExc_AttributeError))
        return value;
    struct lz_engine *engine = engine_for(module);
    if (engine == NULL || engine->rule_off[LZ_RULE_FORESIGHT])
        return NULL;
    return supplied(engine, module, attr);
}

static void
restore(void)
{
    if (patch.module != NULL && PyModule_Type.tp_getattro == module_getattro)
        PyModule_Type.tp_getattro = patch.original;
    patch.module = NULL;
    patch.dict_name = patch.modules_name = NULL;
}

static void
interpreter_gone(void)
{
    restore();
    patch.at_exit = false;
}

void
attribute_install(PyObject *module)
{
    if (patch.module != NULL)
        return;
    if (!patch.at_exit && Py_AtExit(interpreter_gone) < 0)
        return; /* no room: submodules that are foreseen stay unseen */
    patch.at_exit = true;
    patch.module = module;
    const struct lz_names *names = &engine_of_module(module)->names;
    patch.dict_name = names->dict;
    patch.modules_name = names->modules;
    patch.original = PyModule_Type.tp_getattro;
    PyModule_Type.tp_getattro = module_getattro;
    PyType_Modified(&PyModule_Type);
}

void
attribute_uninstall(void)
{
    if (patch.module == NULL || PyModule_Type.tp_getattro != module_getattro)
        return;
    restore();
    PyType_Modified(&PyModule_Type);
}

void
attribute_forget(PyObject *module)
{
    if (patch.module == module)
        attribute_uninstall();
}
