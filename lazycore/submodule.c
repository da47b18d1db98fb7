/* Submodules and their parents.
 *
 * A parent shows a submodule that some statement imported, as eager code
 * would have it, before it is loaded; and importlib's storing of a loaded
 * submodule in its parent must not undo what was bound there since. Stands in
 * importlib._bootstrap._find_and_load_unlocked while installed. Needs the GIL.
 */
#include "lazycore/alias.h"
#include "lazycore/api.h"
#include "lazycore/flight.h"
#include "lazycore/hold.h"
#include "lazycore/standard.h"
#include "lazycore/submodule.h"

#include <string.h>

/* Whether HELD is a proxy of the module CHILD itself. */
static bool
stands_for(struct lz_engine *engine, PyObject *held, PyObject *child)
{
    const struct lz_proxy *proxy = (const struct lz_proxy *)held;
    return proxy_check(engine, held) && proxy->kind == LZ_PROXY_MODULE &&
           PyUnicode_Compare(proxy->name, child) == 0;
}

/* The dict of the loaded parent of NAME, with the name that NAME has there:
 * new references, or false (no exception). */
static bool
place_in_parent(PyObject *name, PyObject **ret_dict, PyObject **ret_tail)
{
    *ret_dict = *ret_tail = NULL;
    PyObject *parent_name = dotted_parent(name);
    PyObject *parent =
        parent_name == NULL ? NULL : load_peek_module(parent_name);
    if (parent != NULL && PyModule_Check(parent)) {
        *ret_tail = dotted_tail(name);
        if (*ret_tail != NULL)
            *ret_dict = Py_NewRef(PyModule_GetDict(parent));
    }
    lz_forgive();
    Py_XDECREF(parent);
    Py_XDECREF(parent_name);
    return *ret_dict != NULL;
}

/* Whether the parent that DICT is of has shown TARGET; a copy of it, or one
 * that was loaded after it, has not. */
static bool
is_shown_on(const struct lz_target *target, PyObject *dict)
{
    PyObject *parent = target->published_on == NULL
                           ? NULL
                           : PyObject_CallNoArgs(target->published_on);
    bool result = parent != NULL && PyModule_Check(parent) &&
                  PyModule_GetDict(parent) == dict;
    lz_forgive();
    Py_XDECREF(parent);
    return result;
}

static bool
is_published(struct lz_engine *engine, PyObject *name, PyObject *dict)
{
    struct lz_target *target = target_get(engine, name);
    bool result = target != NULL && is_shown_on(target, dict);
    Py_XDECREF(target);
    return result;
}

static int
set_shown_on(struct lz_target *target, PyObject *parent)
{
    PyObject *reference = PyWeakref_NewRef(parent, NULL);
    Py_XSETREF(target->published_on, reference);
    return reference == NULL ? -1 : 0;
}

bool
submodule_is_taken(struct lz_engine *engine, PyObject *child)
{
    PyObject *dict, *tail;
    if (!place_in_parent(child, &dict, &tail))
        return false;
    PyObject *held = namespace_peek_borrowed(engine, dict, tail, NULL);
    bool taken = held != NULL && !proxy_check(engine, held) &&
                 !is_published(engine, child, dict);
    if (taken) {
        PyObject *module = load_peek_module(child);
        taken = module == NULL;
        Py_XDECREF(module);
        lz_forgive();
    }
    Py_DECREF(tail);
    Py_DECREF(dict);
    return taken;
}

/* What the parent of the submodule NAME is to keep when importlib has put the
 * module there: a new reference to the value, or to our finder where the name
 * is to stay away; NULL, without an exception: the module. */
static PyObject *
kept_by_parent(struct lz_engine *engine, PyObject *name)
{
    PyObject *dict, *tail, *kept = NULL;
    struct lz_target *target = target_get(engine, name);
    bool shown = target != NULL && target->published_on != NULL;
    Py_XDECREF(target);
    if (!shown || !place_in_parent(name, &dict, &tail))
        return NULL;
    PyObject *held = namespace_peek_borrowed(engine, dict, tail, NULL);
    if (is_published(engine, name, dict)) {
        if (held == NULL)
            kept = Py_NewRef(engine->finder);
        else if (!proxy_check(engine, held))
            kept = Py_NewRef(held);
    }
    Py_DECREF(tail);
    Py_DECREF(dict);
    return kept;
}

/* Put that KEPT in its place; used up. Leaves no exception. */
static void
keep_in_parent(struct lz_engine *engine, PyObject *name, PyObject *kept)
{
    PyObject *dict, *tail, *error = lz_take_error();
    if (place_in_parent(name, &dict, &tail)) {
        PyObject *module = load_peek_module(name);
        PyObject *held = namespace_peek_borrowed(engine, dict, tail, NULL);
        if (held != NULL && held == module && held != kept) {
            engine->peek++;
            if (kept == engine->finder)
                (void)PyDict_DelItem(dict, tail);
            else
                (void)PyDict_SetItem(dict, tail, kept);
            engine->peek--;
        }
        lz_forgive();
        Py_XDECREF(module);
        Py_DECREF(tail);
        Py_DECREF(dict);
    }
    Py_DECREF(kept);
    lz_raise(error);
}

static int
publish_on(struct lz_engine *engine, PyObject *parent, PyObject *child,
           PyObject *tail)
{
    PyObject *module = load_peek_module(child);
    if (module != NULL) { /* importlib has set the attribute */
        Py_DECREF(module);
        return 0;
    }
    if (PyErr_Occurred())
        return -1;
    if (!PyModule_Check(parent))
        return 0;
    struct lz_target *target = target_get(engine, child);
    if (target == NULL)
        return 0;
    int result = -1;
    struct lz_namespace *ns = namespace_get(engine, PyModule_GetDict(parent));
    struct lz_proxy *proxy = NULL;
    if (ns == NULL) {
        result = PyErr_Occurred() ? -1 : 0;
        goto done;
    }
    PyObject *held = namespace_peek_borrowed(engine, ns->dict, tail, NULL);
    if (held != NULL || is_shown_on(target, ns->dict)) {
        result = 0; /* a name of the package's own, or published before */
        if (held != NULL && stands_for(engine, held, child))
            result = set_shown_on(target, parent);
        goto done;
    }
    proxy = proxy_new(engine, LZ_PROXY_MODULE, child, NULL, target);
    if (proxy == NULL)
        goto done;
    result = namespace_defer(ns, tail, proxy, false) < 0 ? -1 : 0;
    if (result == 0)
        result = set_shown_on(target, parent);
done:
    Py_XDECREF(proxy);
    Py_XDECREF(ns);
    Py_DECREF(target);
    return result;
}

/* CHILD is to be shown when TARGET has loaded. */
static int
show_after(struct lz_target *target, PyObject *child)
{
    if (target->children == NULL)
        target->children = PyList_New(0);
    if (target->children == NULL)
        return -1;
    int result = PySequence_Contains(target->children, child);
    return result != 0 ? result : PyList_Append(target->children, child);
}

/* A statement asks for CHILD now. */
static void
note_asked(struct lz_engine *engine, PyObject *child)
{
    struct lz_target *target = target_get(engine, child);
    if (target != NULL)
        target->asked = ++engine->turn;
    Py_XDECREF(target);
}

int
submodule_publish(struct lz_engine *engine, PyObject *child)
{
    PyObject *name = dotted_parent(child);
    if (name == NULL)
        return PyErr_Occurred() ? -1 : 0;
    int result = -1;
    PyObject *module = NULL;
    struct lz_target *parent = NULL;
    PyObject *tail = dotted_tail(child);
    if (tail == NULL)
        goto done;
    PyUnicode_InternInPlace(&tail);
    module = load_peek_module(name);
    if (module != NULL) {
        result = publish_on(engine, module, child, tail);
        goto done;
    }
    parent = target_get(engine, name);
    if (parent != NULL) {
        note_asked(engine, child);
        result = show_after(parent, child) < 0 ? -1 : 0;
    } else {
        result = PyErr_Occurred() ? -1 : 0;
    }
done:
    Py_XDECREF(parent);
    Py_XDECREF(module);
    Py_DECREF(name);
    Py_XDECREF(tail);
    return result;
}

/* Whether TARGET is shown later: a package above is loaded since the statement
 * for it, and eager code imports it when that is there. What stands under its
 * name until then is what that package's modules see. */
static bool
waits_for_package(struct lz_engine *engine, const struct lz_target *target)
{
    PyObject *name = load_of_package(target->name, target->asked);
    struct lz_target *package = name == NULL ? NULL : target_get(engine, name);
    bool result = package != NULL && show_after(package, target->name) >= 0;
    lz_forgive();
    Py_XDECREF(package);
    Py_XDECREF(name);
    return result;
}

void
submodule_publish_all(struct lz_engine *engine, PyObject *children)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(children); i++) {
        PyObject *child = PyList_GET_ITEM(children, i);
        struct lz_target *target = submodule_is_taken(engine, child)
                                       ? target_get(engine, child)
                                       : NULL;
        if (target == NULL)
            (void)submodule_publish(engine, child);
        else if (!waits_for_package(engine, target))
            /* the module takes the value's place */
            Py_XDECREF(target_import(engine, target));
        lz_forgive();
        Py_XDECREF(target);
    }
}

/* Whether NAME is of a package of the standard library and, where FILE is
 * given, found there: not another package of that name. */
static bool
is_stdlib(struct lz_engine *engine, PyObject *name, PyObject *file)
{
    const char *module = place_text(name);
    if (module == NULL || !levels_is_stdlib(engine->core->levels, module))
        return false;
    if (file == NULL)
        return true;
    const char *path = place_text(file);
    const char *rest = path == NULL ? NULL : standard_below(engine, path);
    size_t top = strcspn(module, ".");
    return rest != NULL && strncmp(rest, module, top) == 0 && rest[top] == '/';
}

int
submodule_only_shows(struct lz_engine *engine, PyObject *name)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(name);
    struct lz_target *target;
    if (PyUnicode_FindChar(name, '.', 0, length, 1) <= 0 ||
        !is_stdlib(engine, name, NULL))
        return 0;
    int result = find_target(engine, name, &target);
    if (result != 1)
        return result;
    PyObject *file = found_file(engine, target->found);
    result = is_stdlib(engine, name, file);
    Py_XDECREF(file);
    Py_DECREF(target);
    return result;
}

/* What importlib calls */

/* The name under which importlib will store the submodule NAME in its parent
 * may be pending there for another value: in eager order that one was bound
 * first, and the submodule's store comes on top. A new reference to its
 * proxy, or NULL. */
static struct lz_proxy *
pending_in_parent(struct lz_engine *engine, PyObject *name)
{
    PyObject *dict, *tail;
    if (!place_in_parent(name, &dict, &tail))
        return NULL;
    struct lz_namespace *ns = namespace_find(engine, dict);
    PyObject *held = ns == NULL || ns->pending == 0
                         ? NULL
                         : namespace_peek_borrowed(engine, dict, tail, NULL);
    struct lz_proxy *proxy = (struct lz_proxy *)held;
    bool waits = held != NULL && proxy_check(engine, held) &&
                 proxy->value == NULL && !proxy_resolving_here(proxy) &&
                 !stands_for(engine, held, name);
    Py_XINCREF(held);
    lz_forgive();
    Py_DECREF(tail);
    Py_DECREF(dict);
    if (!waits)
        Py_CLEAR(held);
    return (struct lz_proxy *)held;
}

/* What importlib does first; here, so that what the parent leaves pending
 * can be seen. IMPORT is importlib's own function for it, and called as it
 * would: by that its frames are known and left out of tracebacks. */
static int
load_parent(struct lz_engine *engine, PyObject *name, PyObject *import)
{
    PyObject *parent = dotted_parent(name);
    if (parent == NULL)
        return PyErr_Occurred() ? -1 : 0;
    PyObject *module = PyImport_GetModule(parent);
    if (module == NULL && !PyErr_Occurred())
        module =
            PyObject_CallMethod(engine->bootstrap, "_call_with_frames_removed",
                                "OO", import, parent);
    Py_DECREF(parent);
    Py_XDECREF(module);
    return module == NULL ? -1 : 0;
}

/* Resolve PROXY, which may well load NAME: true with *ret_module, which is
 * NULL for an exception. */
static bool
resolved_meanwhile(struct lz_engine *engine, struct lz_proxy *proxy,
                   PyObject *name, PyObject **ret_module)
{
    *ret_module = NULL;
    hold_begin();
    /* It stays pending if that fails; the submodule may be fine. */
    if (hold_end_forgiving(engine, proxy_resolve(engine, proxy)) < 0)
        return true;
    *ret_module = PyImport_GetModule(name);
    return *ret_module != NULL || PyErr_Occurred();
}

/* The module that ARGS[0] names, found and loaded. */
static PyObject *
find_and_load(struct lz_engine *engine, PyObject *const *args,
              Py_ssize_t nargs)
{
    struct lz_proxy *proxy = NULL;
    PyObject *module = NULL;
    if (load_parent(engine, args[0], args[1]) < 0)
        return NULL;
    if (alias_find(engine, args[0], &module))
        return module;
    proxy = pending_in_parent(engine, args[0]);
    bool done =
        proxy != NULL && resolved_meanwhile(engine, proxy, args[0], &module);
    Py_XDECREF(proxy);
    if (done)
        return module;
    PyObject *kept = kept_by_parent(engine, args[0]);
    module = PyObject_Vectorcall(engine->find_and_load_unlocked, args,
                                 (size_t)nargs, NULL);
    if (kept != NULL)
        keep_in_parent(engine, args[0], kept);
    return module;
}

/* A load of NAME begins on this thread, and ends: those who have no GIL know
 * of it by flight.h. */
static struct lz_flight_entry *
begin_load(struct lz_engine *engine, PyObject *name)
{
    struct lz_caller caller;
    const char *text = place_text(name);
    if (text == NULL || engine->rule_off[LZ_RULE_ACCOUNTING])
        return NULL;
    place_caller(engine, &caller);
    /* Of code that is on the stack as long as the load goes on. */
    struct lz_flight flight = {.kind = LZ_FLIGHT_LOAD,
                               .module = text,
                               .thread = caller.thread,
                               .file = place_text(caller.file),
                               .function = place_text(caller.function),
                               .line = caller.line};
    struct lz_flight_entry *entry =
        flight_begin(engine->core->flights, &flight);
    place_caller_keep(name, &caller);
    return entry;
}

static void
end_load(struct lz_engine *engine, PyObject *name,
         struct lz_flight_entry *entry)
{
    flight_end(engine->core->flights, entry);
    place_caller_forget(name);
}

PyObject *
submodule_find_and_load_unlocked(PyObject *self, PyObject *const *args,
                                 Py_ssize_t nargs)
{
    struct lz_engine *engine = engine_of_module(self);
    if (engine == NULL || engine->find_and_load_unlocked == NULL)
        return engine_gone();
    if (nargs < 2 || !PyUnicode_Check(args[0]) || lz_is_finalizing())
        return PyObject_Vectorcall(engine->find_and_load_unlocked, args,
                                   (size_t)nargs, NULL);
    struct lz_flight_entry *flight = begin_load(engine, args[0]);
    PyObject *module = find_and_load(engine, args, nargs);
    end_load(engine, args[0], flight);
    return module;
}
