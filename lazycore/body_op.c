/* What single instructions do to names and values; containers are
 * body_build.c's, calls and jumps body_flow.c's. See body_private.h. Needs the
 * GIL; runs no Python code.
 */
#include "lazycore/body_private.h"

static struct value *
fast_of(struct frame *frame, int index)
{
    if (index < 0 || index >= frame->fast) {
        frame_break(frame, "its code is not understood");
        frame->nothing = value_of(V_ANY);
        return &frame->nothing;
    }
    return &frame->slots[index];
}

static struct value *
slot_of(struct frame *frame, int index)
{
    if (index < 0 || index >= frame->names) {
        frame_break(frame, "its code is not understood");
        frame->nothing = value_of(V_ANY);
        return &frame->nothing;
    }
    return &frame->slots[frame->fast + index];
}

static void
load_fast(struct frame *frame, int index)
{
    struct value value = *fast_of(frame, index);
    if (value.kind == V_UNSET && index >= frame->code->co_nlocals)
        value = value_of(V_INERT); /* a cell, empty as yet */
    else if (value.kind == V_UNSET || value.maybe_unset)
        value = body_effect(frame->reader, "takes a variable that may be "
                                           "unset");
    frame_push(frame, value);
}

static void
store_fast(struct frame *frame, int index)
{
    struct value value = frame_pop(frame);
    if (value.lazy)
        value = value_of(V_ANY);
    if (value.kind == V_NULL)
        value = value_of(V_UNSET);
    *fast_of(frame, index) = value;
}

static void
load(struct frame *frame, const struct lz_instruction *in)
{
    PyObject *name;
    switch (in->op) {
    case LZ_OP_CONST:
        name = name_at(frame->code->co_consts, in->arg);
        if (name == NULL)
            frame_break(frame, "its code is not understood");
        else
            frame_push(frame, value_plain(name));
        break;
    case LZ_OP_NAME:
    case LZ_OP_GLOBAL:
        name = name_at(frame->code->co_names, in->arg);
        if (name == NULL) {
            frame_break(frame, "its code is not understood");
            break;
        }
        if (in->flag)
            frame_push(frame, value_of(V_NULL));
        frame_push(frame, in->op == LZ_OP_NAME ? name_load(frame, in->arg)
                                               : name_global(frame, name));
        break;
    case LZ_OP_FAST_PAIR:
        load_fast(frame, in->arg >> 4);
        load_fast(frame, in->arg & 15);
        break;
    case LZ_OP_FAST_CLEAR: {
        struct value *slot = fast_of(frame, in->arg);
        frame_push(frame, slot->kind == V_UNSET ? value_of(V_NULL) : *slot);
        *slot = value_of(V_UNSET);
        break;
    }
    case LZ_OP_FAST:
    default:
        load_fast(frame, in->arg);
        break;
    }
}

/* Names by which the interpreter and importlib know a module. */
static bool
is_of_the_import(PyObject *name)
{
    static const char *const names[] = {
        "__path__", "__spec__",    "__loader__",   "__name__",
        "__file__", "__package__", "__builtins__", "__class__"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (PyUnicode_CompareWithASCIIString(name, names[i]) == 0)
            return true;
    }
    return false;
}

static void
note_name(struct frame *frame, PyObject *name)
{
    if (name != NULL && frame->kind == FRAME_MODULE && is_of_the_import(name))
        (void)body_effect(frame->reader, "changes its %s", body_text(name));
}

/* What is on top is given a name. What a generator does then depends on what
 * the names it uses mean later on. */
static struct value
pop_named(struct frame *frame)
{
    struct value value = frame_pop(frame);
    for (int i = 0; i < frame->depth; i++) {
        struct value *waiting = frame_top(frame, i);
        if (waiting->lazy)
            *waiting = value_of(V_ANY);
    }
    return value.lazy ? value_of(V_ANY) : value;
}

static void
store(struct frame *frame, const struct lz_instruction *in)
{
    PyObject *name;
    switch (in->op) {
    case LZ_OP_STORE_NAME:
        name = name_at(frame->code->co_names, in->arg);
        note_name(frame, name);
        *slot_of(frame, in->arg) = pop_named(frame);
        break;
    case LZ_OP_STORE_GLOBAL:
        name = name_at(frame->code->co_names, in->arg);
        if (frame->kind == FRAME_MODULE) {
            note_name(frame, name);
            *slot_of(frame, in->arg) = pop_named(frame);
            break;
        }
        (void)frame_pop(frame);
        (void)body_effect(frame->reader, "changes the global '%s'",
                          body_text(name));
        break;
    case LZ_OP_DELETE_NAME:
        note_name(frame, name_at(frame->code->co_names, in->arg));
        *slot_of(frame, in->arg) = value_of(V_UNSET);
        break;
    case LZ_OP_STORE_FAST_PAIR:
        store_fast(frame, in->arg >> 4);
        store_fast(frame, in->arg & 15);
        break;
    case LZ_OP_STORE_LOAD_FAST:
        store_fast(frame, in->arg >> 4);
        load_fast(frame, in->arg & 15);
        break;
    case LZ_OP_DELETE_FAST:
        *fast_of(frame, in->arg) = value_of(V_UNSET);
        break;
    case LZ_OP_STORE_DEREF:
        if (in->arg >= frame->fast - frame->code->co_nfreevars)
            (void)body_effect(frame->reader,
                              "changes a variable of another function");
        store_fast(frame, in->arg);
        break;
    case LZ_OP_STORE_FAST:
    default:
        store_fast(frame, in->arg);
        break;
    }
}

static void
attribute(struct frame *frame, const struct lz_instruction *in)
{
    PyObject *name = name_at(frame->code->co_names, in->arg);
    if (name == NULL) {
        frame_break(frame, "its code is not understood");
        return;
    }
    struct value object = frame_pop(frame);
    if (in->op == LZ_OP_ATTR) {
        if (in->flag)
            frame_push(frame, value_of(V_NULL));
        frame_push(frame, attr_load(frame, &object, name));
    } else if (in->op == LZ_OP_STORE_ATTR) {
        struct value value = frame_pop(frame);
        attr_store(frame, &object, name, &value);
    } else {
        attr_store(frame, &object, name, NULL);
    }
}

/* Operators */

/* What `/` joins to another one. */
static bool
is_path(const struct value *value)
{
    return value->kind == V_STD && PyUnicode_CompareWithASCIIString(
                                       value->object, "pathlib.Path()") == 0;
}

/* Of the COUNT values on top. */
static struct value
operator(struct frame *frame, int count, bool in_place)
{
    bool inert = true, plain = true, fresh = false;
    enum grade grade = G_PLAIN;
    struct value path = value_of(V_UNSET);
    for (int i = 0; i < count && !frame->broken; i++) {
        struct value value = frame_pop(frame);
        bool first = i == count - 1;
        inert = inert && value_is_inert(frame->reader, &value);
        plain = plain && value.kind == V_PLAIN;
        fresh = fresh || value.kind == V_FRESH;
        if (is_path(&value))
            path = value;
        if (value.kind == V_FRESH)
            grade = grade_worse(grade, (enum grade)value.grade);
        if (first && in_place && value.kind != V_PLAIN &&
            value.kind != V_FRESH)
            inert = false;
    }
    if (!inert)
        return body_effect(frame->reader,
                           "has an operator on what is not known");
    return plain                  ? value_plain(NULL)
           : fresh                ? value_fresh(grade_worse(grade, G_INERT))
           : path.kind != V_UNSET ? path
                                  : value_of(V_INERT);
}

static bool
is_comparable(PyObject *object)
{
    return PyUnicode_CheckExact(object) || PyLong_CheckExact(object) ||
           (PyTuple_Check(object) &&
            Py_TYPE(object)->tp_richcompare == PyTuple_Type.tp_richcompare);
}

/* Known where both are constants. */
static void
compare(struct frame *frame, int how)
{
    struct value right = *frame_top(frame, 0);
    struct value left = *frame_top(frame, 1);
    struct value result = operator(frame, 2, false);
    if (left.kind == V_PLAIN && right.kind == V_PLAIN && left.object != NULL &&
        right.object != NULL && how >= Py_LT && how <= Py_GE &&
        is_comparable(left.object) && is_comparable(right.object)) {
        int answer = PyObject_RichCompareBool(left.object, right.object, how);
        if (answer < 0)
            PyErr_Clear();
        else
            result = value_plain(answer ? Py_True : Py_False);
    } else if (result.kind != V_ANY) {
        result = value_plain(NULL);
    }
    frame_push(frame, result);
}

static void
operate(struct frame *frame, const struct lz_instruction *in)
{
    struct value value;
    int truth;
    switch (in->op) {
    case LZ_OP_BINARY:
        frame_push(frame, operator(frame, 2, in->arg >= NB_INPLACE_ADD));
        break;
    case LZ_OP_COMPARE:
        compare(frame, in->arg);
        break;
    case LZ_OP_IS:
        (void)frame_pop(frame);
        (void)frame_pop(frame);
        frame_push(frame, value_plain(NULL));
        break;
    case LZ_OP_CONTAINS:
        value = operator(frame, 2, false);
        frame_push(frame, value.kind == V_ANY ? value : value_plain(NULL));
        break;
    case LZ_OP_NOT:
    case LZ_OP_BOOL:
        truth = value_truth(frame_top(frame, 0));
        (void)operator(frame, 1, false);
        if (in->op == LZ_OP_NOT && truth >= 0)
            truth = !truth;
        frame_push(frame, truth < 0    ? value_plain(NULL)
                          : truth == 1 ? value_plain(Py_True)
                                       : value_plain(Py_False));
        break;
    case LZ_OP_UNARY:
    default:
        frame_push(frame, operator(frame, 1, false));
        break;
    }
}

int
body_step(struct frame *frame, const struct lz_instruction *in)
{
    if (in->op >= LZ_OP_CONST && in->op <= LZ_OP_FAST_CLEAR)
        load(frame, in);
    else if (in->op >= LZ_OP_STORE_NAME && in->op <= LZ_OP_DELETE_FAST)
        store(frame, in);
    else if (in->op >= LZ_OP_ATTR && in->op <= LZ_OP_DELETE_ATTR)
        attribute(frame, in);
    else if (in->op >= LZ_OP_BINARY && in->op <= LZ_OP_CONTAINS)
        operate(frame, in);
    else
        return body_step_build(frame, in);
    return 0;
}
