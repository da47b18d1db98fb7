/* install() and uninstall(): which hooks stand where.
 *
 * Replaces functions of builtins and of importlib._bootstrap by functions of
 * our module and puts a finder first on sys.meta_path. Needs the GIL.
 */
#include "lazycore/api.h"
#include "lazycore/attribute.h"
#include "lazycore/finders.h"
#include "lazycore/held.h"
#include "lazycore/settle.h"
#include "lazycore/settle_look.h"

int
engine_patch(PyObject *module, const char *name, PyObject *replacement,
             PyObject **ret_saved)
{
    PyObject *old = PyObject_GetAttrString(module, name);
    if (old == NULL)
        return -1;
    if (old == replacement) {
        Py_DECREF(old);
        return 0;
    }
    if (PyObject_SetAttrString(module, name, replacement) < 0) {
        Py_DECREF(old);
        return -1;
    }
    Py_XSETREF(*ret_saved, old);
    return 0;
}

struct patch {
    const char *name; /* in builtins, importlib._bootstrap or _signal */
    const char *ours; /* attribute of our module */
    size_t saved;     /* offset in struct lz_engine */
};

#define SAVED(field) offsetof(struct lz_engine, field)

static const struct patch builtins_patches[] = {
    {"__import__", "__import__", SAVED(import)},
    {"globals", "globals", SAVED(saved_globals)},
    {"locals", "locals", SAVED(saved_locals)},
    {"vars", "vars", SAVED(saved_vars)},
    {"dir", "dir", SAVED(saved_dir)},
    {NULL, NULL, 0},
};

static const struct patch bootstrap_patches[] = {
    {"_load_unlocked", "_load_unlocked", SAVED(load_unlocked)},
    {"_find_spec", "_find_spec", SAVED(bootstrap_find)},
    {"_find_and_load_unlocked", "_find_and_load_unlocked",
     SAVED(find_and_load_unlocked)},
    {"_find_and_load", "_find_and_load", SAVED(find_and_load)},
    {"_lock_unlock_module", "_lock_unlock_module", SAVED(lock_unlock_module)},
    {NULL, NULL, 0},
};

static const struct patch signal_patches[] = {
    {"signal", "signal", SAVED(signal)},
    {"getsignal", "getsignal", SAVED(getsignal)},
    {NULL, NULL, 0},
};

static const struct patch atexit_patches[] = {
    {"register", "_atexit_register", SAVED(exits.saved[LZ_EXITS_REGISTER])},
    {"unregister", "_atexit_unregister",
     SAVED(exits.saved[LZ_EXITS_UNREGISTER])},
    {"_clear", "_atexit__clear", SAVED(exits.saved[LZ_EXITS_CLEAR])},
    {"_run_exitfuncs", "_atexit__run_exitfuncs",
     SAVED(exits.saved[LZ_EXITS_RUN])},
    {"_ncallbacks", "_atexit__ncallbacks", SAVED(exits.saved[LZ_EXITS_COUNT])},
    {NULL, NULL, 0},
};

static const struct patch fork_patches[] = {
    {"fork", "_posix_fork", SAVED(fork)},
    {"forkpty", "_posix_forkpty", SAVED(forkpty)},
    {NULL, NULL, 0},
};

static PyObject **
saved_slot(struct lz_engine *engine, const struct patch *patch)
{
    return (PyObject **)(void *)((char *)engine + patch->saved);
}

/* OURS says of itself what SAVED does. */
static void
copy_doc(PyObject *ours, PyObject *saved)
{
    if (!PyCFunction_Check(ours) || saved == NULL || !PyCFunction_Check(saved))
        return;
    PyMethodDef *def = ((PyCFunctionObject *)ours)->m_ml;
    if (def->ml_doc == NULL)
        def->ml_doc = ((PyCFunctionObject *)saved)->m_ml->ml_doc;
}

static int
apply_patches(struct lz_engine *engine, PyObject *module,
              const struct patch *patches)
{
    for (const struct patch *patch = patches; patch->name != NULL; patch++) {
        PyObject *ours = PyObject_GetAttrString(engine->module, patch->ours);
        PyObject **saved = saved_slot(engine, patch);
        int result =
            ours == NULL ? -1 : engine_patch(module, patch->name, ours, saved);
        if (result == 0)
            copy_doc(ours, *saved);
        Py_XDECREF(ours);
        if (result < 0)
            return -1;
    }
    return 0;
}

/* Put back what was there, unless someone replaced ours meanwhile. */
static int
undo_patches(struct lz_engine *engine, PyObject *module,
             const struct patch *patches)
{
    for (const struct patch *patch = patches; patch->name != NULL; patch++) {
        PyObject *saved = *saved_slot(engine, patch);
        PyObject *ours = PyObject_GetAttrString(engine->module, patch->ours);
        PyObject *now = PyObject_GetAttrString(module, patch->name);
        int result = 0;
        if (ours == NULL || now == NULL)
            result = -1;
        else if (now == ours && saved != NULL)
            result = PyObject_SetAttrString(module, patch->name, saved);
        Py_XDECREF(ours);
        Py_XDECREF(now);
        if (result < 0)
            return -1;
    }
    return 0;
}

static PyObject *
import_builtins(void)
{
    return PyImport_ImportModule("builtins");
}

/* The code of importlib's function that binds submodules, which the key's
 * comparison must recognise. */
static int
learn_bootstrap(struct lz_engine *engine)
{
    PyObject *importlib = PyImport_ImportModule("_frozen_importlib");
    if (importlib == NULL)
        return -1;
    Py_XSETREF(engine->bootstrap, importlib);
    PyObject *binder =
        PyObject_GetAttrString(importlib, "_find_and_load_unlocked");
    if (binder == NULL)
        return -1;
    if (PyFunction_Check(binder))
        Py_XSETREF(engine->binding_code,
                   Py_NewRef(PyFunction_GET_CODE(binder)));
    Py_DECREF(binder);
    PyObject *sys_function =
        PySys_GetObject("getallocatedblocks"); /* borrowed */
    Py_XSETREF(engine->getallocatedblocks, Py_XNewRef(sys_function));
    return 0;
}

/* Hand the str items of a container of sys to a function of plain C. */
static int
with_strings(const char *sys_name,
             int (*use)(struct lz_core *core, const char *const *strings,
                        size_t count),
             struct lz_core *core)
{
    int result = -1;
    const char **strings = NULL;
    PyObject *container = PySys_GetObject(sys_name);
    PyObject *list =
        container == NULL ? PyList_New(0) : PySequence_List(container);
    if (list == NULL)
        return -1;
    size_t count = (size_t)PyList_GET_SIZE(list);
    strings = PyMem_Calloc(count + 1, sizeof(*strings));
    if (strings == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    for (size_t i = 0; i < count; i++) {
        strings[i] = PyUnicode_AsUTF8(PyList_GET_ITEM(list, (Py_ssize_t)i));
        if (strings[i] == NULL)
            goto done;
    }
    result = use(core, strings, count);
    if (result < 0 && !PyErr_Occurred())
        PyErr_NoMemory();
done:
    PyMem_Free((void *)strings);
    Py_DECREF(list);
    return result;
}

static int
use_builtins(struct lz_core *core, const char *const *strings, size_t count)
{
    registry_builtins(core->registry, strings, count);
    return 0;
}

static int
use_stdlib(struct lz_core *core, const char *const *strings, size_t count)
{
    return levels_stdlib(core->levels, strings, count);
}

/* It was read a moment ago. */
static void
note_existing_source(struct lz_engine *engine, const char *name,
                     const char *path)
{
    struct lz_source source;
    if (path != NULL && source_identify(path, &source))
        sources_note(engine->core->sources, name, path, &source);
}

static void
note_existing(struct lz_engine *engine)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *name, *module;
    Py_ssize_t at = 0;
    while (PyDict_Next(modules, &at, &name, &module)) {
        if (module == Py_None || !PyUnicode_Check(name))
            continue;
        PyObject *file =
            PyModule_Check(module) ? PyModule_GetFilenameObject(module) : NULL;
        lz_forgive();
        const char *text = PyUnicode_AsUTF8(name);
        const char *path = file == NULL ? NULL : PyUnicode_AsUTF8(file);
        if (text != NULL) {
            registry_existing(engine->core->registry, text, path);
            note_existing_source(engine, text, path);
        }
        lz_forgive();
        Py_XDECREF(file);
    }
    engine->modules_seen = PyDict_GET_SIZE(modules);
}

static int
put_finder_first(struct lz_engine *engine)
{
    PyObject *meta_path = PySys_GetObject("meta_path"); /* borrowed */
    if (meta_path == NULL || !PyList_Check(meta_path)) {
        PyErr_SetString(PyExc_RuntimeError, "sys.meta_path is not a list");
        return -1;
    }
    return PyList_Insert(meta_path, 0, engine->finder);
}

static int
remove_finder(struct lz_engine *engine)
{
    PyObject *meta_path = PySys_GetObject("meta_path"); /* borrowed */
    if (meta_path == NULL || !PyList_Check(meta_path))
        return 0;
    for (Py_ssize_t i = PyList_GET_SIZE(meta_path) - 1; i >= 0; i--) {
        if (PyList_GET_ITEM(meta_path, i) == engine->finder &&
            PyList_SetSlice(meta_path, i, i + 1, NULL) < 0)
            return -1;
    }
    return 0;
}

void
engine_patch_reload(struct lz_engine *engine, PyObject *importlib)
{
    PyObject *ours = PyObject_GetAttrString(engine->module, "_reload");
    if (ours == NULL ||
        engine_patch(importlib, "reload", ours, &engine->saved_reload) < 0)
        lz_forgive();
    Py_XDECREF(ours);
}

static int
patch_loaded_importlib(struct lz_engine *engine)
{
    PyObject *name = PyUnicode_FromString("importlib");
    PyObject *importlib = name == NULL ? NULL : PyImport_GetModule(name);
    Py_XDECREF(name);
    if (importlib == NULL)
        return PyErr_Occurred() ? -1 : 0;
    engine_patch_reload(engine, importlib);
    Py_DECREF(importlib);
    return 0;
}

static int
patch_fork(struct lz_engine *engine, bool undo)
{
    int result = 0;
    for (int i = 0; result == 0 && i < 2; i++) {
        PyObject *module = PyImport_ImportModule(i == 0 ? "posix" : "os");
        if (module == NULL)
            result = -1;
        else if (undo)
            result = undo_patches(engine, module, fork_patches);
        else
            result = apply_patches(engine, module, fork_patches);
        Py_XDECREF(module);
    }
    return result;
}

/* UNDO: put back what was there, and the handlers. */
static int
patch_signal(struct lz_engine *engine, bool undo)
{
    PyObject *module = PyImport_ImportModule("_signal");
    int result = -1;
    if (module != NULL && undo) {
        result = undo_patches(engine, module, signal_patches);
        held_uninstall(engine);
    } else if (module != NULL) {
        result = apply_patches(engine, module, signal_patches);
        if (result == 0)
            held_install(engine);
    }
    Py_XDECREF(module);
    return result;
}

/* The module stays in sys.modules: freeing it forgets every callback. */
static int
patch_atexit(struct lz_engine *engine, bool undo)
{
    PyObject *module = PyImport_ImportModule("atexit");
    int result = -1;
    if (module != NULL && undo) {
        result = exits_uninstall(engine);
        if (undo_patches(engine, module, atexit_patches) < 0)
            result = -1;
    } else if (module != NULL) {
        result = apply_patches(engine, module, atexit_patches);
        if (result == 0)
            result = exits_install(engine);
    }
    Py_XDECREF(module);
    return result;
}

int
engine_install(struct lz_engine *engine)
{
    if (engine->installed)
        return 0;
    PyObject *builtins = import_builtins();
    if (builtins == NULL)
        return -1;
    int result = -1;
    const struct patch *patches = builtins_patches;
    PyObject *below = NULL;
    PyObject *import = PyObject_GetAttrString(builtins, "__import__");
    if (import == NULL)
        goto done;
    if (import == engine->import_over) /* which calls ours, the first patch */
        patches++;
    else if (engine->import_over != NULL) /* and so may this */
        below = Py_XNewRef(engine->import);
    else
        engine->import_is_builtin = PyCFunction_Check(import) &&
                                    PyCFunction_GET_SELF(import) == builtins;
    Py_DECREF(import);
    if (learn_bootstrap(engine) < 0 || finders_init(engine) < 0 ||
        with_strings("builtin_module_names", use_builtins, engine->core) < 0 ||
        with_strings("stdlib_module_names", use_stdlib, engine->core) < 0)
        goto done;
    if (patch_atexit(engine, false) < 0)
        goto done;
    note_existing(engine);
    if (settle_begin(engine) < 0)
        goto done;
    if (apply_patches(engine, engine->bootstrap, bootstrap_patches) < 0 ||
        apply_patches(engine, builtins, patches) < 0 ||
        module_lock_install(engine) < 0 || patch_signal(engine, false) < 0 ||
        patch_fork(engine, false) < 0 || patch_loaded_importlib(engine) < 0 ||
        put_finder_first(engine) < 0)
        goto done;
    if (below != NULL)
        Py_SETREF(engine->import, Py_NewRef(below));
    attribute_install(engine->module);
    engine->installed = true;
    atomic_store(&engine->core->enabled, 1);
    result = 0;
done:
    if (result < 0) {
        PyObject *error = lz_take_error();
        if (engine->bootstrap != NULL)
            (void)undo_patches(engine, engine->bootstrap, bootstrap_patches);
        if (engine->bootstrap != NULL)
            (void)module_lock_uninstall(engine);
        (void)patch_signal(engine, true);
        (void)patch_fork(engine, true);
        (void)settle_unpatch_interval(engine);
        (void)undo_patches(engine, builtins, builtins_patches);
        (void)patch_atexit(engine, true);
        lz_forgive();
        lz_raise(error);
    }
    Py_XDECREF(below);
    Py_DECREF(builtins);
    return result;
}

/* What someone else has put over our __import__ stays, and goes on calling it:
 * to save it as what ours shall call would make a circle. */
static int
note_import_over(struct lz_engine *engine, PyObject *builtins)
{
    PyObject *now = PyObject_GetAttrString(builtins, "__import__");
    PyObject *ours = PyObject_GetAttrString(engine->module, "__import__");
    int result = now == NULL || ours == NULL ? -1 : 0;
    Py_XSETREF(engine->import_over, now == ours ? NULL : Py_XNewRef(now));
    Py_XDECREF(now);
    Py_XDECREF(ours);
    return result;
}

int
engine_uninstall(struct lz_engine *engine)
{
    if (!engine->installed)
        return 0;
    atomic_store(&engine->core->enabled, 0);
    engine->installed = false;
    Py_CLEAR(engine->outer);
    attribute_uninstall();
    PyObject *builtins = import_builtins();
    if (builtins == NULL)
        return -1;
    int result =
        note_import_over(engine, builtins) < 0 ||
                undo_patches(engine, builtins, builtins_patches) < 0 ||
                undo_patches(engine, engine->bootstrap, bootstrap_patches) <
                    0 ||
                module_lock_uninstall(engine) < 0 ||
                patch_signal(engine, true) < 0 ||
                patch_fork(engine, true) < 0 || remove_finder(engine) < 0 ||
                settle_unpatch_interval(engine) < 0 ||
                patch_atexit(engine, true) < 0
            ? -1
            : 0;
    Py_DECREF(builtins);
    if (result == 0 && engine->saved_reload != NULL) {
        PyObject *importlib = PyImport_ImportModule("importlib");
        if (importlib == NULL ||
            PyObject_SetAttrString(importlib, "reload", engine->saved_reload) <
                0)
            result = -1;
        Py_XDECREF(importlib);
    }
    return result;
}
