/* What modules that are pending would import, with what that imports in turn:
 * their code is read, never run. Needs the GIL.
 */
#include "lazycore/foresee.h"

enum { MODULES_MAX = 5000 }; /* read for one closure, then it is given up */

/* Reading modules may itself miss attributes: not to be followed. */
static _Thread_local bool reading;

bool
foresee_is_reading(void)
{
    return reading;
}

int
foresee_clear(void)
{
    if (!PyErr_Occurred())
        return 0;
    if (!PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
    lz_forgive();
    return 0;
}

PyObject *
foresee_spec(struct lz_engine *engine, PyObject *name, PyObject *packages)
{
    struct lz_target *target = target_get(engine, name);
    if (target != NULL) {
        PyObject *spec = target_spec(engine, target);
        Py_DECREF(target);
        (void)foresee_clear();
        return spec;
    }
    PyObject *spec = find_spec_only(engine, name, packages);
    if (spec == Py_None)
        Py_CLEAR(spec);
    (void)foresee_clear();
    return spec;
}

/* reading what a module imports */

struct scan {
    struct lz_engine *engine;
    PyObject *known;    /* set of names that were met */
    PyObject *queue;    /* list of names still to read */
    PyObject *packages; /* specs that were found: find_spec_only() */
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

/* The code of the module NAME and its clean instructions: new references, or
 * NULL, perhaps with an exception. */
static PyObject *
code_of(PyObject *name, PyObject *spec, PyObject **ret_bytes)
{
    PyObject *loader = PyObject_GetAttrString(spec, "loader"), *code = NULL;
    if (loader != NULL && loader != Py_None)
        code = PyObject_CallMethod(loader, "get_code", "O", name);
    if (code != NULL && PyCode_Check(code))
        *ret_bytes = lz_code_bytes((PyCodeObject *)code);
    if (*ret_bytes == NULL)
        Py_CLEAR(code);
    Py_XDECREF(loader);
    return code;
}

/* ITEM of MODULE is imported. It may be an attribute: then nothing of that
 * name is found. */
static int
note_item(struct scan *scan, PyObject *module, PyObject *item)
{
    PyObject *full = PyUnicode_FromFormat("%U.%U", module, item);
    int result = full == NULL ? -1 : note_import(scan, full);
    Py_XDECREF(full);
    return result;
}

/* What __all__ of the module NAME lists, or may list where that has yet to
 * run: a new reference, or NULL, with an exception where it cannot be told. */
static PyObject *
listed_items(struct scan *scan, PyObject *name)
{
    PyObject *module = load_peek_module(name), *items = NULL;
    if (module == NULL) {
        PyObject *spec = foresee_spec(scan->engine, name, scan->packages);
        PyObject *bytes = NULL;
        PyObject *code = spec == NULL ? NULL : code_of(name, spec, &bytes);
        if (code != NULL)
            items = bytecode_listed_names((PyCodeObject *)code, bytes);
        Py_XDECREF(bytes);
        Py_XDECREF(code);
        Py_XDECREF(spec);
    } else if (PyModule_Check(module)) {
        items = namespace_peek_borrowed(scan->engine, PyModule_GetDict(module),
                                        scan->engine->names.all, NULL);
        items = items != NULL &&
                        (PyList_CheckExact(items) || PyTuple_CheckExact(items))
                    ? PySequence_List(items)
                    : NULL;
    }
    Py_XDECREF(module);
    return items;
}

/* `from MODULE import *` imports the submodules that its __all__ lists. */
static int
note_star(struct scan *scan, PyObject *module)
{
    PyObject *items = listed_items(scan, module);
    PyObject *each = items == NULL ? NULL : PyObject_GetIter(items), *item;
    int result = foresee_clear();
    while (result == 0 && each != NULL && (item = PyIter_Next(each)) != NULL) {
        if (PyUnicode_CheckExact(item) && PyUnicode_IsIdentifier(item))
            result = note_item(scan, module, item);
        Py_DECREF(item);
    }
    Py_XDECREF(each);
    Py_XDECREF(items);
    return result;
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
        PyObject *item = PyTuple_GET_ITEM(fromlist, i);
        result = PyUnicode_CompareWithASCIIString(item, "*") == 0
                     ? note_star(scan, absolute)
                     : note_item(scan, absolute, item);
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

/* What is taken from the package NAME, with CODE or none, by from-imports that
 * wait and is no name of its own: submodules. */
static int
note_waiters(struct scan *scan, PyObject *name, PyCodeObject *code)
{
    struct lz_target *target = target_get(scan->engine, name);
    int result = 0;
    for (struct lz_proxy *proxy = target == NULL ? NULL : target->waiters;
         result == 0 && proxy != NULL; proxy = proxy->next) {
        if (proxy->kind != LZ_PROXY_ATTR || proxy->target != target)
            continue;
        result = code == NULL
                     ? 0
                     : PySequence_Contains(code->co_names, proxy->attr);
        if (result == 0)
            result = note_item(scan, name, proxy->attr);
        else if (result > 0)
            result = 0;
    }
    Py_XDECREF(target);
    return result;
}

/* Whether SPEC is of a package. */
static bool
is_package(struct lz_engine *engine, PyObject *spec)
{
    PyObject *places = PyObject_GetAttr(spec, engine->names.search_locations);
    bool result = places != NULL && places != Py_None;
    lz_forgive();
    Py_XDECREF(places);
    return result;
}

/* What NAME, a module of the standard library that has no code to read, is
 * known to import by its C code, and no other one does in any case. */
static int
note_compiled(struct scan *scan, PyObject *name)
{
    static const struct {
        const char *module, *imported;
    } rows[] = {
        {"array", "collections.abc"},
        {"_decimal", "collections.abc"},
        {"_elementtree", "xml.etree.ElementPath"},
    };
    int result = 0;
    for (size_t i = 0; result == 0 && i < sizeof(rows) / sizeof(rows[0]);
         i++) {
        if (PyUnicode_CompareWithASCIIString(name, rows[i].module) != 0)
            continue;
        PyObject *imported = PyUnicode_FromString(rows[i].imported);
        result = imported == NULL ? -1 : note_import(scan, imported);
        Py_XDECREF(imported);
    }
    return result;
}

/* What the module of SPEC imports; what cannot be read brings nothing. */
static int
read_module(struct scan *scan, PyObject *name, PyObject *spec)
{
    PyObject *package = package_of_spec(scan->engine, spec);
    PyObject *bytes = NULL;
    PyObject *code = package == NULL ? NULL : code_of(name, spec, &bytes);
    if (code != NULL) {
        struct visit visit = {scan, package};
        (void)bytecode_imports((PyCodeObject *)code, bytes, visit_import,
                               &visit);
        if (scan->within == NULL)
            (void)bytecode_import_calls((PyCodeObject *)code, bytes,
                                        visit_import, &visit);
    } else if (!PyErr_Occurred()) {
        (void)note_compiled(scan, name);
    }
    if (scan->within == NULL && !PyErr_Occurred() &&
        is_package(scan->engine, spec))
        (void)note_waiters(scan, name, (PyCodeObject *)code);
    Py_XDECREF(bytes);
    Py_XDECREF(code);
    Py_XDECREF(package);
    return foresee_clear();
}

static int
read_queue(struct scan *scan)
{
    int read = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(scan->queue); i++) {
        PyObject *name = Py_NewRef(PyList_GET_ITEM(scan->queue, i));
        PyObject *module = load_peek_module(name);
        PyObject *spec = module == NULL
                             ? foresee_spec(scan->engine, name, scan->packages)
                             : NULL;
        int result =
            spec != NULL ? read_module(scan, name, spec) : foresee_clear();
        read += spec != NULL;
        Py_XDECREF(spec);
        Py_XDECREF(module);
        Py_DECREF(name);
        if (result < 0)
            return -1;
        if (read > MODULES_MAX)
            return 0;
    }
    return 0;
}

/* What is in MET, a set or NULL, is known. 0, or -1 with an exception; to be
 * ended in either case. */
static int
scan_begin(struct scan *scan, PyObject *met)
{
    scan->known = PySet_New(met);
    scan->queue = PyList_New(0);
    scan->packages = PyDict_New();
    return scan->known == NULL || scan->queue == NULL || scan->packages == NULL
               ? -1
               : 0;
}

/* The set of all that was met: a new reference, or NULL. */
static PyObject *
scan_end(struct scan *scan)
{
    Py_CLEAR(scan->queue);
    Py_CLEAR(scan->packages);
    PyObject *known = scan->known;
    scan->known = NULL;
    return known;
}

/* Bring engine->foreseen up to date with the targets. */
static int
foresee(struct lz_engine *engine)
{
    struct scan scan = {.engine = engine};
    uint64_t made = engine->targets_made;
    PyObject *targets = PyDict_Keys(engine->targets);
    bool saved = reading;
    /* Nobody who asks meanwhile is to see what has not been read. */
    int result = scan_begin(&scan, engine->foreseen);
    if (targets == NULL)
        result = -1;
    for (Py_ssize_t i = 0; result == 0 && i < PyList_GET_SIZE(targets); i++) {
        /* What is pending is published already; it is what that imports that
         * matters, once. */
        result = note_import(&scan, PyList_GET_ITEM(targets, i));
    }
    reading = true;
    if (result == 0)
        result = read_queue(&scan);
    reading = saved;
    PyObject *known = scan_end(&scan);
    if (result == 0) {
        Py_XSETREF(engine->foreseen, Py_NewRef(known));
        engine->foreseen_targets = made;
    }
    Py_XDECREF(known);
    Py_XDECREF(targets);
    return result;
}

/* Read NAME and what it leads to within its package. The set of all that is
 * met: a new reference, or NULL with an exception. */
static PyObject *
scan_package(struct scan *scan, PyObject *name)
{
    int result = scan_begin(scan, NULL);
    bool saved = reading;
    scan->within = place_text(name);
    reading = true;
    if (result < 0 || scan->within == NULL ||
        PySet_Add(scan->known, name) < 0 ||
        PyList_Append(scan->queue, name) < 0)
        result = -1;
    else
        result = read_queue(scan);
    reading = saved;
    PyObject *known = scan_end(scan);
    if (result < 0)
        Py_CLEAR(known);
    return known;
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

int
foresee_submodule(struct lz_engine *engine, PyObject *full)
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
    PyObject *spec = foresee_spec(engine, full, NULL);
    if (spec == NULL)
        return PyErr_Occurred() ? -1 : 0;
    Py_DECREF(spec);
    return foresee(engine) < 0 ? -1 : PySet_Contains(engine->foreseen, full);
}
