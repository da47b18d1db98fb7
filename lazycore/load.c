/* Every load of a module passes here: importlib._bootstrap._load_unlocked and
 * _find_and_load_unlocked are wrapped while installed.
 *
 * Keeps, for each thread, the loads under way and the cause of the import
 * under way; measures each load; tells the registry and the listener; and
 * has pending names bound when their module is there. The clock is read only
 * here. Needs the GIL, of which importlib's code lets go; no lock of ours is
 * held meanwhile.
 */
#include "lazycore/engine.h"
#include "lazycore/reload.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A load under way. On the heap and doubly linked, since greenlets return in
 * any order. */
struct load {
    PyObject *name;          /* strong */
    struct lz_namespace *ns; /* strong, once one was made for it */
    struct load *above, *below;
    bool guarded;
    bool must_finish;
    uint64_t wall_ns, cpu_ns; /* at the start */
    int64_t bytes, blocks;    /* at the start */
    uint64_t nested_wall_ns, nested_cpu_ns;
    int64_t nested_bytes, nested_blocks;
};

static _Thread_local struct load *load_top;
static _Thread_local struct lz_cause cause;

/* Causes */

struct lz_cause
load_cause_push(PyObject *name, enum lz_reason reason, bool guarded)
{
    struct lz_cause saved = cause;
    cause.name = Py_XNewRef(name);
    cause.reason = reason;
    cause.guarded = guarded;
    cause.file = cause.function = NULL;
    cause.line = 0;
    return saved;
}

void
load_cause_pop(struct lz_cause saved)
{
    Py_CLEAR(cause.name);
    cause = saved;
}

/* Whether PREFIX is the dotted NAME or a parent of it. */
static bool
is_prefix(PyObject *prefix, PyObject *name)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(prefix);
    return PyUnicode_Tailmatch(name, prefix, 0, PyUnicode_GET_LENGTH(name),
                               -1) == 1 &&
           (PyUnicode_GET_LENGTH(name) == length ||
            PyUnicode_READ_CHAR(name, length) == '.');
}

/* Why NAME is loaded, as far as the cause under way explains it. */
static enum lz_reason
reason_for(PyObject *name)
{
    if (cause.name == NULL)
        return LZ_REASON_NOT_A_STATEMENT;
    if (is_prefix(cause.name, name)) /* itself, or a from-import's submodule */
        return cause.reason;
    if (is_prefix(name, cause.name))
        return LZ_REASON_PARENT;
    return LZ_REASON_NOT_A_STATEMENT;
}

bool
load_guarded(PyObject *dict)
{
    return load_top != NULL && load_top->guarded && load_top->ns != NULL &&
           load_top->ns->dict == dict;
}

bool
load_runs_here(PyObject *name)
{
    for (struct load *load = load_top; load != NULL; load = load->below) {
        if (PyUnicode_Compare(load->name, name) == 0)
            return true;
    }
    return false;
}

bool
load_initializing(struct lz_engine *engine, PyObject *module)
{
    PyObject *spec = PyObject_GetAttr(module, engine->names.spec);
    PyObject *value = spec == NULL || spec == Py_None
                          ? NULL
                          : PyObject_GetAttr(spec, engine->names.initializing);
    int result = value == NULL ? 0 : PyObject_IsTrue(value);
    Py_XDECREF(value);
    Py_XDECREF(spec);
    lz_forgive();
    return result > 0;
}

PyObject *
load_module_here(struct lz_engine *engine, PyObject *name)
{
    PyObject *module = PyImport_GetModule(name);
    if (module != NULL && module != Py_None && !load_runs_here(name) &&
        load_initializing(engine, module))
        Py_CLEAR(module);
    return module;
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

/* Places */

static bool
is_importlib(PyObject *file)
{
    return PyUnicode_Check(file) && PyUnicode_GET_LENGTH(file) > 18 &&
           PyUnicode_READ_CHAR(file, 0) == '<' &&
           (PyUnicode_CompareWithASCIIString(
                file, "<frozen importlib._bootstrap>") == 0 ||
            PyUnicode_CompareWithASCIIString(
                file, "<frozen importlib._bootstrap_external>") == 0);
}

void
load_place(PyObject **ret_file, PyObject **ret_function, int *ret_line)
{
    *ret_file = *ret_function = NULL;
    *ret_line = 0;
    PyFrameObject *frame = PyEval_GetFrame();
    Py_XINCREF(frame);
    while (frame != NULL) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        bool skip = is_importlib(code->co_filename);
        if (!skip) {
            *ret_file = Py_NewRef(code->co_filename);
            *ret_function = Py_NewRef(code->co_name);
            *ret_line = PyFrame_GetLineNumber(frame);
        }
        Py_DECREF(code);
        PyFrameObject *back = skip ? PyFrame_GetBack(frame) : NULL;
        Py_DECREF(frame);
        frame = back;
    }
}

/* Text of a str for plain C, or NULL; borrowed. */
static const char *
text_of(PyObject *string)
{
    if (string == NULL || !PyUnicode_Check(string))
        return NULL;
    const char *text = PyUnicode_AsUTF8(string);
    if (text == NULL)
        lz_forgive();
    return text;
}

/* The name threading knows this thread by, else the system's. */
static void
thread_name(char *ret_name, size_t size)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *threading = PyDict_GetItemString(modules, "threading");
    PyObject *active = NULL, *ident = NULL, *thread = NULL, *name = NULL;
    if (threading != NULL && PyModule_CheckExact(threading))
        active = Py_XNewRef(
            PyDict_GetItemString(PyModule_GetDict(threading), "_active"));
    if (active != NULL && PyDict_CheckExact(active))
        ident = PyLong_FromUnsignedLong(PyThread_get_thread_ident());
    if (ident != NULL)
        thread = Py_XNewRef(PyDict_GetItemWithError(active, ident));
    if (thread != NULL)
        name = PyObject_GetAttrString(thread, "_name");
    const char *text = text_of(name);
    if (text != NULL)
        (void)snprintf(ret_name, size, "%s", text);
    else if (pthread_getname_np(pthread_self(), ret_name, size) != 0)
        ret_name[0] = '\0';
    lz_forgive();
    Py_XDECREF(name);
    Py_XDECREF(thread);
    Py_XDECREF(ident);
    Py_XDECREF(active);
}

/* Measuring */

static uint64_t
clock_ns(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Resident private memory, to the page: the kernel's resident less shared.*/
static int64_t
resident_bytes(void)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t size = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    if (size <= 0)
        return 0;
    text[size] = '\0';
    char *end;
    (void)strtoll(text, &end, 10);
    int64_t resident = strtoll(end, &end, 10);
    int64_t shared = strtoll(end, &end, 10);
    return (resident - shared) * sysconf(_SC_PAGESIZE);
}

double
load_resident_mb(void)
{
    return (double)resident_bytes() / (1024.0 * 1024.0);
}

static int64_t
allocated_blocks(struct lz_engine *engine)
{
    if (engine->getallocatedblocks == NULL)
        return 0;
    PyObject *count = PyObject_CallNoArgs(engine->getallocatedblocks);
    int64_t result = count == NULL ? 0 : PyLong_AsLongLong(count);
    Py_XDECREF(count);
    lz_forgive();
    return result;
}

/* Whether the code that called for this import, past importlib's own, is of
 * a module that an ignore set covers. */
static bool
called_by_ignored(struct lz_engine *engine)
{
    bool result = false;
    PyFrameObject *frame = PyEval_GetFrame();
    Py_XINCREF(frame);
    while (frame != NULL) {
        PyObject *globals = PyFrame_GetGlobals(frame);
        PyObject *name =
            namespace_peek_borrowed(engine, globals, engine->names.name, NULL);
        const char *text = text_of(name);
        bool skip =
            text != NULL && (strncmp(text, "importlib", 9) == 0 ||
                             strncmp(text, "_frozen_importlib", 17) == 0);
        if (!skip && text != NULL)
            result = ignore_covers_package(engine->core->ignore, text) != 0;
        Py_DECREF(globals);
        PyFrameObject *back = skip ? PyFrame_GetBack(frame) : NULL;
        Py_DECREF(frame);
        frame = back;
    }
    return result;
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
    load->guarded = cause.guarded && cause.name != NULL;
    load->must_finish = load_must_finish() ||
                        (cause.name == NULL && called_by_ignored(engine));
    load->below = load_top;
    if (load_top != NULL)
        load_top->above = load;
    load_top = load;
    load->bytes = resident_bytes();
    load->blocks = allocated_blocks(engine);
    load->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    load->wall_ns = clock_ns(CLOCK_MONOTONIC);
    return load;
}

/* Fill RET with what the load took, and charge the load it is nested in. */
static void
load_measure(struct lz_engine *engine, struct load *load, struct lz_load *ret)
{
    ret->wall_ns = clock_ns(CLOCK_MONOTONIC) - load->wall_ns;
    ret->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - load->cpu_ns;
    ret->blocks = allocated_blocks(engine) - load->blocks;
    ret->bytes = resident_bytes() - load->bytes;
    ret->wall_self_ns = ret->wall_ns > load->nested_wall_ns
                            ? ret->wall_ns - load->nested_wall_ns
                            : 0;
    ret->cpu_self_ns = ret->cpu_ns > load->nested_cpu_ns
                           ? ret->cpu_ns - load->nested_cpu_ns
                           : 0;
    ret->blocks_self = ret->blocks - load->nested_blocks;
    ret->bytes_self = ret->bytes - load->nested_bytes;
    if (load->below != NULL) {
        load->below->nested_wall_ns += ret->wall_ns;
        load->below->nested_cpu_ns += ret->cpu_ns;
        load->below->nested_blocks += ret->blocks;
        load->below->nested_bytes += ret->bytes;
    }
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

/* "Type: message" of the pending exception, which stays. */
static void
error_text(char *ret_text, size_t size)
{
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyObject *text = error == NULL ? NULL : PyObject_Str(error);
    const char *message = text_of(text);
    (void)snprintf(ret_text, size, "%s: %s",
                   type == NULL ? "?" : ((PyTypeObject *)type)->tp_name,
                   message == NULL ? "" : message);
    lz_forgive();
    Py_XDECREF(text);
    PyErr_Restore(type, error, traceback);
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
        const char *text = text_of(name);
        if (text != NULL && module != Py_None)
            registry_lost(engine->core->registry, text, NULL);
    }
}

static void
report_finished(struct lz_engine *engine, struct lz_load *load, bool failed,
                PyObject *spec)
{
    PyObject *file = spec_file(engine, spec);
    registry_loaded(engine->core->registry, load, text_of(file));
    Py_XDECREF(file);
    const struct lz_listener *listener = &engine->core->listener;
    if (listener->event != NULL)
        listener->event(listener->arg, failed ? LZ_EVENT_FAIL : LZ_EVENT_LOAD,
                        load->name, load, 0);
}

static PyObject *
load_measured(struct lz_engine *engine, PyObject *spec, PyObject *name,
              struct lz_load *record)
{
    char error[600], thread[64];
    reload_note_source(spec);
    struct load *load = load_push(engine, name);
    if (load == NULL)
        return NULL;
    struct lz_cause saved = load_cause_push(NULL, LZ_REASON_NONE, false);
    engine->loads_running++;
    PyObject *module = PyObject_CallOneArg(engine->load_unlocked, spec);
    engine->loads_running--;
    load_cause_pop(saved);
    if (module == NULL) {
        error_text(error, sizeof(error));
        record->error = error;
    }
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    load_measure(engine, load, record);
    PyObject *parent =
        load->below == NULL ? NULL : Py_NewRef(load->below->name);
    struct lz_namespace *ns =
        (struct lz_namespace *)Py_XNewRef((PyObject *)load->ns);
    load_pop(load);
    thread_name(thread, sizeof(thread));
    record->thread = thread;
    record->parent = text_of(parent);
    report_finished(engine, record, module == NULL, spec);
    if (ns != NULL)
        namespace_forget_code(engine, ns->dict);
    PyErr_Restore(type, value, traceback);
    record->error = record->thread = record->parent = NULL;
    Py_XDECREF(ns);
    Py_XDECREF(parent);
    return module;
}

/* importlib has loaded: its reload() must take proxies. */
static void
patch_importlib(struct lz_engine *engine, PyObject *module)
{
    PyObject *ours = PyObject_GetAttrString(engine->module, "_reload");
    if (ours == NULL ||
        engine_patch(module, "reload", ours, &engine->saved_reload) < 0)
        lz_forgive();
    Py_XDECREF(ours);
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

static void
after_load(struct lz_engine *engine, PyObject *name, PyObject *module)
{
    if (PyUnicode_CompareWithASCIIString(name, "importlib") == 0)
        patch_importlib(engine, module);
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
reason_of_load(struct lz_engine *engine, PyObject *name, PyObject *spec)
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
    PyObject *file = spec_file(engine, spec);
    enum lz_reason ignored =
        ignore_match(engine->core->ignore, text_of(name), text_of(file));
    Py_XDECREF(file);
    return ignored == LZ_REASON_LAZY ? reason : ignored;
}

PyObject *
load_unlocked(PyObject *self, PyObject *spec)
{
    struct lz_engine *engine = engine_of_module(self);
    if (engine == NULL || engine->load_unlocked == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "lazycore is gone");
        return NULL;
    }
    PyObject *file, *function;
    struct lz_load record = {0};
    PyObject *name = PyObject_GetAttr(spec, engine->names.name_attr);
    if (name == NULL)
        return NULL;
    record.name = text_of(name);
    if (lz_is_finalizing() || record.name == NULL) {
        Py_DECREF(name);
        return PyObject_CallOneArg(engine->load_unlocked, spec);
    }
    load_place(&file, &function, &record.trigger.line);
    record.trigger.file = text_of(file);
    record.trigger.function = text_of(function);
    record.reason = reason_of_load(engine, name, spec);
    if (record.reason != LZ_REASON_LAZY)
        registry_eager(engine->core->registry, record.name, record.reason,
                       &record.trigger);
    PyObject *module = load_measured(engine, spec, name, &record);
    if (module != NULL)
        after_load(engine, name, module);
    Py_XDECREF(file);
    Py_XDECREF(function);
    Py_DECREF(name);
    return module;
}

/* The name under which importlib will store the submodule NAME in its parent
 * may be pending there for another value: in eager order that one was bound
 * first, and the submodule's store comes on top. A new reference to its
 * proxy, or NULL. */
static struct lz_proxy *
pending_in_parent(struct lz_engine *engine, PyObject *name)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(name);
    Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, length, -1);
    if (dot < 0)
        return NULL;
    struct lz_proxy *result = NULL;
    PyObject *parent_name = PyUnicode_Substring(name, 0, dot);
    PyObject *tail = PyUnicode_Substring(name, dot + 1, length);
    PyObject *parent =
        parent_name == NULL ? NULL : PyImport_GetModule(parent_name);
    if (tail != NULL && parent != NULL && PyModule_Check(parent)) {
        PyObject *dict = PyModule_GetDict(parent);
        struct lz_namespace *ns = namespace_find(engine, dict);
        PyObject *held =
            ns == NULL || ns->pending == 0
                ? NULL
                : namespace_peek_borrowed(engine, dict, tail, NULL);
        struct lz_proxy *proxy = (struct lz_proxy *)held;
        if (held != NULL && proxy_check(engine, held) &&
            proxy->value == NULL && !proxy_resolving_here(proxy) &&
            !(proxy->kind == LZ_PROXY_MODULE &&
              PyUnicode_Compare(proxy->name, name) == 0))
            result = (struct lz_proxy *)Py_NewRef(held);
    }
    lz_forgive();
    Py_XDECREF(parent);
    Py_XDECREF(tail);
    Py_XDECREF(parent_name);
    return result;
}

/* What importlib does first; here, so that what the parent leaves pending
 * can be seen. */
static int
load_parent(PyObject *name)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(name);
    Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, length, -1);
    if (dot < 0)
        return 0;
    PyObject *parent = PyUnicode_Substring(name, 0, dot);
    PyObject *module = parent == NULL ? NULL : PyImport_GetModule(parent);
    if (module == NULL && parent != NULL && !PyErr_Occurred())
        module = PyImport_ImportModuleLevelObject(parent, NULL, NULL, NULL, 0);
    Py_XDECREF(parent);
    Py_XDECREF(module);
    return module == NULL ? -1 : 0;
}

PyObject *
load_find_and_load_unlocked(PyObject *self, PyObject *const *args,
                            Py_ssize_t nargs)
{
    struct lz_engine *engine = engine_of_module(self);
    if (engine == NULL || engine->find_and_load_unlocked == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "lazycore is gone");
        return NULL;
    }
    struct lz_proxy *proxy = NULL;
    if (nargs > 0 && PyUnicode_Check(args[0]) && !lz_is_finalizing()) {
        if (load_parent(args[0]) < 0)
            return NULL;
        proxy = pending_in_parent(engine, args[0]);
    }
    if (proxy != NULL) {
        PyObject *value = proxy_resolve(engine, proxy);
        Py_DECREF(proxy);
        if (value == NULL) {
            if (!PyErr_ExceptionMatches(PyExc_Exception))
                return NULL;
            lz_forgive(); /* it stays pending; the submodule may be fine */
        }
        Py_XDECREF(value);
        PyObject *module = PyImport_GetModule(args[0]);
        if (module != NULL || PyErr_Occurred())
            return module;
    }
    return PyObject_Vectorcall(engine->find_and_load_unlocked, args,
                               (size_t)nargs, NULL);
}

/* importlib._bootstrap._find_spec: what a statement found is found, whatever
 * became of sys.meta_path since. A reload (with a target) searches anew. */
PyObject *
load_find_spec(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
               PyObject *kwnames)
{
    struct lz_engine *engine = engine_of_module(self);
    if (engine == NULL || engine->bootstrap_find == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "lazycore is gone");
        return NULL;
    }
    bool reloads = kwnames != NULL || (nargs > 2 && args[2] != Py_None);
    if (nargs > 0 && PyUnicode_Check(args[0]) && !reloads) {
        struct lz_target *target = target_get(engine, args[0]);
        PyObject *spec = target == NULL ? NULL : Py_XNewRef(target->spec);
        Py_XDECREF(target);
        if (spec != NULL)
            return spec;
    }
    return PyObject_Vectorcall(engine->bootstrap_find, args, (size_t)nargs,
                               kwnames);
}
