/* The Python module `lazycore`: state, install() and uninstall().
 *
 * One engine per process: subinterpreters are refused, since the hooks are
 * per interpreter but the registry is not. Needs the GIL unless stated.
 */
#include "lazycore/ahead.h"
#include "lazycore/api.h"
#include "lazycore/attribute.h"
#include "lazycore/body.h"
#include "lazycore/directory.h"
#include "lazycore/engine_objects.h"
#include "lazycore/fork.h"
#include "lazycore/held.h"
#include "lazycore/last.h"
#include "lazycore/parents.h"
#include "lazycore/room.h"
#include "lazycore/settle.h"
#include "lazycore/settle_look.h"
#include "lazycore/settle_watch.h"
#include "lazycore/submodule.h"

/* The core that the host made before Python started; PyInit_lazycore takes
 * no argument, so this is the one door. Written before any thread exists. */
static struct lz_core *attached_core;

static struct PyModuleDef lazycore_module;

void
lazycore_attach(struct lz_core *core)
{
    attached_core = core;
}

struct lz_engine *
engine_of_module(PyObject *module)
{
    struct lz_engine *engine = PyModule_GetState(module);
    return engine == NULL || engine->targets == NULL ? NULL : engine;
}

struct lz_engine *
engine_of(PyObject *self)
{
    struct lz_engine *engine = PyType_GetModuleState(Py_TYPE(self));
    if (engine == NULL) {
        lz_forgive();
        return NULL;
    }
    return engine->targets == NULL ? NULL : engine;
}

bool
engine_enabled(const struct lz_engine *engine)
{
    return atomic_load_explicit(&engine->core->enabled,
                                memory_order_relaxed) != 0;
}

/* Python functions */

PyObject *
engine_gone(void)
{
    PyErr_SetString(PyExc_RuntimeError, "lazycore is gone");
    return NULL;
}

struct lz_engine *
engine_or_raise(PyObject *module)
{
    struct lz_engine *engine = engine_of_module(module);
    if (engine == NULL)
        (void)engine_gone();
    return engine;
}

static PyObject *
py_install(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {LZ_CHARS("settle"), NULL};
    int settle = 1;
    struct lz_engine *engine = engine_or_raise(module);
    if (engine == NULL || !PyArg_ParseTupleAndKeywords(
                              args, kwargs, "|$p:install", names, &settle))
        return NULL;
    /* The first time is the host's own. */
    bool again = !engine->installed && engine->was_uninstalled;
    if (engine_install(engine) < 0)
        return NULL;
    if (again)
        change_rule(engine, "install", NULL, "lazycore", NULL);
    lz_called_by_python();
    if (engine->owns_core)
        engine->core->settles = settle;
    if (engine->core->settles)
        settle_watch_start(engine);
    else
        settle_watch_stop(engine);
    Py_RETURN_NONE;
}

static PyObject *
py_uninstall(PyObject *module, PyObject *Py_UNUSED(unused))
{
    struct lz_engine *engine = engine_or_raise(module);
    bool was = engine != NULL && engine->installed;
    if (engine == NULL || engine_uninstall(engine) < 0)
        return NULL;
    lz_called_by_python();
    settle_watch_stop(engine);
    engine->was_uninstalled = true;
    if (was)
        change_rule(engine, "uninstall", NULL, "lazycore", NULL);
    Py_RETURN_NONE;
}

static PyMethodDef module_methods[] = {
    {"install", (PyCFunction)(void (*)(void))py_install,
     METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR("install(*, settle=True)\n--\n\nMake import statements lazy "
               "from now on. Repeatable. A thread looks\nfor hot namespaces, "
               "unless settle is false: see settle(). In lazyd its --settle "
               "holds.")},
    {"uninstall", py_uninstall, METH_NOARGS,
     PyDoc_STR("uninstall()\n--\n\nPut the interpreter's own import back. "
               "Names that are pending still load on use.")},
    {"ready", warm_ready, METH_NOARGS,
     PyDoc_STR("ready()\n--\n\nTell the host that the service serves. Does "
               "nothing without a host.")},
    {"pending", api_pending, METH_O,
     PyDoc_STR("pending(module, /)\n--\n\nThe names that are pending in a "
               "module, loading nothing.")},
    {"load", (PyCFunction)(void (*)(void))api_load,
     METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR("load(name, inject=False)\n--\n\nLoad a module; return the "
               "number of module bodies that ran.")},
    {"settle", settle_python, METH_NOARGS,
     PyDoc_STR(
         "settle()\n--\n\nLook at what the threads run now. Where the "
         "same namespace is seen often, load\nwhat is pending in it, if "
         "that is free of effects: what is pending slows all its\n"
         "look-ups. Return its name, or None. To be called now and then from "
         "a thread, where\ninstall() was told not to.")},
    {"inject", api_inject, METH_NOARGS,
     PyDoc_STR("inject()\n--\n\nPut loaded values wherever proxies of theirs "
               "leaked to; return the number of places.")},
    {"reload", (PyCFunction)(void (*)(void))api_reload,
     METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR("Reload a module as one transaction; tell what came of it.")},
    {"rollback", api_rollback, METH_O,
     PyDoc_STR("rollback(module, /)\n--\n\nGo back to before its reload.")},
    {"report", report_python, METH_VARARGS,
     PyDoc_STR("report(arg='')\n--\n\nPrint the state to stderr, as verbose "
               "asks.")},
    {"ignore_module", (PyCFunction)(void (*)(void))api_ignore_module,
     METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR("ignore_module(fullname, pathname=None)\n--\n\nWhether an "
               "ignore set covers the module.")},
    {"stats", api_stats, METH_NOARGS,
     PyDoc_STR("stats()\n--\n\nCounts of modules, names and loads.")},
    {"threads", api_threads, METH_NOARGS,
     PyDoc_STR("threads()\n--\n\nLoads under way, and waits for a module "
               "that another thread loads: a list of dicts,\nby thread and "
               "outermost first.")},
    {"show", api_show, METH_O,
     PyDoc_STR("show(name, /)\n--\n\nWhat is known of a module, as a dict, or "
               "None.")},
    {"verify", api_verify, METH_O,
     PyDoc_STR("verify(name, /)\n--\n\nWhether a pending module can still be "
               "found and compiles, as a dict; executes\nnothing of it. None "
               "where it is not pending.")},
    {"body", (PyCFunction)(void (*)(void))body_python,
     METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR("body(name, within=None)\n--\n\nWhether the body of a module "
               "is free of effects, by its bytecode, as a dict; runs\n"
               "nothing of it.")},
    {"rehearse", (PyCFunction)(void (*)(void))api_rehearse,
     METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR("rehearse(names, deadline=20.0, memory=0, recursive=False)\n"
               "--\n\nLoad modules in a forked copy of the process, which "
               "itself stays as it is;\nreturn a dict that says what came "
               "of it.")},
    {"level", api_level, METH_VARARGS,
     PyDoc_STR("level(package, level=None, /)\n--\n\nThe level of a package; "
               "set where a second argument says which.")},
    {"rule", api_rule, METH_VARARGS,
     PyDoc_STR("rule(name, on=None, /)\n--\n\nWhether a rule of what must be "
               "eager holds; switched where a second argument\nsays so. With "
               "one off, programs break: for tests and measurements.")},
    {"explain_level", api_explain_level, METH_O,
     PyDoc_STR("explain_level(package, /)\n--\n\nThe level of a package, who "
               "said so and why, as a dict.")},
    {"__getattr__", api_getattr, METH_O,
     PyDoc_STR("proxyTally: proxies ever made, as the seed counts them")},
    {"_getswitchinterval", settle_get_interval, METH_NOARGS, NULL},
    {"_forks", fork_before, METH_NOARGS, NULL},
    {"_forked", fork_in_parent, METH_NOARGS, NULL},
    {"_after_fork", fork_in_child, METH_NOARGS, NULL},
    {"_at_exit", last_at_exit, METH_NOARGS, NULL},
    {"_reload", (PyCFunction)(void (*)(void))hook_reload,
     METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("importlib.reload that takes proxies")},
    {"_raise_ahead", ahead_raise, METH_O, NULL},
    {"_load_unlocked", load_unlocked, METH_O, NULL},
    {"_enter_lock", module_lock_enter, METH_O, NULL},
    {"_lock_unlock_module", module_lock_pass, METH_O, NULL},
    {"_find_and_load_unlocked",
     (PyCFunction)(void (*)(void))submodule_find_and_load_unlocked,
     METH_FASTCALL, NULL},
    {"_find_and_load", (PyCFunction)(void (*)(void))parents_find_and_load,
     METH_FASTCALL, NULL},
    {"_find_spec", (PyCFunction)(void (*)(void))find_kept_spec,
     METH_FASTCALL | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

/* Life of the module */

static int
init_names(struct lz_names *names)
{
    const struct {
        PyObject **slot;
        const char *text;
    } rows[] = {
        {&names->name, "__name__"},
        {&names->path, "__path__"},
        {&names->spec, "__spec__"},
        {&names->package, "__package__"},
        {&names->file, "__file__"},
        {&names->all, "__all__"},
        {&names->getattr, "__getattr__"},
        {&names->dict, "__dict__"},
        {&names->parent, "parent"},
        {&names->origin, "origin"},
        {&names->has_location, "has_location"},
        {&names->initializing, "_initializing"},
        {&names->name_attr, "name"},
        {&names->private_name, "_name"},
        {&names->search_locations, "submodule_search_locations"},
        {&names->loader, "loader"},
        {&names->find_spec, "find_spec"},
        {&names->path_attr, "path"},
        {&names->path_mtime, "_path_mtime"},
        {&names->path_cache, "_path_cache"},
        {&names->loaders, "_loaders"},
        {&names->meta_path, "meta_path"},
        {&names->path_importer_cache, "path_importer_cache"},
        {&names->threading, "threading"},
        {&names->threading_active, "_active"},
        {&names->warnings, "warnings"},
        {&names->_warnings, "_warnings"},
        {&names->filters, "filters"},
        {&names->modules, "modules"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        *rows[i].slot = PyUnicode_InternFromString(rows[i].text);
        if (*rows[i].slot == NULL)
            return -1;
    }
    names->origin_keyword = PyTuple_Pack(1, names->origin);
    return names->origin_keyword == NULL ? -1 : 0;
}

static PyTypeObject *
make_type(PyObject *module, PyType_Spec *spec, PyObject *base)
{
    PyObject *bases = base == NULL ? NULL : PyTuple_Pack(1, base);
    if (base != NULL && bases == NULL)
        return NULL;
    PyObject *type = PyType_FromModuleAndSpec(module, spec, bases);
    Py_XDECREF(bases);
    return (PyTypeObject *)type;
}

static int
init_types(PyObject *module, struct lz_engine *engine)
{
    const struct {
        PyTypeObject **slot;
        PyType_Spec *spec;
        PyObject *base;
        bool exported;
    } rows[] = {
        {&engine->target_type, &lz_target_spec, NULL, false},
        {&engine->module_proxy_type, &lz_module_proxy_spec, NULL, true},
        {&engine->name_proxy_type, &lz_name_proxy_spec, NULL, true},
        {&engine->key_type, &lz_key_spec, (PyObject *)&PyUnicode_Type, true},
        {&engine->namespace_type, &lz_namespace_spec, NULL, false},
        {&engine->from_type, &lz_from_spec, NULL, false},
        {&engine->finder_type, &lz_finder_spec, NULL, true},
        {&engine->set_type, &lz_set_spec, NULL, true},
        {&engine->handler_type, &lz_held_spec, NULL, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        *rows[i].slot = make_type(module, rows[i].spec, rows[i].base);
        if (*rows[i].slot == NULL)
            return -1;
        if (rows[i].exported && PyModule_AddType(module, *rows[i].slot) < 0)
            return -1;
    }
    return 0;
}

/* What stands in builtins while installed says so of itself. */
static PyMethodDef builtins_methods[] = {
    {"__import__", (PyCFunction)(void (*)(void))hook_import,
     METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("__import__(name, globals=None, locals=None, fromlist=(), "
               "level=0)\n--\n\nImport a module.")},
    {"globals", hook_globals, METH_NOARGS,
     PyDoc_STR("globals($module, /)\n--\n\nReturn the dictionary containing "
               "the current scope's global variables.")},
    {"locals", hook_locals, METH_NOARGS,
     PyDoc_STR("locals($module, /)\n--\n\nReturn a dictionary containing the "
               "current scope's local variables.")},
    {"vars", (PyCFunction)(void (*)(void))hook_vars, METH_FASTCALL,
     PyDoc_STR("vars([object]) -> dictionary")},
    {"dir", (PyCFunction)(void (*)(void))hook_dir, METH_FASTCALL,
     PyDoc_STR("dir([object]) -> list of strings")},
    {NULL, NULL, 0, NULL},
};

/* METHODS become attributes of MODULE, ours, that say they are OF another;
 * there their names begin with PREFIX. */
static int
add_foreign(PyObject *module, const char *of, const char *prefix,
            PyMethodDef *methods)
{
    PyObject *name = PyUnicode_FromString(of);
    int result = name == NULL ? -1 : 0;
    for (PyMethodDef *def = methods; result == 0 && def->ml_name != NULL;
         def++) {
        PyObject *function = PyCFunction_NewEx(def, module, name);
        PyObject *attr = PyUnicode_FromFormat("%s%s", prefix, def->ml_name);
        result = function == NULL || attr == NULL
                     ? -1
                     : PyObject_SetAttr(module, attr, function);
        Py_XDECREF(attr);
        Py_XDECREF(function);
    }
    Py_XDECREF(name);
    return result;
}

static int
module_exec(PyObject *module)
{
    struct lz_engine *engine = PyModule_GetState(module);
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError,
                        "lazycore works in the main interpreter only");
        return -1;
    }
    room_init();
    engine->module = module;
    engine->owns_core = attached_core == NULL;
    engine->core = attached_core != NULL ? attached_core : core_new();
    if (engine->core == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    usage_init(engine);
    engine->targets = PyDict_New();
    engine->rebuild = PyList_New(0);
    if (engine->targets == NULL || engine->rebuild == NULL ||
        exits_init(&engine->exits) < 0 || init_names(&engine->names) < 0 ||
        init_types(module, engine) < 0)
        return -1;
    engine->finder = PyType_GenericAlloc(engine->finder_type, 0);
    if (engine->finder == NULL || views_add(module, engine) < 0 ||
        add_foreign(module, "builtins", "", builtins_methods) < 0 ||
        add_foreign(module, "_signal", "", held_methods) < 0 ||
        add_foreign(module, "atexit", "_atexit_", exits_methods) < 0 ||
        add_foreign(module, "posix", "_posix_", fork_methods) < 0 ||
        fork_register(module) < 0)
        return -1;
    if (PyModule_AddObjectRef(module, "memory_query_func", Py_None) < 0 ||
        PyModule_AddIntConstant(module, "verbose",
                                atomic_load(&engine->core->verbose)) < 0)
        return -1;
    return PyModule_AddStringConstant(module, "__version__", LAZYD_VERSION);
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct lz_engine *engine = PyModule_GetState(module);
    if (engine == NULL)
        return 0;
#define LIST_ONE(object) (PyObject *)(object),
    PyObject *objects[] = {ENGINE_OBJECTS(LIST_ONE)};
#undef LIST_ONE
    for (size_t i = 0; i < sizeof(objects) / sizeof(*objects); i++)
        Py_VISIT(objects[i]);
    for (size_t i = 0; i < LZ_LOADER_CLASSES; i++)
        Py_VISIT(engine->loader_classes[i]);
    return 0;
}

static int
module_clear(PyObject *module)
{
    struct lz_engine *engine = PyModule_GetState(module);
    if (engine == NULL)
        return 0;
    PyObject **names = (PyObject **)&engine->names;
    for (size_t i = 0; i < sizeof(engine->names) / sizeof(*names); i++)
        Py_CLEAR(names[i]);
#define CLEAR_ONE(object) Py_CLEAR(object);
    ENGINE_OBJECTS(CLEAR_ONE)
#undef CLEAR_ONE
    for (size_t i = 0; i < LZ_LOADER_CLASSES; i++)
        Py_CLEAR(engine->loader_classes[i]);
    exits_done(&engine->exits);
    directories_free(engine);
    return 0;
}

static void
module_free(void *module)
{
    struct lz_engine *engine = PyModule_GetState((PyObject *)module);
    if (engine == NULL)
        return;
    attribute_forget(module);
    usage_done(engine);
    charges_done(engine);
    (void)module_clear((PyObject *)module);
    PyMem_Free(engine->recorded);
    engine->recorded = NULL;
    settle_done(engine);
    struct lz_core *core = engine->core;
    engine->core = NULL;
    if (engine->owns_core)
        core_free(core);
}

PyDoc_STRVAR(module_doc,
             "Lazy imports for a whole process.\n\n"
             "install() makes import statements find modules and run them\n"
             "when something first uses them. See lazyd(8).");

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)module_exec},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef lazycore_module = {
    PyModuleDef_HEAD_INIT,         .m_name = "lazycore",
    .m_doc = module_doc,           .m_size = sizeof(struct lz_engine),
    .m_methods = module_methods,   .m_slots = module_slots,
    .m_traverse = module_traverse, .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC
PyInit_lazycore(void)
{
    return PyModuleDef_Init(&lazycore_module);
}
