/* Following one code object to its end, over all its ways.
 *
 * The instructions are gone through in their order; the state at a jump's
 * target is joined from all that jump there. Where something jumps back, and
 * brings something new, it is gone through once more. Needs the GIL; see
 * body_private.h.
 */
#include "lazycore/body_private.h"

#include <stdio.h>
#include <string.h>

static size_t
slots_size(const struct frame *frame, int depth)
{
    return sizeof(struct value) * (size_t)(frame->fast + frame->names + depth);
}

static struct value *
stack_of(const struct frame *frame)
{
    return frame->slots + frame->fast + frame->names;
}

void
frame_break(struct frame *frame, const char *why)
{
    if (!frame->broken)
        (void)body_effect(frame->reader, "%s", why);
    frame->broken = true;
    frame->alive = false;
}

struct value *
frame_top(struct frame *frame, int below)
{
    if (below < 0 || below >= frame->depth) {
        frame_break(frame, "its code is not understood");
        frame->nothing = value_of(V_ANY);
        return &frame->nothing;
    }
    return stack_of(frame) + frame->depth - 1 - below;
}

struct value
frame_pop(struct frame *frame)
{
    struct value value = *frame_top(frame, 0);
    if (frame->depth > 0)
        frame->depth--;
    return value;
}

void
frame_push(struct frame *frame, struct value value)
{
    if (frame->depth >= frame->room) {
        frame_break(frame, "its code is not understood");
        return;
    }
    stack_of(frame)[frame->depth++] = value;
}

bool
frame_is_handled(const struct frame *frame)
{
    PyObject *table = frame->code->co_exceptiontable;
    return bytecode_guarded((const unsigned char *)PyBytes_AS_STRING(table),
                            (size_t)PyBytes_GET_SIZE(table), frame->begin);
}

bool
frame_is_conditional(const struct frame *frame)
{
    return frame->cold || frame->begin < frame->sure_from ||
           frame->kind == FRAME_FUNCTION || frame_is_handled(frame) ||
           (frame->back != NULL && frame_is_conditional(frame->back));
}

static void
taint(struct value *values, Py_ssize_t count, enum grade grade)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        if ((values[i].kind == V_FRESH || values[i].kind == V_ITER ||
             values[i].kind == V_METHOD) &&
            values[i].grade < grade)
            values[i].grade = (unsigned char)grade;
    }
}

void
frame_taint(struct frame *frame, enum grade grade)
{
    for (struct klass *klass = frame->reader->classes; klass != NULL;
         klass = klass->next)
        taint(klass->values, klass->count, grade);
    for (; frame != NULL; frame = frame->back) {
        if (frame->slots != NULL)
            taint(frame->slots, frame->fast + frame->names + frame->depth,
                  grade);
    }
}

void
frame_again(struct frame *frame)
{
    for (; frame != NULL; frame = frame->back)
        frame->again = true;
}

/* That COUNT things were looked at, EACH of which are as much work as one
 * instruction. Whether there may be more. */
static bool
charge(struct frame *frame, Py_ssize_t count, Py_ssize_t each)
{
    frame->reader->steps += (unsigned)(count / each);
    if (frame->reader->steps <= BODY_STEPS_MAX)
        return true;
    frame_break(frame, "it is too long to be followed");
    return false;
}

/* What is there at TARGET, of DEPTH values, has come about also. 0 or -1. */
static int
join_at(struct frame *frame, int target, const struct value *slots, int depth)
{
    if (target < 0 || (target & 1) != 0 ||
        target > (int)PyBytes_GET_SIZE(frame->bytes)) {
        frame_break(frame, "its code is not understood");
        return 0;
    }
    int at = target / UNIT;
    struct value *saved = frame->saved[at];
    if (!charge(frame, frame->fast + frame->names, BODY_STEP_VALUES))
        return 0;
    if (saved == NULL) {
        size_t size = slots_size(frame, frame->room);
        if (size > BODY_SAVED_MAX - frame->reader->saved) {
            frame_break(frame, "it is too long to be followed");
            return 0;
        }
        saved = PyMem_Malloc(size);
        if (saved == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        memcpy(saved, slots, slots_size(frame, depth));
        frame->reader->saved += size;
        frame->saved[at] = saved;
        frame->saved_depth[at] = depth;
        frame->again = frame->again || target <= frame->begin;
        return 0;
    }
    if (frame->saved_depth[at] != depth) {
        frame_break(frame, "its code is not understood");
        return 0;
    }
    int count = frame->fast + frame->names + depth;
    for (int i = 0; i < count; i++) {
        if (value_same(&saved[i], &slots[i]))
            continue;
        struct value joined = value_join(&saved[i], &slots[i]);
        if (!value_same(&saved[i], &joined)) {
            saved[i] = joined;
            frame->again = frame->again || target <= frame->begin;
        }
    }
    return 0;
}

int
frame_end(struct frame *frame)
{
    return join_at(frame, (int)PyBytes_GET_SIZE(frame->bytes), frame->slots,
                   0);
}

int
frame_jump(struct frame *frame, int target)
{
    if (target > frame->begin && target > frame->sure_from &&
        frame->kind != FRAME_FUNCTION)
        frame->sure_from = target;
    return join_at(frame, target, frame->slots, frame->depth);
}

/* What handles an exception at this instruction gets the state, too. */
static int
jump_to_handler(struct frame *frame)
{
    struct lz_handler handler;
    PyObject *table = frame->code->co_exceptiontable;
    if (!charge(frame, PyBytes_GET_SIZE(table), BODY_STEP_BYTES))
        return 0;
    if (!bytecode_handler((const unsigned char *)PyBytes_AS_STRING(table),
                          (size_t)PyBytes_GET_SIZE(table), frame->begin,
                          &handler))
        return 0;
    int depth = handler.depth + (handler.lasti ? 2 : 1);
    if (handler.depth > frame->depth || depth > frame->room) {
        frame_break(frame, "its code is not understood");
        return 0;
    }
    size_t size = slots_size(frame, frame->room);
    struct value *slots = PyMem_Malloc(size);
    if (slots == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(slots, frame->slots, slots_size(frame, handler.depth));
    struct value *top = slots + frame->fast + frame->names + handler.depth;
    if (handler.lasti)
        *top++ = value_plain(NULL);
    *top = value_of(V_INERT);
    int result = join_at(frame, handler.target, slots, depth);
    PyMem_Free(slots);
    return result;
}

/* Take up what jumps have brought to the instruction at BEGIN. */
static int
arrive(struct frame *frame)
{
    int at = frame->begin / UNIT;
    if (frame->saved[at] == NULL)
        return 0;
    if (frame->alive &&
        join_at(frame, frame->begin, frame->slots, frame->depth) < 0)
        return -1;
    if (frame->broken)
        return 0;
    frame->depth = frame->saved_depth[at];
    memcpy(frame->slots, frame->saved[at], slots_size(frame, frame->depth));
    frame->alive = true;
    return 0;
}

/* Lines are said of the module itself, where the subject's own code runs. */
static void
note_place(struct frame *frame)
{
    struct lz_reader *reader = frame->reader;
    if (frame->unit == reader->subject && frame->kind != FRAME_FUNCTION) {
        reader->code = frame->code;
        reader->offset = frame->begin;
    }
}

static int
step(struct frame *frame, const struct cursor *cursor)
{
    struct lz_reader *reader = frame->reader;
    struct lz_instruction in = lz_op_read(cursor->opcode, cursor->oparg);
    if (++reader->steps > BODY_STEPS_MAX) {
        frame_break(frame, "it is too long to be followed");
        return 0;
    }
    note_place(frame);
    if (jump_to_handler(frame) < 0)
        return -1;
    if (!frame->broken && body_step(frame, &in) < 0)
        return -1;
    return PyErr_Occurred() ? -1 : 0;
}

static int
pass(struct frame *frame)
{
    struct cursor cursor = {
        (const unsigned char *)PyBytes_AS_STRING(frame->bytes),
        (size_t)PyBytes_GET_SIZE(frame->bytes), 0, 0, 0};
    const unsigned char *code = cursor.code;
    frame->again = frame->cold = false;
    frame->sure_from = frame->handled_to = 0;
    for (;;) {
        while (cursor.next < cursor.size && code[cursor.next] == CACHE)
            cursor.next += UNIT;
        frame->begin = (int)cursor.next;
        if (!cursor_step(&cursor))
            break;
        size_t next = cursor.next;
        while (next < cursor.size && code[next] == CACHE)
            next += UNIT;
        frame->next = (int)next;
        if (arrive(frame) < 0)
            return -1;
        if (frame->alive && step(frame, &cursor) < 0)
            return -1;
        if (frame->broken)
            return 0;
    }
    if (frame->alive) /* it goes on behind its end */
        frame_break(frame, "its code is not understood");
    return 0;
}

/* All ways to the end have been gone: what holds on all of them. */
static void
end(struct frame *frame)
{
    size_t last = (size_t)PyBytes_GET_SIZE(frame->bytes) / UNIT;
    frame->depth = 0;
    if (frame->saved[last] != NULL)
        memcpy(frame->slots, frame->saved[last], slots_size(frame, 0));
    else if (frame->kind != FRAME_FUNCTION)
        frame_break(frame, "it never comes to its end");
}

static int
frame_alloc(struct frame *frame)
{
    PyCodeObject *code = frame->code;
    frame->bytes = lz_code_bytes(code);
    if (frame->bytes == NULL)
        return -1;
    if (code->co_stacksize > BODY_STACK_MAX) {
        frame_break(frame, "its code is not understood");
        return 0;
    }
    frame->fast = code->co_nlocalsplus;
    frame->names = (int)PyTuple_GET_SIZE(code->co_names);
    frame->room = code->co_stacksize + 2;
    size_t units = (size_t)PyBytes_GET_SIZE(frame->bytes) / UNIT + 1;
    frame->slots = PyMem_Calloc(1, slots_size(frame, frame->room));
    frame->saved = PyMem_Calloc(units, sizeof(*frame->saved));
    frame->saved_depth = PyMem_Calloc(units, sizeof(*frame->saved_depth));
    if (frame->slots == NULL || frame->saved == NULL ||
        frame->saved_depth == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

static void
begin(struct frame *frame, const struct value *init, int count)
{
    memset(frame->slots, 0, slots_size(frame, 0));
    if (init != NULL)
        memcpy(frame->slots, init, sizeof(*init) * (size_t)count);
    int free_from = frame->fast - frame->code->co_nfreevars;
    for (int i = free_from < 0 ? 0 : free_from; i < frame->fast; i++)
        frame->slots[i] = value_of(V_ANY);
    frame->depth = 0;
    frame->alive = true;
}

int
frame_run(struct frame *frame, const struct value *init, int count)
{
    struct lz_reader *reader = frame->reader;
    if (reader->depth >= BODY_DEPTH_MAX) {
        frame_break(frame, "its calls are nested too deep to be followed");
        return 0;
    }
    reader->depth++;
    int result = frame_alloc(frame);
    for (int passes = 0; result == 0 && !frame->broken; passes++) {
        if (passes == BODY_PASSES_MAX) {
            frame_break(frame, "its loops are not understood");
            break;
        }
        begin(frame, init, count);
        result = pass(frame);
        if (!frame->again)
            break;
    }
    if (result == 0 && !frame->broken)
        end(frame);
    reader->depth--;
    return result;
}

void
frame_done(struct frame *frame)
{
    size_t units = frame->bytes == NULL || frame->saved == NULL
                       ? 0
                       : (size_t)PyBytes_GET_SIZE(frame->bytes) / UNIT + 1;
    for (size_t i = 0; i < units; i++) {
        if (frame->saved[i] != NULL)
            frame->reader->saved -= slots_size(frame, frame->room);
        PyMem_Free(frame->saved[i]);
    }
    PyMem_Free(frame->saved);
    PyMem_Free(frame->saved_depth);
    PyMem_Free(frame->slots);
    Py_CLEAR(frame->bytes);
    frame->saved = NULL;
    frame->slots = NULL;
    frame->saved_depth = NULL;
}
