/* The seed's sets as live views of the plain-C tables.
 *
 * ignorenames, ignorepkg and ignorepath can be edited, from Python as from
 * the control socket; proxies, reals, eager, ignored, existing and lost are
 * read. Every operation that is not an edit works on a plain set made at that
 * moment. Needs the GIL.
 */
#include "lazycore/api.h"

#include <string.h>

struct view {
    PyObject_HEAD PyObject *module; /* strong: the engine lives in it */
    bool rules;                     /* an ignore set, else a module state */
    enum lz_ignore_kind kind;
    enum lz_state state;
};

static struct lz_core *
core_of(struct view *view)
{
    struct lz_engine *engine = engine_or_raise(view->module);
    return engine == NULL ? NULL : engine->core;
}

static int
add_text(PyObject *set, const char *text)
{
    PyObject *string = PyUnicode_FromString(text);
    int result = string == NULL ? -1 : PySet_Add(set, string);
    Py_XDECREF(string);
    return result;
}

static int
fill_rules(struct view *view, struct lz_core *core, PyObject *set)
{
    struct lz_ignore_rule *rules;
    size_t count;
    if (ignore_list(core->ignore, &rules, &count) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++) {
        if (rules[i].kind == view->kind)
            result = add_text(set, rules[i].value);
    }
    ignore_rules_free(rules, count);
    return result;
}

static int
fill_modules(struct view *view, struct lz_core *core, PyObject *set)
{
    struct lz_query query = {.states = 1u << view->state};
    struct lz_module *modules;
    size_t count, total;
    if (registry_list(core->registry, &query, &modules, &count, &total) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = add_text(set, modules[i].name);
    registry_modules_free(modules, count);
    return result;
}

/* What the view holds now: a new plain set. */
static PyObject *
snapshot(PyObject *self)
{
    struct view *view = (struct view *)self;
    struct lz_core *core = core_of(view);
    PyObject *set = core == NULL ? NULL : PySet_New(NULL);
    if (set == NULL)
        return NULL;
    int result = view->rules ? fill_rules(view, core, set)
                             : fill_modules(view, core, set);
    if (result < 0)
        Py_CLEAR(set);
    return set;
}

/* OBJECT, or the plain set where it is a view: a new reference. */
static PyObject *
plain(PyObject *object)
{
    if (Py_TYPE(object)->tp_iter == (getiterfunc)view_iter)
        return snapshot(object);
    return Py_NewRef(object);
}

PyObject *
view_iter(PyObject *self)
{
    PyObject *set = snapshot(self);
    PyObject *iterator = set == NULL ? NULL : PyObject_GetIter(set);
    Py_XDECREF(set);
    return iterator;
}

static Py_ssize_t
view_length(PyObject *self)
{
    PyObject *set = snapshot(self);
    Py_ssize_t result = set == NULL ? -1 : PySet_GET_SIZE(set);
    Py_XDECREF(set);
    return result;
}

static int
view_contains(PyObject *self, PyObject *item)
{
    struct view *view = (struct view *)self;
    struct lz_core *core = core_of(view);
    if (core == NULL)
        return -1;
    if (!PyUnicode_Check(item))
        return 0;
    const char *text = PyUnicode_AsUTF8(item);
    if (text == NULL)
        return -1;
    if (view->rules)
        return ignore_contains(core->ignore, view->kind, text);
    struct lz_module *module;
    int found = registry_show(core->registry, text, &module);
    if (found < 0) {
        PyErr_NoMemory();
        return -1;
    }
    int result = found == 1 && module->state == view->state;
    if (found == 1)
        registry_modules_free(module, 1);
    return result;
}

static PyObject *
view_repr(PyObject *self)
{
    PyObject *set = snapshot(self);
    PyObject *list = set == NULL ? NULL : PySequence_List(set);
    PyObject *result = NULL;
    if (list != NULL && PyList_Sort(list) == 0)
        result = PyUnicode_FromFormat("<live view of %R>", list);
    Py_XDECREF(list);
    Py_XDECREF(set);
    return result;
}

/* Set algebra on snapshots */

static PyObject *
binary(PyObject *a, PyObject *b, binaryfunc call)
{
    PyObject *left = plain(a);
    PyObject *right = left == NULL ? NULL : plain(b);
    PyObject *result = right == NULL ? NULL : call(left, right);
    Py_XDECREF(left);
    Py_XDECREF(right);
    return result;
}

static PyObject *
view_or(PyObject *a, PyObject *b)
{
    return binary(a, b, PyNumber_Or);
}

static PyObject *
view_and(PyObject *a, PyObject *b)
{
    return binary(a, b, PyNumber_And);
}

static PyObject *
view_subtract(PyObject *a, PyObject *b)
{
    return binary(a, b, PyNumber_Subtract);
}

static PyObject *
view_xor(PyObject *a, PyObject *b)
{
    return binary(a, b, PyNumber_Xor);
}

static PyObject *
view_richcompare(PyObject *a, PyObject *b, int op)
{
    PyObject *left = plain(a);
    PyObject *right = left == NULL ? NULL : plain(b);
    PyObject *result =
        right == NULL ? NULL : PyObject_RichCompare(left, right, op);
    Py_XDECREF(left);
    Py_XDECREF(right);
    return result;
}

/* edits */

/* The text of ITEM for an edit of an ignore set, or NULL. */
static const char *
edit_text(struct view *view, PyObject *item)
{
    if (!view->rules) {
        PyErr_SetString(PyExc_TypeError,
                        "this view is read-only: only ignorenames, ignorepkg "
                        "and ignorepath can be edited");
        return NULL;
    }
    if (!PyUnicode_Check(item)) {
        PyErr_Format(PyExc_TypeError, "an ignore set holds str, not %.100s",
                     Py_TYPE(item)->tp_name);
        return NULL;
    }
    const char *text = PyUnicode_AsUTF8(item);
    if (text != NULL && strlen(text) != (size_t)PyUnicode_GET_LENGTH(item) &&
        PyUnicode_FindChar(item, 0, 0, PyUnicode_GET_LENGTH(item), 1) >= 0) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return text;
}

static void
tell_edit(struct view *view, bool add, const char *text)
{
    struct lz_engine *engine = engine_of_module(view->module);
    if (engine != NULL)
        change_rule(engine, add ? "ignore.add" : "ignore.remove",
                    lz_ignore_kind_string(view->kind), text, NULL);
}

static int
add_item(PyObject *self, PyObject *item)
{
    struct view *view = (struct view *)self;
    struct lz_error error = {0};
    struct lz_core *core = core_of(view);
    const char *text = core == NULL ? NULL : edit_text(view, item);
    if (text == NULL)
        return -1;
    int result = ignore_add(core->ignore, view->kind, text, &error);
    if (result < 0)
        PyErr_SetString(PyExc_ValueError, error.text);
    lz_error_done(&error);
    if (result == 1)
        tell_edit(view, true, text);
    return result < 0 ? -1 : 0;
}

/* 1 removed, 0 was not there, -1. */
static int
remove_item(PyObject *self, PyObject *item)
{
    struct view *view = (struct view *)self;
    struct lz_core *core = core_of(view);
    const char *text = core == NULL ? NULL : edit_text(view, item);
    int result =
        text == NULL ? -1 : ignore_remove(core->ignore, view->kind, text);
    if (result == 1)
        tell_edit(view, false, text);
    return result;
}

static PyObject *
view_add(PyObject *self, PyObject *item)
{
    if (add_item(self, item) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
view_discard(PyObject *self, PyObject *item)
{
    if (remove_item(self, item) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
view_remove(PyObject *self, PyObject *item)
{
    int result = remove_item(self, item);
    if (result == 0)
        PyErr_SetObject(PyExc_KeyError, item);
    if (result != 1)
        return NULL;
    Py_RETURN_NONE;
}

/* Call EDIT for every item of ITEMS. */
static int
for_each(PyObject *self, PyObject *items, int (*edit)(PyObject *, PyObject *))
{
    PyObject *list = PySequence_List(items);
    if (list == NULL)
        return -1;
    int result = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list) && result >= 0; i++)
        result = edit(self, PyList_GET_ITEM(list, i));
    Py_DECREF(list);
    return result < 0 ? -1 : 0;
}

static PyObject *
view_update(PyObject *self, PyObject *args)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        if (for_each(self, PyTuple_GET_ITEM(args, i), add_item) < 0)
            return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
view_clear_all(PyObject *self, PyObject *Py_UNUSED(unused))
{
    if (for_each(self, self, remove_item) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
view_inplace_or(PyObject *self, PyObject *items)
{
    return for_each(self, items, add_item) < 0 ? NULL : Py_NewRef(self);
}

static PyObject *
view_inplace_subtract(PyObject *self, PyObject *items)
{
    return for_each(self, items, remove_item) < 0 ? NULL : Py_NewRef(self);
}

static void
view_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(((struct view *)self)->module);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static int
view_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((struct view *)self)->module);
    return 0;
}

static int
view_clear(PyObject *self)
{
    (void)self; /* the module's own clear breaks the cycle */
    return 0;
}

static PyMethodDef view_methods[] = {
    {"add", view_add, METH_O, PyDoc_STR("Add an entry.")},
    {"discard", view_discard, METH_O,
     PyDoc_STR("Remove an entry if it is there.")},
    {"remove", view_remove, METH_O,
     PyDoc_STR("Remove an entry; KeyError if it is not there.")},
    {"update", view_update, METH_VARARGS,
     PyDoc_STR("Add all entries of the arguments.")},
    {"clear", view_clear_all, METH_NOARGS, PyDoc_STR("Remove all entries.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot view_slots[] = {
    {Py_tp_doc, LZ_CHARS("A live view of one of the engine's sets.")},
    {Py_tp_repr, (void *)view_repr},
    {Py_tp_iter, (void *)view_iter},
    {Py_tp_hash, (void *)PyObject_HashNotImplemented},
    {Py_tp_richcompare, (void *)view_richcompare},
    {Py_tp_methods, view_methods},
    {Py_tp_traverse, (void *)view_traverse},
    {Py_tp_clear, (void *)view_clear},
    {Py_tp_dealloc, (void *)view_dealloc},
    {Py_sq_length, (void *)view_length},
    {Py_sq_contains, (void *)view_contains},
    {Py_nb_or, (void *)view_or},
    {Py_nb_and, (void *)view_and},
    {Py_nb_xor, (void *)view_xor},
    {Py_nb_subtract, (void *)view_subtract},
    {Py_nb_inplace_or, (void *)view_inplace_or},
    {Py_nb_inplace_subtract, (void *)view_inplace_subtract},
    {0, NULL},
};

PyType_Spec lz_set_spec = {
    .name = "lazycore.SetView",
    .basicsize = sizeof(struct view),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = view_slots,
};

static int
add_view(PyObject *module, struct lz_engine *engine, const char *name,
         struct view template)
{
    struct view *view = PyObject_GC_New(struct view, engine->set_type);
    if (view == NULL)
        return -1;
    view->module = Py_NewRef(module);
    view->rules = template.rules;
    view->kind = template.kind;
    view->state = template.state;
    PyObject_GC_Track((PyObject *)view);
    int result = PyModule_AddObjectRef(module, name, (PyObject *)view);
    Py_DECREF(view);
    return result;
}

int
views_add(PyObject *module, struct lz_engine *engine)
{
    static const struct {
        const char *name;
        struct view template;
    } rows[] = {
        {"ignorenames", {.rules = true, .kind = LZ_IGNORE_NAME}},
        {"ignorepkg", {.rules = true, .kind = LZ_IGNORE_PACKAGE}},
        {"ignorepath", {.rules = true, .kind = LZ_IGNORE_PATH}},
        {"proxies", {.state = LZ_STATE_PROXY}},
        {"reals", {.state = LZ_STATE_REAL}},
        {"eager", {.state = LZ_STATE_EAGER}},
        {"ignored", {.state = LZ_STATE_IGNORED}},
        {"existing", {.state = LZ_STATE_EXISTING}},
        {"lost", {.state = LZ_STATE_LOST}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (add_view(module, engine, rows[i].name, rows[i].template) < 0)
            return -1;
    }
    return 0;
}
