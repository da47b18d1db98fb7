/* What stands in builtins, while installed, for globals, locals, vars and dir,
 * and what is done where a module's dict or sys.modules is taken for a loop:
 * what they hand out has nothing pending in it. Needs the GIL.
 */
#include "lazycore/hold.h"
#include "lazycore/standard.h"

/* Bind what is pending in the caller's globals before they are handed out. */
static int
bind_globals(struct lz_engine *engine)
{
    PyObject *globals = PyEval_GetGlobals(); /* borrowed */
    if (engine == NULL || globals == NULL || lz_is_finalizing() ||
        engine->rule_off[LZ_RULE_NAMESPACES])
        return 0;
    return namespace_bind_all(engine, globals);
}

/* Those in which something is pending, or NULL; to ask for them makes no frame
 * object. */
static struct lz_namespace *
waiting_globals(struct lz_engine *engine)
{
    PyObject *globals = engine == NULL ? NULL : PyEval_GetGlobals();
    struct lz_namespace *ns =
        globals == NULL ? NULL : namespace_find(engine, globals);
    return ns != NULL && ns->pending > 0 ? ns : NULL;
}

static bool
at_module_level(void)
{
    PyFrameObject *frame = PyEval_GetFrame();
    if (frame == NULL)
        return false;
    PyCodeObject *code = PyFrame_GetCode(frame);
    bool optimized = (code->co_flags & CO_OPTIMIZED) != 0;
    Py_DECREF(code);
    /* The body of a class is not optimized either. */
    return !optimized && PyEval_GetLocals() == PyEval_GetGlobals();
}

/* Whether the caller only stores into what globals() gives it. */
static bool
only_stores(struct lz_engine *engine)
{
    struct lz_namespace *ns = waiting_globals(engine);
    PyFrameObject *frame = ns == NULL ? NULL : PyEval_GetFrame();
    if (frame == NULL)
        return false;
    PyCodeObject *code = PyFrame_GetCode(frame);
    PyObject *bytes = lz_code_bytes(code);
    bool whole = at_module_level() && standard_has_code(engine, ns, code);
    bool result =
        bytes != NULL &&
        bytecode_only_stores(code, bytes, PyFrame_GetLasti(frame), whole);
    lz_forgive();
    Py_XDECREF(bytes);
    Py_DECREF(code);
    return result;
}

PyObject *
hook_globals(PyObject *module, PyObject *Py_UNUSED(unused))
{
    struct lz_engine *engine = engine_of_module(module);
    if (!only_stores(engine) && bind_globals(engine) < 0)
        return NULL;
    if (engine != NULL && engine->saved_globals != NULL)
        return PyObject_CallNoArgs(engine->saved_globals);
    return Py_XNewRef(PyEval_GetGlobals());
}

PyObject *
hook_locals(PyObject *module, PyObject *Py_UNUSED(unused))
{
    struct lz_engine *engine = engine_of_module(module);
    if (waiting_globals(engine) != NULL && at_module_level() &&
        bind_globals(engine) < 0)
        return NULL;
    if (engine != NULL && engine->saved_locals != NULL)
        return PyObject_CallNoArgs(engine->saved_locals);
    return Py_XNewRef(PyEval_GetLocals());
}

PyObject *
hook_vars(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    struct lz_engine *engine = engine_of_module(module);
    if (nargs == 0 && waiting_globals(engine) != NULL && at_module_level() &&
        bind_globals(engine) < 0)
        return NULL;
    if (nargs == 1 && engine != NULL && PyModule_Check(args[0]) &&
        !lz_is_finalizing() && !engine->rule_off[LZ_RULE_NAMESPACES] &&
        namespace_bind_all(engine, PyModule_GetDict(args[0])) < 0)
        return NULL;
    if (engine == NULL || engine->saved_vars == NULL)
        return engine_gone();
    return PyObject_Vectorcall(engine->saved_vars, args, (size_t)nargs, NULL);
}

/* What a loop does with the values may load them, and what loads may add names
 * to the dict; and a copy is to hold none that are pending: all is bound
 * before. */
int
hook_module_dict(struct lz_engine *engine, PyObject *module)
{
    PyObject *dict = PyModule_GetDict(module);
    struct lz_namespace *ns = namespace_find(engine, dict);
    PyFrameObject *frame =
        ns == NULL || ns->pending == 0 ? NULL : PyEval_GetFrame();
    if (frame == NULL || !bytecode_takes_values(frame))
        return PyErr_Occurred() ? -1 : 0;
    return namespace_bind_all(engine, dict);
}

/* Load NAME if it waits; if that fails it goes on waiting. -1 with what must
 * get through: KeyboardInterrupt, SystemExit. */
static int
load_one(struct lz_engine *engine, PyObject *name)
{
    PyObject *begun = load_peek_module(name); /* another thread waits for it */
    struct lz_target *target = begun == NULL ? target_get(engine, name) : NULL;
    Py_XDECREF(begun);
    if (target == NULL)
        return PyErr_Occurred() ? -1 : 0;
    hold_begin();
    PyObject *module = target_import(engine, target);
    Py_DECREF(target);
    return hold_end_forgiving(engine, module);
}

/* Load those of NAMES, a list, that are not in TRIED: 1, 0: there are none, or
 * -1. */
static int
load_untried(struct lz_engine *engine, PyObject *names, PyObject *tried)
{
    int result = 0;
    for (Py_ssize_t i = 0; result >= 0 && i < PyList_GET_SIZE(names); i++) {
        PyObject *name = PyList_GET_ITEM(names, i);
        int known = PySet_Contains(tried, name);
        if (known == 0)
            result = PySet_Add(tried, name) < 0 || load_one(engine, name) < 0
                         ? -1
                         : 1;
        else if (known < 0)
            result = -1;
    }
    return result;
}

/* The loop adds modules where it has what is in their dicts load: all that
 * waits is loaded before. */
/* Whether FRAME, which takes sys.modules, walks over it and looks into the
 * modules; the last answer is kept, for it may do so in a loop. */
static bool
walks(struct lz_engine *engine, PyFrameObject *frame)
{
    PyObject *code = (PyObject *)PyFrame_GetCode(frame);
    int at = PyFrame_GetLasti(frame);
    if (engine->walker != code || engine->walker_at != at) {
        engine->walks = bytecode_lists_names(frame) && bytecode_loops(frame);
        engine->walker_at = at;
        Py_XSETREF(engine->walker, Py_NewRef(code));
    }
    Py_DECREF(code);
    return engine->walks;
}

int
hook_sys_modules(struct lz_engine *engine)
{
    PyFrameObject *frame =
        PyDict_GET_SIZE(engine->targets) == 0 ? NULL : PyEval_GetFrame();
    if (frame == NULL || !walks(engine, frame))
        return PyErr_Occurred() ? -1 : 0;
    PyObject *tried = PySet_New(NULL);
    int more = tried == NULL ? -1 : 1;
    while (more == 1) {
        PyObject *names = PyDict_Keys(engine->targets);
        more = names == NULL ? -1 : load_untried(engine, names, tried);
        Py_XDECREF(names);
    }
    Py_XDECREF(tried);
    return more;
}

/* Name I of NAMES, a key of ours, as others are to see it: a str, or not
 * there. */
static int
list_plain(PyObject *names, Py_ssize_t i)
{
    struct lz_key *key = (struct lz_key *)PyList_GET_ITEM(names, i);
    if (key_is_hidden(key))
        return PyList_SetSlice(names, i, i + 1, NULL);
    PyObject *plain = PyUnicode_FromObject((PyObject *)key);
    return plain == NULL ? -1 : PyList_SetItem(names, i, plain);
}

PyObject *
hook_dir(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    struct lz_engine *engine = engine_of_module(module);
    if (engine == NULL || engine->saved_dir == NULL)
        return engine_gone();
    PyObject *names =
        PyObject_Vectorcall(engine->saved_dir, args, (size_t)nargs, NULL);
    if (names == NULL || !PyList_CheckExact(names))
        return names;
    for (Py_ssize_t i = PyList_GET_SIZE(names) - 1; i >= 0; i--) {
        if (Py_TYPE(PyList_GET_ITEM(names, i)) == engine->key_type &&
            list_plain(names, i) < 0) {
            Py_DECREF(names);
            return NULL;
        }
    }
    return names;
}
