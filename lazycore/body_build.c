/* Containers: made, filled, and what is taken from them. See body_private.h.
 * Needs the GIL; runs importlib's code.
 */
#include "lazycore/body_private.h"

/* Hashing VALUE, and comparing it with others. */
static void
use_as_key(struct frame *frame, const struct value *value)
{
    char text[128];
    if (!value_is_inert(frame->reader, value))
        (void)body_effect(frame->reader, "has as a key %s",
                          body_describe(value, text, sizeof(text)));
}

/* The worst of the COUNT values on top, which are popped. */
static enum grade
pop_many(struct frame *frame, int count, bool keys)
{
    enum grade result = G_PLAIN;
    for (int i = 0; i < count && !frame->broken; i++) {
        struct value value = frame_pop(frame);
        if (keys)
            use_as_key(frame, &value);
        enum grade grade = value.lazy ? G_ANY
                           : keys     ? value_grade(frame->reader, &value)
                                      : value_held(&value);
        result = grade_worse(result, grade);
    }
    return result;
}

/* Text made of the COUNT values on top, which are shown for it. */
static void
build_text(struct frame *frame, int count)
{
    for (int i = 0; i < count && !frame->broken; i++) {
        struct value value = frame_pop(frame);
        if (!value_is_inert(frame->reader, &value))
            (void)body_effect(frame->reader,
                              "makes text of what is not known");
    }
    frame_push(frame, value_plain(NULL));
}

static void
build(struct frame *frame, const struct lz_instruction *in)
{
    enum grade grade;
    switch (in->op) {
    case LZ_OP_TUPLE:
        grade = pop_many(frame, in->arg, false);
        struct value tuple =
            grade == G_PLAIN ? value_plain(NULL) : value_fresh(grade);
        tuple.fresh = true;
        frame_push(frame, tuple);
        break;
    case LZ_OP_SET:
        frame_push(frame, value_fresh(pop_many(frame, in->arg, true)));
        break;
    case LZ_OP_MAP:
        grade = G_PLAIN;
        for (int i = 0; i < in->arg && !frame->broken; i++) {
            grade = grade_worse(grade, pop_many(frame, 1, false));
            grade = grade_worse(grade, pop_many(frame, 1, true));
        }
        frame_push(frame, value_fresh(grade));
        break;
    case LZ_OP_CONST_MAP:
        (void)frame_pop(frame);
        frame_push(frame, value_fresh(pop_many(frame, in->arg, false)));
        break;
    case LZ_OP_STRING:
        build_text(frame, in->arg);
        break;
    case LZ_OP_FORMAT:
        build_text(frame, in->flag ? 2 : 1);
        break;
    case LZ_OP_BUILD_SLICE:
        grade = pop_many(frame, in->arg, false);
        frame_push(frame, value_of(grade <= G_INERT ? V_INERT : V_ANY));
        break;
    case LZ_OP_LIST:
    default:
        frame_push(frame, value_fresh(pop_many(frame, in->arg, false)));
        break;
    }
}

/* Into the container that stands BELOW what has been popped. */
static void
put_in(struct frame *frame, int below, enum grade grade)
{
    struct value *container = frame_top(frame, below - 1);
    if (container->kind != V_FRESH)
        frame_break(frame, "its code is not understood");
    else
        container->grade =
            (unsigned char)grade_worse((enum grade)container->grade, grade);
}

static void
put(struct frame *frame, const struct lz_instruction *in)
{
    struct value value, key;
    switch (in->op) {
    case LZ_OP_LIST_APPEND:
    case LZ_OP_SET_ADD:
        put_in(frame, in->arg, pop_many(frame, 1, in->op == LZ_OP_SET_ADD));
        break;
    case LZ_OP_MAP_ADD:
        value = frame_pop(frame);
        key = frame_pop(frame);
        use_as_key(frame, &key);
        put_in(frame, in->arg,
               value.lazy ? G_ANY
                          : grade_worse(value_held(&value), value_held(&key)));
        break;
    case LZ_OP_EXTEND:
    case LZ_OP_UPDATE:
    default:
        value = frame_pop(frame);
        if (value.kind == V_PLAIN)
            put_in(frame, in->arg, G_PLAIN);
        else if (value.kind == V_FRESH || value.kind == V_ITER)
            put_in(frame, in->arg, (enum grade)value.grade);
        else
            (void)body_effect(frame->reader,
                              "goes through what is not its own");
        break;
    }
}

/* Subscripts */

/* Whether a subscript of BASE is a generic alias of it. */
static bool
takes_parameters(const struct value *base)
{
    return (base->kind == V_STD &&
            known_is_generic(body_text(base->object))) ||
           (base->kind == V_CLASS && !base->klass->enumeration &&
            class_find(base->klass, "__class_getitem__") == NULL);
}

static void
load_subscript(struct frame *frame, int indices)
{
    struct lz_reader *reader = frame->reader;
    char text[128];
    enum grade grade = pop_many(frame, indices, false);
    struct value base = frame_pop(frame);
    if (base.kind == V_FOREIGN)
        base = name_resolve(reader, &base);
    struct value result;
    bool key = grade <= G_INERT;
    if (base.kind == V_PLAIN && key)
        result = value_plain(NULL);
    else if (base.kind == V_FRESH && key)
        result = base.grade == G_PLAIN   ? value_plain(NULL)
                 : base.grade == G_INERT ? value_of(V_INERT)
                                         : value_of(V_ANY);
    else if (grade <= G_NAMED && takes_parameters(&base))
        result = base;
    else
        result = body_effect(reader, "has a subscript of %s",
                             body_describe(&base, text, sizeof(text)));
    frame_push(frame, result);
}

/* BASE[INDICES] = a value, or with no VALUES: del */
static void
store_subscript(struct frame *frame, int indices, int values)
{
    struct lz_reader *reader = frame->reader;
    char text[128];
    struct value index[2], base;
    for (int i = 0; i < indices; i++)
        index[i] = frame_pop(frame);
    base = frame_pop(frame);
    enum grade grade = values > 0 ? pop_many(frame, 1, false) : G_PLAIN;
    for (int i = 0; i < indices; i++)
        use_as_key(frame, &index[i]);
    if (base.kind != V_FRESH)
        (void)body_effect(reader, "stores into %s",
                          body_describe(&base, text, sizeof(text)));
    else if (base.grade < grade)
        frame_taint(frame, grade);
}

int
body_step_build(struct frame *frame, const struct lz_instruction *in)
{
    if ((in->op >= LZ_OP_TUPLE && in->op <= LZ_OP_BUILD_SLICE) ||
        in->op == LZ_OP_FORMAT) {
        build(frame, in);
        return 0;
    }
    if (in->op >= LZ_OP_LIST_APPEND && in->op <= LZ_OP_UPDATE) {
        put(frame, in);
        return 0;
    }
    switch (in->op) {
    case LZ_OP_SUBSCR:
        load_subscript(frame, 1);
        break;
    case LZ_OP_SLICE:
        load_subscript(frame, 2);
        break;
    case LZ_OP_STORE_SUBSCR:
        store_subscript(frame, 1, 1);
        break;
    case LZ_OP_STORE_SLICE:
        store_subscript(frame, 2, 1);
        break;
    case LZ_OP_DELETE_SUBSCR:
        store_subscript(frame, 1, 0);
        break;
    default:
        return body_step_flow(frame, in);
    }
    return 0;
}
