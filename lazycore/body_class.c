/* Classes: which can be made, subclassed and called without running code that
 * is not seen. See body_private.h. Needs the GIL; runs importlib's code.
 */
#include "lazycore/body_private.h"

#include <string.h>

static struct klass *
klass_of(struct lz_reader *reader, struct unit *unit, PyCodeObject *code)
{
    for (struct klass *klass = reader->classes; klass != NULL;
         klass = klass->next) {
        if (klass->code == code && klass->unit == unit)
            return klass;
    }
    struct klass *klass = PyMem_Calloc(1, sizeof(*klass));
    size_t count = (size_t)PyTuple_GET_SIZE(code->co_names);
    if (klass != NULL) {
        klass->values = PyMem_Calloc(count + 1, sizeof(*klass->values));
        klass->bases = PyMem_Calloc(BODY_ARGUMENTS_MAX, sizeof(*klass->bases));
        klass->shadowed = PyMem_Calloc(count + 1, sizeof(*klass->shadowed));
    }
    if (klass == NULL || klass->values == NULL || klass->bases == NULL ||
        klass->shadowed == NULL) {
        if (klass != NULL) {
            PyMem_Free(klass->shadowed);
            PyMem_Free(klass->values);
            PyMem_Free(klass->bases);
        }
        PyMem_Free(klass);
        PyErr_NoMemory();
        return NULL;
    }
    klass->unit = unit;
    klass->code = code;
    klass->names = code->co_names;
    klass->count = (Py_ssize_t)count;
    klass->next = reader->classes;
    reader->classes = klass;
    return klass;
}

static const struct value *
find_within(const struct klass *klass, const char *name, int depth,
            const struct klass **ret_owner)
{
    for (Py_ssize_t i = 0; i < klass->count; i++) {
        if (klass->values[i].kind != V_UNSET &&
            PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(klass->names, i),
                                             name) == 0) {
            *ret_owner = klass;
            return &klass->values[i];
        }
    }
    for (Py_ssize_t i = 0; depth < BODY_DEPTH_MAX && i < klass->base_count;
         i++) {
        const struct value *found =
            klass->bases[i].kind != V_CLASS
                ? NULL
                : find_within(klass->bases[i].klass, name, depth + 1,
                              ret_owner);
        if (found != NULL)
            return found;
    }
    return NULL;
}

const struct value *
class_find(const struct klass *klass, const char *name)
{
    const struct klass *owner;
    return find_within(klass, name, 0, &owner);
}

const struct value *
class_find_owner(const struct klass *klass, const char *name,
                 const struct klass **ret_owner)
{
    return find_within(klass, name, 0, ret_owner);
}

const char *
class_find_any(const struct klass *klass, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (class_find(klass, *names) != NULL)
            return *names;
    }
    return NULL;
}

/* Bases */

static bool
is_enumeration(const char *name)
{
    static const char *const names[] = {"Enum", "IntEnum", "StrEnum",
                                        "Flag", "IntFlag", "ReprEnum"};
    for (size_t i = 0;
         names_is_below(name, "enum") && i < sizeof(names) / sizeof(names[0]);
         i++) {
        if (strcmp(name + 5, names[i]) == 0)
            return true;
    }
    return false;
}

/* Nothing in the standard library registers its subclasses; but what a call
 * has made is a class only sometimes. */
static bool
is_std_base(const char *name)
{
    static const char *const not [] = {"tkinter", "turtle", "idlelib", "test",
                                       "lib2to3"};
    for (size_t i = 0; i < sizeof(not ) / sizeof(not [0]); i++) {
        if (names_is_below(name, not [i]))
            return false;
    }
    if (strchr(name, '(') == NULL)
        return true;
    char made[BODY_NAME_MAX + 1];
    size_t length = strlen(name);
    if (length < 2 || length > sizeof(made) ||
        strcmp(name + length - 2, "()") != 0)
        return false;
    memcpy(made, name, length - 2);
    made[length - 2] = '\0';
    const struct known *known = known_find(made);
    return known != NULL && strchr(known->how, 'b') != NULL;
}

static bool
add_base(struct frame *frame, struct klass *klass, const struct value *base)
{
    struct lz_reader *reader = frame->reader;
    const char *name = body_text(klass->code->co_name);
    char text[128];
    struct value found =
        base->kind == V_FOREIGN ? name_resolve(reader, base) : *base;
    if (found.maybe_unset)
        found = value_of(V_ANY);
    if (found.kind == V_STD && is_std_base(body_text(found.object))) {
        if (is_enumeration(body_text(found.object)))
            klass->enumeration = true;
    } else if (found.kind == V_CLASS && found.klass != klass) {
        if (class_find(found.klass, "__init_subclass__") != NULL) {
            (void)body_effect(reader, "class %.50s: __init_subclass__ of %s",
                              name, body_describe(base, text, sizeof(text)));
            return false;
        }
        klass->enumeration = klass->enumeration || found.klass->enumeration;
        klass->data = klass->data || found.klass->data;
    } else {
        (void)body_effect(reader, "class %.50s: its base is %s", name,
                          body_describe(base, text, sizeof(text)));
        return false;
    }
    klass->bases[klass->base_count++] = found;
    return true;
}

static bool
is_metaclass(const struct value *value)
{
    static const char *const names[] = {"abc.ABCMeta", "enum.EnumMeta",
                                        "enum.EnumType", "builtins.type"};
    for (size_t i = 0; value->kind == V_STD && !value->maybe_unset &&
                       i < sizeof(names) / sizeof(names[0]);
         i++) {
        if (strcmp(body_text(value->object), names[i]) == 0)
            return true;
    }
    return false;
}

/* metaclass=, and what a typed dict takes. */
static bool
check_keywords(struct frame *frame, const struct klass *klass,
               const struct arguments *arguments)
{
    int from = arguments_positional(arguments);
    for (int i = from; i < arguments->count; i++) {
        const char *keyword =
            body_text(PyTuple_GET_ITEM(arguments->keywords, i - from));
        struct value value = arguments->values[i];
        if (value.kind == V_FOREIGN)
            value = name_resolve(frame->reader, &value);
        if (strcmp(keyword, "metaclass") == 0 ? is_metaclass(&value)
                                              : strcmp(keyword, "total") == 0)
            continue;
        (void)body_effect(frame->reader, "class %.50s: its %.40s is not known",
                          body_text(klass->code->co_name), keyword);
        return false;
    }
    return true;
}

/* What of its bases that are no enumerations an enumeration runs to make its
 * members, or NULL. */
static const char *
mixed_in(const struct klass *klass)
{
    static const char *const run[] = {"__hash__", "__eq__", NULL};
    if (klass->data)
        return "__init__";
    for (Py_ssize_t i = 0; i < klass->base_count; i++) {
        const struct klass *base =
            klass->bases[i].kind == V_CLASS ? klass->bases[i].klass : NULL;
        const char *own = base == NULL        ? NULL
                          : base->enumeration ? mixed_in(base)
                                              : class_find_any(base, run);
        if (own != NULL)
            return own;
    }
    return NULL;
}

/* What type.__new__, the abstract base classes and enumerations do with the
 * values: these may have a __set_name__, an __isabstractmethod__ and so on of
 * their own. */
static bool
check_values(struct frame *frame, const struct klass *klass)
{
    static const char *const run[] = {"__init__",
                                      "__new__",
                                      "_generate_next_value_",
                                      "__set_name__",
                                      "__post_init__",
                                      "__setattr__",
                                      "__delattr__",
                                      "__getattr__",
                                      "__getattribute__",
                                      NULL};
    struct lz_reader *reader = frame->reader;
    const char *name = body_text(klass->code->co_name);
    for (Py_ssize_t i = 0; i < klass->count; i++) {
        struct value value = klass->values[i];
        if (value.kind == V_FOREIGN)
            value = name_resolve(reader, &value);
        if (value.kind == V_UNSET || value.kind == V_FRESH ||
            value.kind == V_SHARED || value_held(&value) <= G_INERT)
            continue;
        (void)body_effect(reader, "class %.50s: '%.40s' is not known", name,
                          body_text(PyTuple_GET_ITEM(klass->names, i)));
        return false;
    }
    const char *own = klass->enumeration ? class_find_any(klass, run) : NULL;
    if (own == NULL && klass->enumeration)
        own = mixed_in(klass);
    if (own != NULL)
        (void)body_effect(reader, "class %.50s: an enumeration runs its %s",
                          name, own);
    return own == NULL;
}

static bool
run_body(struct frame *frame, struct klass *klass)
{
    struct frame inner = {.reader = frame->reader,
                          .unit = klass->unit,
                          .back = frame,
                          .kind = FRAME_CLASS,
                          .code = klass->code};
    bool done = frame_run(&inner, NULL, 0) == 0 && !inner.broken;
    if (done)
        memcpy(klass->values, inner.slots + inner.fast,
               sizeof(struct value) * (size_t)klass->count);
    frame_done(&inner);
    return done;
}

struct value
class_build(struct frame *frame, const struct arguments *arguments)
{
    struct lz_reader *reader = frame->reader;
    int positional = arguments_positional(arguments);
    if (arguments->unknown || positional < 2 ||
        arguments->values[0].kind != V_FUNCTION)
        return body_effect(reader, "makes a class in a way that is not seen");
    struct klass *klass =
        klass_of(reader, arguments->values[0].unit,
                 (PyCodeObject *)arguments->values[0].object);
    if (klass == NULL)
        return value_of(V_ANY);
    if (klass->made && frame->kind == FRAME_FUNCTION)
        return body_effect(reader, "makes a class %.60s again",
                           body_text(klass->code->co_name));
    klass->made = true;
    klass->base_count = 0;
    klass->enumeration = klass->data = false;
    memset(klass->values, 0, sizeof(struct value) * (size_t)klass->count);
    bool good = true;
    for (int i = 2; i < positional && good; i++)
        good = add_base(frame, klass, &arguments->values[i]);
    good = good && check_keywords(frame, klass, arguments);
    /* It is followed also where it is not free: others take classes of it. */
    good = run_body(frame, klass) && good;
    good = good && check_values(frame, klass);
    if (!good)
        return value_of(V_ANY);
    return (struct value){.kind = V_CLASS, .klass = klass};
}
