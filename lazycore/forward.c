/* How a proxy that got out of its namespace behaves like its value.
 *
 * Code never sees a proxy by looking a name up. One that was copied out of a
 * dict loads on attribute get, set and delete, on call, dir(), comparison and
 * every other operation, and forwards it; repr() says what is pending and
 * loads nothing. Needs the GIL.
 */
#include "lazycore/engine.h"

static PyObject *
value_of(PyObject *self)
{
    struct lz_proxy *proxy = (struct lz_proxy *)self;
    if (proxy->value != NULL)
        return Py_NewRef(proxy->value);
    struct lz_engine *engine = engine_of(self);
    if (engine == NULL || lz_is_finalizing()) {
        PyErr_SetString(PyExc_ImportError,
                        "the interpreter is going down: nothing is loaded");
        return NULL;
    }
    return proxy_resolve(engine, proxy);
}

/* OBJECT, or the value where it is a proxy: a new reference. */
static PyObject *
unwrapped(PyObject *object)
{
    if (Py_TYPE(object)->tp_repr == lz_proxy_repr)
        return value_of(object);
    return Py_NewRef(object);
}

#define FORWARD_UNARY(slot, call)                                             \
    static PyObject *proxy_##slot(PyObject *self)                             \
    {                                                                         \
        PyObject *value = value_of(self);                                     \
        PyObject *result = value == NULL ? NULL : call(value);                \
        Py_XDECREF(value);                                                    \
        return result;                                                        \
    }

#define FORWARD_BINARY(slot, call)                                            \
    static PyObject *proxy_##slot(PyObject *a, PyObject *b)                   \
    {                                                                         \
        PyObject *left = unwrapped(a);                                        \
        PyObject *right = left == NULL ? NULL : unwrapped(b);                 \
        PyObject *result = right == NULL ? NULL : call(left, right);          \
        Py_XDECREF(left);                                                     \
        Py_XDECREF(right);                                                    \
        return result;                                                        \
    }

FORWARD_UNARY(str, PyObject_Str)
FORWARD_UNARY(iter, PyObject_GetIter)
FORWARD_UNARY(negative, PyNumber_Negative)
FORWARD_UNARY(positive, PyNumber_Positive)
FORWARD_UNARY(absolute, PyNumber_Absolute)
FORWARD_UNARY(invert, PyNumber_Invert)
FORWARD_UNARY(int, PyNumber_Long)
FORWARD_UNARY(float, PyNumber_Float)
FORWARD_UNARY(index, PyNumber_Index)
FORWARD_BINARY(add, PyNumber_Add)
FORWARD_BINARY(subtract, PyNumber_Subtract)
FORWARD_BINARY(multiply, PyNumber_Multiply)
FORWARD_BINARY(remainder, PyNumber_Remainder)
FORWARD_BINARY(divmod, PyNumber_Divmod)
FORWARD_BINARY(true_divide, PyNumber_TrueDivide)
FORWARD_BINARY(floor_divide, PyNumber_FloorDivide)
FORWARD_BINARY(matrix, PyNumber_MatrixMultiply)
FORWARD_BINARY(lshift, PyNumber_Lshift)
FORWARD_BINARY(rshift, PyNumber_Rshift)
FORWARD_BINARY(and, PyNumber_And)
FORWARD_BINARY(xor, PyNumber_Xor)
FORWARD_BINARY(or, PyNumber_Or)
FORWARD_BINARY(subscript, PyObject_GetItem)

static PyObject *
proxy_power(PyObject *a, PyObject *b, PyObject *c)
{
    PyObject *base = unwrapped(a);
    PyObject *exponent = base == NULL ? NULL : unwrapped(b);
    PyObject *result =
        exponent == NULL ? NULL : PyNumber_Power(base, exponent, c);
    Py_XDECREF(base);
    Py_XDECREF(exponent);
    return result;
}

static int
proxy_bool(PyObject *self)
{
    PyObject *value = value_of(self);
    int result = value == NULL ? -1 : PyObject_IsTrue(value);
    Py_XDECREF(value);
    return result;
}

static Py_ssize_t
proxy_length(PyObject *self)
{
    PyObject *value = value_of(self);
    Py_ssize_t result = value == NULL ? -1 : PyObject_Size(value);
    Py_XDECREF(value);
    return result;
}

static int
proxy_contains(PyObject *self, PyObject *item)
{
    PyObject *value = value_of(self);
    int result = value == NULL ? -1 : PySequence_Contains(value, item);
    Py_XDECREF(value);
    return result;
}

static int
proxy_ass_subscript(PyObject *self, PyObject *key, PyObject *item)
{
    PyObject *value = value_of(self);
    if (value == NULL)
        return -1;
    int result = item == NULL ? PyObject_DelItem(value, key)
                              : PyObject_SetItem(value, key, item);
    Py_DECREF(value);
    return result;
}

static Py_hash_t
proxy_hash(PyObject *self)
{
    PyObject *value = value_of(self);
    Py_hash_t result = value == NULL ? -1 : PyObject_Hash(value);
    Py_XDECREF(value);
    return result;
}

static PyObject *
proxy_richcompare(PyObject *a, PyObject *b, int op)
{
    PyObject *left = unwrapped(a);
    PyObject *right = left == NULL ? NULL : unwrapped(b);
    PyObject *result =
        right == NULL ? NULL : PyObject_RichCompare(left, right, op);
    Py_XDECREF(left);
    Py_XDECREF(right);
    return result;
}

static PyObject *
proxy_getattro(PyObject *self, PyObject *name)
{
    PyObject *value = value_of(self);
    if (value == NULL)
        return NULL;
    /* A class statement asks the first of what is no class, and a class has
     * none; pickle and copy ask the others of what they know by its type. */
    bool own = (PyType_Check(value) && PyUnicode_CompareWithASCIIString(
                                           name, "__mro_entries__") == 0) ||
               PyUnicode_CompareWithASCIIString(name, "__reduce_ex__") == 0 ||
               PyUnicode_CompareWithASCIIString(name, "__deepcopy__") == 0;
    PyObject *result = own ? PyObject_GenericGetAttr(self, name)
                           : PyObject_GetAttr(value, name);
    Py_DECREF(value);
    return result;
}

static int
proxy_setattro(PyObject *self, PyObject *name, PyObject *item)
{
    PyObject *value = value_of(self);
    int result = value == NULL ? -1 : PyObject_SetAttr(value, name, item);
    Py_XDECREF(value);
    return result;
}

static PyObject *
proxy_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *value = value_of(self);
    PyObject *result =
        value == NULL ? NULL : PyObject_Call(value, args, kwargs);
    Py_XDECREF(value);
    return result;
}

PyObject *
lz_proxy_repr(PyObject *self)
{
    struct lz_proxy *proxy = (struct lz_proxy *)self;
    PyObject *statement = proxy_describe(proxy);
    if (statement == NULL)
        return NULL;
    const char *type =
        proxy->kind == LZ_PROXY_ATTR ? "NameProxy" : "ModuleProxy";
    PyObject *result =
        proxy->file == NULL
            ? PyUnicode_FromFormat("<%s '%U', %s>", type, statement,
                                   proxy->value ? "loaded" : "pending")
            : PyUnicode_FromFormat("<%s '%U' at %U:%d, %s>", type, statement,
                                   proxy->file, proxy->line,
                                   proxy->value ? "loaded" : "pending");
    Py_DECREF(statement);
    return result;
}

/* looked up on the type, so attribute forwarding does not serve them */

static PyObject *
forward_method(PyObject *self, const char *method, PyObject *args)
{
    PyObject *value = value_of(self);
    if (value == NULL)
        return NULL;
    PyObject *bound =
        PyObject_GetAttrString((PyObject *)Py_TYPE(value), method);
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    PyObject *all = bound == NULL ? NULL : PyTuple_New(count + 1);
    PyObject *result = NULL;
    if (all != NULL) {
        PyTuple_SET_ITEM(all, 0, Py_NewRef(value));
        for (Py_ssize_t i = 0; i < count; i++)
            PyTuple_SET_ITEM(all, i + 1, Py_NewRef(PyTuple_GET_ITEM(args, i)));
        result = PyObject_Call(bound, all, NULL);
    }
    Py_XDECREF(all);
    Py_XDECREF(bound);
    Py_DECREF(value);
    return result;
}

static PyObject *
proxy_enter(PyObject *self, PyObject *args)
{
    return forward_method(self, "__enter__", args);
}

static PyObject *
proxy_exit(PyObject *self, PyObject *args)
{
    return forward_method(self, "__exit__", args);
}

static PyObject *
proxy_aenter(PyObject *self, PyObject *args)
{
    return forward_method(self, "__aenter__", args);
}

static PyObject *
proxy_aexit(PyObject *self, PyObject *args)
{
    return forward_method(self, "__aexit__", args);
}

static PyObject *
proxy_dir(PyObject *self, PyObject *Py_UNUSED(unused))
{
    PyObject *value = value_of(self);
    PyObject *result = value == NULL ? NULL : PyObject_Dir(value);
    Py_XDECREF(value);
    return result;
}

/* class C(proxy): the value is the base. */
static PyObject *
proxy_mro_entries(PyObject *self, PyObject *Py_UNUSED(bases))
{
    PyObject *value = value_of(self);
    return value == NULL ? NULL : Py_BuildValue("(N)", value);
}

/* A pickle holds the value: a class or function goes by its name, which
 * __reduce_ex__() of the value itself would not know. */
static PyObject *
proxy_reduce(PyObject *self, PyObject *Py_UNUSED(protocol))
{
    PyObject *value = value_of(self);
    if (value == NULL)
        return NULL;
    PyObject *module = PyImport_ImportModule("_operator");
    PyObject *item =
        module == NULL ? NULL : PyObject_GetAttrString(module, "getitem");
    PyObject *result =
        item == NULL ? NULL : Py_BuildValue("(O((O)i))", item, value, 0);
    Py_XDECREF(item);
    Py_XDECREF(module);
    Py_DECREF(value);
    return result;
}

static PyObject *
proxy_copy_shallow(PyObject *self, PyObject *Py_UNUSED(unused))
{
    PyObject *value = value_of(self);
    PyObject *module = value == NULL ? NULL : PyImport_ImportModule("copy");
    PyObject *result = module == NULL
                           ? NULL
                           : PyObject_CallMethod(module, "copy", "O", value);
    Py_XDECREF(module);
    Py_XDECREF(value);
    return result;
}

static PyObject *
proxy_copy_deep(PyObject *self, PyObject *memo)
{
    PyObject *value = value_of(self);
    PyObject *module = value == NULL ? NULL : PyImport_ImportModule("copy");
    PyObject *result = module == NULL ? NULL
                                      : PyObject_CallMethod(module, "deepcopy",
                                                            "OO", value, memo);
    Py_XDECREF(module);
    Py_XDECREF(value);
    return result;
}

static PyObject *
proxy_instancecheck(PyObject *self, PyObject *object)
{
    PyObject *value = value_of(self);
    if (value == NULL)
        return NULL;
    int result = PyObject_IsInstance(object, value);
    Py_DECREF(value);
    return result < 0 ? NULL : PyBool_FromLong(result);
}

static PyObject *
proxy_subclasscheck(PyObject *self, PyObject *type)
{
    PyObject *value = value_of(self);
    if (value == NULL)
        return NULL;
    int result = PyObject_IsSubclass(type, value);
    Py_DECREF(value);
    return result < 0 ? NULL : PyBool_FromLong(result);
}

static int
proxy_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct lz_proxy *proxy = (struct lz_proxy *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(proxy->target);
    Py_VISIT(proxy->extras);
    Py_VISIT(proxy->value);
    return 0;
}

static int
proxy_clear(PyObject *self)
{
    struct lz_proxy *proxy = (struct lz_proxy *)self;
    target_unwait(proxy);
    Py_CLEAR(proxy->extras);
    Py_CLEAR(proxy->value);
    return 0;
}

static void
proxy_dealloc(PyObject *self)
{
    struct lz_proxy *proxy = (struct lz_proxy *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    struct lz_engine *engine = engine_of(self);
    if (engine != NULL && engine->core != NULL && proxy->value == NULL &&
        proxy->target != NULL)
        registry_names(engine->core->registry,
                       PyUnicode_AsUTF8(proxy->target->name), -1, 0);
    (void)proxy_clear(self);
    Py_CLEAR(proxy->target);
    Py_CLEAR(proxy->name);
    Py_CLEAR(proxy->attr);
    Py_CLEAR(proxy->file);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyMethodDef proxy_methods[] = {
    {"__enter__", proxy_enter, METH_VARARGS, NULL},
    {"__exit__", proxy_exit, METH_VARARGS, NULL},
    {"__aenter__", proxy_aenter, METH_VARARGS, NULL},
    {"__aexit__", proxy_aexit, METH_VARARGS, NULL},
    {"__dir__", proxy_dir, METH_NOARGS, NULL},
    {"__mro_entries__", proxy_mro_entries, METH_O, NULL},
    {"__reduce_ex__", proxy_reduce, METH_O, NULL},
    {"__copy__", proxy_copy_shallow, METH_NOARGS, NULL},
    {"__deepcopy__", proxy_copy_deep, METH_O, NULL},
    {"__instancecheck__", proxy_instancecheck, METH_O, NULL},
    {"__subclasscheck__", proxy_subclasscheck, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

#define SLOT(slot, function)                                                  \
    {                                                                         \
        slot, (void *)(function)                                              \
    }

static PyType_Slot proxy_slots[] = {
    SLOT(Py_tp_repr, lz_proxy_repr),
    SLOT(Py_tp_str, proxy_str),
    SLOT(Py_tp_hash, proxy_hash),
    SLOT(Py_tp_richcompare, proxy_richcompare),
    SLOT(Py_tp_getattro, proxy_getattro),
    SLOT(Py_tp_setattro, proxy_setattro),
    SLOT(Py_tp_call, proxy_call),
    SLOT(Py_tp_iter, proxy_iter),
    SLOT(Py_tp_methods, proxy_methods),
    SLOT(Py_tp_traverse, proxy_traverse),
    SLOT(Py_tp_clear, proxy_clear),
    SLOT(Py_tp_dealloc, proxy_dealloc),
    SLOT(Py_nb_bool, proxy_bool),
    SLOT(Py_nb_negative, proxy_negative),
    SLOT(Py_nb_positive, proxy_positive),
    SLOT(Py_nb_absolute, proxy_absolute),
    SLOT(Py_nb_invert, proxy_invert),
    SLOT(Py_nb_int, proxy_int),
    SLOT(Py_nb_float, proxy_float),
    SLOT(Py_nb_index, proxy_index),
    SLOT(Py_nb_add, proxy_add),
    SLOT(Py_nb_subtract, proxy_subtract),
    SLOT(Py_nb_multiply, proxy_multiply),
    SLOT(Py_nb_remainder, proxy_remainder),
    SLOT(Py_nb_divmod, proxy_divmod),
    SLOT(Py_nb_power, proxy_power),
    SLOT(Py_nb_true_divide, proxy_true_divide),
    SLOT(Py_nb_floor_divide, proxy_floor_divide),
    SLOT(Py_nb_matrix_multiply, proxy_matrix),
    SLOT(Py_nb_lshift, proxy_lshift),
    SLOT(Py_nb_rshift, proxy_rshift),
    SLOT(Py_nb_and, proxy_and),
    SLOT(Py_nb_xor, proxy_xor),
    SLOT(Py_nb_or, proxy_or),
    SLOT(Py_mp_length, proxy_length),
    SLOT(Py_mp_subscript, proxy_subscript),
    SLOT(Py_mp_ass_subscript, proxy_ass_subscript),
    SLOT(Py_sq_contains, proxy_contains),
    {0, NULL},
};

PyType_Spec lz_module_proxy_spec = {
    .name = "lazycore.ModuleProxy",
    .basicsize = sizeof(struct lz_proxy),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = proxy_slots,
};

PyType_Spec lz_name_proxy_spec = {
    .name = "lazycore.NameProxy",
    .basicsize = sizeof(struct lz_proxy),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = proxy_slots,
};
