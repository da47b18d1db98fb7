/* See own.h. */
#include "lazycore/own.h"

#include "lazycore/body.h"
#include "lazycore/foresee.h"
#include "lazycore/settle_rules.h"

/* Which targets. */
struct choice {
    struct lz_engine *engine;
    PyObject *wanted; /* in the package of this module, not below it, and: */
    struct lz_moment before; /* NULL: the program's own */
};

static bool
is_chosen(const struct choice *choice, const struct lz_target *target)
{
    struct lz_levels *levels = choice->engine->core->levels;
    const char *name = place_text(target->name);
    enum lz_level_source source = LZ_LEVEL_CATALOGUE;
    if (name == NULL || !target->noted || target->loaded || target->failed ||
        target->free || target->taken)
        return false;
    if (choice->wanted != NULL)
        return names_share_package(name, place_text(choice->wanted)) &&
               moment_compare(target->moment, choice->before) < 0 &&
               !dotted_begins_with(target->name, choice->wanted);
    if (levels_is_stdlib(levels, name))
        return false;
    (void)levels_get(levels, name, &source);
    return source != LZ_LEVEL_CATALOGUE;
}

static bool
is_before(PyObject *target, PyObject *other)
{
    return moment_compare(((struct lz_target *)target)->moment,
                          ((struct lz_target *)other)->moment) < 0;
}

/* The targets, by their statements: a new list, NULL where there are none,
 * without an exception. */
static PyObject *
chosen_targets(const struct choice *choice)
{
    PyObject *list = NULL, *target;
    Py_ssize_t at = 0;
    while (PyDict_Next(choice->engine->targets, &at, NULL, &target)) {
        if (!is_chosen(choice, (struct lz_target *)target))
            continue;
        if (list == NULL)
            list = PyList_New(0);
        Py_ssize_t i = list == NULL ? 0 : PyList_GET_SIZE(list);
        while (i > 0 && is_before(target, PyList_GET_ITEM(list, i - 1)))
            i--;
        if (list == NULL || PyList_Insert(list, i, target) < 0) {
            Py_CLEAR(list);
            break;
        }
    }
    lz_forgive();
    return list;
}

static void
drop_reader(struct lz_engine *engine)
{
    struct lz_reader *reader = engine->own_reader;
    engine->own_reader = NULL; /* what it holds may be a program's own, whose
                                  end asks again */
    body_reader_free(reader);
}

/* READER may be NULL, with an exception. */
static int
ask(struct lz_engine *engine, struct lz_reader *reader, PyObject *name)
{
    char why[LZ_SETTLE_WHY_SIZE];
    return reader == NULL ? -1 : settle_may_load(engine, reader, name, why);
}

/* settle_may_load, by one reader for all questions that come up while one
 * list is loaded: they are about modules that import each other. What is
 * loaded in between may change what is found: free is only what is free by a
 * reader of now. Who asks meanwhile, by a finder's code, has one of his own.
 */
static int
may_load(struct lz_engine *engine, PyObject *name)
{
    struct lz_reader *reader = engine->own_reader;
    bool old = reader != NULL;
    engine->own_reader = NULL;
    if (reader == NULL)
        reader = body_reader_new(engine, NULL);
    int result = ask(engine, reader, name);
    if (result == 1 && old) {
        struct lz_reader *now = body_reader_new(engine, NULL);
        result = ask(engine, now, name);
        body_reader_free(now);
    }
    if (result >= 0 && engine->own_asks && engine->own_reader == NULL)
        engine->own_reader = reader;
    else
        body_reader_free(reader);
    return result;
}

/* Whether TARGET may have effects, and nobody loads it. May leave an
 * exception. */
static bool
is_wanted(struct lz_engine *engine, struct lz_target *target)
{
    PyObject *module = load_peek_module(target->name);
    if (module != NULL || PyErr_Occurred()) {
        Py_XDECREF(module);
        return false;
    }
    if (!target->wanted) {
        int free = may_load(engine, target->name);
        target->free = free == 1;
        target->wanted = free == 0;
    }
    return target->wanted;
}

/* 1: something was loaded, 0, or -1 with an exception that nothing may take:
 * KeyboardInterrupt, SystemExit. What fails otherwise is tried again where it
 * is used. */
static int
load_chosen(const struct choice *choice)
{
    struct lz_engine *engine = choice->engine;
    PyObject *list = chosen_targets(choice);
    int result = 0;
    bool outermost = !engine->own_asks;
    engine->own_asks = true;
    for (Py_ssize_t i = 0;
         list != NULL && result >= 0 && i < PyList_GET_SIZE(list); i++) {
        struct lz_target *target =
            (struct lz_target *)PyList_GET_ITEM(list, i);
        if (is_chosen(choice, target) && is_wanted(engine, target)) {
            target->taken = true;
            PyObject *module = target_import(engine, target);
            target->taken = false;
            if (module != NULL)
                result = 1;
            Py_XDECREF(module);
        }
        if (foresee_clear() < 0)
            result = -1;
    }
    if (outermost) {
        engine->own_asks = false;
        drop_reader(engine);
    }
    Py_XDECREF(list);
    return result;
}

int
own_load(struct lz_engine *engine)
{
    const struct choice choice = {.engine = engine};
    int result = 0, loaded = 1;
    uint64_t made = engine->own_targets;
    while (loaded == 1 && made != engine->targets_made &&
           engine->loads_running == 0) {
        made = engine->targets_made;
        loaded = load_chosen(&choice);
        result = loaded < 0 ? -1 : result | loaded;
    }
    if (loaded >= 0)
        engine->own_targets = made;
    return result;
}

int
own_load_earlier(struct lz_engine *engine, PyObject *name)
{
    struct choice choice = {.engine = engine, .wanted = name};
    const char *text = place_text(name);
    if (text == NULL || PyDict_GET_SIZE(engine->targets) == 0 ||
        engine->rule_off[LZ_RULE_SAME_PACKAGE] || !engine_enabled(engine) ||
        levels_get(engine->core->levels, text, NULL) == LZ_LEVEL_FULL ||
        !load_only_here(engine))
        return 0;
    struct lz_target *target = target_get(engine, name);
    choice.before = target == NULL ? moment_now(engine)
                                   : moment_until_now(engine, target->moment);
    Py_XDECREF(target);
    return load_chosen(&choice) < 0 ? -1 : 0;
}

void
own_after_fork(struct lz_engine *engine)
{
    engine->own_asks = false;
    drop_reader(engine);
}
