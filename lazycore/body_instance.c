/* Classes and their instances in use: what is taken from them, and calls. See
 * body_private.h. Needs the GIL; runs importlib's code.
 */
#include "lazycore/body_private.h"

#include <string.h>

static bool
has_std_base(const struct klass *klass, int depth)
{
    for (Py_ssize_t i = 0; depth < BODY_DEPTH_MAX && i < klass->base_count;
         i++) {
        if (klass->bases[i].kind == V_STD ||
            has_std_base(klass->bases[i].klass, depth + 1))
            return true;
    }
    return false;
}

struct value
class_attr(struct lz_reader *reader, const struct value *value, PyObject *name)
{
    const struct klass *owner = value->klass;
    const struct value *found =
        class_find_owner(value->klass, body_text(name), &owner);
    bool foreign = value->foreign || owner->unit != reader->subject;
    char text[128];
    if (found == NULL) {
        if (has_std_base(value->klass, 0) ||
            PyUnicode_READ_CHAR(name, 0) == '_')
            return value_of(V_INERT);
        return body_effect(reader, "takes .%.40s of %s, which is not seen",
                           body_text(name),
                           body_describe(value, text, sizeof(text)));
    }
    struct value result = *found;
    if (result.maybe_unset)
        return value_of(V_ANY);
    if (value->klass->enumeration && result.kind != V_FUNCTION)
        return class_member(value);
    if (result.kind == V_FRESH && foreign)
        return value_of(V_SHARED);
    if (result.kind == V_PLAIN)
        return value_plain(NULL);
    if (result.kind == V_FUNCTION || result.kind == V_CLASS) {
        result.foreign = result.foreign || foreign;
        return result;
    }
    if (result.kind == V_FRESH || result.kind == V_FOREIGN)
        return result;
    return value_of(value_held(&result) <= G_INERT ? V_INERT : V_ANY);
}

/* Whether an object of CLASS is made by builtin code alone. */
static bool
is_made_plainly(const struct klass *klass, int depth)
{
    static const char *const types[] = {
        "builtins.object", "typing.NamedTuple", "typing.Generic",
        "typing.Protocol", "abc.ABC",           "collections.namedtuple()"};
    for (Py_ssize_t i = 0; i < klass->base_count; i++) {
        const struct value *base = &klass->bases[i];
        bool plain = false;
        if (base->kind == V_CLASS)
            plain = depth < BODY_DEPTH_MAX &&
                    is_made_plainly(base->klass, depth + 1);
        for (size_t n = 0; base->kind == V_STD && !plain &&
                           n < sizeof(types) / sizeof(types[0]);
             n++)
            plain = strcmp(body_text(base->object), types[n]) == 0;
        if (!plain)
            return false;
    }
    return !klass->data;
}

/* Whether an object of CLASS has none of the special methods, but for those
 * that it is made by: then it is hashed, compared and shown by builtin code,
 * and is no descriptor. */
static bool
is_quiet(const struct klass *klass, int depth)
{
    static const char *const usual[] = {
        "__init__",        "__module__",
        "__qualname__",    "__doc__",
        "__annotations__", "__firstlineno__",
        "__slots__",       "__enter__",
        "__classcell__",   "__static_attributes__",
        "__exit__"};
    for (Py_ssize_t i = 0; i < klass->count; i++) {
        const char *name = body_text(PyTuple_GET_ITEM(klass->names, i));
        bool known = strncmp(name, "__", 2) != 0;
        for (size_t n = 0; !known && n < sizeof(usual) / sizeof(usual[0]); n++)
            known = strcmp(name, usual[n]) == 0;
        if (!known && klass->values[i].kind != V_UNSET)
            return false;
    }
    for (Py_ssize_t i = 0; i < klass->base_count; i++) {
        if (klass->bases[i].kind == V_CLASS &&
            (depth >= BODY_DEPTH_MAX ||
             !is_quiet(klass->bases[i].klass, depth + 1)))
            return false;
    }
    return true;
}

bool
class_any_answers(const struct lz_reader *reader)
{
    for (const struct klass *klass = reader->classes; klass != NULL;
         klass = klass->next) {
        if (class_find(klass, "__subclasshook__") != NULL)
            return true;
        for (Py_ssize_t i = 0; i < klass->base_count; i++) {
            if (klass->bases[i].kind == V_STD &&
                strcmp(body_text(klass->bases[i].object), "typing.Protocol") ==
                    0)
                return true;
        }
    }
    return false;
}

struct value
class_member(const struct value *value)
{
    return value_of(is_quiet(value->klass, 0) &&
                            class_find(value->klass, "_missing_") == NULL
                        ? V_INERT
                        : V_ANY);
}

struct value
class_call(struct frame *frame, const struct value *function,
           const struct value *value, const struct arguments *arguments)
{
    struct arguments all = *arguments;
    if (arguments->unknown || arguments->count >= BODY_ARGUMENTS_MAX) {
        all = (struct arguments){.unknown = true};
    } else {
        memmove(all.values + 1, all.values,
                sizeof(all.values[0]) * (size_t)all.count);
        all.values[0] = *value;
        all.count++;
    }
    struct value alone = *function;
    alone.klass = NULL;
    return call_function(frame, &alone, &all);
}

struct value
class_make(struct frame *frame, const struct value *value,
           struct arguments *arguments)
{
    static const char *const run[] = {"__new__", "__post_init__", "__del__",
                                      NULL};
    struct lz_reader *reader = frame->reader;
    struct klass *klass = value->klass;
    const char *name = body_text(klass->code->co_name);
    const char *own = class_find_any(klass, run);
    const struct value *init = class_find(klass, "__init__");
    if (klass->enumeration && class_find(klass, "_missing_") == NULL)
        return class_member(value); /* looks it up */
    if (own != NULL)
        return body_effect(reader, "calls %.50s.%s", name, own);
    if (!is_made_plainly(klass, 0) ||
        (init != NULL && init->kind != V_FUNCTION))
        return body_effect(reader, "makes a %.60s", name);
    struct value instance = {.kind = V_INSTANCE, .klass = klass};
    instance.grade = is_quiet(klass, 0) ? G_INERT : G_ANY;
    if (init != NULL)
        (void)class_call(frame, init, &instance, arguments);
    return instance;
}

/* Instances */

struct value
class_of_instance(struct lz_reader *reader, const struct value *value,
                  PyObject *name)
{
    static const char *const run[] = {"__getattr__", "__getattribute__", NULL};
    struct klass *klass = value->klass;
    const struct klass *owner = klass;
    const struct value *found =
        class_find_owner(klass, body_text(name), &owner);
    char text[128];
    if (class_find_any(klass, run) != NULL ||
        (found != NULL && found->kind != V_FUNCTION &&
         found->kind != V_PLAIN && found->kind != V_FRESH &&
         found->kind != V_CLASS))
        return body_effect(reader, "takes .%.40s of %s", body_text(name),
                           body_describe(value, text, sizeof(text)));
    if (found == NULL || owner->shadowed[found - owner->values] ||
        found->maybe_unset)
        return value_of(V_ANY);
    struct value result = *found;
    if (found->kind == V_FUNCTION)
        result.klass = klass; /* bound */
    else if (found->kind == V_PLAIN)
        result = value_plain(NULL);
    else if (found->kind == V_FRESH && owner->unit != reader->subject)
        result = value_of(V_SHARED);
    return result;
}

bool
class_may_store(struct frame *frame, const struct value *value, PyObject *name)
{
    struct klass *klass = value->klass;
    const struct klass *owner = klass;
    const struct value *found =
        class_find_owner(klass, body_text(name), &owner);
    if (class_find(klass, "__setattr__") != NULL ||
        class_find(klass, "__delattr__") != NULL ||
        (found != NULL && found->kind != V_FUNCTION &&
         found->kind != V_PLAIN && found->kind != V_FRESH))
        return false;
    if (found != NULL && !owner->shadowed[found - owner->values]) {
        owner->shadowed[found - owner->values] = true;
        frame_again(frame);
    }
    return true;
}

bool
class_store(struct frame *frame, struct klass *klass, PyObject *name,
            const struct value *value)
{
    bool usual = value != NULL && !value->maybe_unset &&
                 (value->kind == V_PLAIN || value->kind == V_FRESH ||
                  value->kind == V_FUNCTION || value->kind == V_CLASS);
    for (Py_ssize_t i = 0; i < klass->count; i++) {
        if (PyTuple_GET_ITEM(klass->names, i) != name)
            continue;
        if (frame_is_conditional(frame))
            return false;
        klass->values[i] = value == NULL ? value_of(V_ANY) : *value;
        if (klass->values[i].lazy)
            klass->values[i] = value_of(V_ANY);
        return true;
    }
    const struct value *found = class_find(klass, body_text(name));
    return usual && (found == NULL ||
                     (found->kind == V_PLAIN && value->kind == V_PLAIN));
}
