/* Reload, step 1: which module, may it be reloaded, what its source says now.
 *
 * Responsible for refusing what cannot be reloaded, for reading the source
 * once past every cache, and for knowing whether it is what runs. Leaves
 * running it to reload.c. Needs the GIL.
 */
#include "lazycore/reload.h"

#include <string.h>

/* --- what a source file is ---------------------------------------------- */

/* The path of ORIGIN, a str: new bytes, or NULL. Clears errors. */
static PyObject *
path_of(PyObject *origin)
{
    PyObject *bytes = NULL;

    if (origin == NULL || !PyUnicode_Check(origin) ||
        !PyUnicode_FSConverter(origin, &bytes)) {
        bytes = NULL;
    }
    lz_forgive();
    return bytes;
}

/* Module NAME, of ORIGIN, runs SOURCE. Clears errors. */
static void
note(struct lz_engine *engine, PyObject *name, PyObject *origin,
     const struct lz_source *source)
{
    const char *text = reload_text(name, NULL);
    PyObject *path = path_of(origin);

    if (text != NULL && path != NULL) {
        sources_note(engine->core->sources, text, PyBytes_AS_STRING(path),
                     source);
    }
    Py_XDECREF(path);
}

static bool
identify(PyObject *origin, struct lz_source *ret_source)
{
    PyObject *path = path_of(origin);
    bool known =
        path != NULL && source_identify(PyBytes_AS_STRING(path), ret_source);

    if (!known) {
        *ret_source = (struct lz_source){.racy = true};
    }
    Py_XDECREF(path);
    return known;
}

void
reload_note_source(struct lz_engine *engine, PyObject *spec)
{
    struct lz_source source;
    PyObject *error = lz_take_error();
    /* None, or whatever stands for a spec, may lack them. */
    PyObject *name = PyObject_GetAttr(spec, engine->names.name_attr);
    PyObject *origin =
        name == NULL ? NULL : PyObject_GetAttr(spec, engine->names.origin);
    if (name != NULL && origin != NULL && PyUnicode_Check(name) &&
        identify(origin, &source)) {
        note(engine, name, origin, &source);
        reload_forget_generations(engine, name);
    }
    lz_forgive();
    Py_XDECREF(name);
    Py_XDECREF(origin);
    lz_raise(error);
}

void
reload_remember(struct lz_reload *reload)
{
    note(reload->engine, reload->name, reload->origin, &reload->identity);
}

bool
reload_recall(struct lz_reload *reload, struct lz_source *ret_source)
{
    const char *text = reload_text(reload->name, NULL);

    return text != NULL &&
           sources_get(reload->engine->core->sources, text, ret_source);
}

/* --- may it be reloaded
 * ------------------------------------------------------ */

PyObject *
reload_live_borrowed(struct lz_reload *reload, const char *key)
{
    PyObject *name = PyUnicode_FromString(key);
    PyObject *value = name == NULL
                          ? NULL
                          : namespace_peek_borrowed(reload->engine,
                                                    reload->live, name, NULL);
    Py_XDECREF(name);
    return value;
}

/* Whether the finders find NAME, without loading a parent. Clears errors. */
static bool
can_be_found(struct lz_reload *reload)
{
    PyObject *path = Py_NewRef(Py_None);
    PyObject *bootstrap = PyImport_ImportModule("importlib._bootstrap");
    Py_ssize_t length = PyUnicode_GET_LENGTH(reload->name), end = 0;
    bool found = bootstrap != NULL && length > 0;

    while (found && end < length) {
        Py_ssize_t dot = PyUnicode_FindChar(reload->name, '.', end, length, 1);
        end = dot < 0 ? length : dot;
        PyObject *part = PyUnicode_Substring(reload->name, 0, end);
        PyObject *spec = part == NULL
                             ? NULL
                             : PyObject_CallMethod(bootstrap, "_find_spec",
                                                   "OO", part, path);
        Py_XDECREF(path);
        path = NULL;
        found = spec != NULL && spec != Py_None;
        if (found && end < length) {
            PyObject *places =
                PyObject_GetAttrString(spec, "submodule_search_locations");
            path = places == NULL || places == Py_None
                       ? NULL
                       : PySequence_List(places);
            found = path != NULL;
            Py_XDECREF(places);
        }
        Py_XDECREF(part);
        Py_XDECREF(spec);
        lz_forgive();
        end++;
    }
    lz_forgive();
    Py_XDECREF(path);
    Py_XDECREF(bootstrap);
    return found;
}

static int
not_loaded(struct lz_reload *reload)
{
    struct lz_target *target = target_get(reload->engine, reload->name);

    if (target != NULL || can_be_found(reload)) {
        Py_XDECREF((PyObject *)target);
        return reload_verdict(reload, LZ_VERDICT_NOT_LOADED,
                              "'%s' is not loaded; its first use will read "
                              "the current file",
                              PyUnicode_AsUTF8(reload->name));
    }
    PyErr_Format(PyExc_ModuleNotFoundError, "no module named '%U'",
                 reload->name);
    return -1;
}

/* Whether LOADER is importlib's for source, whatever the file is called. */
static int
loads_source(PyObject *loader)
{
    PyObject *external =
        PyImport_ImportModule("importlib._bootstrap_external");
    PyObject *class = external == NULL
                          ? NULL
                          : PyObject_GetAttrString(external, "SourceLoader");
    int answer = class == NULL ? -1 : PyObject_IsInstance(loader, class);

    Py_XDECREF(class);
    Py_XDECREF(external);
    return answer;
}

/* Whether LOADER runs a module as importlib's own loaders of source do. */
static int
loads_as_importlib(PyObject *loader)
{
    int same = -1;
    PyObject *external =
        PyImport_ImportModule("importlib._bootstrap_external");
    PyObject *basics = external == NULL
                           ? NULL
                           : PyObject_GetAttrString(external, "_LoaderBasics");
    PyObject *theirs =
        basics == NULL ? NULL : PyObject_GetAttrString(basics, "exec_module");
    PyObject *its = theirs == NULL
                        ? NULL
                        : PyObject_GetAttrString((PyObject *)Py_TYPE(loader),
                                                 "exec_module");
    if (theirs != NULL && reload_forgive() == 0) {
        same = its == theirs;
    }
    Py_XDECREF(its);
    Py_XDECREF(theirs);
    Py_XDECREF(basics);
    Py_XDECREF(external);
    return same;
}

static bool
text_is(PyObject *text, const char *expected)
{
    return text != NULL && PyUnicode_Check(text) &&
           PyUnicode_CompareWithASCIIString(text, expected) == 0;
}

static bool
ends_with(PyObject *text, const char *suffix)
{
    Py_ssize_t length = (Py_ssize_t)strlen(suffix);
    Py_ssize_t begin = PyUnicode_GET_LENGTH(text) - length;
    bool yes = begin >= 0;

    for (Py_ssize_t i = 0; yes && i < length; i++) {
        yes = PyUnicode_READ_CHAR(text, begin + i) == (Py_UCS4)suffix[i];
    }
    return yes;
}

/* Attribute NAME of OBJECT: a new reference, or NULL, with an exception only
 * where memory lacks or the program is to end. */
static PyObject *
attribute(PyObject *object, const char *name)
{
    PyObject *value = PyObject_GetAttrString(object, name);

    (void)reload_forgive();
    return value;
}

static int
refused(struct lz_reload *reload, const char *why)
{
    return reload_verdict(reload, LZ_VERDICT_REFUSED, "'%s' %s",
                          PyUnicode_AsUTF8(reload->name), why);
}

/* By what the spec says of where the module came from. */
static int
check_spec(struct lz_reload *reload)
{
    PyObject *places = attribute(reload->spec, "submodule_search_locations");
    bool package = places != NULL && places != Py_None;
    Py_XDECREF(places);
    if (PyErr_Occurred()) {
        return -1;
    }
    if (text_is(reload->origin, "built-in")) {
        return refused(reload, "is built into the interpreter");
    }
    if (text_is(reload->origin, "frozen")) {
        return refused(reload, "is frozen into the interpreter");
    }
    if (!PyUnicode_Check(reload->origin)) {
        return refused(reload, package ? "is a namespace package: it has no "
                                         "code"
                                       : "came from no file");
    }
    int source =
        ends_with(reload->origin, ".py") ? 1 : loads_source(reload->loader);
    if (source < 0) {
        return -1;
    }
    if (source == 0) {
        return refused(reload, ends_with(reload->origin, ".pyc")
                                   ? "was loaded from bytecode without source"
                                   : "is an extension or not Python source");
    }
    int same = loads_as_importlib(reload->loader);
    if (same == 0) {
        return refused(reload, "has a loader that runs it in its own way");
    }
    return same;
}

static int
check_module(struct lz_reload *reload)
{
    if (text_is(reload->name, "__main__")) {
        return refused(reload, "is the program itself; restart it");
    }
    PyObject *may = reload_live_borrowed(reload, "__reload__");
    if (PyErr_Occurred()) {
        return -1;
    }
    if (may == Py_False) {
        return refused(reload, "forbids it: it sets '__reload__ = False'");
    }
    if (reload->spec == NULL || reload->spec == Py_None) {
        return refused(reload, "has no import spec: code made it");
    }
    PyObject *busy = attribute(reload->spec, "_initializing");
    bool initializing = busy == Py_True;
    Py_XDECREF(busy);
    if (PyErr_Occurred()) {
        return -1;
    }
    if (initializing) {
        return reload_verdict(reload, LZ_VERDICT_INCONCLUSIVE,
                              "'%s' is being loaded right now; try again",
                              PyUnicode_AsUTF8(reload->name));
    }
    reload->loader =
        reload->origin == NULL ? NULL : attribute(reload->spec, "loader");
    if (reload->loader == NULL) {
        return PyErr_Occurred()
                   ? -1
                   : refused(reload, "has an incomplete import spec");
    }
    return check_spec(reload);
}

int
reload_find_live(struct lz_reload *reload)
{
    PyObject *modules = PyImport_GetModuleDict();

    reload->module =
        Py_XNewRef(PyDict_GetItemWithError(modules, reload->name));
    if (reload->module == NULL || reload->module == Py_None) {
        return PyErr_Occurred() ? -1 : not_loaded(reload);
    }
    if (!PyModule_Check(reload->module)) {
        return refused(reload, "put another object in its place in "
                               "sys.modules");
    }
    reload->live = Py_NewRef(PyModule_GetDict(reload->module));
    reload->spec = Py_XNewRef(reload_live_borrowed(reload, "__spec__"));
    if (reload->spec != NULL && reload->spec != Py_None) {
        reload->origin = attribute(reload->spec, "origin");
    }
    return PyErr_Occurred() ? -1 : 1;
}

int
reload_find(struct lz_reload *reload)
{
    int status = reload_find_live(reload);

    return status == 1 ? check_module(reload) : status;
}

/* --- reading
 * ------------------------------------------------------------------ */

/* A zip's importer remembers where in the file its members were. */
static int
invalidate(PyObject *loader)
{
    if (!PyObject_HasAttrString(loader, "archive") ||
        !PyObject_HasAttrString(loader, "invalidate_caches")) {
        return 0;
    }
    PyObject *done = PyObject_CallMethod(loader, "invalidate_caches", NULL);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static int
read_source(struct lz_reload *reload)
{
    if (invalidate(reload->loader) < 0) {
        return -1;
    }
    (void)identify(reload->origin, &reload->identity);
    reload->source =
        PyObject_CallMethod(reload->loader, "get_data", "O", reload->origin);
    if (reload->source != NULL && !PyBytes_CheckExact(reload->source)) {
        PyErr_Format(PyExc_TypeError, "get_data() of '%U' gave no bytes",
                     reload->origin);
        return -1;
    }
    return reload->source == NULL ? -1 : 0;
}

int
reload_read(struct lz_reload *reload)
{
    struct lz_source known;

    if (read_source(reload) < 0) {
        return -1;
    }
    reload->identity.hash =
        source_hash(PyBytes_AS_STRING(reload->source),
                    (size_t)PyBytes_GET_SIZE(reload->source));
    reload->result->new_hash = reload->identity.hash;
    if (!reload_recall(reload, &known)) {
        return 1;
    }
    bool same = known.hash != 0 ? known.hash == reload->identity.hash
                                : source_is_same(&known, &reload->identity);
    reload->result->old_hash = same ? reload->identity.hash : known.hash;
    if (!same || reload->force) {
        return 1;
    }
    reload_remember(reload);
    return reload_verdict(reload, LZ_VERDICT_UNCHANGED,
                          "'%.200s' already runs what its file says",
                          reload_text(reload->name, "?"));
}
