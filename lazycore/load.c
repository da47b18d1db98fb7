/* Every load of a module passes here: importlib._bootstrap._load_unlocked is
 * wrapped while installed.
 *
 * Keeps each thread's loads under way and the cause of its import; measures
 * each load; tells the registry and the listener; and has pending names bound
 * when their module is there. The clock is read only here. Needs the GIL, of
 * which importlib's code lets go; no lock of ours is held meanwhile.
 */
#include "lazycore/ahead.h"
#include "lazycore/explain.h"
#include "lazycore/filters.h"
#include "lazycore/fork.h"
#include "lazycore/hold.h"
#include "lazycore/main_thread.h"
#include "lazycore/record.h"
#include "lazycore/reload.h"
#include "lazycore/search.h"
#include "lazycore/settle.h"

/* A load under way. On the heap and doubly linked, since greenlets return in
 * any order. */
struct load {
    PyObject *name;          /* strong */
    struct lz_namespace *ns; /* strong, once one was made for it */
    struct load *above, *below;
    enum lz_guard guard;
    bool must_finish;
    uint64_t turn; /* the engine's when it began */
    bool copy;     /* made by code that edits sys.modules, for itself */
    struct lz_charge *charge; /* or NULL */
};

static _Thread_local struct load *load_top;
static _Thread_local struct lz_cause cause;
/* Of importlib's code that called the innermost load_unlocked(): as long as
 * that runs, the frame is not at its setattr(). Compared only. */
static _Thread_local PyFrameObject *loader_frame_borrowed;

/* Causes */

struct lz_cause
load_cause_push(PyObject *name, enum lz_reason reason, enum lz_guard guard)
{
    struct lz_cause saved = cause;
    cause.name = Py_XNewRef(name);
    cause.reason = reason;
    cause.guard = guard;
    return saved;
}

void
load_cause_pop(struct lz_cause saved)
{
    Py_CLEAR(cause.name);
    cause = saved;
}

/* Why NAME is loaded, as far as the cause under way explains it. */
static enum lz_reason
reason_for(PyObject *name)
{
    if (cause.name == NULL)
        return LZ_REASON_NOT_A_STATEMENT;
    if (dotted_begins_with(
            name, cause.name)) /* itself, or a from-import's submodule */
        return cause.reason;
    if (dotted_begins_with(cause.name, name))
        return LZ_REASON_PARENT;
    return LZ_REASON_NOT_A_STATEMENT;
}

enum lz_guard
load_guard(PyObject *dict)
{
    return load_top != NULL && load_top->ns != NULL &&
                   load_top->ns->dict == dict
               ? load_top->guard
               : LZ_GUARD_NONE;
}

bool
load_runs_here(PyObject *name)
{
    for (struct load *load = load_top; load != NULL; load = load->below) {
        if (load->name == name ||
            (PyUnicode_GET_LENGTH(load->name) == PyUnicode_GET_LENGTH(name) &&
             PyUnicode_Compare(load->name, name) == 0))
            return true;
    }
    return false;
}

PyObject *
load_of_package(PyObject *name, uint64_t turn)
{
    PyObject *result_borrowed = NULL;
    for (struct load *load = load_top; load != NULL; load = load->below) {
        if (load->turn > turn && !load->copy &&
            dotted_begins_with(name, load->name))
            result_borrowed = load->name;
    }
    return Py_XNewRef(result_borrowed);
}

static Py_ssize_t
loads_here(void)
{
    Py_ssize_t here = 0;
    for (struct load *load = load_top; load != NULL; load = load->below)
        here++;
    return here;
}

bool
load_only_here(const struct lz_engine *engine)
{
    return engine->loads_running == loads_here();
}

void
load_after_fork(struct lz_engine *engine)
{
    engine->loads_lost |= !load_only_here(engine);
    engine->loads_running = loads_here();
    if (engine->settle != NULL) {
        settle_collect(engine);
        settle_after_fork(engine);
        engine->settle->target = NULL;
        engine->settle->busy = false;
    }
    lz_main_thread_after_fork();
    usage_after_fork(engine);
    hold_after_fork();
}

bool
load_initializing(struct lz_engine *engine, PyObject *module)
{
    PyObject *spec =
        PyModule_CheckExact(module)
            ? Py_XNewRef(namespace_peek_borrowed(
                  engine, PyModule_GetDict(module), engine->names.spec, NULL))
            : NULL;
    if (spec == NULL)
        spec = lz_get_optional(module, engine->names.spec);
    PyObject *value = spec == NULL || spec == Py_None
                          ? NULL
                          : lz_get_optional(spec, engine->names.initializing);
    int result = value == NULL ? 0 : PyObject_IsTrue(value);
    Py_XDECREF(value);
    Py_XDECREF(spec);
    lz_forgive();
    return result > 0;
}

PyObject *
load_peek_module(PyObject *name)
{
    PyObject *modules = PyImport_GetModuleDict();
    if (PyDict_CheckExact(modules))
        return Py_XNewRef(PyDict_GetItemWithError(modules, name));
    PyObject *module = PyObject_GetItem(modules, name);
    if (module == NULL && PyErr_ExceptionMatches(PyExc_KeyError))
        PyErr_Clear();
    return module;
}

PyObject *
load_module_here(struct lz_engine *engine, PyObject *name)
{
    PyObject *module = load_peek_module(name);
    if (module != NULL && module != Py_None && !load_runs_here(name) &&
        load_initializing(engine, module))
        Py_CLEAR(module);
    return module;
}

bool
load_stores_submodule(struct lz_engine *engine, PyFrameObject *frame)
{
    PyCodeObject *code = PyFrame_GetCode(frame);
    bool result = (PyObject *)code == engine->binding_code &&
                  frame != loader_frame_borrowed;
    Py_DECREF(code);
    return result;
}

bool
load_must_finish(void)
{
    return load_top != NULL && load_top->must_finish;
}

void
load_keep_namespace(struct lz_engine *engine, struct lz_namespace *ns)
{
    struct lz_namespace **place =
        load_top != NULL ? &load_top->ns : &engine->outer;
    if (*place == ns || (load_top != NULL && *place != NULL))
        return;
    if (load_top != NULL && PyUnicode_Compare(load_top->name, ns->name) != 0)
        place = &engine->outer;
    Py_INCREF(ns);
    Py_XSETREF(*place, ns);
}

/* Whether two dotted names begin with the same one. */
static bool
same_package(PyObject *name, PyObject *other)
{
    const char *a = place_text(name), *b = place_text(other);
    return a != NULL && b != NULL && names_share_package(a, b);
}

/* ASKER, which imports by a call, has LOAD made. A search for a codec takes
 * what its module raises for a codec that is not there; only that of host
 * names has tables that few texts need. */
static void
note_asker(struct load *load, enum lz_asker asker)
{
    bool waits =
        asker == LZ_ASKER_CODECS &&
        PyUnicode_CompareWithASCIIString(load->name, "encodings.idna") == 0;
    load->copy = asker == LZ_ASKER_EDITS_MODULES;
    load->must_finish = asker != LZ_ASKER_OTHER && !waits;
    if (waits)
        load->guard = LZ_GUARD_EXCEPT;
}

static struct load *
load_push(struct lz_engine *engine, PyObject *name)
{
    struct load *load = PyMem_Calloc(1, sizeof(*load));
    if (load == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    load->name = Py_NewRef(name);
    load->turn = ++engine->turn;
    load->guard = cause.name == NULL ? LZ_GUARD_NONE : cause.guard;
    load->must_finish = load_must_finish();
    if (load->must_finish)
        load->copy = load_top->copy && same_package(load_top->name, name);
    else if (cause.name == NULL)
        note_asker(load, place_asker(engine));
    load->below = load_top;
    if (load_top != NULL)
        load_top->above = load;
    load->charge =
        charge_begin(engine, load_top == NULL ? NULL : load_top->charge);
    return load_top = load;
}

static void
load_pop(struct load *load)
{
    if (load->above != NULL)
        load->above->below = load->below;
    else if (load_top == load)
        load_top = load->below;
    if (load->below != NULL)
        load->below->above = load->above;
    Py_XDECREF(load->ns);
    Py_XDECREF(load->name);
    PyMem_Free(load);
}

/* The wrappers */

/* sys.modules may get entries that no load explains. */
void
load_sweep(struct lz_engine *engine)
{
    PyObject *modules = PyImport_GetModuleDict();
    if (engine->loads_running > 0 || !PyDict_CheckExact(modules) ||
        PyDict_GET_SIZE(modules) == engine->modules_seen)
        return; /* a module whose body runs will be explained */
    engine->modules_seen = PyDict_GET_SIZE(modules);
    Py_ssize_t at = 0;
    PyObject *name, *module;
    while (PyDict_Next(modules, &at, &name, &module)) {
        const char *text = place_text(name);
        if (text != NULL && module != Py_None)
            registry_lost(engine->core->registry, text, NULL);
    }
}

static struct lz_registry_entry *
report_finished(struct lz_engine *engine, struct lz_load *load, bool failed,
                PyObject *file)
{
    const struct lz_listener *listener = &engine->core->listener;
    load->blocked =
        load->parent == NULL && engine->core->no_load_count > 0 &&
        core_must_not_load(engine->core, load->thread, lz_in_main_thread());
    struct lz_registry_entry *entry =
        registry_loaded(engine->core->registry, load, place_text(file));
    if (load->blocked && listener->blocked != NULL)
        listener->blocked(listener->arg, load);
    if (listener->event != NULL)
        listener->event(listener->arg, failed ? LZ_EVENT_FAIL : LZ_EVENT_LOAD,
                        load->name, load, 0);
    return entry;
}

static PyObject *
load_measured(struct lz_engine *engine, PyObject *spec, PyObject *name,
              PyObject *file, struct lz_load *record, bool *ret_copy)
{
    char error[600];
    reload_note_source(engine, spec);
    struct load *load = load_push(engine, name);
    if (load == NULL)
        return NULL;
    struct lz_cause saved =
        load_cause_push(NULL, LZ_REASON_NONE, LZ_GUARD_NONE);
    engine->loads_running++;
    search_break();
    record_forget(engine, name);
    PyObject *module = PyObject_CallOneArg(engine->load_unlocked, spec);
    engine->loads_running--;
    load_cause_pop(saved);
    if (module == NULL) {
        place_error_text(error, sizeof(error));
        record->error = error;
    }
    PyObject *value = lz_take_error();
    struct lz_charge *charge = load->charge;
    charge_end(engine, charge,
               load->above == NULL ? NULL : load->above->charge, record);
    PyObject *parent =
        load->below == NULL ? NULL : Py_NewRef(load->below->name);
    struct lz_namespace *ns =
        (struct lz_namespace *)Py_XNewRef((PyObject *)load->ns);
    *ret_copy = load->copy;
    load_pop(load);
    struct lz_registry_entry *entry = NULL;
    if (!engine->rule_off[LZ_RULE_ACCOUNTING]) {
        record->parent = place_text(parent);
        entry = report_finished(engine, record, module == NULL, file);
    }
    charge_told(engine, charge, entry);
    if (ns != NULL)
        namespace_forget_code(engine, ns->dict);
    lz_raise(value);
    record->error = record->parent = NULL;
    Py_XDECREF(ns);
    Py_XDECREF(parent);
    return module;
}

/* The namespace that deferred something outside any load is kept for its
 * analysis; a module other than the program's own must not live by that. */
static void
forget_outer(struct lz_engine *engine)
{
    if (engine->outer != NULL &&
        PyUnicode_CompareWithASCIIString(engine->outer->name, "__main__") != 0)
        Py_CLEAR(engine->outer);
}

/* COPY: what waits for the module goes on waiting, for what sys.modules holds
 * at the first use: eagerly, it was bound before this one was made. */
static void
after_load(struct lz_engine *engine, PyObject *name, PyObject *module,
           bool copy)
{
    if (PyUnicode_CompareWithASCIIString(name, "importlib") == 0)
        engine_patch_reload(engine, module);
    if (PyUnicode_CompareWithASCIIString(name, "threading") == 0)
        main_thread_correct(module);
    if (copy)
        target_failed(engine, name);
    else
        target_loaded(engine, name, module);
    report_load(engine, name);
    engine->modules_seen++;
    if (load_top == NULL) {
        forget_outer(engine);
        load_sweep(engine);
        namespace_rebuild_queued(engine);
    }
}

/* Rule 1 comes before whatever else made the load eager. */
static enum lz_reason
reason_of_load(struct lz_engine *engine, PyObject *name, PyObject *file)
{
    if (!engine_enabled(engine))
        return LZ_REASON_OFF;
    enum lz_reason reason = reason_for(name);
    switch (reason) {
    case LZ_REASON_LAZY:
    case LZ_REASON_IGNORE_NAME:
    case LZ_REASON_IGNORE_PACKAGE:
    case LZ_REASON_IGNORE_PATH:
        return reason;
    default:
        break;
    }
    enum lz_reason ignored =
        ignore_match(engine->core->ignore, place_text(name), place_text(file));
    return ignored == LZ_REASON_LAZY ? reason : ignored;
}

struct order {
    struct lz_engine *engine;
    PyObject *spec, *name, *file;
    struct lz_load *record;
};

/* The arguments of ORDER, and what follows on it. */
static PyObject *
load_ordered(void *arg)
{
    const struct order *order = arg;
    bool copy = false;
    PyObject *module = load_measured(order->engine, order->spec, order->name,
                                     order->file, order->record, &copy);
    if (module != NULL) {
        after_load(order->engine, order->name, module, copy);
    } else {
        target_failed(order->engine, order->name);
        ahead_note(order->name);
    }
    return module;
}

/* Where a statement waits for NAME eager code has it long since, whoever asks
 * for it now. */
static PyObject *
load_in_place(struct lz_engine *engine, PyObject *spec, PyObject *name,
              PyObject *file, struct lz_load *record)
{
    struct order order = {engine, spec, name, file, record};
    struct lz_target *target = target_get(engine, name);
    if (target == NULL)
        return load_ordered(&order);
    struct lz_late saved = moment_enter(engine, target->moment);
    hold_begin();
    PyObject *module =
        filters_call(engine, target->filters, load_ordered, &order);
    hold_end(engine);
    moment_leave(saved);
    Py_DECREF(target);
    return module;
}

/* By importlib's function whose frames are left out of tracebacks. */
static PyObject *
raise_ahead(struct lz_engine *engine, PyObject *name)
{
    PyObject *ours = PyObject_GetAttrString(engine->module, "_raise_ahead");
    PyObject *result = ours == NULL
                           ? NULL
                           : PyObject_CallMethod(engine->bootstrap,
                                                 "_call_with_frames_removed",
                                                 "OO", ours, name);
    Py_XDECREF(ours);
    return result;
}

PyObject *
load_unlocked(PyObject *self, PyObject *spec)
{
    struct lz_engine *engine = engine_of_module(self);
    if (engine == NULL || engine->load_unlocked == NULL)
        return engine_gone();
    struct lz_trigger trigger = {0};
    struct lz_load record = {0};
    PyObject *module, *name = PyObject_GetAttr(spec, engine->names.name_attr);
    if (name == NULL)
        return NULL;
    if (PyUnicode_Check(name) && ahead_has_failed(name)) {
        module = raise_ahead(engine, name);
        ahead_note(name);
        Py_DECREF(name);
        return module;
    }
    record.name = place_text(name);
    if (lz_is_finalizing() || record.name == NULL) {
        Py_DECREF(name);
        return PyObject_CallOneArg(engine->load_unlocked, spec);
    }
    PyObject *file = found_file(engine, spec);
    record.reason = reason_of_load(engine, name, file);
    explain_trigger(engine, name, file, load_top == NULL, &record, &trigger);
    if (record.reason != LZ_REASON_LAZY)
        registry_eager(engine->core->registry, record.name, record.reason,
                       &record.trigger);
    PyFrameObject *saved = loader_frame_borrowed;
    loader_frame_borrowed = PyEval_GetFrame();
    settle_before_body(engine);
    module = load_in_place(engine, spec, name, file, &record);
    loader_frame_borrowed = saved;
    explain_done(&trigger);
    Py_XDECREF(file);
    Py_DECREF(name);
    return module;
}
