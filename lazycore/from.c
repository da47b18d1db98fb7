/* LazyFrom: what IMPORT_NAME pushes for a deferred from-import or alias.
 *
 * IMPORT_FROM and IMPORT_STAR take the values and proxies of one statement
 * from it; nothing else sees it. Needs the GIL.
 */
#include "lazycore/engine.h"

/* What IMPORT_FROM reads */

struct lz_from *
from_new(struct lz_engine *engine, Py_ssize_t count)
{
    struct lz_from *from =
        PyObject_NewVar(struct lz_from, engine->from_type, count);
    if (from == NULL)
        return NULL;
    from->depth = 0;
    from->all = NULL;
    for (Py_ssize_t i = 0; i < count; i++)
        from->entries[i].attr = from->entries[i].value = NULL;
    return from;
}

/* What stands for the name now: while the statement was prepared, the load of
 * another name may have given a proxy its value. */
static PyObject *
entry_value(PyObject *self, PyObject *value)
{
    struct lz_engine *engine = engine_of(self);
    if (engine != NULL && proxy_check(engine, value) &&
        ((struct lz_proxy *)value)->value != NULL)
        value = ((struct lz_proxy *)value)->value;
    return Py_NewRef(value);
}

static PyObject *
from_getattro(PyObject *self, PyObject *name)
{
    struct lz_from *from = (struct lz_from *)self;
    if (from->all != NULL &&
        PyUnicode_CompareWithASCIIString(name, "__all__") == 0)
        return Py_NewRef(from->all);
    if (from->depth > 1) {
        from->depth--;
        return Py_NewRef(self);
    }
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        if (from->entries[i].attr == name)
            return entry_value(self, from->entries[i].value);
    }
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        if (PyUnicode_Compare(from->entries[i].attr, name) == 0)
            return entry_value(self, from->entries[i].value);
    }
    return PyObject_GenericGetAttr(self, name);
}

static void
from_dealloc(PyObject *self)
{
    struct lz_from *from = (struct lz_from *)self;
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(from->all);
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        Py_XDECREF(from->entries[i].attr);
        Py_XDECREF(from->entries[i].value);
    }
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyType_Slot from_slots[] = {
    {Py_tp_doc, LZ_CHARS("What a deferred from-import takes its names from.")},
    {Py_tp_getattro, (void *)from_getattro},
    {Py_tp_dealloc, (void *)from_dealloc},
    {0, NULL},
};

PyType_Spec lz_from_spec = {
    .name = "lazycore.LazyFrom",
    .basicsize = offsetof(struct lz_from, entries),
    .itemsize = sizeof(((struct lz_from *)0)->entries[0]),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = from_slots,
};
