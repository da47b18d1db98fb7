/* What names and attributes stand for: see body_private.h. Needs the GIL;
 * runs importlib's code.
 */
#include "lazycore/body_private.h"

#include <string.h>

enum { LOOKUPS_MAX = 16 }; /* from module to module */

/* Where NAME stands in NAMES, whose strings are interned as it is; or -1. */
static Py_ssize_t
index_of(PyObject *names, PyObject *name)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        if (PyTuple_GET_ITEM(names, i) == name)
            return i;
    }
    return -1;
}

/* What every module has, or the builtins. */
static struct value
name_outside(struct frame *frame, PyObject *name)
{
    struct lz_reader *reader = frame->reader;
    static const char *const inert[] = {"__spec__", "__loader__", "__path__",
                                        "__builtins__", "__annotations__"};
    static const char *const plain[] = {"__file__",    "__doc__",
                                        "__package__", "__debug__",
                                        "__module__",  "__qualname__"};
    const char *text = body_text(name);
    if (strcmp(text, "__name__") == 0)
        return value_plain(frame->unit->name);
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (strcmp(text, plain[i]) == 0)
            return value_plain(NULL);
    }
    for (size_t i = 0; i < sizeof(inert) / sizeof(inert[0]); i++) {
        if (strcmp(text, inert[i]) == 0)
            return value_of(V_INERT);
    }
    if (frame->unit->hidden || !known_is_builtin(text))
        return body_effect(reader, "the name '%s' is not seen", text);
    return value_std(reader, reader_keep(reader, PyUnicode_FromFormat(
                                                     "builtins.%U", name)));
}

/* VALUE as others see it who take it from its module. */
static struct value
from_outside(const struct value *value)
{
    struct value result = *value;
    if (value->maybe_unset)
        return value_of(V_ANY);
    switch ((enum kind)value->kind) {
    case V_PLAIN:
        return value_plain(NULL); /* someone may rebind it */
    case V_FUNCTION:
    case V_CLASS:
        result.foreign = true;
        return result;
    case V_FRESH:
        return value_of(V_SHARED);
    case V_STD: /* what is dispatched can be added to */
        return strstr(body_text(value->object), "singledispatch") == NULL
                   ? result
                   : value_of(V_ANY);
    case V_MODULE:
    case V_FOREIGN:
    case V_INERT:
    case V_SHARED:
    case V_UNSET:
        return result;
    case V_NULL:
    case V_ITER:
    case V_METHOD:
    case V_INSTANCE:
    case V_BUILD_CLASS:
    case V_ANY:
    default:
        return value_of(V_ANY);
    }
}

/* NAME of UNIT's namespace as it is now; UNSET where it is not there. */
static struct value
of_unit(struct lz_reader *reader, struct unit *unit, PyObject *name)
{
    struct value value = value_of(V_UNSET);
    struct frame *live = unit->frame;
    if (unit->code != NULL) {
        Py_ssize_t at = index_of(unit->code->co_names, name);
        if (at >= 0 && live != NULL && live->slots != NULL)
            value = live->slots[live->fast + at];
        else if (at >= 0 && unit->values != NULL)
            value = unit->values[at];
    }
    if (unit == reader->subject || value.kind == V_UNSET)
        return value;
    return unit_value_holds(reader, unit, name, &value) ? from_outside(&value)
                                                        : value_of(V_ANY);
}

/* NAME that UNIT has through `from ... import *`. */
static struct value
of_stars(struct lz_reader *reader, struct unit *unit, PyObject *name)
{
    Py_ssize_t count = unit->stars == NULL ? 0 : PyList_GET_SIZE(unit->stars);
    for (Py_ssize_t i = count - 1; i >= 0; i--) {
        struct unit *other = unit_get(reader, PyList_GET_ITEM(unit->stars, i));
        if (other == NULL || other->state != UNIT_READ)
            continue;
        struct value value = of_unit(reader, other, name);
        if (value.kind != V_UNSET)
            return value;
    }
    return value_of(V_UNSET);
}

struct value
name_global(struct frame *frame, PyObject *name)
{
    struct value value = of_unit(frame->reader, frame->unit, name);
    if (value.kind == V_UNSET)
        value = of_stars(frame->reader, frame->unit, name);
    else if (value.maybe_unset)
        return body_effect(frame->reader, "the name '%s' may be unset",
                           body_text(name));
    else
        return value;
    if (value.kind == V_UNSET)
        return name_outside(frame, name);
    /* Whether they have it depends on __all__. */
    return known_is_builtin(body_text(name)) ? value_of(V_ANY) : value;
}

struct value
name_load(struct frame *frame, int index)
{
    PyObject *name = name_at(frame->code->co_names, index);
    if (frame->kind != FRAME_FUNCTION) {
        struct value value = frame->slots[frame->fast + index];
        if (value.maybe_unset)
            return body_effect(frame->reader, "the name '%s' may be unset",
                               body_text(name));
        if (value.kind != V_UNSET)
            return value;
        if (frame->kind == FRAME_MODULE)
            return name_outside(frame, name);
    }
    return name_global(frame, name);
}

int
unit_has(struct lz_reader *reader, struct unit *unit, PyObject *name)
{
    struct value value = of_unit(reader, unit, name);
    if (value.kind != V_UNSET)
        return 1;
    Py_ssize_t count = unit->stars == NULL ? 0 : PyList_GET_SIZE(unit->stars);
    for (Py_ssize_t i = 0; i < count; i++) {
        struct unit *other = unit_get(reader, PyList_GET_ITEM(unit->stars, i));
        if (other == NULL)
            return -1;
        if (other != unit && other->state == UNIT_READ &&
            of_unit(reader, other, name).kind != V_UNSET)
            return 1;
    }
    return 0;
}

struct value
name_of_module(struct lz_reader *reader, PyObject *module, PyObject *attr)
{
    struct unit *unit = unit_get(reader, module);
    if (unit == NULL || unit_read(reader, unit) < 0 ||
        unit->state != UNIT_READ)
        return value_of(V_ANY);
    struct value value = of_unit(reader, unit, attr);
    if (value.kind == V_UNSET)
        value = of_stars(reader, unit, attr);
    if (value.kind != V_UNSET)
        return value;
    PyObject *full = reader_dotted(reader, module, ".", attr);
    if (full != NULL && import_finds(reader, full) == 1)
        return (struct value){.kind = V_MODULE, .object = full};
    return value_of(V_ANY);
}

struct value
name_resolve(struct lz_reader *reader, const struct value *value)
{
    struct value result = *value;
    for (int i = 0; result.kind == V_FOREIGN; i++) {
        if (i == LOOKUPS_MAX || PyErr_Occurred())
            return value_of(V_ANY);
        result = name_of_module(reader, result.of_module, result.object);
    }
    return result;
}

/* Attributes */

static bool
is_special(PyObject *name)
{
    const char *text = body_text(name);
    size_t length = strlen(text);
    return length > 4 && strncmp(text, "__", 2) == 0 &&
           strcmp(text + length - 2, "__") == 0;
}

struct value
attr_load(struct frame *frame, const struct value *base, PyObject *name)
{
    struct lz_reader *reader = frame->reader;
    char text[128];
    struct value object =
        base->kind == V_FOREIGN ? name_resolve(reader, base) : *base;
    switch ((enum kind)object.kind) {
    case V_MODULE:
        return import_from(frame, &object, name);
    case V_STD:
        return value_std(reader,
                         reader_dotted(reader, object.object, ".", name));
    case V_PLAIN:
    case V_FRESH:
        return (struct value){.kind = V_METHOD,
                              .object = name,
                              .grade = object.grade,
                              .fresh = object.kind == V_FRESH};
    case V_FUNCTION:
        return value_of(is_special(name) ? V_INERT : V_ANY);
    case V_CLASS:
        return class_attr(reader, &object, name);
    case V_INSTANCE:
        return class_of_instance(reader, &object, name);
    case V_INERT:
        return value_of(V_ANY);
    case V_UNSET:
    case V_NULL:
    case V_ITER:
    case V_METHOD:
    case V_FOREIGN:
    case V_SHARED:
    case V_BUILD_CLASS:
    case V_ANY:
    default:
        return body_effect(reader, "takes .%.40s of %s", body_text(name),
                           body_describe(base, text, sizeof(text)));
    }
}

void
attr_store(struct frame *frame, const struct value *object, PyObject *name,
           const struct value *value)
{
    struct lz_reader *reader = frame->reader;
    char text[128];
    bool own = !object->foreign && !object->maybe_unset;
    if (object->kind == V_INSTANCE && own && !is_special(name) &&
        class_may_store(frame, object, name))
        return;
    own = own && (object->kind != V_FUNCTION || object->klass == NULL);
    if (object->kind == V_FUNCTION && own && !is_special(name))
        return;
    if (object->kind == V_FUNCTION && own &&
        (strcmp(body_text(name), "__doc__") == 0 ||
         strcmp(body_text(name), "__name__") == 0))
        return;
    if (object->kind == V_CLASS && own && !object->klass->enumeration &&
        object->klass->unit == reader->subject &&
        (!is_special(name) || strcmp(body_text(name), "__doc__") == 0) &&
        class_store(frame, object->klass, name, value))
        return;
    (void)body_effect(reader, "sets .%.40s of %s", body_text(name),
                      body_describe(object, text, sizeof(text)));
}
