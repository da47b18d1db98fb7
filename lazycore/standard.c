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

/* Whether PATH is where os.py is or below, but for what is installed there
 * besides. */
static bool
has_path(const char *path)
{
    PyObject *os = PyDict_GetItemString(PyImport_GetModuleDict(), "os");
    PyObject *os_file = os != NULL && PyModule_Check(os)
                            ? PyModule_GetFilenameObject(os)
                            : NULL;
    const char *os_text = place_text(os_file);
    const char *end = os_text == NULL ? NULL : strrchr(os_text, '/');
    size_t length = end == NULL ? 0 : (size_t)(end - os_text) + 1;
    bool result = length > 0 && strncmp(path, os_text, length) == 0 &&
                  strstr(path + length, "-packages/") == NULL;
    lz_forgive();
    Py_XDECREF(os_file);
    return result;
}

bool
standard_has(struct lz_engine *engine, PyObject *found)
{
    PyObject *file = found_file(engine, found);
    const char *path = place_text(file);
    bool result = path != NULL ? has_path(path)
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
           levels_is_stdlib(engine->core->levels, name) && has_path(path);
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
    return certain != NULL &&
           (certain->needs == NULL || is_there(engine, certain->needs));
}
