/* Reload, step 1: which module, may it be reloaded, what its source says now.
 *
 * Responsible for refusing what cannot be reloaded, for reading the source
 * once past every cache, and for knowing whether it is what runs. Leaves
 * running it to reload.c. Needs the GIL.
 */
#include "lazycore/reload.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* A stamp this close to the clock may be given to a second write, too: the
 * kernel's ticks, and file systems that keep whole seconds. */
static const int64_t RACY_NS = INT64_C(50) * 1000 * 1000;
static const int64_t RACY_COARSE_NS = INT64_C(3000) * 1000 * 1000;
static const int64_t SECOND_NS = INT64_C(1000) * 1000 * 1000;

/* --- what a source file is -------------------------------------------------
 */

/* The interpreter's dict: module name -> struct lz_source_identity, bytes.
 * Borrowed; NULL with an exception. */
static PyObject *
identities_borrowed(void)
{
    PyObject *all = PyInterpreterState_GetDict(PyInterpreterState_Get());
    if (all == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "no interpreter dict");
        return NULL;
    }
    PyObject *mine = PyDict_GetItemString(all, "lazycore.sources");
    if (mine == NULL) {
        mine = PyDict_New();
        if (mine == NULL ||
            PyDict_SetItemString(all, "lazycore.sources", mine) < 0) {
            Py_XDECREF(mine);
            return NULL;
        }
        Py_DECREF(mine);
    }
    return mine;
}

static int
remember(PyObject *name, const struct lz_source_identity *identity)
{
    PyObject *identities = identities_borrowed();
    PyObject *bytes =
        identities == NULL
            ? NULL
            : PyBytes_FromStringAndSize((const char *)identity,
                                        (Py_ssize_t)sizeof(*identity));
    if (bytes == NULL) {
        return -1;
    }
    int status = PyDict_SetItem(identities, name, bytes);
    Py_DECREF(bytes);
    return status;
}

/* 1 and what is known of NAME's source, 0 nothing is, -1. */
static int
recall(PyObject *name, struct lz_source_identity *ret_identity)
{
    PyObject *identities = identities_borrowed();
    PyObject *bytes =
        identities == NULL ? NULL : PyDict_GetItemWithError(identities, name);
    if (bytes == NULL || !PyBytes_Check(bytes) ||
        PyBytes_GET_SIZE(bytes) != (Py_ssize_t)sizeof(*ret_identity)) {
        return PyErr_Occurred() ? -1 : 0;
    }
    memcpy(ret_identity, PyBytes_AS_STRING(bytes), sizeof(*ret_identity));
    return 1;
}

static int64_t
ns_of(const struct timespec *stamp)
{
    return (int64_t)stamp->tv_sec * SECOND_NS + (int64_t)stamp->tv_nsec;
}

/* Whether PATH could be looked at. */
static bool
identify(const char *path, struct lz_source_identity *ret_identity)
{
    struct stat status;
    struct timespec now;

    if (stat(path, &status) != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return false;
    }
    int64_t mtime = ns_of(&status.st_mtim);
    int64_t age = ns_of(&now) - mtime;
    int64_t racy = status.st_mtim.tv_nsec == 0 ? RACY_COARSE_NS : RACY_NS;
    if (age > racy) {
        ret_identity->mtime_ns = mtime;
    }
    ret_identity->ctime_ns = ns_of(&status.st_ctim);
    ret_identity->size = (int64_t)status.st_size;
    ret_identity->inode = (uint64_t)status.st_ino;
    return true;
}

/* The same for a path as a str; clears errors. */
static bool
identify_object(PyObject *path, struct lz_source_identity *ret_identity)
{
    PyObject *bytes = NULL;
    bool known = PyUnicode_Check(path) &&
                 PyUnicode_FSConverter(path, &bytes) &&
                 identify(PyBytes_AS_STRING(bytes), ret_identity);

    Py_XDECREF(bytes);
    lz_forgive();
    return known;
}

/* A file's own, or for one inside a zip the zip's. */
static void
identify_origin(PyObject *origin, PyObject *loader,
                struct lz_source_identity *ret_identity)
{
    *ret_identity = (struct lz_source_identity){.mtime_ns = -1};
    if (identify_object(origin, ret_identity)) {
        return;
    }
    PyObject *archive = PyObject_GetAttrString(loader, "archive");
    if (archive != NULL) {
        (void)identify_object(archive, ret_identity);
    }
    lz_forgive();
    Py_XDECREF(archive);
}

static bool
is_same(const struct lz_source_identity *a, const struct lz_source_identity *b)
{
    return a->mtime_ns >= 0 && a->mtime_ns == b->mtime_ns &&
           a->ctime_ns == b->ctime_ns && a->size == b->size &&
           a->inode == b->inode;
}

void
reload_note_source(PyObject *spec)
{
    struct lz_source_identity identity;
    PyObject *type, *error, *traceback;

    PyErr_Fetch(&type, &error, &traceback);
    /* None, or whatever stands for a spec, may lack them. */
    PyObject *name = PyObject_GetAttrString(spec, "name");
    PyObject *origin =
        name == NULL ? NULL : PyObject_GetAttrString(spec, "origin");
    PyObject *loader =
        origin == NULL ? NULL : PyObject_GetAttrString(spec, "loader");
    if (name != NULL && origin != NULL && loader != NULL &&
        PyUnicode_Check(origin)) {
        identify_origin(origin, loader, &identity);
        (void)remember(name, &identity);
    }
    Py_XDECREF(name);
    Py_XDECREF(origin);
    Py_XDECREF(loader);
    PyErr_Restore(type, error, traceback);
}

int
reload_remember(struct lz_reload *reload)
{
    return remember(reload->name, &reload->identity);
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
    lz_forgive();
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
    if (theirs != NULL) {
        same = its == theirs;
        lz_forgive();
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
    PyObject *end = PyUnicode_FromString(suffix);
    bool yes = end != NULL &&
               PyUnicode_Tailmatch(text, end, 0, PY_SSIZE_T_MAX, 1) == 1;

    Py_XDECREF(end);
    lz_forgive();
    return yes;
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
    PyObject *places =
        PyObject_GetAttrString(reload->spec, "submodule_search_locations");
    bool package = places != NULL && places != Py_None;
    Py_XDECREF(places);
    lz_forgive();
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
    if (reload_live_borrowed(reload, "__reload__") == Py_False) {
        return refused(reload, "forbids it: it sets '__reload__ = False'");
    }
    reload->spec = Py_XNewRef(reload_live_borrowed(reload, "__spec__"));
    if (reload->spec == NULL || reload->spec == Py_None) {
        return refused(reload, "has no import spec: code made it");
    }
    PyObject *busy = PyObject_GetAttrString(reload->spec, "_initializing");
    bool initializing = busy == Py_True;
    Py_XDECREF(busy);
    lz_forgive();
    if (initializing) {
        return reload_verdict(reload, LZ_VERDICT_INCONCLUSIVE,
                              "'%s' is being loaded right now; try again",
                              PyUnicode_AsUTF8(reload->name));
    }
    reload->origin = PyObject_GetAttrString(reload->spec, "origin");
    reload->loader = reload->origin == NULL
                         ? NULL
                         : PyObject_GetAttrString(reload->spec, "loader");
    if (reload->loader == NULL) {
        lz_forgive();
        return refused(reload, "has an incomplete import spec");
    }
    return check_spec(reload);
}

int
reload_find(struct lz_reload *reload)
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
    return check_module(reload);
}

/* --- reading
 * ------------------------------------------------------------------ */

static uint64_t
hash_of(PyObject *bytes)
{
    const unsigned char *text =
        (const unsigned char *)PyBytes_AS_STRING(bytes);
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    for (Py_ssize_t i = 0; i < PyBytes_GET_SIZE(bytes); i++) {
        hash = (hash ^ text[i]) * UINT64_C(1099511628211);
    }
    return hash == 0 ? 1 : hash; /* 0 means unknown */
}

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
    identify_origin(reload->origin, reload->loader, &reload->identity);
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
    struct lz_source_identity known;

    if (read_source(reload) < 0) {
        return -1;
    }
    reload->identity.hash = hash_of(reload->source);
    reload->result->new_hash = reload->identity.hash;
    int status = recall(reload->name, &known);
    if (status <= 0) {
        return status < 0 ? -1 : 1;
    }
    bool same = known.hash != 0 ? known.hash == reload->identity.hash
                                : is_same(&known, &reload->identity);
    reload->result->old_hash = same ? reload->identity.hash : known.hash;
    if (!same || reload->force) {
        return 1;
    }
    if (reload_remember(reload) < 0) {
        return -1;
    }
    return reload_verdict(reload, LZ_VERDICT_UNCHANGED,
                          "'%s' already runs what its file says",
                          PyUnicode_AsUTF8(reload->name));
}
