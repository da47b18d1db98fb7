/* See settle_rules.h. */
#include "lazycore/settle_rules.h"

#include <stdio.h>
#include <string.h>

#include "lazycore/body.h"
#include "lazycore/foresee.h"
#include "lazycore/record.h"
#include "lazycore/settle.h"
#include "lazycore/standard.h"

/* Of the standard library, but not for any thread and any time: they look at
 * the terminal, at the thread, or print. So do programs: __main__. */
static const char *const never[] = {
    "antigravity",   "idlelib",   "readline",   "rlcompleter",
    "site",          "test",      "this",       "threading",
    "tkinter",       "turtle",    "turtledemo", "usercustomize",
    "sitecustomize", "ensurepip", "_tkinter"};

static bool
is_never(const char *name)
{
    size_t length = strcspn(name, ".");
    const char *last = strrchr(name, '.');
    if (last != NULL && strcmp(last, ".__main__") == 0)
        return true;
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        if (strlen(never[i]) == length && strncmp(never[i], name, length) == 0)
            return true;
    }
    return false;
}

bool
settle_is_quiet(const char *name)
{
    size_t length = strcspn(name, ".");
    return !is_never(name) ||
           (length == 9 && strncmp(name, "threading", length) == 0) ||
           (length == 7 && strncmp(name, "tkinter", length) == 0) ||
           (length == 8 && strncmp(name, "_tkinter", length) == 0);
}

/* Whether the record has NAME, found at FILE, as free of effects. It knows
 * what a body imports of the same package alone: nothing else may come.
 * 1, 0 or -1. */
static int
is_recorded(struct lz_engine *engine, PyObject *name, PyObject *file)
{
    int result = record_is_free(engine, name, file);
    if (result != 1)
        return result;
    int strays = foresee_strays(engine, name);
    return strays < 0 ? -1 : !strays;
}

static bool
is_for_any_thread(const char *name)
{
    return !is_never(name);
}

/* Whether TARGET's own code, at FILE, says that it is free. What says it is
 * not is not asked again, until it is written to. 1, 0 or -1. */
static int
is_seen_free(struct lz_reader *reader, struct lz_target *target,
             PyObject *file, char ret_why[LZ_SETTLE_WHY_SIZE])
{
    char why[LZ_BODY_WHY_SIZE];
    struct lz_source source;
    const char *path = place_text(file);
    if (path == NULL || !source_identify(path, &source))
        return 0;
    if (target->unfree_mtime_ns == source.mtime_ns &&
        target->unfree_bytes == source.size)
        return 0;
    int result = body_may_run(reader, target->name, is_for_any_thread, why);
    const struct lz_body *body =
        result == 0 ? body_read(reader, target->name) : NULL;
    if (body != NULL && !body->free) {
        target->unfree_mtime_ns = source.mtime_ns;
        target->unfree_bytes = source.size;
    }
    if (result == 0)
        (void)snprintf(ret_why, LZ_SETTLE_WHY_SIZE, "%s", why);
    return PyErr_Occurred() ? -1 : result;
}

/* Whether NAME alone, which is not loaded, may be. 1, 0 or -1. */
static int
may_run(struct lz_engine *engine, struct lz_reader *reader, PyObject *name,
        char ret_why[LZ_SETTLE_WHY_SIZE])
{
    struct lz_target *target = target_get(engine, name);
    if (target == NULL)
        return 0;
    const char *text = place_text(name);
    PyObject *file =
        target->found == NULL ? NULL : found_file(engine, target->found);
    bool usable = text != NULL && target->found != NULL && !target->failed;
    int result = 0;
    if (usable && !levels_is_stdlib(engine->core->levels, text)) {
        result = is_recorded(engine, name, file);
        if (result == 0)
            result = is_seen_free(reader, target, file, ret_why);
    } else if (text != NULL && is_never(text)) {
        (void)snprintf(ret_why, LZ_SETTLE_WHY_SIZE,
                       "%.100s: is not for every thread", text);
    } else if (usable) {
        result = standard_has(engine, target->found);
    }
    Py_XDECREF(file);
    Py_DECREF(target);
    return result;
}

int
settle_may_load(struct lz_engine *engine, struct lz_reader *reader,
                PyObject *name, char ret_why[LZ_SETTLE_WHY_SIZE])
{
    ret_why[0] = '\0';
    PyObject *part;
    Py_ssize_t at = 0;
    int result = 1;
    while (result == 1 && (part = dotted_next(name, &at)) != NULL) {
        PyObject *module = load_peek_module(part);
        if (module == NULL && PyErr_Occurred())
            result = -1;
        else if (module == NULL)
            result = may_run(engine, reader, part, ret_why);
        else
            result = !load_initializing(engine, module);
        Py_XDECREF(module);
        Py_DECREF(part);
    }
    return PyErr_Occurred() ? -1 : result;
}
