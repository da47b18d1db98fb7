/* LazyTarget: a module that was found and waits to be loaded.
 *
 * Keeps what the statement found, the proxies that wait, and the names of
 * submodules that must appear on the module once it is there. What a bound
 * name gets is proxy.c's; loading is importlib's. Needs the GIL.
 */
#include <utlist.h>

#include "lazycore/filters.h"
#include "lazycore/hold.h"
#include "lazycore/parents.h"
#include "lazycore/room.h"
#include "lazycore/submodule.h"

struct lz_target *
target_get(struct lz_engine *engine, PyObject *name)
{
    if (engine->targets == NULL)
        return NULL;
    PyObject *target = PyDict_GetItemWithError(engine->targets, name);
    if (target == NULL)
        lz_forgive();
    return (struct lz_target *)Py_XNewRef(target);
}

void
target_note(struct lz_engine *engine, struct lz_target *target,
            PyObject *statement_file, int line)
{
    if (target->noted || target->found == NULL)
        return;
    target->noted = true;
    struct lz_place place = {NULL, NULL, line};
    PyObject *file = found_file(engine, target->found);
    if (statement_file != NULL)
        place.file = PyUnicode_AsUTF8(statement_file);
    registry_proxy(engine->core->registry, PyUnicode_AsUTF8(target->name),
                   file == NULL ? NULL : PyUnicode_AsUTF8(file), &place);
    Py_XDECREF(file);
    lz_forgive();
}

struct lz_target *
target_new(struct lz_engine *engine, PyObject *name, PyObject *found)
{
    struct lz_target *target =
        PyObject_GC_New(struct lz_target, engine->target_type);
    if (target == NULL)
        return NULL;
    target->name = Py_NewRef(name);
    target->found = Py_XNewRef(found);
    target->searched = target->children = NULL;
    target->filters = found == NULL ? NULL : filters_now(engine);
    target->moment = moment_new(engine);
    target->waiters = NULL;
    target->loaded = found == NULL;
    target->noted = target->failed = false;
    target->free = target->wanted = target->taken = false;
    target->published_on = NULL;
    target->asked = 0;
    PyObject_GC_Track((PyObject *)target);
    if (found != NULL && engine->targets != NULL &&
        PyDict_SetItem(engine->targets, name, (PyObject *)target) < 0)
        Py_CLEAR(target);
    engine->targets_made++;
    return target;
}

PyObject *
target_spec(struct lz_engine *engine, struct lz_target *target)
{
    if (target->found == NULL)
        return NULL;
    PyObject *found = Py_NewRef(target->found);
    PyObject *spec = found_spec(engine, target->name, found);
    /* Its classes are Python: another thread may have been here. */
    if (spec != NULL && target->found == found)
        Py_SETREF(target->found, Py_NewRef(spec));
    else if (spec != NULL && target->found != NULL)
        Py_SETREF(spec, found_spec(engine, target->name, target->found));
    Py_DECREF(found);
    return spec;
}

/* Waiters */

void
target_unwait(struct lz_proxy *proxy)
{
    struct lz_target *target = proxy->waits_for;
    if (target == NULL)
        return;
    DL_DELETE(target->waiters, proxy);
    proxy->prev = proxy->next = NULL;
    proxy->waits_for = NULL;
}

void
target_wait(struct lz_target *target, struct lz_proxy *proxy)
{
    target_unwait(proxy);
    DL_APPEND(target->waiters, proxy);
    proxy->waits_for = target;
}

/* Loading */

/* Code that copies from module dicts may have put a proxy of ours under the
 * very name that it waits for, where importlib would take it for loaded. */
static void
drop_own_proxy(struct lz_engine *engine, PyObject *name)
{
    PyObject *module = load_peek_module(name);
    if (module != NULL && proxy_check(engine, module) &&
        ((struct lz_proxy *)module)->value == NULL &&
        PyObject_DelItem(PyImport_GetModuleDict(), name) < 0)
        lz_forgive();
    Py_XDECREF(module);
}

struct wanted {
    struct lz_engine *engine;
    PyObject *name;
};

static PyObject *
import_wanted(void *arg)
{
    const struct wanted *wanted = arg;
    return import_settled(wanted->engine, wanted->name);
}

PyObject *
target_import(struct lz_engine *engine, struct lz_target *target)
{
    struct wanted wanted = {engine, Py_NewRef(target->name)};
    struct lz_cause saved =
        load_cause_push(wanted.name, LZ_REASON_LAZY, LZ_GUARD_NONE);
    drop_own_proxy(engine, wanted.name);
    hold_begin();
    PyObject *module = room_call(import_wanted, &wanted);
    hold_end(engine);
    load_cause_pop(saved);
    if (module != NULL && !engine->installed) /* then no loader of ours did */
        target_loaded(engine, wanted.name, module);
    Py_DECREF(wanted.name);
    return module;
}

/* The waiters of TARGET, taken off its list: a new list. */
static PyObject *
take_waiters(struct lz_target *target)
{
    PyObject *list = PyList_New(0);
    /* The walk for leaked proxies must not find it: it would put values in
     * their place. */
    if (list != NULL)
        PyObject_GC_UnTrack(list);
    while (list != NULL && target->waiters != NULL) {
        struct lz_proxy *proxy = target->waiters;
        if (PyList_Append(list, (PyObject *)proxy) < 0)
            Py_CLEAR(list);
        else
            target_unwait(proxy);
    }
    return list;
}

void
target_loaded(struct lz_engine *engine, PyObject *name, PyObject *module)
{
    struct lz_target *target = target_get(engine, name);
    if (target == NULL)
        return;
    target->loaded = true;
    Py_CLEAR(target->found);
    if (PyDict_DelItem(engine->targets, name) < 0)
        lz_forgive();
    PyObject *children = target->children;
    target->children = NULL;
    if (children != NULL) {
        PyObject *path = lz_get_optional(module, engine->names.path);
        lz_forgive();
        path_check_children(engine, children, path);
        Py_XDECREF(path);
        submodule_publish_all(engine, children);
    }
    Py_XDECREF(children);
    PyObject *waiters = take_waiters(target);
    if (waiters == NULL)
        lz_forgive();
    else
        proxies_advance(engine, waiters, module);
    Py_XDECREF(waiters);
    Py_DECREF(target);
}

void
target_failed(struct lz_engine *engine, PyObject *name)
{
    PyObject *error = lz_take_error();
    struct lz_target *target = target_get(engine, name);
    if (target != NULL)
        target->failed = true;
    Py_XDECREF(target);
    lz_raise(error);
}

/* The type */

static int
target_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct lz_target *target = (struct lz_target *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(target->found);
    Py_VISIT(target->searched);
    Py_VISIT(target->children);
    Py_VISIT(target->filters);
    Py_VISIT(target->published_on);
    return 0;
}

static int
target_clear(PyObject *self)
{
    struct lz_target *target = (struct lz_target *)self;
    Py_CLEAR(target->found);
    Py_CLEAR(target->searched);
    Py_CLEAR(target->children);
    Py_CLEAR(target->filters);
    Py_CLEAR(target->published_on);
    return 0;
}

static void
target_dealloc(PyObject *self)
{
    struct lz_target *target = (struct lz_target *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    while (target->waiters != NULL)
        target_unwait(target->waiters);
    (void)target_clear(self);
    Py_CLEAR(target->name);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyObject *
target_repr(PyObject *self)
{
    struct lz_target *target = (struct lz_target *)self;
    return PyUnicode_FromFormat("<LazyTarget %R, %s>", target->name,
                                target->loaded ? "loaded" : "pending");
}

static PyType_Slot target_slots[] = {
    {Py_tp_doc, LZ_CHARS("A module that was found and is not loaded.")},
    {Py_tp_repr, (void *)target_repr},
    {Py_tp_traverse, (void *)target_traverse},
    {Py_tp_clear, (void *)target_clear},
    {Py_tp_dealloc, (void *)target_dealloc},
    {0, NULL},
};

PyType_Spec lz_target_spec = {
    .name = "lazycore.LazyTarget",
    .basicsize = sizeof(struct lz_target),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = target_slots,
};
