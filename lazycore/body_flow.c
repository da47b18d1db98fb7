/* Jumps, calls, imports and what moves values: see body_private.h. Needs the
 * GIL; runs importlib's code.
 */
#include "lazycore/body_private.h"

static const unsigned char *
code_of(const struct frame *frame)
{
    return (const unsigned char *)PyBytes_AS_STRING(frame->bytes);
}

/* Whether a `for` begins at TARGET. */
static bool
is_for(const struct frame *frame, int target)
{
    int size = (int)PyBytes_GET_SIZE(frame->bytes);
    while (target >= 0 && target + UNIT <= size &&
           code_of(frame)[target] == EXTENDED_ARG)
        target += UNIT;
    return target >= 0 && target + UNIT <= size &&
           code_of(frame)[target] == FOR_ITER;
}

/* Whether it may be jumped back to TARGET: a `for` comes to its end where what
 * it goes through does; what has handled an exception goes on behind what
 * raised it. */
static bool
may_jump_back(const struct frame *frame, int target)
{
    return is_for(frame, target) ||
           (frame->handled_to > 0 && target >= frame->handled_to &&
            target < frame->handler);
}

static int
jump_to(struct frame *frame, int arg, bool back, int skip)
{
    int size = (int)PyBytes_GET_SIZE(frame->bytes);
    if (arg > size) {
        frame_break(frame, "its code is not understood");
        return 0;
    }
    int target =
        back ? frame->next - arg * UNIT : frame->next + arg * UNIT + skip;
    if (back && !may_jump_back(frame, target)) {
        frame_break(frame, "has a loop that may have no end");
        return 0;
    }
    return frame_jump(frame, target);
}

static int
jump_if(struct frame *frame, const struct lz_instruction *in)
{
    char text[128];
    struct value value = *frame_top(frame, 0);
    int truth = value_truth(&value);
    bool none = in->op == LZ_OP_JUMP_IF_NONE;
    if (none)
        truth = value.kind == V_PLAIN && value.object != NULL
                    ? value.object == Py_None
                : value.kind == V_FUNCTION || value.kind == V_CLASS ||
                        value.kind == V_MODULE || value.kind == V_FRESH
                    ? 0
                    : -1;
    if (value.maybe_unset)
        truth = -1;
    if (truth < 0 && !none && !value_is_inert(frame->reader, &value))
        (void)body_effect(frame->reader, "asks whether %s is true",
                          body_describe(&value, text, sizeof(text)));
    if (!in->keep)
        (void)frame_pop(frame);
    if (truth < 0 || (truth == 1) == in->flag) {
        if (jump_to(frame, in->arg, in->back, 0) < 0)
            return -1;
    }
    if (truth >= 0 && (truth == 1) == in->flag)
        frame->alive = false;
    if (in->keep)
        (void)frame_pop(frame);
    return 0;
}

static struct value
element(const struct value *iterated)
{
    if (iterated->kind == V_PLAIN)
        return value_plain(NULL);
    return iterated->grade == G_PLAIN   ? value_plain(NULL)
           : iterated->grade == G_INERT ? value_of(V_INERT)
                                        : value_of(V_ANY);
}

static int
loop(struct frame *frame, const struct lz_instruction *in)
{
    struct value iterator = frame_pop(frame);
    if (iterator.kind != V_ITER) /* its making has been noted */
        iterator = (struct value){.kind = V_ITER, .grade = G_ANY};
    if (jump_to(frame, in->arg, false, in->skip) < 0)
        return -1;
    frame_push(frame, iterator);
    frame_push(frame, element(&iterator));
    return 0;
}

static void
iterate(struct frame *frame)
{
    char text[128];
    struct value value = frame_pop(frame);
    struct value result = {.kind = V_ITER, .grade = G_PLAIN};
    if (value.kind == V_FOREIGN)
        value = name_resolve(frame->reader, &value);
    if (value.kind == V_FRESH || value.kind == V_ITER)
        result.grade = value.grade;
    else if (value.kind == V_CLASS && value.klass->enumeration)
        result.grade = class_member(&value).kind == V_INERT ? G_INERT : G_ANY;
    else if (value.kind != V_PLAIN || value.maybe_unset)
        result = body_effect(frame->reader, "goes through %s",
                             body_describe(&value, text, sizeof(text)));
    frame_push(frame, result);
}

/* Onto BEFORE names, and with a list between them onto AFTER others. */
static void
unpack(struct frame *frame, int before, bool list, int after)
{
    struct value value = frame_pop(frame);
    if (value.kind != V_PLAIN && value.kind != V_FRESH) {
        value = value_fresh(G_ANY);
        (void)body_effect(frame->reader, "unpacks what is not its own");
    }
    for (int i = 0; i < after && !frame->broken; i++)
        frame_push(frame, element(&value));
    if (list)
        frame_push(frame, value_fresh(value.kind == V_PLAIN
                                          ? G_PLAIN
                                          : (enum grade)value.grade));
    for (int i = 0; i < before && !frame->broken; i++)
        frame_push(frame, element(&value));
}

static void
copy_or_swap(struct frame *frame, const struct lz_instruction *in)
{
    struct value *other = frame_top(frame, in->arg - 1);
    struct value *top = frame_top(frame, 0);
    if (frame->broken)
        return;
    struct value value = *other;
    if (in->op == LZ_OP_COPY) {
        frame_push(frame, value);
    } else {
        *other = *top;
        *top = value;
    }
}

static int
import(struct frame *frame, const struct lz_instruction *in)
{
    PyObject *name = name_at(frame->code->co_names, in->arg);
    struct value fromlist = frame_pop(frame);
    struct value level = frame_pop(frame);
    struct value module = value_of(V_ANY);
    if (name == NULL || fromlist.kind != V_PLAIN || level.kind != V_PLAIN ||
        fromlist.object == NULL || level.object == NULL ||
        !PyLong_CheckExact(level.object)) {
        frame_break(frame, "its code is not understood");
        return 0;
    }
    long up = PyLong_AsLong(level.object);
    if (up == -1 && PyErr_Occurred())
        PyErr_Clear();
    if (up < 0 || up > BODY_NAME_MAX) {
        frame_break(frame, "its code is not understood");
        return 0;
    }
    if (import_name(frame, name,
                    PyTuple_Check(fromlist.object) ? fromlist.object : NULL,
                    (int)up, &module) < 0)
        return -1;
    frame_push(frame, module);
    return 0;
}

static void
function(struct frame *frame, int values)
{
    struct value code = frame_pop(frame);
    for (int i = 0; i < values && !frame->broken; i++)
        (void)frame_pop(frame);
    if (code.kind != V_PLAIN || code.object == NULL ||
        !PyCode_Check(code.object)) {
        frame_break(frame, "its code is not understood");
        return;
    }
    frame_push(frame, (struct value){.kind = V_FUNCTION,
                                     .object = code.object,
                                     .unit = frame->unit});
}

static int
finish(struct frame *frame, const struct value *value)
{
    frame->alive = false;
    frame->cold = true;
    if (frame->kind != FRAME_FUNCTION)
        return frame_end(frame);
    if (frame->generator)
        return 0;
    frame->result = frame->result.kind == V_UNSET
                        ? *value
                        : value_join(&frame->result, value);
    return 0;
}

static void
generate(struct frame *frame)
{
    struct value value = frame_pop(frame);
    enum grade grade = value_held(&value);
    if (frame->result.kind == V_ITER && frame->result.grade > grade)
        grade = (enum grade)frame->result.grade;
    frame->generator = true;
    frame->result =
        (struct value){.kind = V_ITER, .grade = (unsigned char)grade};
    frame_push(frame, value_plain(Py_None));
}

static void
note_handler(struct frame *frame)
{
    PyObject *table = frame->code->co_exceptiontable;
    frame->handler = frame->begin;
    frame->handled_to =
        bytecode_handled_to((const unsigned char *)PyBytes_AS_STRING(table),
                            (size_t)PyBytes_GET_SIZE(table), frame->begin);
    frame_push(frame, *frame_top(frame, 0));
}

/* A class that is raised is called. */
static void
raise(struct frame *frame, int values)
{
    static const char *const run[] = {"__init__", "__new__", NULL};
    if (values > 0 && frame->kind != FRAME_FUNCTION)
        (void)body_effect(frame->reader, "may raise");
    for (int i = 0; i < values && !frame->broken; i++) {
        struct value value = frame_pop(frame);
        if (value.kind == V_FOREIGN)
            value = name_resolve(frame->reader, &value);
        if (value_held(&value) > G_INERT ||
            (value.kind == V_CLASS &&
             class_find_any(value.klass, run) != NULL))
            (void)body_effect(frame->reader, "raises what is not known");
    }
    frame->alive = false;
}

static void
exceptions(struct frame *frame, const struct lz_instruction *in)
{
    switch (in->op) {
    case LZ_OP_PUSH_EXCEPTION:
        note_handler(frame);
        break;
    case LZ_OP_MATCH_EXCEPTION:
        *frame_top(frame, 0) = value_plain(NULL);
        break;
    case LZ_OP_RAISE:
        raise(frame, in->arg);
        break;
    case LZ_OP_RERAISE:
    default:
        frame->alive = false;
        break;
    }
}

/* What ends, yields or makes a generator. */
static int
leave(struct frame *frame, const struct lz_instruction *in)
{
    struct value value;
    switch (in->op) {
    case LZ_OP_RETURN:
        value = frame_pop(frame);
        return finish(frame, &value);
    case LZ_OP_RETURN_CONST:
        value = value_plain(name_at(frame->code->co_consts, in->arg));
        return finish(frame, &value);
    case LZ_OP_YIELD:
        generate(frame);
        return 0;
    case LZ_OP_GENERATOR:
    default:
        frame->generator = true;
        if (frame->result.kind == V_UNSET)
            frame->result = (struct value){.kind = V_ITER};
        frame_push(frame, value_of(V_INERT));
        return 0;
    }
}

static void
annotate(struct frame *frame)
{
    for (int i = 0; i < frame->names; i++) {
        PyObject *name = PyTuple_GET_ITEM(frame->code->co_names, i);
        if (PyUnicode_CompareWithASCIIString(name, "__annotations__") == 0)
            frame->slots[frame->fast + i] = value_fresh(G_ANY);
    }
}

static void
move(struct frame *frame, const struct lz_instruction *in)
{
    struct value value;
    switch (in->op) {
    case LZ_OP_NOTHING:
        break;
    case LZ_OP_POP:
        (void)frame_pop(frame);
        break;
    case LZ_OP_NULL:
        frame_push(frame, value_of(V_NULL));
        break;
    case LZ_OP_CELL:
    case LZ_OP_LOCALS:
    case LZ_OP_ASSERTION:
        frame_push(frame, value_of(V_INERT));
        break;
    case LZ_OP_BUILD_CLASS:
        frame_push(frame, value_of(V_BUILD_CLASS));
        break;
    case LZ_OP_ANNOTATIONS:
        annotate(frame);
        break;
    case LZ_OP_LIST_TO_TUPLE:
    case LZ_OP_STAR:
        if (in->op == LZ_OP_STAR)
            import_star(frame);
        if (in->flag)
            frame_push(frame, value_plain(Py_None));
        break;
    case LZ_OP_FUNCTION_ATTRIBUTE:
        value = frame_pop(frame);
        (void)frame_pop(frame);
        frame_push(frame, value);
        break;
    case LZ_OP_KEYWORDS:
        frame->keywords = name_at(frame->code->co_consts, in->arg);
        if (frame->keywords != NULL && !PyTuple_Check(frame->keywords))
            frame->keywords = NULL;
        break;
    default:
        frame_break(frame, "its code is not understood");
        break;
    }
}

int
body_step_flow(struct frame *frame, const struct lz_instruction *in)
{
    struct value module;
    switch (in->op) {
    case LZ_OP_JUMP:
    case LZ_OP_JUMP_BACK:
        if (jump_to(frame, in->arg, in->back, 0) < 0)
            return -1;
        frame->alive = false;
        return 0;
    case LZ_OP_JUMP_IF:
    case LZ_OP_JUMP_IF_NONE:
        return jump_if(frame, in);
    case LZ_OP_FOR:
        return loop(frame, in);
    case LZ_OP_ITER:
        iterate(frame);
        return 0;
    case LZ_OP_UNPACK:
        unpack(frame, in->arg, false, 0);
        return 0;
    case LZ_OP_UNPACK_EX:
        unpack(frame, in->arg & 255, true, in->arg >> 8);
        return 0;
    case LZ_OP_COPY:
    case LZ_OP_SWAP:
        copy_or_swap(frame, in);
        return 0;
    case LZ_OP_IMPORT:
        return import(frame, in);
    case LZ_OP_IMPORT_FROM:
        module = *frame_top(frame, 0);
        frame_push(frame,
                   import_from(frame, &module,
                               name_at(frame->code->co_names, in->arg)));
        return 0;
    case LZ_OP_FUNCTION:
        function(frame, in->arg);
        return 0;
    case LZ_OP_CALL:
    case LZ_OP_CALL_KEYWORDS:
    case LZ_OP_CALL_EX:
        call_stacked(frame, in);
        return 0;
    case LZ_OP_PUSH_EXCEPTION:
    case LZ_OP_MATCH_EXCEPTION:
    case LZ_OP_RERAISE:
    case LZ_OP_RAISE:
        exceptions(frame, in);
        return 0;
    case LZ_OP_RETURN:
    case LZ_OP_RETURN_CONST:
    case LZ_OP_YIELD:
    case LZ_OP_GENERATOR:
        return leave(frame, in);
    default:
        move(frame, in);
        return 0;
    }
}
