/* See standard.h. */
#include "lazycore/standard.h"

#include <string.h>

/* Whether what was FOUND is built into the interpreter. */
static bool
is_built_in(struct lz_engine *engine, PyObject *found)
{
    PyObject *loader = lz_get_optional(found, engine->names.loader);
    bool result = loader != NULL && (loader == engine->builtin_importer ||
                                     loader == engine->frozen_importer);
    lz_forgive();
    Py_XDECREF(loader);
    return result;
}

const char *
standard_below(struct lz_engine *engine, const char *path)
{
    const char *folder =
        place_text(PyDict_GetItemString(engine->sys_dict, "_stdlib_dir"));
    size_t length = folder == NULL ? 0 : strlen(folder);
    if (length == 0 || strncmp(path, folder, length) != 0 ||
        (path[length] != '/' && path[length] != '\0'))
        return NULL;
    return path + length + (path[length] == '/');
}

static bool
is_folder(struct lz_engine *engine, const char *path)
{
    const char *rest = standard_below(engine, path);
    return rest != NULL && rest[0] == '\0';
}

/* Whether PATH is in the folder of the standard library or below, but for what
 * is installed there besides. */
static bool
has_path(struct lz_engine *engine, const char *path)
{
    const char *rest = standard_below(engine, path);
    return rest != NULL && rest[0] != '\0' &&
           strstr(rest, "-packages/") == NULL;
}

bool
standard_has(struct lz_engine *engine, PyObject *found)
{
    PyObject *file = found_file(engine, found);
    const char *path = place_text(file);
    bool result = path != NULL ? has_path(engine, path)
                               : file == NULL && is_built_in(engine, found);
    Py_XDECREF(file);
    return result;
}

bool
standard_has_code(struct lz_engine *engine, const struct lz_namespace *ns,
                  PyCodeObject *code)
{
    const char *name = place_text(ns->name);
    const char *path = place_text(code->co_filename);
    return name != NULL && path != NULL &&
           levels_is_stdlib(engine->core->levels, name) &&
           has_path(engine, path);
}

/* What is certain */

static const struct certain {
    const char *name;
    const char *needs; /* a module that is not built everywhere, or NULL */
} certain_modules[] = {
#define CERTAIN(name) {#name, NULL},
#define NEEDS(name, module) {#name, #module},
#include "lazycore/certain.def"
#undef CERTAIN
#undef NEEDS
};

static const struct certain *
find_certain(const char *name)
{
    size_t count = sizeof(certain_modules) / sizeof(certain_modules[0]);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(certain_modules[i].name, name) == 0)
            return &certain_modules[i];
    }
    return NULL;
}

/* Whether the module called NAME is loaded, or there to be loaded. */
static bool
is_there(struct lz_engine *engine, const char *text)
{
    PyObject *name = PyUnicode_InternFromString(text);
    PyObject *module = name == NULL ? NULL : load_peek_module(name);
    struct lz_target *target = NULL;
    bool result = module != NULL && module != Py_None;
    if (name != NULL && module == NULL && !PyErr_Occurred())
        result = find_target(engine, name, &target) == 1 &&
                 target->found != NULL && standard_has(engine, target->found);
    lz_forgive();
    Py_XDECREF(target);
    Py_XDECREF(module);
    Py_XDECREF(name);
    return result;
}

/* What hides it */

/* Whether a module of the standard library that FILE, in a directory before
 * its own, is called after is found outside of it. Says so when in doubt. */
static bool
hides(struct lz_engine *engine, PyObject *file)
{
    Py_ssize_t dot =
        PyUnicode_FindChar(file, '.', 0, PyUnicode_GET_LENGTH(file), 1);
    PyObject *name =
        PyUnicode_Substring(file, 0, dot < 0 ? PY_SSIZE_T_MAX : dot);
    PyObject *spec = name == NULL ? NULL : find_spec_only(engine, name, NULL);
    bool result =
        spec == NULL || (spec != Py_None && !standard_has(engine, spec));
    Py_XDECREF(spec);
    Py_XDECREF(name);
    return result;
}

/* Whether nothing in LISTING, that of a FileFinder, hides a module of the
 * standard library. */
static bool
is_plain_listing(struct lz_engine *engine, PyObject *listing)
{
    PyObject *file, *files = PyObject_GetIter(listing);
    bool result = files != NULL;
    while (result && (file = PyIter_Next(files)) != NULL) {
        const char *text = place_text(file);
        if (text != NULL && levels_is_stdlib(engine->core->levels, text))
            result = !hides(engine, file);
        Py_DECREF(file);
    }
    result = result && !PyErr_Occurred();
    Py_XDECREF(files);
    return result;
}

/* Whether ENTRY of sys.path, which FINDER serves, hides nothing. What was
 * looked through is remembered as long as the finder keeps it. */
static bool
is_plain_entry(struct lz_engine *engine, PyObject *entry, PyObject *finder)
{
    if (finder == Py_None)
        return true;
    if ((PyObject *)Py_TYPE(finder) != engine->file_finder)
        return false;
    if (engine->plain_listings == NULL)
        engine->plain_listings = PyDict_New();
    PyObject *listing = PyObject_GetAttr(finder, engine->names.path_cache);
    if (engine->plain_listings == NULL || listing == NULL) {
        Py_XDECREF(listing);
        return false;
    }
    bool result =
        PyDict_GetItemWithError(engine->plain_listings, entry) == listing;
    if (!result && !PyErr_Occurred() && is_plain_listing(engine, listing))
        result = PyDict_SetItem(engine->plain_listings, entry, listing) == 0;
    Py_DECREF(listing);
    return result;
}

/* Whether what the standard library imports of itself is found there: in
 * sys.path nothing before it is called as a part of it is. */
static bool
is_plain_path(struct lz_engine *engine)
{
    PyObject *path =
        PyDict_GetItemWithError(engine->sys_dict, engine->names.path_attr);
    PyObject *finders = PyDict_GetItemWithError(
        engine->sys_dict, engine->names.path_importer_cache);
    if (path == NULL || !PyList_CheckExact(path) || finders == NULL ||
        !PyDict_CheckExact(finders))
        return false;
    Py_INCREF(path);
    Py_INCREF(finders);
    bool result = true, found = false;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(path) && result && !found;
         i++) {
        PyObject *entry = Py_NewRef(PyList_GET_ITEM(path, i));
        const char *text = place_text(entry);
        PyObject *finder = text == NULL || text[0] == '\0'
                               ? NULL
                               : PyDict_GetItemWithError(finders, entry);
        Py_XINCREF(finder);
        found = finder != NULL && is_folder(engine, text);
        result =
            found || (finder != NULL && is_plain_entry(engine, entry, finder));
        Py_XDECREF(finder);
        Py_DECREF(entry);
    }
    Py_DECREF(finders);
    Py_DECREF(path);
    return result && found;
}

/* Whether MODULE, loaded under a name of the standard library, is its own:
 * None makes an import of it fail, and another may lack what is taken from it.
 */
static bool
is_plain_module(struct lz_engine *engine, const char *name, PyObject *module)
{
    PyObject *dict;
    if (!PyModule_Check(module)) /* typing.io is a class */
        return PyType_Check(module) && strchr(name, '.') != NULL;
    dict = PyModule_GetDict(module);
    const char *file = place_text(
        namespace_peek_borrowed(engine, dict, engine->names.file, NULL));
    PyObject *spec =
        namespace_peek_borrowed(engine, dict, engine->names.spec, NULL);
    return file != NULL ? has_path(engine, file)
                        : spec != NULL && spec != Py_None;
}

/* The same of what is loaded as NAME, whatever it is called. Nothing else in
 * the standard library imports distutils, which setuptools has. */
static bool
is_plain_entry_of_modules(struct lz_engine *engine, PyObject *name,
                          PyObject *module)
{
    const char *text = place_text(name);
    return text == NULL || !levels_is_stdlib(engine->core->levels, text) ||
           names_share_package(text, "distutils") ||
           is_plain_module(engine, text, module);
}

/* The first entries of sys.modules. */
struct entries {
    size_t count;
    uint64_t mark;
};

/* Those that were last seen to be plain. */
static struct entries plain_entries;

static void
note_entry(struct entries *plain, PyObject *name, PyObject *module)
{
    const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    plain->mark = (plain->mark ^ (uint64_t)(uintptr_t)name) * factor;
    plain->mark = (plain->mark ^ (uint64_t)(uintptr_t)module) * factor;
    plain->count++;
}

/* Whether all that is loaded is plain. What was looked at is told by its
 * objects, in their order, so that only what came after it is looked at. */
static bool
modules_are_plain(struct lz_engine *engine)
{
    PyObject *name, *module, *modules = PyImport_GetModuleDict();
    struct entries plain = {0};
    Py_ssize_t at = 0;
    if (modules == NULL || !PyDict_CheckExact(modules))
        return false;
    while (plain.count < plain_entries.count &&
           PyDict_Next(modules, &at, &name, &module))
        note_entry(&plain, name, module);
    if (plain.count != plain_entries.count ||
        plain.mark != plain_entries.mark) {
        plain = (struct entries){0};
        at = 0;
    }
    bool result = true;
    while (PyDict_Next(modules, &at, &name, &module) &&
           (result = is_plain_entry_of_modules(engine, name, module)))
        note_entry(&plain, name, module);
    plain_entries = plain;
    return result;
}

/* The finder that setuptools puts first: it has distutils, and what imports
 * it, alone. */
static bool
is_of_distutils(PyObject *finder)
{
    return strcmp(Py_TYPE(finder)->tp_name, "DistutilsMetaFinder") == 0;
}

/* The same of all finders: whoever comes before importlib's may refuse. */
static bool
finders_are_plain(struct lz_engine *engine)
{
    PyObject *finders =
        PyDict_GetItemWithError(engine->sys_dict, engine->names.meta_path);
    if (finders == NULL || !PyList_CheckExact(finders))
        return false;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(finders); i++) {
        PyObject *finder = PyList_GET_ITEM(finders, i);
        if (finder == engine->path_finder)
            return is_plain_path(engine);
        if (finder != engine->finder && finder != engine->builtin_importer &&
            finder != engine->frozen_importer && !is_of_distutils(finder))
            return false;
    }
    return false;
}

bool
standard_is_whole(struct lz_engine *engine)
{
    bool result = modules_are_plain(engine) && finders_are_plain(engine);
    lz_forgive();
    return result;
}

bool
standard_is_certain(struct lz_engine *engine, PyObject *name, PyObject *found)
{
    const char *text = place_text(name);
    if (found == NULL || text == NULL ||
        !levels_is_stdlib(engine->core->levels, text) ||
        !standard_has(engine, found))
        return false;
    if (is_built_in(engine, found))
        return true;
    const struct certain *certain = find_certain(text);
    if (certain == NULL)
        return false;
    return standard_is_whole(engine) &&
           (certain->needs == NULL || is_there(engine, certain->needs));
}

/* The code of the module NAME, which was FOUND, from its loader: a new
 * reference, or NULL, with or without an exception. */
static PyObject *
read_code(struct lz_engine *engine, PyObject *name, PyObject *found)
{
    PyObject *spec = found_spec(engine, name, found);
    PyObject *loader =
        spec == NULL ? NULL : PyObject_GetAttr(spec, engine->names.loader);
    PyObject *code = loader == NULL
                         ? NULL
                         : PyObject_CallMethod(loader, "get_code", "O", name);
    if (code != NULL && !PyCode_Check(code))
        Py_CLEAR(code);
    Py_XDECREF(loader);
    Py_XDECREF(spec);
    return code;
}

/* Where there is a __getattr__, code may have taken names away for it. */
static bool
binds_all(struct lz_engine *engine, PyObject *name, PyObject *found,
          const struct lz_statement *statement)
{
    PyObject *code = read_code(engine, name, found);
    PyObject *bytes =
        code == NULL ? NULL : lz_code_bytes((PyCodeObject *)code);
    bool result =
        bytes != NULL && PySequence_Contains(((PyCodeObject *)code)->co_names,
                                             engine->names.getattr) == 0;
    for (int i = 0; result && i < statement->count; i++)
        result =
            bytecode_binds((PyCodeObject *)code, bytes, statement->attrs[i]);
    Py_XDECREF(bytes);
    Py_XDECREF(code);
    return result;
}

bool
standard_binds(struct lz_engine *engine, PyObject *name,
               const struct lz_statement *statement)
{
    const char *text = place_text(name);
    struct lz_target *target = NULL;
    bool result = text != NULL && find_certain(text) != NULL &&
                  find_target(engine, name, &target) == 1;
    PyObject *found = target == NULL ? NULL : Py_XNewRef(target->found);
    result = result && standard_is_certain(engine, name, found) &&
             binds_all(engine, name, found, statement);
    lz_forgive();
    Py_XDECREF(found);
    Py_XDECREF(target);
    return result;
}
