/* Deferring within a package by the record of effects, and by the ledger of a
 * level file: rule 7's exception.
 *
 * A module that is recorded to be free of effects may run at any time. What
 * its body would import within the package, and is not free, keeps its time:
 * it is imported at the statement, in the order in which the body would have
 * brought it. The sources must be those that were read: by size, and by hash
 * in a ledger, where they count also for what is not free, since classes and
 * decorators may come from there. Needs the GIL; runs Python code.
 */
#include "lazycore/ahead.h"
#include "lazycore/effects.h"
#include "lazycore/engine.h"
#include "lazycore/record.h"
#include "lazycore/record_row.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What engine->recorded remembers: nothing more to do; of another source; of
 * the very source. */
enum { SETTLED = 1, STALE = 2, FRESH = 3 };

enum { AGAIN = 2 }; /* beside 1, 0 and -1: walk once more */

enum { SEEN_BITS = 64 };

struct walk {
    struct lz_engine *engine;
    const char *root; /* folder of the package, with its last slash */
    size_t root_length;
    PyObject *anchors; /* list of names to import, in order */
    uint64_t *seen;    /* a bit for each index */
    uint64_t *path;    /* the same: what is being visited */
    bool sure;         /* only rows that are sure do, loaded or not */
    unsigned stale;    /* index of the first that is; else their number */
};

static unsigned
word_count(const struct lz_engine *engine)
{
    return (record_count(engine) + SEEN_BITS - 1) / SEEN_BITS;
}

static bool
has_bit(const uint64_t *bits, unsigned index)
{
    return (bits[index / SEEN_BITS] >> index % SEEN_BITS & 1) != 0;
}

static void
set_bit(uint64_t *bits, unsigned index, bool value)
{
    uint64_t bit = UINT64_C(1) << index % SEEN_BITS;
    bits[index / SEEN_BITS] &= ~bit;
    bits[index / SEEN_BITS] |= value ? bit : 0;
}

/* PACKAGE/MODULE.py of the recorded module; its length, or 0: too long. */
static size_t
source_path(const struct lz_row *module, char *ret_path, size_t size)
{
    const char *name = module->name;
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

/* Where the source of the recorded module is to be; false: too long. */
static bool
whole_path(const struct walk *walk, const struct lz_row *module,
           char *ret_path, size_t size)
{
    if (walk->root_length >= size)
        return false;
    memcpy(ret_path, walk->root, walk->root_length);
    return source_path(module, ret_path + walk->root_length,
                       size - walk->root_length) > 0;
}

static bool
is_as_recorded(const struct walk *walk, const struct lz_row *module)
{
    char path[PATH_MAX];
    struct stat info;
    return whole_path(walk, module, path, sizeof(path)) &&
           stat(path, &info) == 0 && S_ISREG(info.st_mode) &&
           info.st_size == (off_t)module->bytes &&
           (module->hash == 0 || source_hash_file(path) == module->hash);
}

/* The same for the module at INDEX, once. */
static bool
is_fresh(struct walk *walk, unsigned index)
{
    unsigned char *known = &walk->engine->recorded[index];
    struct lz_row module = record_row(walk->engine, index);
    if (*known == 0) {
        bool fresh = is_as_recorded(walk, &module);
        *known = fresh ? FRESH : STALE;
        if (!fresh && module.hash != 0)
            walk->stale = index;
    }
    return *known != STALE;
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

/* Whether an import of NAME takes the source of MODULE: it may be compiled, or
 * a package of that name be there, too. */
static bool
is_found(const struct walk *walk, const struct lz_row *module, PyObject *name)
{
    char path[PATH_MAX];
    struct lz_target *target = NULL;
    bool found =
        find_target(walk->engine, name, &target) == 1 && target->found != NULL;
    PyObject *file = found ? found_file(walk->engine, target->found) : NULL;
    const char *text = place_text(file);
    bool result = text != NULL &&
                  whole_path(walk, module, path, sizeof(path)) &&
                  strcmp(text, path) == 0;
    Py_XDECREF(file);
    Py_XDECREF(target);
    return result;
}

/* Whether the row is sure, and the module is loaded or will be from there:
 * None may stand for it. */
static bool
is_sure_now(const struct walk *walk, unsigned index)
{
    struct lz_row module = record_row(walk->engine, index);
    PyObject *text = module.sure ? PyUnicode_FromString(module.name) : NULL;
    PyObject *there = text == NULL ? NULL : load_peek_module(text);
    bool result = text != NULL && there != Py_None && !PyErr_Occurred() &&
                  (there != NULL || is_found(walk, &module, text));
    Py_XDECREF(there);
    Py_XDECREF(text);
    return result;
}

/* Whether the body at INDEX, or one that it brings, imports what is being
 * visited. BROUGHT has a bit for each. 1, 0 or -1. */
static int
leads_back(const struct walk *walk, unsigned index, uint64_t *brought)
{
    struct lz_engine *engine = walk->engine;
    struct lz_row module = record_row(engine, index);
    int result = 0;
    set_bit(brought, index, true);
    for (unsigned i = 0; result == 0 && i < module.count; i++) {
        unsigned other = record_import(engine, index, i);
        const char *name = record_row(engine, other).name;
        if (has_bit(brought, other) || engine->recorded[other] == SETTLED ||
            names_is_below(module.name, name))
            continue;
        if (has_bit(walk->path, other))
            return 1;
        int there = is_there(engine, name);
        result = there == 0  ? leads_back(walk, other, brought)
                 : there < 0 ? -1
                             : 0;
    }
    return result;
}

/* What is in a cycle with what is to come first begins, in eager code, before
 * that: 0. */
static int
add_before(struct walk *walk, unsigned index)
{
    uint64_t *brought =
        PyMem_Calloc(word_count(walk->engine), sizeof(*brought));
    int back = -1;
    if (brought == NULL)
        PyErr_NoMemory();
    else
        back = leads_back(walk, index, brought);
    PyMem_Free(brought);
    if (back != 0)
        return back < 0 ? -1 : 0;
    return add_anchor(walk, record_row(walk->engine, index).name);
}

static int visit(struct walk *walk, unsigned index);

/* The same for what the free module INDEX imports as number WHICH. */
static int
visit_import(struct walk *walk, unsigned index, unsigned which)
{
    struct lz_engine *engine = walk->engine;
    unsigned other = record_import(engine, index, which);
    struct lz_row module = record_row(engine, other);
    if (walk->sure)
        return has_bit(walk->seen, other) ? 1 : visit(walk, other);
    if (has_bit(walk->seen, other) || engine->recorded[other] == SETTLED)
        return 1;
    if (module.hash != 0 && !module.free && !is_fresh(walk, other))
        return 0;
    int there = is_there(engine, module.name);
    if (there != 0)
        return there < 0 ? -1 : 1;
    if (module.free)
        return visit(walk, other);
    set_bit(walk->seen, other, true);
    return add_before(walk, other);
}

/* The packages above the free module INDEX run first, whatever they import. */
static int
visit_packages(struct walk *walk, unsigned index)
{
    struct lz_row module = record_row(walk->engine, index);
    int result = 1;
    for (unsigned i = 0; result == 1 && i < module.count; i++) {
        unsigned other = record_import(walk->engine, index, i);
        if (names_is_below(module.name, record_row(walk->engine, other).name))
            result = visit_import(walk, index, i);
    }
    return result;
}

/* Collect what must come before the free module INDEX can wait. 1 done, 0 it
 * cannot, -1 with an exception. */
static int
visit(struct walk *walk, unsigned index)
{
    if (!walk->sure && (walk->engine->recorded[index] == SETTLED ||
                        has_bit(walk->seen, index)))
        return 1;
    int above = walk->sure ? 1 : visit_packages(walk, index);
    if (above != 1 || has_bit(walk->seen, index))
        return above;
    set_bit(walk->seen, index, true);
    if (!is_fresh(walk, index) || (walk->sure && !is_sure_now(walk, index)))
        return 0;
    int result = 1;
    unsigned count = record_row(walk->engine, index).count;
    set_bit(walk->path, index, true);
    for (unsigned i = 0; result == 1 && i < count; i++)
        result = visit_import(walk, index, i);
    set_bit(walk->path, index, false);
    return result;
}

/* Whether a load of NAME has failed, in a guard perhaps, and none has come
 * after it. */
static bool
has_failed(const struct lz_engine *engine, const char *name)
{
    struct lz_module *module;
    if (name == NULL ||
        registry_show(engine->core->registry, name, &module) != 1)
        return false;
    bool result = module->failures > 0 && module->sequence == 0;
    registry_modules_free(module, 1);
    return result;
}

/* Import the anchors. One that fails may do so where eager code looks for
 * it: then the module does not wait. What has failed already is not tried
 * again; AGAIN: it may have done so for another anchor, which is there now. */
static int
import_anchors(struct walk *walk)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(walk->anchors); i++) {
        PyObject *name = PyList_GET_ITEM(walk->anchors, i);
        if (ahead_has_failed(name))
            return 0;
        if (has_failed(walk->engine, place_text(name)))
            return i == 0 ? 0 : AGAIN;
        struct lz_cause saved =
            load_cause_push(name, LZ_REASON_SAME_PACKAGE, LZ_GUARD_NONE);
        PyFrameObject *trying = ahead_begin();
        PyObject *module =
            PyImport_ImportModuleLevelObject(name, NULL, NULL, NULL, 0);
        load_cause_pop(saved);
        bool fatal =
            module == NULL && !PyErr_ExceptionMatches(PyExc_Exception);
        ahead_end(trying, module == NULL && !fatal);
        if (module == NULL)
            return fatal ? -1 : 0;
        Py_DECREF(module);
    }
    return 1;
}

static void
settle(const struct walk *walk)
{
    unsigned count = word_count(walk->engine);
    for (unsigned word = 0; word < count; word++) {
        unsigned index = word * SEEN_BITS;
        for (uint64_t left = walk->seen[word]; left != 0;
             left >>= 1, index++) {
            unsigned char *known = &walk->engine->recorded[index];
            if ((left & 1) != 0 && *known == FRESH &&
                record_row(walk->engine, index).free)
                *known = SETTLED;
        }
    }
}

/* What the ledger says of INDEX does not count: told once. */
static void
tell_stale(struct lz_engine *engine, unsigned index)
{
    const struct lz_listener *listener = &engine->core->listener;
    if (listener->stale != NULL && !engine->stale_told)
        listener->stale(listener->arg, record_row(engine, index).name);
    engine->stale_told = true;
}

/* What a walk is for. */
enum aim { AIM_ANCHORS, AIM_NO_ANCHORS, AIM_SURE };

/* Walk from INDEX; what must come first is imported if AIM allows it, else
 * there must be none. */
static int
walk_once(struct lz_engine *engine, unsigned index, const char *file,
          size_t root_length, enum aim aim)
{
    struct walk walk = {engine,
                        file,
                        root_length,
                        PyList_New(0),
                        PyMem_Calloc(word_count(engine), sizeof(uint64_t)),
                        PyMem_Calloc(word_count(engine), sizeof(uint64_t)),
                        aim == AIM_SURE,
                        record_count(engine)};
    int result = -1;
    if (walk.anchors == NULL || walk.seen == NULL || walk.path == NULL)
        PyErr_NoMemory();
    else
        result = visit(&walk, index);
    if (walk.stale < record_count(engine))
        tell_stale(engine, walk.stale);
    if (result == 1 && aim == AIM_NO_ANCHORS)
        result = PyList_GET_SIZE(walk.anchors) == 0;
    else if (result == 1 && aim == AIM_ANCHORS)
        result = import_anchors(&walk);
    if (result == 1 && aim != AIM_SURE)
        settle(&walk);
    PyMem_Free(walk.path);
    PyMem_Free(walk.seen);
    Py_XDECREF(walk.anchors);
    return result;
}

static int
allows(struct lz_engine *engine, unsigned index, const char *file,
       size_t root_length, enum aim aim)
{
    int result = walk_once(engine, index, file, root_length, aim);
    if (result == AGAIN)
        result = walk_once(engine, index, file, root_length, aim);
    return result == AGAIN ? 0 : result;
}

/* Whether the module at INDEX is free and WHERE is its file, below
 * *ret_root_length characters of it. */
static bool
is_free_at(const struct lz_engine *engine, unsigned index, const char *where,
           size_t *ret_root_length)
{
    char path[PATH_MAX];
    struct lz_row module = record_row(engine, index);
    size_t length = module.free ? source_path(&module, path, sizeof(path)) : 0;
    size_t whole = strlen(where);
    if (length == 0 || whole <= length || where[whole - length - 1] != '/' ||
        strcmp(where + whole - length, path) != 0)
        return false;
    *ret_root_length = whole - length;
    return true;
}

/* The same for NAME, found at FILE, as any recorded version of it. 1, 0 or -1
 * with an exception. */
static int
any_allows(struct lz_engine *engine, PyObject *name, PyObject *file,
           enum aim aim)
{
    const char *text = place_text(name);
    const char *where = place_text(file);
    int index = text == NULL || where == NULL ? -1 : record_find(engine, text);
    int result = 0;
    if (index >= 0 && engine->recorded == NULL)
        engine->recorded = PyMem_Calloc(record_count(engine), 1);
    if (engine->recorded == NULL)
        return 0;
    while (index >= 0 && result == 0) {
        size_t root;
        if (is_free_at(engine, (unsigned)index, where, &root))
            result = allows(engine, (unsigned)index, where, root, aim);
        index = record_next((unsigned)index);
    }
    return result;
}

int
record_allows(struct lz_engine *engine, PyObject *name, PyObject *file)
{
    const char *text = PyUnicode_AsUTF8(name);
    /* Its body may be running: what it has yet to import is not ahead of it.
     */
    int there = text == NULL ? -1 : is_there(engine, text);
    if (there != 0)
        return there < 0 ? -1 : 0;
    int result = any_allows(engine, name, file, AIM_ANCHORS);
    /* What was imported may have brought the module itself. */
    there = result == 1 ? is_there(engine, text) : 0;
    if (there != 0)
        result = there < 0 ? -1 : 0;
    return result;
}

int
record_is_free(struct lz_engine *engine, PyObject *name, PyObject *file)
{
    return any_allows(engine, name, file, AIM_NO_ANCHORS);
}

bool
record_is_sure(struct lz_engine *engine, PyObject *name, PyObject *file)
{
    bool result = LZ_RECORD_IS_OF_THIS_PYTHON &&
                  any_allows(engine, name, file, AIM_SURE) == 1;
    lz_forgive();
    return result;
}

bool
record_has(struct lz_engine *engine, PyObject *package, PyObject *name)
{
    const char *text = place_text(name), *above = place_text(package);
    int index = above == NULL ? -1 : record_find(engine, above);
    struct lz_row row = {0};
    if (index >= 0)
        row = record_row(engine, (unsigned)index);
    return (row.package && row.hash != 0) ||
           (text != NULL && record_find(engine, text) >= 0);
}

/* From the row FIRST on, up to END, those of NAME and below it. */
static void
forget_rows(struct lz_engine *engine, const char *name, unsigned first,
            unsigned end)
{
    for (unsigned i = first; i < end; i++) {
        const char *other = record_row(engine, i).name;
        if (strcmp(other, name) != 0 && !names_is_below(other, name))
            break;
        engine->recorded[i] = 0;
    }
}

void
record_forget(struct lz_engine *engine, PyObject *name)
{
    const char *text = engine->recorded == NULL ? NULL : place_text(name);
    int index = text == NULL ? -1 : record_find(engine, text);
    if (index >= 0)
        forget_rows(engine, text, (unsigned)index,
                    (unsigned)index < lz_effects_count ? lz_effects_count
                                                       : record_count(engine));
}
