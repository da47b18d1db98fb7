/* See settle.h. */
#include "lazycore/settle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lazycore/body.h"
#include "lazycore/settle_look.h"
#include "lazycore/settle_rules.h"
#include "lazycore/settle_watch.h"

enum { LATER = 2 };     /* beside 1, 0 and -1: not now */
enum { WALK_MS = 100 }; /* at most, for walks that begin during a load */

/* How many modules have sys.modules under a name of theirs, sys apart. */
static Py_ssize_t
count_aliases(struct lz_engine *engine)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *module, *value;
    Py_ssize_t result = 0, at = 0, i;
    while (PyDict_Next(modules, &at, NULL, &module)) {
        PyObject *dict =
            PyModule_Check(module) ? PyModule_GetDict(module) : NULL;
        if (dict == NULL || dict == engine->sys_dict)
            continue;
        for (i = 0; PyDict_Next(dict, &i, NULL, &value);)
            result += value == modules;
    }
    return result;
}

/* Whether someone goes through sys.modules, which must not grow then: an
 * iterator is one reference more. */
static bool
modules_in_use(struct lz_engine *engine, struct lz_settle *settle)
{
    Py_ssize_t users = Py_REFCNT(PyImport_GetModuleDict());
    if (users <= settle->users)
        return false;
    if (users == settle->walked_users)
        return true;
    settle->walked_users = users;
    if (users > settle->users + count_aliases(engine))
        return true;
    settle->walked_users = 0;
    return false;
}

void
settle_before_body(struct lz_engine *engine)
{
    struct lz_settle *settle = engine->settle;
    const struct timespec delay = {.tv_nsec = 1000000};
    if (settle != NULL && settle->wanted)
        settle_watch_in_child(engine);
    if (settle == NULL || settle->target == NULL ||
        settle->loader != PyThread_get_thread_ident())
        return;
    for (; settle->waits_left > 0 && modules_in_use(engine, settle);
         settle->waits_left--) {
        PyThreadState *state = PyEval_SaveThread();
        (void)nanosleep(&delay, NULL);
        PyEval_RestoreThread(state);
    }
    settle_collect_not(engine);
}

/* Whether locks are other than the interpreter's own: those of gevent and
 * eventlet, by which importlib then locks modules, are for greenlets of one
 * thread. Who waits in another for a module that is being loaded gets an
 * error, or waits for ever. */
static bool
locks_are_patched(struct lz_engine *engine)
{
    PyObject *thread = PyObject_GetAttrString(engine->bootstrap, "_thread");
    PyObject *function = thread == NULL
                             ? NULL
                             : PyObject_GetAttrString(thread, "allocate_lock");
    bool result = function == NULL || !PyCFunction_Check(function);
    lz_forgive();
    Py_XDECREF(function);
    Py_XDECREF(thread);
    return result;
}

/* Whether a debugger, a coverage or a profile follows what a thread runs: it
 * would not see a body that runs in another. */
static bool
is_traced(void)
{
    PyThreadState *state =
        PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    while (state != NULL && state->c_tracefunc == NULL &&
           state->c_profilefunc == NULL)
        state = PyThreadState_Next(state);
    return state != NULL;
}

bool
settle_stopped(const struct lz_engine *engine)
{
    return engine->settle->over || engine->settle->stops > 0;
}

/* Of the thread whose state is the oldest. */
static unsigned long
first_thread(void)
{
    PyThreadState *state =
        PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    unsigned long ident = 0;
    for (; state != NULL; state = PyThreadState_Next(state))
        ident = state->thread_id;
    return ident;
}

int
settle_begin(struct lz_engine *engine)
{
    if (engine->settle == NULL)
        engine->settle = PyMem_Calloc(1, sizeof(*engine->settle));
    if (engine->settle == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (engine->settle->set_interval == NULL)
        engine->settle->set_interval =
            Py_XNewRef(PySys_GetObject("setswitchinterval"));
    engine->settle->over = false;
    if (engine->settle->main_thread == 0)
        engine->settle->main_thread = first_thread();
    engine->settle->users =
        Py_REFCNT(PyImport_GetModuleDict()) - count_aliases(engine);
    return settle_patch_interval(engine);
}

void
settle_done(struct lz_engine *engine)
{
    if (engine->settle == NULL)
        return;
    settle_watch_done(engine);
    settle_garbage_done(engine->settle);
    Py_CLEAR(engine->settle->get_interval);
    Py_CLEAR(engine->settle->set_interval);
    PyMem_Free(engine->settle);
    engine->settle = NULL;
}

void
settle_end(struct lz_engine *engine)
{
    if (engine->settle == NULL)
        return;
    engine->settle->over = true;
    if (engine->settle->target != NULL) {
        PyObject *name =
            Py_NewRef(PyTuple_GET_ITEM(engine->settle->target, 0));
        if (host_import(engine, name) < 0)
            lz_forgive();
        Py_DECREF(name);
    }
    settle_watch_stop(engine);
}

static int
append_target(PyObject *targets, const struct lz_target *target,
              const struct lz_proxy *proxy)
{
    PyObject *file = proxy->file == NULL ? Py_None : proxy->file;
    PyObject *one = Py_BuildValue("(OOi)", target->name, file, proxy->line);
    int result = one == NULL ? -1 : PyList_Append(targets, one);
    Py_XDECREF(one);
    return result;
}

/* What the proxies of NS wait for: a new list of (name of the target, file and
 * line of the statement). It holds no proxy: one more reference would look as
 * if the proxy had leaked. */
static PyObject *
list_targets(struct lz_namespace *ns)
{
    PyObject *targets = PyList_New(0);
    Py_ssize_t at = 0;
    struct lz_key *key;
    int result = targets == NULL ? -1 : 0;
    while (result == 0 && (key = namespace_next_pending(ns, &at)) != NULL) {
        const struct lz_proxy *proxy = key->proxy;
        Py_ssize_t extras =
            proxy->extras == NULL ? 0 : PyList_GET_SIZE(proxy->extras);
        for (Py_ssize_t i = -1; result == 0 && i < extras; i++) {
            const struct lz_target *target =
                i < 0 ? proxy->target
                      : (struct lz_target *)PyList_GET_ITEM(proxy->extras, i);
            if (target != NULL)
                result = append_target(targets, target, proxy);
        }
    }
    if (result < 0)
        Py_CLEAR(targets);
    return targets;
}

/* The loads */

static int LZ_NEEDS_GIL
load(struct lz_engine *engine, PyObject *target)
{
    struct lz_load_result result;
    const char *text = place_text(PyTuple_GET_ITEM(target, 0));
    lz_called_by_python();
    engine->settle->target = target;
    engine->settle->loader = PyThread_get_thread_ident();
    engine->settle->waits_left = WALK_MS;
    int done = text == NULL ? -1 : lazycore_load(text, 0, &result);
    engine->settle->target = NULL;
    if (done < 0)
        return -1;
    bool loaded = result.error.kind == LZ_ERROR_NONE;
    lazycore_load_result_done(&result);
    return loaded;
}

/* NS stays as it is for NAME. */
static void
tell_refused(const struct lz_namespace *ns, PyObject *name, const char *why,
             struct lz_settled *ret)
{
    const char *space = place_text(ns->name);
    const char *text = place_text(name);
    (void)snprintf(ret->why, sizeof(ret->why),
                   "'%.80s' is hot, and slower for '%.80s' that is pending in "
                   "it, but that may have effects: %s",
                   space == NULL ? "?" : space, text == NULL ? "?" : text,
                   why);
}

/* Whether all TARGETS, which NS waits for, may be loaded: 1, 0 or -1 with an
 * exception. One reader for all: they import much the same modules. */
static int LZ_NEEDS_GIL
may_load_all(struct lz_engine *engine, const struct lz_namespace *ns,
             PyObject *targets, struct lz_settled *ret)
{
    char why[LZ_SETTLE_WHY_SIZE];
    struct lz_reader *reader = body_reader_new(engine, NULL);
    if (reader == NULL)
        return -1;
    body_reader_gives_up(reader, settle_stopped);
    int result = 1;
    for (Py_ssize_t i = 0; result == 1 && i < PyList_GET_SIZE(targets); i++) {
        PyObject *name = PyTuple_GET_ITEM(PyList_GET_ITEM(targets, i), 0);
        result = settle_may_load(engine, reader, name, why);
        if (result == 0 && why[0] != '\0')
            tell_refused(ns, name, why, ret);
    }
    body_reader_free(reader);
    return result;
}

/* Load all that NS waits for, or nothing: one name that stays pending costs
 * as much as all of them. 1 done, 0 refused, LATER, or -1 with an exception.
 */
static int LZ_NEEDS_GIL
load_all(struct lz_engine *engine, struct lz_namespace *ns,
         struct lz_settled *ret)
{
    PyObject *targets = list_targets(ns);
    int result = targets == NULL ? -1 : may_load_all(engine, ns, targets, ret);
    Py_ssize_t count = targets == NULL ? 0 : PyList_GET_SIZE(targets);
    if (result < 0 && settle_stopped(engine)) {
        lz_forgive(); /* it gave up reading bodies */
        result = LATER;
    }
    for (Py_ssize_t i = 0; result == 1 && i < count; i++) {
        /* Much may have happened while the last one loaded. */
        if (settle_stopped(engine) || modules_in_use(engine, engine->settle))
            result = LATER;
        else
            result = load(engine, PyList_GET_ITEM(targets, i));
    }
    Py_XDECREF(targets);
    if (result == 1)
        namespace_rebuild_queued(engine);
    return result;
}

PyObject *
settle_place(struct lz_engine *engine, int *ret_line)
{
    PyObject *target = engine->settle == NULL ? NULL : engine->settle->target;
    if (target == NULL)
        return NULL;
    PyObject *file = PyTuple_GET_ITEM(target, 1);
    *ret_line = (int)PyLong_AsLong(PyTuple_GET_ITEM(target, 2));
    return file == Py_None ? NULL : file;
}

static void LZ_NEEDS_GIL
settle(struct lz_engine *engine, struct lz_settled *settled)
{
    struct lz_namespace *ns = settle_hottest(engine);
    settled->slow = ns == NULL && settle_is_slow(engine);
    if (ns == NULL || settle_stopped(engine) || engine->settle->busy ||
        engine->loads_running > 0 || modules_in_use(engine, engine->settle) ||
        locks_are_patched(engine) || is_traced()) {
        Py_XDECREF(ns);
        return;
    }
    uint64_t before = registry_loads(engine->core->registry);
    uint64_t start = usage_wall_ns();
    engine->settle->busy = true;
    settle_collect_not(engine);
    settle_load_begins(engine);
    int done = load_all(engine, ns, settled);
    lz_forgive();
    settle_load_ends(engine);
    engine->settle->busy = false;
    settle_collect(engine);
    settled->wall_ns = usage_wall_ns() - start;
    settled->modules = registry_loads(engine->core->registry) - before;
    const char *name = place_text(ns->name);
    if (done == 1 && ns->pending == 0 && name != NULL)
        settled->name = strdup(name);
    else if (done != LATER)
        ns->refused = ns->pending;
    if (done != LATER) { /* it has to be seen anew, or would come for ever */
        ns->heat_ns = 0;
        ns->sightings = 0;
    }
    settled->slow = settle_is_slow(engine);
    Py_DECREF(ns);
}

/* The engine of *RET_MODULE, a new reference, or NULL. No import: that would
 * call the service's __import__, if it has one. */
static struct lz_engine *
find_engine(PyObject **ret_module)
{
    PyObject *name = PyUnicode_FromString("lazycore");
    *ret_module = name == NULL ? NULL : load_peek_module(name);
    Py_XDECREF(name);
    lz_forgive();
    return *ret_module == NULL || !PyModule_Check(*ret_module)
               ? NULL
               : engine_of_module(*ret_module);
}

int
lazycore_may_load(const char *instead, struct lz_error *error)
{
    PyObject *module;
    struct lz_engine *engine = find_engine(&module);
    bool patched = engine != NULL && engine->bootstrap != NULL &&
                   locks_are_patched(engine);
    Py_XDECREF(module);
    return !patched ? 0
                    : lz_error_set(
                          error, LZ_ERROR_REFUSED,
                          "the locks of '_thread' are not Python's own, as "
                          "with gevent and eventlet: what lazyd's thread "
                          "loads would belong to that thread; %s",
                          instead);
}

static bool
is_on(struct lz_engine *engine)
{
    return engine != NULL && engine->installed && engine_enabled(engine) &&
           engine->settle != NULL;
}

static void
tell(struct lz_core *core, const struct lz_settled *settled)
{
    const struct lz_listener *listener = &core->listener;
    atomic_fetch_add(&core->hot_modules, settled->modules);
    if (settled->name != NULL)
        atomic_fetch_add(&core->hot_namespaces, 1);
    if (listener->settled != NULL &&
        (settled->name != NULL || settled->why[0] != '\0'))
        listener->settled(listener->arg, settled);
}

void
settle_burst(unsigned looks, struct lz_settled *ret_settled)
{
    PyObject *module;
    struct lz_engine *engine = find_engine(&module);
    *ret_settled = (struct lz_settled){0};
    if (looks > 0 && is_on(engine))
        atomic_fetch_add(&engine->core->looks, 1);
    for (; looks > 0 && is_on(engine) && !settle_stopped(engine); looks--) {
        settle_await_any_moment(engine);
        if (is_on(engine))
            settle_look(engine);
    }
    if (is_on(engine)) {
        settle(engine, ret_settled);
        tell(engine->core, ret_settled);
    }
    lz_forgive();
    Py_XDECREF(module);
}

PyObject *
settle_python(PyObject *module, PyObject *unused)
{
    struct lz_settled settled;
    (void)module;
    (void)unused;
    lz_called_by_python();
    settle_burst(1, &settled);
    PyObject *name = settled.name == NULL ? Py_NewRef(Py_None)
                                          : PyUnicode_FromString(settled.name);
    free(settled.name);
    return name;
}
