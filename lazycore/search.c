/* The search for a spec, in C as far as the finders are understood.
 *
 * Asks what importlib._bootstrap._find_spec would ask, in the same order. A
 * FileFinder whose directory has not changed is skipped for one stat when its
 * cached listing lacks the name, and its spec is made here when it has it.
 * Whatever is not exactly importlib's own is called as importlib calls it.
 * Needs the GIL; runs Python code.
 */
#include "lazycore/directory.h"
#include "lazycore/finders.h"
#include "lazycore/search.h"

#include <sys/stat.h>

enum outcome { FAILED = -1, ABSENT, FOUND, UNSURE };

enum { SUFFIXES_MAX = 8, FRESH_MAX = 16 };

struct search {
    struct lz_engine *engine;
    PyObject *name; /* full dotted name */
    PyObject *tail; /* after the last dot */
    PyObject *path; /* None for a top-level module */
    /* tail + suffix, made once for the suffixes of importlib's loaders */
    PyObject *suffixes[SUFFIXES_MAX]; /* borrowed */
    PyObject *files[SUFFIXES_MAX];
    int count;
    PyObject *found; /* the answer: new reference */
};

static bool
is_file(PyObject *path)
{
    struct stat info;
    const char *text = PyUnicode_AsUTF8(path);
    if (text == NULL) {
        lz_forgive();
        return false;
    }
    return stat(text, &info) == 0 && S_ISREG(info.st_mode);
}

/* tail + SUFFIX: borrowed, or NULL with an exception, but for where there are
 * too many. */
static PyObject *
file_name(struct search *search, PyObject *suffix)
{
    for (int i = 0; i < search->count; i++) {
        if (search->suffixes[i] == suffix)
            return search->files[i];
    }
    if (search->count == SUFFIXES_MAX)
        return NULL;
    PyObject *file = PyUnicode_Concat(search->tail, suffix);
    if (file == NULL)
        return NULL;
    search->suffixes[search->count] = suffix;
    search->files[search->count++] = file;
    return file;
}

/* importlib's FileFinder._get_spec. What only its own loaders will see can
 * wait; any other class may do things when it is called. */
static enum outcome
take_file(struct search *search, PyObject *loader_class, PyObject *file,
          PyObject *package)
{
    struct lz_engine *engine = search->engine;
    search->found = found_new(engine, loader_class, file, package);
    bool own = false;
    for (size_t i = 0; i < LZ_LOADER_CLASSES; i++)
        own = own || loader_class == engine->loader_classes[i];
    if (!own && search->found != NULL)
        Py_SETREF(search->found,
                  found_spec(engine, search->name, search->found));
    return search->found == NULL ? FAILED : FOUND;
}

/* One (suffix, loader class) of a FileFinder, or false. */
static bool
loader_row(PyObject *loaders, Py_ssize_t i, PyObject **ret_suffix,
           PyObject **ret_class)
{
    PyObject *row = PyList_GET_ITEM(loaders, i);
    if (!PyTuple_CheckExact(row) || PyTuple_GET_SIZE(row) != 2 ||
        !PyUnicode_CheckExact(PyTuple_GET_ITEM(row, 0)))
        return false;
    *ret_suffix = PyTuple_GET_ITEM(row, 0);
    *ret_class = PyTuple_GET_ITEM(row, 1);
    return true;
}

static enum outcome
find_package(struct search *search, PyObject *directory, PyObject *loaders)
{
    enum outcome outcome = ABSENT;
    PyObject *base = dotted_join(directory, '/', search->tail);
    if (base == NULL)
        return FAILED;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(loaders) && outcome == ABSENT;
         i++) {
        PyObject *suffix, *loader_class;
        if (!loader_row(loaders, i, &suffix, &loader_class)) {
            outcome = UNSURE;
            break;
        }
        PyObject *file = PyUnicode_FromFormat("%U/__init__%U", base, suffix);
        if (file == NULL)
            outcome = FAILED;
        else if (is_file(file))
            outcome = take_file(search, loader_class, file, base);
        Py_XDECREF(file);
    }
    Py_DECREF(base);
    /* A directory without __init__ may be part of a namespace package. */
    return outcome == ABSENT ? UNSURE : outcome;
}

static enum outcome
find_file(struct search *search, PyObject *directory, PyObject *cache,
          double mtime, PyObject *loaders)
{
    enum outcome outcome = ABSENT;
    struct lz_directory *known =
        directory_get(search->engine, directory, mtime);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(loaders) && outcome == ABSENT;
         i++) {
        PyObject *suffix, *loader_class;
        if (!loader_row(loaders, i, &suffix, &loader_class))
            return UNSURE;
        if (!directory_may_have(known, suffix))
            continue;
        PyObject *file = file_name(search, suffix);
        int listed = file == NULL ? -1 : PySet_Contains(cache, file);
        if (listed < 0)
            return PyErr_Occurred() ? FAILED : UNSURE;
        if (listed == 0)
            continue;
        PyObject *path = dotted_join(directory, '/', file);
        if (path == NULL)
            return FAILED;
        if (directory_has_file(known, file, PySet_GET_SIZE(cache)) ||
            is_file(path))
            outcome = take_file(search, loader_class, path, NULL);
        Py_DECREF(path);
    }
    return outcome;
}

/* Statements in a row: none of what they import runs, so what is found fresh
 * at one of them is for the next. */
static _Thread_local struct {
    const PyFrameObject *frame; /* of the last one; compared only, as is */
    const PyCodeObject *code;   /* its code */
    int end;                    /* where its instructions end, bytes */
    bool running;               /* a search for one of them is under way */
    int count;
    const PyObject *fresh[FRESH_MAX]; /* finders; compared only */
} row;

void
search_break(void)
{
    row.frame = NULL;
    row.running = false;
    row.count = 0;
}

void
search_begin(PyFrameObject *frame, const struct lz_statement *statement)
{
    if (row.frame != frame || row.code != statement->code ||
        !bytecode_follows(statement, row.end))
        row.count = 0;
    row.frame = frame;
    row.code = statement->code;
    row.running = true;
}

void
search_end(PyFrameObject *frame, const struct lz_statement *statement)
{
    if (row.frame != frame)
        search_break();
    row.end = statement->end;
    row.running = false;
}

static bool
is_fresh_in_row(const PyObject *finder)
{
    bool known = false;
    for (int i = 0; row.running && i < row.count && !known; i++)
        known = row.fresh[i] == finder;
    return known;
}

/* Whether the listing that FINDER cached of DIRECTORY at MTIME is that of
 * now. */
static bool
is_fresh(struct lz_engine *engine, PyObject *finder, PyObject *directory,
         double mtime)
{
    if (is_fresh_in_row(finder))
        return true;
    bool fresh = directory_is_of(engine, directory, mtime);
    if (fresh && row.running && row.count < FRESH_MAX)
        row.fresh[row.count++] = finder;
    return fresh;
}

static enum outcome
ask_file_finder(struct search *search, PyObject *finder)
{
    struct lz_names *names = &search->engine->names;
    enum outcome outcome = UNSURE;
    PyObject *directory = PyObject_GetAttr(finder, names->path_attr);
    PyObject *cache = PyObject_GetAttr(finder, names->path_cache);
    PyObject *mtime = PyObject_GetAttr(finder, names->path_mtime);
    PyObject *loaders = PyObject_GetAttr(finder, names->loaders);
    lz_forgive();
    if (directory == NULL || cache == NULL || mtime == NULL ||
        loaders == NULL || !PyUnicode_CheckExact(directory) ||
        !PySet_CheckExact(cache) || !PyFloat_CheckExact(mtime) ||
        !PyList_CheckExact(loaders) ||
        !is_fresh(search->engine, finder, directory, PyFloat_AS_DOUBLE(mtime)))
        goto done;
    int listed = PySet_Contains(cache, search->tail);
    if (listed < 0)
        outcome = FAILED;
    else if (listed == 1)
        outcome = find_package(search, directory, loaders);
    else
        outcome = find_file(search, directory, cache, PyFloat_AS_DOUBLE(mtime),
                            loaders);
done:
    Py_XDECREF(loaders);
    Py_XDECREF(mtime);
    Py_XDECREF(cache);
    Py_XDECREF(directory);
    return outcome;
}

/* Whether ANSWER, a finder's, is for importlib, which asks for its loader; an
 * exception if not. */
static bool
is_spec(struct lz_engine *engine, PyObject *answer)
{
    PyObject *loader = PyObject_GetAttr(answer, engine->names.loader);
    Py_XDECREF(loader);
    return loader != NULL;
}

/* FINDER.find_spec(name, ...), as importlib calls it. */
static enum outcome
call_finder(struct search *search, PyObject *finder, PyObject *path)
{
    PyObject *find = PyObject_GetAttr(finder, search->engine->names.find_spec);
    if (find == NULL)
        return PyErr_ExceptionMatches(PyExc_AttributeError) ? UNSURE : FAILED;
    PyObject *spec =
        path == NULL
            ? PyObject_CallOneArg(find, search->name)
            : PyObject_CallFunctionObjArgs(find, search->name, path, NULL);
    Py_DECREF(find);
    if (spec == NULL)
        return FAILED;
    if (spec == Py_None) {
        Py_DECREF(spec);
        return ABSENT;
    }
    if (!is_spec(search->engine, spec)) {
        Py_DECREF(spec);
        return FAILED;
    }
    search->found = spec;
    return FOUND;
}

/* What an entry's finder says; a namespace portion is left to importlib. */
static enum outcome
ask_entry_finder(struct search *search, PyObject *finder)
{
    if ((PyObject *)Py_TYPE(finder) == search->engine->file_finder &&
        finders_is_own(search->engine, (PyObject *)Py_TYPE(finder))) {
        enum outcome outcome = ask_file_finder(search, finder);
        if (outcome != UNSURE)
            return outcome;
    }
    enum outcome outcome = call_finder(search, finder, NULL);
    if (outcome != FOUND)
        return outcome;
    PyObject *loader =
        PyObject_GetAttr(search->found, search->engine->names.loader);
    bool portion = loader == NULL || loader == Py_None;
    Py_XDECREF(loader);
    lz_forgive();
    if (portion) {
        Py_CLEAR(search->found);
        return UNSURE;
    }
    return FOUND;
}

/* sys.NAME: borrowed, or NULL without an exception. */
static PyObject *
sys_borrowed(struct lz_engine *engine, PyObject *name)
{
    PyObject *value = PyDict_GetItemWithError(engine->sys_dict, name);
    if (value == NULL)
        lz_forgive();
    return value;
}

/* importlib's PathFinder. */
static enum outcome
ask_path(struct search *search)
{
    struct lz_engine *engine = search->engine;
    PyObject *path = search->path;
    if (path == Py_None)
        path = sys_borrowed(engine, engine->names.path_attr);
    PyObject *finders =
        sys_borrowed(engine, engine->names.path_importer_cache);
    if (path == NULL || !PyList_CheckExact(path) || finders == NULL ||
        !PyDict_CheckExact(finders))
        return UNSURE;
    Py_INCREF(path);
    Py_INCREF(finders);
    enum outcome outcome = ABSENT;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(path) && outcome == ABSENT;
         i++) {
        PyObject *entry = PyList_GET_ITEM(path, i);
        if (!PyUnicode_CheckExact(entry) || PyUnicode_GET_LENGTH(entry) == 0) {
            outcome = UNSURE; /* the working directory, or no str */
            break;
        }
        PyObject *finder = PyDict_GetItemWithError(finders, entry);
        if (finder == NULL) {
            outcome = PyErr_Occurred() ? FAILED : UNSURE;
            break;
        }
        if (finder == Py_None)
            continue;
        Py_INCREF(finder);
        outcome = ask_entry_finder(search, finder);
        Py_DECREF(finder);
    }
    Py_DECREF(finders);
    Py_DECREF(path);
    return outcome;
}

/* The names are listed once; whether one counts now, importlib is asked. */
static int
is_compiled_in(struct search *search, bool frozen)
{
    struct lz_engine *engine = search->engine;
    PyObject *names = frozen ? engine->frozen_names : engine->builtin_names;
    int there = PySet_Contains(names, search->name);
    if (there <= 0)
        return there;
    PyObject *answer = PyObject_CallOneArg(
        frozen ? engine->is_frozen : engine->is_builtin, search->name);
    there = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    return there;
}

/* One finder of sys.meta_path. */
static enum outcome
ask(struct search *search, PyObject *finder)
{
    struct lz_engine *engine = search->engine;
    if (finder == engine->finder)
        return ABSENT;
    if (!finders_is_own(engine, finder))
        return call_finder(search, finder, search->path);
    if (finder == engine->builtin_importer ||
        finder == engine->frozen_importer) {
        int there = is_compiled_in(search, finder == engine->frozen_importer);
        if (there <= 0)
            return there < 0 ? FAILED : ABSENT;
    } else if (finder == engine->path_finder) {
        enum outcome outcome = ask_path(search);
        if (outcome != UNSURE)
            return outcome;
    }
    return call_finder(search, finder, search->path);
}

static enum outcome
ask_all(struct search *search)
{
    enum outcome outcome = ABSENT;
    struct lz_engine *engine = search->engine;
    PyObject *meta_path = sys_borrowed(engine, engine->names.meta_path);
    if (meta_path == NULL || !PyList_CheckExact(meta_path) ||
        PyList_GET_SIZE(meta_path) == 0)
        return UNSURE;
    Py_INCREF(meta_path);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(meta_path) && outcome == ABSENT;
         i++) {
        PyObject *finder = Py_NewRef(PyList_GET_ITEM(meta_path, i));
        outcome = ask(search, finder);
        Py_DECREF(finder);
    }
    Py_DECREF(meta_path);
    return outcome;
}

PyObject *
search_find(struct lz_engine *engine, PyObject *name, PyObject *path)
{
    struct search search = {.engine = engine, .name = name, .path = path};
    search.tail = dotted_tail(name);
    if (search.tail == NULL)
        return NULL;
    PyObject *found = NULL;
    enum outcome outcome = ask_all(&search);
    for (int i = 0; i < search.count; i++)
        Py_DECREF(search.files[i]);
    Py_DECREF(search.tail);
    switch (outcome) {
    case FOUND:
        found = search.found;
        break;
    case ABSENT:
        found = Py_NewRef(Py_None);
        break;
    case UNSURE:
        lz_forgive();
        found = PyObject_CallFunctionObjArgs(engine->bootstrap_find, name,
                                             path, NULL);
        if (found != NULL && found != Py_None && !is_spec(engine, found))
            Py_CLEAR(found);
        break;
    case FAILED:
        break;
    }
    return found;
}

PyObject *
search_spec(struct lz_engine *engine, PyObject *name, PyObject *path)
{
    PyObject *found = search_find(engine, name, path);
    PyObject *spec = found == NULL ? NULL : found_spec(engine, name, found);
    Py_XDECREF(found);
    return spec;
}
