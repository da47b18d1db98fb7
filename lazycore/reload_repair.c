/* Reload, step 4: who else refers to what moved or was replaced.
 *
 * What moved: the new object's place is taken by the old one, wherever the
 * body put the new one. What was replaced: names of modules that hold the
 * old object get the new one; who else holds it is listed. A set's members
 * and a dict's keys are left for after the step. Runs no Python code. Needs
 * the GIL.
 */
#include "lazycore/reload.h"

#include <stdio.h>
#include <structmember.h>

enum { LINE_MAX_BYTES = 256 };

/* What OBJECT, a key of moved or replaced, is called. */
const char *
reload_name_of(const struct lz_publish *publish, PyObject *object)
{
    PyObject *name = ptrmap_get(&publish->names, object);

    if (name != NULL) {
        return reload_text(name, "?");
    }
    if (PyFunction_Check(object)) {
        return reload_text(((PyFunctionObject *)object)->func_qualname, "?");
    }
    return PyType_Check(object) ? ((PyTypeObject *)object)->tp_name
                                : Py_TYPE(object)->tp_name;
}

static bool
concerns(const struct lz_publish *publish, PyObject *object)
{
    return object != NULL && (ptrmap_has(&publish->moved, object) ||
                              ptrmap_has(&publish->replaced, object));
}

/* --- dicts
 * ------------------------------------------------------------------------ */

/* What a dict belongs to, in words, and how its values are set. */
struct owner {
    PyTypeObject *type;    /* it is this class's */
    PyObject *module_name; /* it is this module's */
    bool is_dict;          /* it is nobody's */
    bool kept;             /* it is a generation's, or is yet to be in place */
    const char *words;
};

/* A class as "module.Name". */
static const char *
class_words(PyTypeObject *type, char *words, size_t size)
{
    PyObject *module = (type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0
                           ? PyDict_GetItemString(type->tp_dict, "__module__")
                           : NULL;

    if (module != NULL && PyUnicode_Check(module)) {
        (void)snprintf(words, size, "%s.%s", reload_text(module, "?"),
                       type->tp_name);
    } else {
        (void)snprintf(words, size, "%s", type->tp_name);
    }
    return words;
}

static int
change_later(struct lz_publish *publish, PyObject *container, PyObject *key,
             PyObject *becomes, PyObject *value)
{
    PyObject *row = PyTuple_Pack(4, container, key, becomes, value);
    int status = row == NULL ? -1 : PyList_Append(publish->late, row);

    Py_XDECREF(row);
    return status;
}

static int
change_key_later(struct lz_publish *publish, PyObject *container,
                 PyObject *key)
{
    PyObject *old = ptrmap_get(&publish->moved, key);

    return old != NULL
               ? change_later(publish, container, key, old, Py_Ellipsis)
               : reload_unrepaired(publish, "key of a %s: %s",
                                   Py_TYPE(container)->tp_name,
                                   reload_name_of(publish, key));
}

/* Whether hashing and comparing KEY runs no Python code. */
static bool
is_plain_key(const struct lz_publish *publish, PyObject *key)
{
    return PyUnicode_CheckExact(key) || PyLong_CheckExact(key) ||
           Py_TYPE(key) == publish->reload->engine->key_type;
}

static int
repair_value(struct lz_publish *publish, PyObject *dict,
             const struct owner *owner, PyObject *key, PyObject *value)
{
    PyObject *other = ptrmap_get(&publish->moved, value);

    if (other == NULL) {
        other = ptrmap_get(&publish->replaced, value);
        if (owner->module_name != NULL && other != NULL &&
            !reload_is_own(publish, value)) {
            return 0; /* reload_constant.c's */
        }
        if (owner->module_name == NULL || other == NULL) {
            return reload_unrepaired(
                publish, owner->is_dict ? "%s[%s]: %s" : "%s.%s: %s",
                owner->words, reload_text(key, "..."),
                reload_name_of(publish, value));
        }
        publish->reload->result->names_rebound += !owner->kept;
    }
    if (owner->type != NULL) {
        return reload_set_class_attribute(publish, owner->type, key, other);
    }
    if (!is_plain_key(publish, key)) {
        return change_later(publish, dict, key, key, other);
    }
    return reload_bury(publish, value) < 0 ||
                   PyDict_SetItem(dict, key, other) < 0
               ? -1
               : 0;
}

/* Keys and values of DICT, in turn, where one of a pair concerns us. */
static PyObject *
concerned_items(struct lz_publish *publish, PyObject *dict)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    PyObject *found = PyList_New(0);

    while (found != NULL && PyDict_Next(dict, &at, &key, &value)) {
        if ((concerns(publish, key) || concerns(publish, value)) &&
            (PyList_Append(found, key) < 0 ||
             PyList_Append(found, value) < 0)) {
            Py_CLEAR(found);
        }
    }
    return found;
}

static int
repair_items(struct lz_publish *publish, PyObject *dict,
             const struct owner *owner)
{
    PyObject *found = concerned_items(publish, dict);
    int status = found == NULL ? -1 : 0;

    for (Py_ssize_t i = 0; status == 0 && i + 1 < PyList_GET_SIZE(found);
         i += 2) {
        PyObject *key = PyList_GET_ITEM(found, i);
        PyObject *value = PyList_GET_ITEM(found, i + 1);
        if (concerns(publish, value)) {
            status = repair_value(publish, dict, owner, key, value);
        }
        /* After the value, which may wait for its key as well. */
        if (status == 0 && concerns(publish, key)) {
            status = change_key_later(publish, dict, key);
        }
    }
    Py_XDECREF(found);
    return status;
}

static int
repair_dict(struct lz_publish *publish, PyObject *dict)
{
    char words[LINE_MAX_BYTES];
    struct owner owner = {
        .type = ptrmap_get(&publish->types, dict),
        .module_name = ptrmap_get(&publish->modules, dict),
        .words = words,
    };

    if (owner.type != NULL) {
        if (ptrmap_has(&publish->classes, owner.type) ||
            ptrmap_has(&publish->replaced, owner.type)) {
            return 0; /* it is on its way out */
        }
        char class[LINE_MAX_BYTES - 16];
        (void)snprintf(words, sizeof(words), "class %s",
                       class_words(owner.type, class, sizeof(class)));
    } else if (owner.module_name != NULL) {
        owner.kept = owner.module_name == Py_None;
        (void)snprintf(words, sizeof(words), "module %s",
                       reload_text(owner.module_name, "?"));
    } else {
        owner.is_dict = true;
        (void)snprintf(words, sizeof(words), "a %s", Py_TYPE(dict)->tp_name);
    }
    return repair_items(publish, dict, &owner);
}

/* --- sequences, sets, cells, methods
 * ------------------------------------------------ */

/* *SLOT of HOLDER refers to something that concerns us, or not. */
static int
repair_slot(struct lz_publish *publish, PyObject *holder, PyObject **slot)
{
    PyObject *value = *slot;

    if (!concerns(publish, value)) {
        return 0;
    }
    PyObject *old = ptrmap_get(&publish->moved, value);
    if (old == NULL) {
        return reload_unrepaired(publish, "a %s: %s", Py_TYPE(holder)->tp_name,
                                 reload_name_of(publish, value));
    }
    if (reload_bury(publish, value) < 0) {
        return -1;
    }
    *slot = Py_NewRef(old);
    Py_DECREF(value); /* the graveyard has it */
    return 0;
}

static int
repair_sequence(struct lz_publish *publish, PyObject *holder, PyObject **items,
                Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        if (repair_slot(publish, holder, &items[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
repair_set(struct lz_publish *publish, PyObject *set)
{
    PyObject *items = PySequence_List(set); /* exact sets: no code runs */
    int status = items == NULL ? -1 : 0;

    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(items); i++) {
        PyObject *item = PyList_GET_ITEM(items, i);
        if (!concerns(publish, item)) {
            continue;
        }
        status = PySet_CheckExact(set)
                     ? change_key_later(publish, set, item)
                     : reload_unrepaired(publish, "a frozenset: %s",
                                         reload_name_of(publish, item));
    }
    Py_XDECREF(items);
    return status;
}

static int
repair_method(struct lz_publish *publish, PyObject *holder)
{
    PyMethodObject *method = (PyMethodObject *)holder;

    return repair_slot(publish, holder, &method->im_func) < 0
               ? -1
               : repair_slot(publish, holder, &method->im_self);
}

/* --- instances
 * ------------------------------------------------------------------------ */

static int
repair_members(struct lz_publish *publish, PyObject *object)
{
    PyObject *mro = Py_TYPE(object)->tp_mro, *key, *value;

    for (Py_ssize_t i = 0; mro != NULL && i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *type = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        Py_ssize_t at = 0;
        if ((type->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0) {
            continue;
        }
        while (PyDict_Next(type->tp_dict, &at, &key, &value)) {
            if (Py_TYPE(value) != &PyMemberDescr_Type) {
                continue;
            }
            PyMemberDef *member = ((PyMemberDescrObject *)value)->d_member;
            if (member->type == T_OBJECT_EX &&
                (member->flags & READONLY) == 0 &&
                repair_slot(publish, object,
                            (PyObject **)(void *)((char *)object +
                                                  member->offset)) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int
repair_instance(struct lz_publish *publish, PyObject *object)
{
    char words[LINE_MAX_BYTES];
    struct owner owner = {.words = words};
    struct lz_reload_result *result = publish->reload->result;
    size_t listed = result->unrepaired_count;
    Py_ssize_t buried = PyList_GET_SIZE(publish->graveyard);

    char class[LINE_MAX_BYTES - 16];
    (void)snprintf(words, sizeof(words), "an instance of %s",
                   class_words(Py_TYPE(object), class, sizeof(class)));
    if (Py_TYPE(object)->tp_dictoffset != 0) {
        PyObject *dict = PyObject_GenericGetDict(object, NULL);
        int status = 0;
        if (dict == NULL || !PyDict_CheckExact(dict)) {
            lz_forgive();
        } else {
            status = repair_items(publish, dict, &owner);
            /* A dict of its own is a holder itself: not twice. */
            if (ptrmap_put(&publish->ours, dict, publish) != 0) {
                status = -1;
            }
        }
        Py_XDECREF(dict);
        if (status < 0) {
            return -1;
        }
    }
    if (repair_members(publish, object) < 0) {
        return -1;
    }
    bool found = listed != result->unrepaired_count ||
                 buried != PyList_GET_SIZE(publish->graveyard);
    return found || Py_TYPE(object)->tp_dictoffset != 0
               ? 0
               : reload_unrepaired(publish, "%s", words);
}

/* --- the step
 * ------------------------------------------------------------------------------
 */

/* What may refer to a function or class and has no name to repair. */
static bool
is_no_holder(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    return type == &PyMemberDescr_Type || type == &PyGetSetDescr_Type ||
           type == &PyWrapperDescr_Type || type == &PyMethodDescr_Type ||
           type == &PyClassMethodDescr_Type || type == &PyClassMethod_Type ||
           type == &PyStaticMethod_Type || PyFunction_Check(object) ||
           PyFrame_Check(object) || PyGen_CheckExact(object) ||
           PyCoro_CheckExact(object) || PyAsyncGen_CheckExact(object) ||
           PyModule_Check(object) || PyTraceBack_Check(object) ||
           PyCode_Check(object);
}

/* A proxy of ours that is loaded and lives on stands for a name. */
static int
repair_proxy(struct lz_publish *publish, struct lz_proxy *proxy)
{
    PyObject *value = proxy->value;
    PyObject *other =
        value == NULL ? NULL : ptrmap_get(&publish->moved, value);

    if (other == NULL && value != NULL) {
        other = ptrmap_get(&publish->replaced, value);
    }
    if (other == NULL) {
        return 0;
    }
    if (reload_bury(publish, value) < 0) {
        return -1;
    }
    proxy->value = Py_NewRef(other);
    Py_DECREF(value); /* the graveyard has it */
    return 0;
}

static int
repair(struct lz_publish *publish, PyObject *holder)
{
    if (proxy_check(publish->reload->engine, holder)) {
        return repair_proxy(publish, (struct lz_proxy *)holder);
    }
    if (PyDict_Check(holder)) {
        return repair_dict(publish, holder);
    }
    if (PyList_Check(holder)) {
        PyListObject *list = (PyListObject *)holder;
        return repair_sequence(publish, holder, list->ob_item, Py_SIZE(list));
    }
    if (PyTuple_Check(holder)) {
        PyTupleObject *tuple = (PyTupleObject *)holder;
        return repair_sequence(publish, holder, tuple->ob_item,
                               Py_SIZE(tuple));
    }
    if (PyAnySet_CheckExact(holder)) {
        return repair_set(publish, holder);
    }
    if (PyCell_Check(holder)) {
        return repair_slot(publish, holder, &((PyCellObject *)holder)->ob_ref);
    }
    if (PyMethod_Check(holder)) {
        return repair_method(publish, holder);
    }
    if (PyType_Check(holder)) {
        return reload_repair_type(publish, (PyTypeObject *)holder);
    }
    return is_no_holder(holder) ? 0 : repair_instance(publish, holder);
}

int
reload_repair(struct lz_publish *publish)
{
    if (!publish->takes_back && reload_count_replaced(publish) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(publish->children); i++) {
        if (reload_rebase(publish, PyList_GET_ITEM(publish->children, i)) <
            0) {
            return -1;
        }
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(publish->holders); i++) {
        PyObject *holder = PyList_GET_ITEM(publish->holders, i);
        if (!ptrmap_has(&publish->ours, holder) &&
            repair(publish, holder) < 0) {
            return -1;
        }
    }
    if (reload_rebind_constants(publish) < 0) {
        return -1;
    }
    return publish->detached && !publish->takes_back
               ? reload_unrepaired(publish, "code that the body started: it "
                                            "runs on in a namespace of its "
                                            "own")
               : 0;
}
