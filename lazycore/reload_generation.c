/* Reload: what a module was before, kept for a while to go back to.
 *
 * A generation is the namespace as it stood, and what the functions, classes
 * and enum members that stayed the same objects had in them: for a function
 * the new object, which got the old contents in exchange. Going back is a
 * publication like any other, with this for the fresh namespace, and runs no
 * code. How many are kept has a bound. Needs the GIL.
 */
#include "lazycore/reload_generation.h"

#include <string.h>

static long long
number(PyObject *integer)
{
    long long value = PyLong_AsLongLong(integer);

    lz_forgive();
    return value;
}

/* --- keeping ------------------------------------------------------------ */

static int
append_pair(PyObject *list, PyObject *a, PyObject *b)
{
    return PyList_Append(list, a) < 0 ? -1 : PyList_Append(list, b);
}

/* What stands for VALUE in a generation: a function's contents are on their
 * way to the new one. */
static PyObject *
kept_borrowed(const struct lz_publish *publish, PyObject *value)
{
    PyObject *new = ptrmap_get(&publish->taken, value);

    return new != NULL && (PyFunction_Check(value) ||
                           Py_TYPE(value) == &PyClassMethod_Type ||
                           Py_TYPE(value) == &PyStaticMethod_Type)
               ? new
               : value;
}

static int
keep_names(struct lz_publish *publish, PyObject *names, PyObject *pending)
{
    struct lz_reload *reload = publish->reload;
    PyObject *key, *unused;
    Py_ssize_t at = 0;
    int status = 0;

    while (status == 0 && PyDict_Next(reload->live, &at, &key, &unused)) {
        struct lz_key *waits = NULL;
        PyObject *plain =
            PyUnicode_Check(key) ? PyUnicode_FromObject(key) : NULL;
        PyObject *value =
            plain == NULL ? NULL
                          : namespace_peek_borrowed(
                                reload->engine, reload->live, plain, &waits);
        if (value != NULL) {
            status = waits != NULL && proxy_check(reload->engine, value)
                         ? append_pair(pending, plain, value)
                         : PyDict_SetItem(names, plain,
                                          kept_borrowed(publish, value));
        } else if (PyErr_Occurred()) {
            status = -1;
        }
        Py_XDECREF(plain);
    }
    return status;
}

static int
keep_class(const struct lz_publish *publish, PyObject *list,
           PyTypeObject *type)
{
    PyObject *attributes = PyDict_New(), *key, *value;
    Py_ssize_t at = 0;
    int status = attributes == NULL ? -1 : 0;

    while (status == 0 && PyDict_Next(type->tp_dict, &at, &key, &value)) {
        if (!reload_class_keeps(type, key, value)) {
            status =
                PyDict_SetItem(attributes, key, kept_borrowed(publish, value));
        }
    }
    if (status == 0) {
        status = append_pair(list, (PyObject *)type, attributes);
    }
    Py_XDECREF(attributes);
    return status;
}

static int
keep_member(PyObject *list, PyObject *member)
{
    PyObject *dict = PyObject_GenericGetDict(member, NULL);
    PyObject *fields = dict == NULL ? NULL : PyDict_Copy(dict);
    int status = fields == NULL ? -1 : append_pair(list, member, fields);

    Py_XDECREF(fields);
    Py_XDECREF(dict);
    return status;
}

static int
keep_moved(const struct lz_publish *publish, PyObject *pairs,
           PyObject *classes, PyObject *members)
{
    int status = 0;

    for (size_t i = 0; status == 0 && i < publish->taken.room; i++) {
        const struct lz_ptrmap_slot *slot = &publish->taken.slots[i];
        PyObject *old = (PyObject *)(uintptr_t)slot->key;
        if (old == NULL) {
            continue;
        }
        if (PyType_Check(old)) {
            status = keep_class(publish, classes, (PyTypeObject *)old);
        } else if (kept_borrowed(publish, old) != old) {
            status = append_pair(pairs, old, slot->value);
        } else {
            status = keep_member(members, old);
        }
    }
    return status;
}

/* The bytes of the body that made what is live. */
static long long
live_bytes(struct lz_reload *reload)
{
    PyObject *held = reload->engine->generations == NULL
                         ? NULL
                         : PyDict_GetItemWithError(reload->engine->generations,
                                                   reload->name);
    struct lz_module *module = NULL;
    long long bytes = 0;

    if (held != NULL) {
        return number(PyList_GET_ITEM(held, HELD_BYTES));
    }
    lz_forgive();
    if (registry_show(reload->engine->core->registry,
                      reload_text(reload->name, ""), &module) == 1) {
        bytes = module->bytes_self > 0 ? module->bytes_self : 0;
        registry_modules_free(module, 1);
    }
    return bytes;
}

int
reload_keep(struct lz_publish *publish)
{
    struct lz_reload *reload = publish->reload;
    struct lz_source source = {.racy = true};

    if (reload->transaction->forget || reload->generation != NULL) {
        return 0;
    }
    (void)reload_recall(reload, &source);
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)&source,
                                                (Py_ssize_t)sizeof(source));
    if (bytes == NULL) {
        return -1;
    }
    publish->made = Py_BuildValue(
        "(K{}[][][][]NLO)", (unsigned long long)reload->transaction->serial,
        bytes, live_bytes(reload), (PyObject *)Py_TYPE(reload->module));
    if (publish->made == NULL) {
        return -1;
    }
    return keep_names(publish,
                      reload_part_borrowed(publish->made, GEN_NAMESPACE),
                      reload_part_borrowed(publish->made, GEN_PENDING)) < 0
               ? -1
               : keep_moved(publish,
                            reload_part_borrowed(publish->made, GEN_PAIRS),
                            reload_part_borrowed(publish->made, GEN_CLASSES),
                            reload_part_borrowed(publish->made, GEN_MEMBERS));
}

/* --- the bound ---------------------------------------------------------- */

/* NAME's list, borrowed, if it is of MODULE (NULL: of any); else NULL,
 * without an exception. */
static PyObject *
held_borrowed(struct lz_engine *engine, PyObject *name, PyObject *module)
{
    PyObject *held = engine->generations == NULL
                         ? NULL
                         : PyDict_GetItemWithError(engine->generations, name);

    lz_forgive();
    return held != NULL && (module == NULL ||
                            lz_weakref_borrowed(
                                PyList_GET_ITEM(held, HELD_MODULE)) == module)
               ? held
               : NULL;
}

/* Of all that may go, the oldest: its list, borrowed; NULL where the rest is
 * within the bound. */
static PyObject *
oldest_borrowed(struct lz_engine *engine)
{
    PyObject *name, *held, *found = NULL;
    Py_ssize_t at = 0;
    long long bytes = 0, serial = 0;

    while (PyDict_Next(engine->generations, &at, &name, &held)) {
        for (Py_ssize_t i = HELD_FIRST; i < PyList_GET_SIZE(held); i++) {
            PyObject *generation = PyList_GET_ITEM(held, i);
            long long its =
                number(reload_part_borrowed(generation, GEN_SERIAL));
            bytes += number(reload_part_borrowed(generation, GEN_BYTES));
            if (i == HELD_FIRST && i + 1 < PyList_GET_SIZE(held) &&
                (found == NULL || its < serial)) {
                found = held;
                serial = its;
            }
        }
    }
    return bytes > LZ_GENERATIONS_BYTES ? found : NULL;
}

static void
tell_count(struct lz_engine *engine, PyObject *name, PyObject *held)
{
    Py_ssize_t count = held == NULL ? 0 : PyList_GET_SIZE(held) - HELD_FIRST;

    sources_set_generations(engine->core->sources, reload_text(name, ""),
                            (unsigned)count);
}

/* What goes may run code as it ends: last, and no list is looked at after. */
static int
drop_oldest(struct lz_engine *engine)
{
    PyObject *held, *dropped = PyList_New(0);
    int status = dropped == NULL ? -1 : 0;

    while (status == 0 && (held = oldest_borrowed(engine)) != NULL) {
        PyObject *oldest = PyList_GET_ITEM(held, HELD_FIRST);
        status = PyList_Append(dropped, oldest) < 0
                     ? -1
                     : PyList_SetSlice(held, HELD_FIRST, HELD_FIRST + 1, NULL);
        PyObject *module =
            lz_weakref_borrowed(PyList_GET_ITEM(held, HELD_MODULE));
        PyObject *name =
            PyModule_Check(module) ? PyModule_GetNameObject(module) : NULL;
        if (status == 0 && name != NULL) {
            tell_count(engine, name, held);
        }
        lz_forgive();
        Py_XDECREF(name);
    }
    Py_XDECREF(dropped);
    return status;
}

static PyObject *
new_held(struct lz_reload *reload)
{
    PyObject *weak = PyWeakref_NewRef(reload->module, NULL);
    PyObject *held = weak == NULL ? NULL : Py_BuildValue("[Oi]", weak, 0);

    Py_XDECREF(weak);
    return held;
}

/* The list as it is to be, with BYTES; what it loses goes to GONE. */
static int
change_held(struct lz_publish *publish, PyObject *held, PyObject *gone)
{
    struct lz_reload *reload = publish->reload;
    Py_ssize_t first = HELD_FIRST, last = PyList_GET_SIZE(held);
    long long bytes =
        reload->generation == NULL
            ? (long long)reload->bytes
            : number(reload_part_borrowed(reload->generation, GEN_BYTES));
    PyObject *size = PyLong_FromLongLong(bytes);

    if (size == NULL || PyList_SetItem(held, HELD_BYTES, size) < 0) {
        return -1;
    }
    if (publish->made != NULL) {
        if (PyList_Append(held, publish->made) < 0) {
            return -1;
        }
        last = PyList_GET_SIZE(held) - LZ_GENERATIONS_MAX;
    } else if (reload->generation != NULL) {
        first = last - 1;
    }
    for (Py_ssize_t i = first; i < last; i++) {
        if (PyList_Append(gone, PyList_GET_ITEM(held, i)) < 0) {
            return -1;
        }
    }
    return first < last ? PyList_SetSlice(held, first, last, NULL) : 0;
}

int
reload_kept(struct lz_publish *publish)
{
    struct lz_reload *reload = publish->reload;
    struct lz_engine *engine = reload->engine;
    PyObject *gone = PyList_New(0);
    PyObject *held = NULL;
    int status = -1;

    if (engine->generations == NULL) {
        engine->generations = PyDict_New();
    }
    if (gone != NULL && engine->generations != NULL) {
        held = held_borrowed(engine, reload->name, reload->module);
        held = held != NULL ? Py_NewRef(held) : new_held(reload);
    }
    if (held != NULL) {
        status = PyDict_SetItem(engine->generations, reload->name, held) < 0
                     ? -1
                     : change_held(publish, held, gone);
    }
    if (status == 0) {
        reload->result->generation = reload->transaction->serial;
        reload->result->generations =
            (uint64_t)(PyList_GET_SIZE(held) - HELD_FIRST);
        reload_remember(reload);
        tell_count(engine, reload->name, held);
        sources_hold(engine->core->sources, reload_text(reload->name, ""),
                     reload->transaction->hold ? reload->transaction->serial
                                               : 0);
        status = drop_oldest(engine);
    }
    Py_XDECREF(held);
    Py_XDECREF(gone);
    return status;
}

void
reload_forget_generations(struct lz_engine *engine, PyObject *name)
{
    PyObject *held = held_borrowed(engine, name, NULL);

    if (held != NULL) {
        Py_INCREF(held);
        (void)PyDict_DelItem(engine->generations, name);
        tell_count(engine, name, NULL);
        sources_hold(engine->core->sources, reload_text(name, ""), 0);
        Py_DECREF(held);
        lz_forgive();
    }
}

/* --- going back --------------------------------------------------------- */

PyObject *
reload_newest_borrowed(struct lz_engine *engine, PyObject *name,
                       PyObject *module, uint64_t *ret_serial)
{
    PyObject *held = held_borrowed(engine, name, module);
    Py_ssize_t count = held == NULL ? 0 : PyList_GET_SIZE(held);

    if (count <= HELD_FIRST) {
        return NULL;
    }
    PyObject *newest = PyList_GET_ITEM(held, count - 1);
    *ret_serial = (uint64_t)number(reload_part_borrowed(newest, GEN_SERIAL));
    return newest;
}

bool
reload_has_generation(PyObject *held, uint64_t serial)
{
    for (Py_ssize_t i = HELD_FIRST; i < PyList_GET_SIZE(held); i++) {
        if ((uint64_t)number(reload_part_borrowed(PyList_GET_ITEM(held, i),
                                                  GEN_SERIAL)) == serial) {
            return true;
        }
    }
    return false;
}

/* Names that were pending then: those that are not now get what they stood
 * for. May load it. 0 or -1. */
static int
restore_pending(struct lz_reload *reload, PyObject *pending)
{
    for (Py_ssize_t i = 0; i + 1 < PyList_GET_SIZE(pending); i += 2) {
        PyObject *name = PyList_GET_ITEM(pending, i);
        PyObject *proxy = PyList_GET_ITEM(pending, i + 1);
        PyObject *now =
            namespace_peek_borrowed(reload->engine, reload->live, name, NULL);
        if (now == proxy) {
            continue; /* it still waits */
        }
        PyObject *value =
            proxy_resolve(reload->engine, (struct lz_proxy *)proxy);
        int status =
            value == NULL ? -1 : PyDict_SetItem(reload->fresh, name, value);
        Py_XDECREF(value);
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}

int
reload_restore(struct lz_reload *reload)
{
    PyObject *source = reload_part_borrowed(reload->generation, GEN_SOURCE);

    memcpy(&reload->identity, PyBytes_AS_STRING(source),
           sizeof(reload->identity));
    reload->fresh =
        Py_NewRef(reload_part_borrowed(reload->generation, GEN_NAMESPACE));
    reload->class_before = reload_part_borrowed(reload->generation, GEN_CLASS);
    return restore_pending(
        reload, reload_part_borrowed(reload->generation, GEN_PENDING));
}

int
reload_pair_generation(struct lz_publish *publish)
{
    static const int lists[] = {GEN_PAIRS, GEN_CLASSES, GEN_MEMBERS};

    for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
        PyObject *list =
            reload_part_borrowed(publish->reload->generation, lists[k]);
        for (Py_ssize_t i = 0; i + 1 < PyList_GET_SIZE(list); i += 2) {
            if (reload_move(publish, PyList_GET_ITEM(list, i),
                            PyList_GET_ITEM(list, i + 1)) < 0) {
                return -1;
            }
        }
    }
    return 0;
}
