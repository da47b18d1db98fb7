/* Deferring within a package by the record of effects: rule 7's exception.
 *
 * A module that is recorded to be free of effects may run at any time. What
 * its body would import within the package, and is not free, keeps its time:
 * it is imported at the statement, in the order in which the body would have
 * brought it. The sources must be those that the record was read from, by
 * size. Needs the GIL; runs Python code.
 */
#include "lazycore/effects.h"
#include "lazycore/engine.h"
#include "lazycore/record.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SETTLED = 1, STALE = 2 }; /* what engine->recorded remembers */

struct walk {
    struct lz_engine *engine;
    const char *root; /* folder of the package, with its last slash */
    size_t root_length;
    PyObject *anchors;   /* list of names to import, in order */
    unsigned char *seen; /* by index */
};

/* PACKAGE/MODULE.py of the recorded module; its length, or 0: too long. */
static size_t
source_path(const struct lz_effects *module, char *ret_path, size_t size)
{
    const char *name = lz_effects_names + module->name;
    const char *suffix = module->package ? "/__init__.py" : ".py";
    int length = snprintf(ret_path, size, "%s%s", name, suffix);
    if (length < 0 || (size_t)length >= size)
        return 0;
    size_t end = strlen(name);
    for (char *at = ret_path; at < ret_path + end; at++) {
        if (*at == '.')
            *at = '/';
    }
    return (size_t)length;
}

static bool
is_as_recorded(const struct walk *walk, const struct lz_effects *module)
{
    char path[PATH_MAX];
    struct stat info;
    if (walk->root_length >= sizeof(path))
        return false;
    memcpy(path, walk->root, walk->root_length);
    return source_path(module, path + walk->root_length,
                       sizeof(path) - walk->root_length) > 0 &&
           stat(path, &info) == 0 && info.st_size == (off_t)module->bytes;
}

/* Whether NAME is loaded, or its body is running in this thread: one that
 * another thread runs is to be waited for. None in sys.modules is no module:
 * importing it raises. */
static int
is_there(struct lz_engine *engine, const char *name)
{
    PyObject *text = PyUnicode_FromString(name);
    PyObject *module = text == NULL ? NULL : load_module_here(engine, text);
    int result = PyErr_Occurred() ? -1 : module != NULL && module != Py_None;
    Py_XDECREF(module);
    Py_XDECREF(text);
    return result;
}

static int
add_anchor(struct walk *walk, const char *name)
{
    PyObject *text = PyUnicode_InternFromString(name);
    int result = text == NULL ? -1 : PyList_Append(walk->anchors, text);
    Py_XDECREF(text);
    return result < 0 ? -1 : 1;
}

/* Collect what must come before the free module INDEX can wait. 1 done, 0 it
 * cannot, -1 with an exception. */
static int
visit(struct walk *walk, unsigned index)
{
    const struct lz_effects *module = &lz_effects[index];
    unsigned char *known = &walk->engine->recorded[index];
    if (*known != 0 || walk->seen[index])
        return *known != STALE;
    walk->seen[index] = 1;
    if (!is_as_recorded(walk, module)) {
        *known = STALE;
        return 0;
    }
    int result = 1;
    for (unsigned i = 0; result == 1 && i < module->count; i++) {
        unsigned other = lz_effects_imports[module->imports + i];
        const char *name = lz_effects_names + lz_effects[other].name;
        if (walk->seen[other] || walk->engine->recorded[other] == SETTLED)
            continue;
        int there = is_there(walk->engine, name);
        if (there < 0)
            return -1;
        if (there)
            continue;
        if (lz_effects[other].free) {
            result = visit(walk, other);
        } else {
            walk->seen[other] = 1;
            result = add_anchor(walk, name);
        }
    }
    return result;
}

/* Import the anchors. One that fails may do so where eager code looks for
 * it: then the module does not wait. */
static int
import_anchors(struct walk *walk)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(walk->anchors); i++) {
        PyObject *name = PyList_GET_ITEM(walk->anchors, i);
        struct lz_cause saved =
            load_cause_push(name, LZ_REASON_SAME_PACKAGE, false);
        PyObject *module =
            PyImport_ImportModuleLevelObject(name, NULL, NULL, NULL, 0);
        load_cause_pop(saved);
        if (module == NULL && !PyErr_ExceptionMatches(PyExc_Exception))
            return -1;
        lz_forgive();
        if (module == NULL)
            return 0;
        Py_DECREF(module);
    }
    return 1;
}

static void
settle(const struct walk *walk)
{
    for (unsigned i = 0; i < lz_effects_count; i++) {
        if (walk->seen[i] && lz_effects[i].free &&
            walk->engine->recorded[i] == 0)
            walk->engine->recorded[i] = SETTLED;
    }
}

/* Walk from INDEX; what must come first is imported if ANCHORS allows it,
 * else there must be none. */
static int
allows(struct lz_engine *engine, unsigned index, const char *file,
       size_t root_length, bool anchors)
{
    struct walk walk = {engine, file, root_length, PyList_New(0),
                        PyMem_Calloc(lz_effects_count, 1)};
    int result = -1;
    if (walk.anchors == NULL || walk.seen == NULL)
        PyErr_NoMemory();
    else
        result = visit(&walk, index);
    if (result == 1 && !anchors)
        result = PyList_GET_SIZE(walk.anchors) == 0;
    else if (result == 1)
        result = import_anchors(&walk);
    if (result == 1)
        settle(&walk);
    PyMem_Free(walk.seen);
    Py_XDECREF(walk.anchors);
    return result;
}

/* The index of NAME, found at FILE, if the record has it as free and the file
 * is where it should be, below *ret_root_length characters of its name; or
 * -1. */
static int
find_free(struct lz_engine *engine, PyObject *name, PyObject *file,
          size_t *ret_root_length)
{
    char path[PATH_MAX];
    const char *text = place_text(name);
    const char *where = place_text(file);
    if (text == NULL || where == NULL)
        return -1;
    int index = effects_find(text);
    if (index < 0 || !lz_effects[index].free)
        return -1;
    size_t length = source_path(&lz_effects[index], path, sizeof(path));
    size_t whole = strlen(where);
    if (length == 0 || whole <= length || where[whole - length - 1] != '/' ||
        strcmp(where + whole - length, path) != 0)
        return -1;
    if (engine->recorded == NULL)
        engine->recorded = PyMem_Calloc(lz_effects_count, 1);
    *ret_root_length = whole - length;
    return engine->recorded == NULL ? -1 : index;
}

int
record_allows(struct lz_engine *engine, PyObject *name, PyObject *file)
{
    size_t root;
    int index = find_free(engine, name, file, &root);
    if (index < 0)
        return 0;
    int result =
        allows(engine, (unsigned)index, PyUnicode_AsUTF8(file), root, true);
    /* What was imported may have brought the module itself. */
    int there = result == 1 ? is_there(engine, PyUnicode_AsUTF8(name)) : 0;
    if (there != 0)
        result = there < 0 ? -1 : 0;
    return result;
}

int
record_is_free(struct lz_engine *engine, PyObject *name, PyObject *file)
{
    size_t root;
    int index = find_free(engine, name, file, &root);
    return index < 0 ? 0
                     : allows(engine, (unsigned)index, PyUnicode_AsUTF8(file),
                              root, false);
}

void
record_forget(struct lz_engine *engine, PyObject *name)
{
    const char *text = engine->recorded == NULL ? NULL : place_text(name);
    int index = text == NULL ? -1 : effects_find(text);
    if (index < 0)
        return;
    size_t length = strlen(text);
    for (unsigned i = (unsigned)index; i < lz_effects_count; i++) {
        const char *other = lz_effects_names + lz_effects[i].name;
        if (strncmp(other, text, length) != 0 ||
            (other[length] != '\0' && other[length] != '.'))
            break;
        engine->recorded[i] = 0;
    }
}
