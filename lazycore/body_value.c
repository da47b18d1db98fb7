/* Abstract values; see body_private.h. Needs the GIL; runs no Python code. */
#include "lazycore/body_private.h"

#include <string.h>

struct value
value_plain(PyObject *object)
{
    return (struct value){.kind = V_PLAIN,
                          .object = object,
                          .fresh = object != NULL && PyTuple_Check(object)};
}

struct value
value_fresh(enum grade grade)
{
    return (struct value){.kind = V_FRESH, .grade = (unsigned char)grade};
}

bool
value_same(const struct value *a, const struct value *b)
{
    return a->kind == b->kind && a->grade == b->grade &&
           a->fresh == b->fresh && a->lazy == b->lazy &&
           a->maybe_unset == b->maybe_unset && a->foreign == b->foreign &&
           a->object == b->object && a->of_module == b->of_module &&
           a->klass == b->klass && a->unit == b->unit;
}

/* The grade of what can be told without looking imported names up. */
static enum grade
grade_alone(const struct value *value)
{
    switch ((enum kind)value->kind) {
    case V_PLAIN:
        return G_PLAIN;
    case V_FRESH:
    case V_ITER:
        return value->grade <= G_INERT ? G_INERT : (enum grade)value->grade;
    case V_FUNCTION:
    case V_CLASS:
    case V_MODULE:
    case V_STD:
    case V_INERT:
    case V_METHOD:
    case V_BUILD_CLASS:
        return G_INERT;
    case V_INSTANCE:
        return (enum grade)value->grade;
    case V_FOREIGN:
        return G_NAMED;
    case V_UNSET:
    case V_NULL:
    case V_SHARED:
    case V_ANY:
    default:
        return G_ANY;
    }
}

enum grade
value_held(const struct value *value)
{
    return value->maybe_unset ? G_ANY : grade_alone(value);
}

enum grade
value_grade(struct lz_reader *reader, const struct value *value)
{
    if (value->kind != V_FOREIGN || value->maybe_unset)
        return value_held(value);
    struct value found = name_resolve(reader, value);
    return value_held(&found);
}

bool
value_is_inert(struct lz_reader *reader, const struct value *value)
{
    return value_grade(reader, value) <= G_INERT;
}

struct value
value_join(const struct value *a, const struct value *b)
{
    if (value_same(a, b))
        return *a;
    bool unset = a->maybe_unset || b->maybe_unset || a->kind == V_UNSET ||
                 b->kind == V_UNSET;
    struct value result;
    if (a->kind == V_UNSET || b->kind == V_UNSET) {
        result = a->kind == V_UNSET ? *b : *a;
    } else if (a->kind == V_PLAIN && b->kind == V_PLAIN) {
        result = value_plain(NULL);
        result.fresh = a->fresh || b->fresh;
    } else if ((a->kind == V_FRESH && b->kind == V_FRESH) ||
               (a->kind == V_ITER && b->kind == V_ITER)) {
        result = *a;
        result.grade = a->grade > b->grade ? a->grade : b->grade;
        result.lazy = a->lazy || b->lazy;
    } else {
        struct value first = *a, second = *b;
        first.maybe_unset = second.maybe_unset = false;
        /* A module's attributes may be made by its __getattr__: it is not
         * to be mistaken for something else. */
        bool same = value_same(&first, &second);
        bool inert = grade_alone(&first) <= G_INERT &&
                     grade_alone(&second) <= G_INERT &&
                     first.kind != V_MODULE && second.kind != V_MODULE;
        result = same ? first : value_of(inert ? V_INERT : V_ANY);
    }
    result.maybe_unset = unset;
    return result;
}

PyObject *
reader_dotted(struct lz_reader *reader, PyObject *base, const char *between,
              PyObject *name)
{
    if (PyUnicode_GET_LENGTH(base) + PyUnicode_GET_LENGTH(name) >
        BODY_NAME_MAX)
        return NULL;
    return reader_keep(reader,
                       PyUnicode_FromFormat("%U%s%U", base, between, name));
}

struct value
value_std(struct lz_reader *reader, PyObject *name)
{
    if (name == NULL)
        return value_of(V_ANY);
    const char *text = place_text(name);
    struct value constant =
        text == NULL ? value_of(V_UNSET) : known_constant(text);
    if (constant.kind != V_UNSET)
        return constant;
    const struct known *known = text == NULL ? NULL : known_find(text);
    if (known != NULL && known->how[0] == '=')
        return value_std_text(reader, known->result);
    return (struct value){.kind = V_STD, .object = name};
}

struct value
value_std_text(struct lz_reader *reader, const char *name)
{
    return value_std(reader, reader_keep(reader, PyUnicode_FromString(name)));
}

bool
value_is_constant(PyObject *object)
{
    return object == Py_None || object == Py_Ellipsis ||
           PyBool_Check(object) || PyLong_CheckExact(object) ||
           PyFloat_CheckExact(object) || PyUnicode_CheckExact(object) ||
           PyBytes_CheckExact(object) || PyComplex_CheckExact(object) ||
           PyTuple_CheckExact(object) || PyFrozenSet_CheckExact(object);
}

int
value_truth(const struct value *value)
{
    if (value->maybe_unset)
        return -1;
    if (value->kind == V_PLAIN && value->object != NULL &&
        value_is_constant(value->object)) {
        int truth = PyObject_IsTrue(value->object);
        if (truth < 0)
            PyErr_Clear();
        return truth;
    }
    if (value->kind == V_FUNCTION || value->kind == V_CLASS)
        return value->kind == V_CLASS ? -1 : 1;
    return -1;
}
