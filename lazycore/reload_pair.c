/* Reload, step 3: which new object moves into which old one.
 *
 * A function or class of the new body goes on as the old object of the same
 * name where that can hold it, so that everyone who has the old one has the
 * new code. Decides and changes nothing. Runs no Python code: names are
 * exact strs, attributes are read from the structs. Needs the GIL.
 */
#include "lazycore/reload.h"

#include <structmember.h>

PyObject *
reload_mapped_borrowed(const struct lz_publish *publish, PyObject *object)
{
    for (; publish != NULL; publish = publish->before) {
        PyObject *old = ptrmap_get(&publish->moved, object);
        if (old != NULL) {
            return old;
        }
    }
    return object;
}

int
reload_put(struct lz_ptrmap *map, PyObject *key, void *value)
{
    if (ptrmap_put(map, key, value) != 0) {
        (void)PyErr_NoMemory();
        return -1;
    }
    return 0;
}

int
reload_move(struct lz_publish *publish, PyObject *old, PyObject *new)
{
    if (PyList_Append(publish->keep, old) < 0 ||
        PyList_Append(publish->keep, new) < 0) {
        return -1;
    }
    return reload_put(&publish->moved, new, old) < 0 ||
                   reload_put(&publish->taken, old, new) < 0
               ? -1
               : 0;
}

static bool
same_text(PyObject *a, PyObject *b)
{
    return a != NULL && b != NULL &&
           (a == b || (PyUnicode_CheckExact(a) && PyUnicode_CheckExact(b) &&
                       PyUnicode_Compare(a, b) == 0));
}

/* Whether the class or function says that it is of the reloaded module. */
static bool
of_module(const struct lz_publish *publish, PyObject *module)
{
    return same_text(module, publish->reload->name);
}

/* --- functions
 * ---------------------------------------------------------------- */

static int
pair_functions(struct lz_publish *publish, PyObject *old, PyObject *new)
{
    PyFunctionObject *a = (PyFunctionObject *)old;
    PyFunctionObject *b = (PyFunctionObject *)new;
    const struct lz_reload *reload = publish->reload;
    /* Made by the body, or by another module's decorator for it. */
    bool theirs =
        a->func_globals == reload->live && b->func_globals == reload->fresh;
    bool wrapped = a->func_globals == b->func_globals &&
                   of_module(publish, a->func_module) &&
                   of_module(publish, b->func_module);

    if (!(theirs || wrapped) ||
        !same_text(a->func_qualname, b->func_qualname)) {
        return 0;
    }
    return reload_move(publish, old, new);
}

/* --- classes
 * -------------------------------------------------------------------- */

static PyObject *
type_item_borrowed(PyTypeObject *type, const char *name)
{
    /* Its keys are exact strs: no code runs. */
    PyObject *value = PyDict_GetItemString(type->tp_dict, name);

    lz_forgive();
    return value;
}

static bool
same_bases(const struct lz_publish *publish, PyTypeObject *old,
           PyTypeObject *new)
{
    Py_ssize_t count = PyTuple_GET_SIZE(old->tp_bases);

    if (count != PyTuple_GET_SIZE(new->tp_bases)) {
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *base = PyTuple_GET_ITEM(new->tp_bases, i);
        if (reload_mapped_borrowed(publish, base) !=
            PyTuple_GET_ITEM(old->tp_bases, i)) {
            return false;
        }
    }
    return true;
}

/* Whether each slot of NEW is one of OLD, at the same place. */
static bool
same_slots(PyTypeObject *old, PyTypeObject *new)
{
    PyObject *key, *value;
    Py_ssize_t at = 0, slots = 0;

    while (PyDict_Next(new->tp_dict, &at, &key, &value)) {
        if (Py_TYPE(value) != &PyMemberDescr_Type) {
            continue;
        }
        PyObject *other = PyDict_GetItemWithError(old->tp_dict, key);
        if (other == NULL || Py_TYPE(other) != &PyMemberDescr_Type ||
            ((PyMemberDescrObject *)value)->d_member->offset !=
                ((PyMemberDescrObject *)other)->d_member->offset) {
            lz_forgive();
            return false;
        }
        slots++;
    }
    at = 0;
    while (PyDict_Next(old->tp_dict, &at, &key, &value)) {
        slots -= Py_TYPE(value) == &PyMemberDescr_Type;
    }
    return slots == 0;
}

static bool
same_layout(const struct lz_publish *publish, PyTypeObject *old,
            PyTypeObject *new)
{
    const unsigned long mutable =
        Py_TPFLAGS_HEAPTYPE | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC;

    return (new->tp_flags &Py_TPFLAGS_HEAPTYPE) != 0 &&
           (new->tp_flags &mutable) == (old->tp_flags & mutable) &&
           (old->tp_flags & Py_TPFLAGS_IMMUTABLETYPE) == 0 &&
           old->tp_basicsize == new->tp_basicsize &&
           old->tp_itemsize == new->tp_itemsize &&
           old->tp_dictoffset == new->tp_dictoffset &&
           old->tp_weaklistoffset ==
               new->tp_weaklistoffset &&reload_mapped_borrowed(
                   publish, (PyObject *)Py_TYPE(new)) ==
               (PyObject *)Py_TYPE(old) &&
           same_bases(publish, old, new) && same_slots(old, new);
}

static int pair(struct lz_publish *publish, PyObject *old, PyObject *new);

/* Members of an enum stay the objects they are: they are compared by
 * identity. Where they are more than a name and a value (int, str) the value
 * lies in the object and must be the same. */
static bool
same_member(PyObject *old, PyObject *new)
{
    if (PyLong_Check(old) && PyLong_Check(new)) {
        PyObject *same = PyLong_Type.tp_richcompare(old, new, Py_EQ);
        bool equal = same == Py_True;
        Py_XDECREF(same);
        lz_forgive();
        return equal;
    }
    if (PyUnicode_Check(old) && PyUnicode_Check(new)) {
        bool equal = PyUnicode_Compare(old, new) == 0;
        lz_forgive();
        return equal;
    }
    return type_item_borrowed(Py_TYPE(new), "_member_type_") ==
           (PyObject *)&PyBaseObject_Type;
}

static int
pair_members(struct lz_publish *publish, PyTypeObject *old, PyTypeObject *new)
{
    PyObject *before = type_item_borrowed(old, "_member_map_");
    PyObject *after = type_item_borrowed(new, "_member_map_");
    PyObject *key, *member;
    Py_ssize_t at = 0;

    if (before == NULL || after == NULL || !PyDict_CheckExact(before) ||
        !PyDict_CheckExact(after)) {
        return 0;
    }
    while (PyDict_Next(after, &at, &key, &member)) {
        PyObject *one = PyUnicode_CheckExact(key)
                            ? PyDict_GetItemWithError(before, key)
                            : NULL;
        if (one == NULL || Py_TYPE(one) != old || Py_TYPE(member) != new ||
            ptrmap_has(&publish->moved, member) ||
            ptrmap_has(&publish->taken, one) || !same_member(one, member)) {
            lz_forgive();
            continue;
        }
        if (reload_move(publish, one, member) < 0) {
            return -1;
        }
    }
    return 0;
}

/* The function in a classmethod or staticmethod, borrowed, or NULL: both
 * structs begin with it, and their traverse visits it first. */
static int
visit_first(PyObject *object, void *arg)
{
    PyObject **first = arg;

    if (*first == NULL && PyFunction_Check(object)) {
        *first = object;
    }
    return 0;
}

static PyObject *
wrapped_borrowed(PyObject *value)
{
    PyObject *function = NULL;

    if (Py_TYPE(value) == &PyClassMethod_Type ||
        Py_TYPE(value) == &PyStaticMethod_Type) {
        (void)Py_TYPE(value)->tp_traverse(value, visit_first, &function);
    }
    return function;
}

/* A class inside one that stays, which cannot stay itself. */
static int
replace_inner(struct lz_publish *publish, PyObject *old, PyObject *new)
{
    return publish->takes_back || old == new || !PyType_Check(old) ||
                   !PyType_Check(new) || !reload_is_own(publish, old)
               ? 0
               : reload_replace(publish,
                                ((PyHeapTypeObject *)old)->ht_qualname, old,
                                reload_mapped_borrowed(publish, new));
}

static int
pair_attributes(struct lz_publish *publish, PyTypeObject *old,
                PyTypeObject *new)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;

    while (PyDict_Next(new->tp_dict, &at, &key, &value)) {
        PyObject *other = PyDict_GetItemWithError(old->tp_dict, key);
        if (other == NULL) {
            lz_forgive();
            continue;
        }
        PyObject *inner = wrapped_borrowed(value);
        if (inner != NULL && Py_TYPE(other) == Py_TYPE(value)) {
            PyObject *other_inner = wrapped_borrowed(other);
            /* Their classmethod objects stand for each other, too. */
            if (other_inner != NULL &&
                (pair(publish, other_inner, inner) < 0 ||
                 (ptrmap_get(&publish->moved, inner) == other_inner &&
                  !ptrmap_has(&publish->taken, other) &&
                  reload_move(publish, other, value) < 0))) {
                return -1;
            }
        } else if (pair(publish, other, value) < 0 ||
                   replace_inner(publish, other, value) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
pair_classes(struct lz_publish *publish, PyObject *old, PyObject *new)
{
    PyTypeObject *a = (PyTypeObject *)old;
    PyTypeObject *b = (PyTypeObject *)new;

    if ((a->tp_flags & b->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0 ||
        !of_module(publish, type_item_borrowed(a, "__module__")) ||
        !of_module(publish, type_item_borrowed(b, "__module__")) ||
        !same_text(((PyHeapTypeObject *)a)->ht_qualname,
                   ((PyHeapTypeObject *)b)->ht_qualname) ||
        !same_layout(publish, a, b)) {
        return 0;
    }
    if (reload_move(publish, old, new) < 0 ||
        reload_put(&publish->classes, new, old) < 0) {
        return -1;
    }
    return pair_members(publish, a, b) < 0 ? -1
                                           : pair_attributes(publish, a, b);
}

bool
reload_class_keeps(PyTypeObject *type, PyObject *key, PyObject *value)
{
    if (Py_TYPE(value) == &PyMemberDescr_Type ||
        Py_TYPE(value) == &PyGetSetDescr_Type) {
        return PyDescr_TYPE(value) == type;
    }
    /* Who was registered with an abstract class stays registered. */
    return PyUnicode_CheckExact(key) &&
           PyUnicode_CompareWithASCIIString(key, "_abc_impl") == 0;
}

/* Whether the body made NEW. */
static bool
is_fresh(const struct lz_publish *publish, PyObject *new)
{
    return PyFunction_Check(new)
               ? ((PyFunctionObject *)new)->func_globals ==
                     publish->reload->fresh
               : PyType_Check(new) && reload_is_own(publish, new);
}

bool
reload_is_own(const struct lz_publish *publish, PyObject *object)
{
    if (PyFunction_Check(object)) {
        PyFunctionObject *function = (PyFunctionObject *)object;
        return function->func_globals == publish->reload->live ||
               of_module(publish, function->func_module);
    }
    return PyType_Check(object) &&
           (((PyTypeObject *)object)->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0 &&
           of_module(publish,
                     type_item_borrowed((PyTypeObject *)object, "__module__"));
}

/* --- the namespace ------------------------------------------------------ */

static int
pair(struct lz_publish *publish, PyObject *old, PyObject *new)
{
    if (old == new || ptrmap_has(&publish->moved, new) ||
        ptrmap_has(&publish->taken, old)) {
        return 0;
    }
    int status = 0;
    if (PyFunction_Check(old) && PyFunction_Check(new)) {
        status = pair_functions(publish, old, new);
    } else if (PyType_Check(old) && PyType_Check(new)) {
        status = pair_classes(publish, old, new);
    }
    /* To be taken back it need not fit. */
    if (status == 0 && publish->takes_back &&
        !ptrmap_has(&publish->moved, new) && reload_is_own(publish, old) &&
        is_fresh(publish, new)) {
        status = reload_move(publish, old, new);
    }
    return status;
}

static bool
stands_under_own_name(PyObject *key, PyObject *value)
{
    if (PyFunction_Check(value)) {
        return same_text(((PyFunctionObject *)value)->func_name, key);
    }
    return PyType_Check(value) &&
           (((PyTypeObject *)value)->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0 &&
           same_text(((PyHeapTypeObject *)value)->ht_name, key);
}

/* Once for what stands under its own name, in the order of the body, so that
 * bases come before what derives from them; then for aliases. */
static int
pair_pass(struct lz_publish *publish, bool own_names)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;

    while (PyDict_Next(publish->reload->fresh, &at, &key, &value)) {
        PyObject *old = reload_live_value_borrowed(publish, key);
        if (old != NULL && stands_under_own_name(key, value) == own_names &&
            pair(publish, old, value) < 0) {
            return -1;
        }
    }
    return 0;
}

int
reload_pair(struct lz_publish *publish)
{
    int status = publish->reload->generation != NULL
                     ? reload_pair_generation(publish)
                     : pair_pass(publish, true);

    if (status == 0 && publish->reload->generation == NULL) {
        status = pair_pass(publish, false);
    }
    return status == 0 && !publish->takes_back ? reload_replace_all(publish)
                                               : status;
}
