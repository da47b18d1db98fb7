/* Submodules that eager code would have by now, because a module that is
 * still pending imports them.
 *
 * `import importlib` and then importlib.util works in eager code when any
 * module imported before brought importlib.util. So when an attribute of a
 * package is missing, and a submodule of that name can be found, the code of
 * the pending modules is read (never run), with what it imports in turn; if
 * one of them would import the submodule, it is imported now. Stands in
 * PyModule_Type.tp_getattro while installed. Needs the GIL.
 */
#include "lazycore/foresee.h"
#include "lazycore/reload.h"

enum { MODULES_MAX = 5000 }; /* read for one closure, then it is given up */

/* Reading modules may itself miss attributes: not to be followed. */
static _Thread_local bool reading;

/* Clear what cannot be read or loaded. 0, or -1 where KeyboardInterrupt or
 * SystemExit is pending, which stays. */
static int
clear_exception(void)
{
    if (!PyErr_Occurred())
        return 0;
    if (!PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
    lz_forgive();
    return 0;
}

/* reading what a module imports */

struct scan {
    struct lz_engine *engine;
    PyObject *known;    /* set of names that were met */
    PyObject *queue;    /* list of names still to read */
    const char *within; /* the package of which alone modules are read; or
                           NULL */
    bool strays;        /* it imports what is of another one and not there */
    PyObject *sought;   /* a name, or NULL; */
    bool met;           /* and it imports that, of another package */
};

/* NAME would be imported: note it and every parent of it, and read it. */
static int
note_import(struct scan *scan, PyObject *name)
{
    int known = PySet_Contains(scan->known, name);
    if (known != 0)
        return known < 0 ? -1 : 0;
    if (PySet_Add(scan->known, name) < 0 ||
        PyList_Append(scan->queue, name) < 0)
        return -1;
    PyObject *parent = dotted_parent(name);
    if (parent == NULL)
        return PyErr_Occurred() ? -1 : 0;
    int result = note_import(scan, parent);
    Py_DECREF(parent);
    return result;
}

PyObject *
foresee_absolute(PyObject *package, PyObject *name, int level)
{
    if (level <= 0)
        return Py_NewRef(name);
    Py_ssize_t end = PyUnicode_GET_LENGTH(package);
    for (int i = level; i > 1 && end > 0; i--)
        end = PyUnicode_FindChar(package, '.', 0, end, -1);
    PyObject *base = end <= 0 ? NULL : PyUnicode_Substring(package, 0, end);
    if (base != NULL && PyUnicode_GET_LENGTH(name) > 0)
        Py_SETREF(base, PyUnicode_FromFormat("%U.%U", base, name));
    return base;
}

static bool
is_within(const char *package, PyObject *name)
{
    const char *text = place_text(name);
    return text != NULL && names_share_package(text, package);
}

/* MODULE, of another package than the one that is read, is imported. */
static void
note_stray(struct scan *scan, PyObject *name, PyObject *fromlist)
{
    const char *text = place_text(name);
    if (text == NULL || levels_is_stdlib(scan->engine->core->levels, text))
        return;
    PyObject *module = load_module_here(scan->engine, name);
    bool there = module != NULL && PyModule_Check(module);
    Py_ssize_t count = there && fromlist != NULL && PyTuple_Check(fromlist)
                           ? PyTuple_GET_SIZE(fromlist)
                           : 0;
    for (Py_ssize_t i = 0; there && i < count; i++)
        there = namespace_peek_borrowed(scan->engine, PyModule_GetDict(module),
                                        PyTuple_GET_ITEM(fromlist, i),
                                        NULL) != NULL;
    if (!there)
        scan->strays = true;
    lz_forgive();
    Py_XDECREF(module);
}

/* One import of MODULE's body, whose package is PACKAGE. */
static int
note_statement(struct scan *scan, PyObject *package, PyObject *name,
               PyObject *fromlist, int level)
{
    PyObject *absolute = foresee_absolute(package, name, level);
    if (absolute == NULL)
        return PyErr_Occurred() ? -1 : 0;
    if (scan->within != NULL && !is_within(scan->within, absolute)) {
        if (scan->sought != NULL)
            scan->met |= dotted_begins_with(scan->sought, absolute);
        else
            note_stray(scan, absolute, fromlist);
        Py_DECREF(absolute);
        return 0;
    }
    int result = note_import(scan, absolute);
    Py_ssize_t count = fromlist != NULL && PyTuple_Check(fromlist)
                           ? PyTuple_GET_SIZE(fromlist)
                           : 0;
    for (Py_ssize_t i = 0; result == 0 && i < count; i++) {
        PyObject *full = PyUnicode_FromFormat("%U.%U", absolute,
                                              PyTuple_GET_ITEM(fromlist, i));
        /* It may be an attribute: then nothing of that name is found. */
        result = full == NULL ? -1 : note_import(scan, full);
        Py_XDECREF(full);
    }
    Py_DECREF(absolute);
    return result;
}

struct visit {
    struct scan *scan;
    PyObject *package;
};

static int
visit_import(void *arg, PyObject *name, PyObject *fromlist, int level)
{
    struct visit *visit = arg;
    return note_statement(visit->scan, visit->package, name, fromlist, level);
}

/* The package of the module SPEC: itself, or its parent. New reference. */
static PyObject *
package_of_spec(struct lz_engine *engine, PyObject *spec)
{
    PyObject *package = PyObject_GetAttr(spec, engine->names.parent);
    if (package != NULL && !PyUnicode_Check(package))
        Py_CLEAR(package);
    lz_forgive();
    return package;
}

/* What the module of SPEC imports; what cannot be read brings nothing. */
static int
read_module(struct scan *scan, PyObject *name, PyObject *spec)
{
    PyObject *package = package_of_spec(scan->engine, spec);
    PyObject *loader = PyObject_GetAttrString(spec, "loader");
    PyObject *code = NULL, *bytes = NULL;
    if (package != NULL && loader != NULL && loader != Py_None)
        code = PyObject_CallMethod(loader, "get_code", "O", name);
    if (code != NULL && PyCode_Check(code))
        bytes = lz_code_bytes((PyCodeObject *)code);
    if (bytes != NULL) {
        struct visit visit = {scan, package};
        (void)bytecode_imports((PyCodeObject *)code, bytes, visit_import,
                               &visit);
    }
    Py_XDECREF(bytes);
    Py_XDECREF(code);
    Py_XDECREF(loader);
    Py_XDECREF(package);
    return clear_exception();
}

PyObject *
foresee_spec(struct lz_engine *engine, PyObject *name)
{
    struct lz_target *target = target_get(engine, name);
    if (target != NULL) {
        PyObject *spec = target_spec(engine, target);
        Py_DECREF(target);
        (void)clear_exception();
        return spec;
    }
    PyObject *spec = find_spec_only(engine, name);
    if (spec == Py_None)
        Py_CLEAR(spec);
    (void)clear_exception();
    return spec;
}

static int
read_queue(struct scan *scan)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(scan->queue); i++) {
        if (i > MODULES_MAX)
            return 0;
        PyObject *name = Py_NewRef(PyList_GET_ITEM(scan->queue, i));
        PyObject *module = load_peek_module(name);
        PyObject *spec =
            module == NULL ? foresee_spec(scan->engine, name) : NULL;
        int result =
            spec != NULL ? read_module(scan, name, spec) : clear_exception();
        Py_XDECREF(spec);
        Py_XDECREF(module);
        Py_DECREF(name);
        if (result < 0)
            return -1;
    }
    return 0;
}

/* Bring engine->foreseen up to date with the targets. */
static int
foresee(struct lz_engine *engine)
{
    struct scan scan = {.engine = engine};
    if (engine->foreseen == NULL)
        engine->foreseen = PySet_New(NULL);
    PyObject *targets = PyDict_Keys(engine->targets);
    scan.known = engine->foreseen;
    scan.queue = PyList_New(0);
    int result =
        engine->foreseen == NULL || targets == NULL || scan.queue == NULL ? -1
                                                                          : 0;
    for (Py_ssize_t i = 0; result == 0 && i < PyList_GET_SIZE(targets); i++) {
        /* A pending module itself is published already; it is what it
         * imports that matters, once. */
        PyObject *name = PyList_GET_ITEM(targets, i);
        int known = PySet_Contains(engine->foreseen, name);
        if (known < 0 ||
            (known == 0 && (PySet_Add(engine->foreseen, name) < 0 ||
                            PyList_Append(scan.queue, name) < 0)))
            result = -1;
    }
    if (result == 0)
        result = read_queue(&scan);
    engine->foreseen_targets = engine->targets_made;
    Py_XDECREF(scan.queue);
    Py_XDECREF(targets);
    return result;
}

/* Read NAME and what it leads to within its package. The set of all that is
 * met: a new reference, or NULL with an exception. */
static PyObject *
scan_package(struct scan *scan, PyObject *name)
{
    int result = -1;
    bool saved = reading;
    scan->known = PySet_New(NULL);
    scan->queue = PyList_New(0);
    scan->within = place_text(name);
    reading = true;
    if (scan->known != NULL && scan->queue != NULL && scan->within != NULL &&
        PySet_Add(scan->known, name) == 0 &&
        PyList_Append(scan->queue, name) == 0)
        result = read_queue(scan);
    reading = saved;
    Py_XDECREF(scan->queue);
    if (result < 0)
        Py_CLEAR(scan->known);
    return scan->known;
}

int
foresee_strays(struct lz_engine *engine, PyObject *name)
{
    struct scan scan = {.engine = engine};
    PyObject *known = scan_package(&scan, name);
    Py_XDECREF(known);
    return known == NULL ? -1 : scan.strays;
}

int
foresee_leads_to(struct lz_engine *engine, PyObject *name, PyObject *sought)
{
    struct scan scan = {.engine = engine, .sought = sought};
    PyObject *known = scan_package(&scan, name);
    int result = known == NULL ? -1
                 : scan.met    ? 1
                               : PySet_Contains(known, sought);
    Py_XDECREF(known);
    return result;
}

/* The missing attribute */

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

/* Whether eager code would have loaded FULL by now. */
static int
is_foreseen(struct lz_engine *engine, PyObject *full)
{
    int result = 0;
    PyObject *module = load_peek_module(full);
    if (module != NULL) { /* loaded, or being loaded: as importlib has it */
        Py_DECREF(module);
        return 0;
    }
    if (engine->foreseen != NULL) {
        result = PySet_Contains(engine->foreseen, full);
        if (result != 0)
            return result;
    }
    if (engine->foreseen != NULL &&
        engine->foreseen_targets == engine->targets_made)
        return 0;
    PyObject *spec = foresee_spec(engine, full);
    if (spec == NULL)
        return PyErr_Occurred() ? -1 : 0;
    Py_DECREF(spec);
    reading = true;
    int read = foresee(engine);
    reading = false;
    if (read < 0)
        return -1;
    return PySet_Contains(engine->foreseen, full);
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
    int result = full == NULL ? -1 : is_foreseen(engine, full);
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
    if (reading || patch.module == NULL || lz_is_finalizing() ||
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
    if (value == NULL && clear_exception() == 0)
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
foresee_getattro(PyObject *module, PyObject *attr)
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
    if (patch.module != NULL && PyModule_Type.tp_getattro == foresee_getattro)
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
foresee_install(PyObject *module)
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
    PyModule_Type.tp_getattro = foresee_getattro;
    PyType_Modified(&PyModule_Type);
}

void
foresee_uninstall(void)
{
    if (patch.module == NULL || PyModule_Type.tp_getattro != foresee_getattro)
        return;
    restore();
    PyType_Modified(&PyModule_Type);
}

void
foresee_forget(PyObject *module)
{
    if (patch.module == module)
        foresee_uninstall();
}
