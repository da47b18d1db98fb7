/* Reading import statements, guards and effects off the bytecode.
 *
 * Leaves every decision to policy.c. See bytecode.h; opcodes that differ
 * between versions are in compat.h.
 */
#include "lazycore/bytecode_private.h"
#include "lazycore/compat_op.h"

static bool
same_text(PyObject *a, PyObject *b)
{
    if (a == NULL || b == NULL)
        return false;
    return a == b || (PyUnicode_Check(a) && PyUnicode_Check(b) &&
                      PyUnicode_Compare(a, b) == 0);
}

/* The argument of the instruction at OFFSET, whose EXTENDED_ARGs, if any,
 * stand before it. */
static int
oparg_at(const unsigned char *code, int offset)
{
    unsigned oparg = code[offset + 1];
    unsigned shift = 8;
    for (int at = offset - UNIT;
         at >= 0 && shift < 32 && code[at] == EXTENDED_ARG; at -= UNIT) {
        oparg |= (unsigned)code[at + 1] << shift;
        shift += 8;
    }
    return (int)(oparg & INT_MAX);
}

/* Instructions to read for FRAME: the live ones, or clean ones (owned by
 * *ret_owned) where instrumentation hides them. NULL with an exception. */
static const unsigned char *
frame_instructions(PyCodeObject *code, int offset, size_t *ret_size,
                   PyObject **ret_owned)
{
    size_t size = (size_t)Py_SIZE(code) * UNIT;
    const unsigned char *units = LZ_CODE_UNITS(code);
    bool hidden = false;
    size_t end = (size_t)offset + 64 < size ? (size_t)offset + 64 : size;
    for (size_t at = (size_t)offset; at < end && !hidden; at += UNIT)
        hidden = lz_op_is_instrumented(units[at]);
    *ret_size = size;
    if (!hidden)
        return units;
    *ret_owned = lz_code_bytes(code);
    if (*ret_owned == NULL)
        return NULL;
    *ret_size = (size_t)PyBytes_GET_SIZE(*ret_owned);
    return (const unsigned char *)PyBytes_AS_STRING(*ret_owned);
}

static PyObject *
store_name(const struct cursor *cursor, PyObject *names)
{
    if (cursor->opcode != STORE_NAME && cursor->opcode != STORE_GLOBAL)
        return NULL;
    return name_at(names, cursor->oparg);
}

/* IMPORT_FROM x, STORE x, ..., POP_TOP; or IMPORT_FROM, SWAP, POP_TOP, ...
 * STORE for an alias. CURSOR stands on the first IMPORT_FROM. */
static bool
read_from(struct cursor *cursor, PyObject *names, struct lz_statement *out)
{
    out->shape = LZ_SHAPE_FROM;
    while (cursor->opcode == IMPORT_FROM) {
        PyObject *attr = name_at(names, cursor->oparg);
        if (attr == NULL || out->count == LZ_STATEMENT_NAMES_MAX ||
            !cursor_step(cursor))
            return false;
        PyObject *stored = store_name(cursor, names);
        if (stored == NULL || !cursor_step(cursor))
            return false;
        out->attrs[out->count] = attr;
        out->stored[out->count++] = stored;
    }
    return cursor->opcode == POP_TOP && out->count > 0;
}

/* IMPORT_FROM b, SWAP, POP_TOP, IMPORT_FROM c, STORE d, POP_TOP for `import
 * a.b.c as d`. */
static bool
read_alias(struct cursor *cursor, PyObject *names, struct lz_statement *out)
{
    out->shape = LZ_SHAPE_ALIAS;
    while (cursor->opcode == IMPORT_FROM) {
        out->depth++;
        if (!cursor_step(cursor))
            return false;
        if (cursor->opcode != SWAP)
            break;
        if (!cursor_step(cursor) || cursor->opcode != POP_TOP ||
            !cursor_step(cursor))
            return false;
    }
    out->stored[0] = store_name(cursor, names);
    out->count = 1;
    return out->stored[0] != NULL;
}

static bool
read_shape(struct cursor *cursor, PyObject *names, bool has_fromlist,
           struct lz_statement *out)
{
    if (!cursor_step(cursor))
        return false;
    if (lz_op_is_star(cursor->opcode, cursor->oparg)) {
        out->shape = LZ_SHAPE_STAR;
        return true;
    }
    if (cursor->opcode == IMPORT_FROM)
        return has_fromlist ? read_from(cursor, names, out)
                            : read_alias(cursor, names, out);
    out->stored[0] = store_name(cursor, names);
    out->count = 1;
    out->shape = LZ_SHAPE_IMPORT;
    return out->stored[0] != NULL && !has_fromlist;
}

/* `import a` and `import a as b` alike bind the module itself: an alias of
 * depth 0. */
static void
mark_alias(PyObject *name, struct lz_statement *out)
{
    if (out->shape != LZ_SHAPE_IMPORT)
        return;
    Py_ssize_t length = PyUnicode_GET_LENGTH(name);
    Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, length, 1);
    if (dot < 0)
        out->shape = LZ_SHAPE_ALIAS;
}

int
bytecode_statement(PyFrameObject *frame, PyObject *name, bool from,
                   struct lz_statement *ret_statement)
{
    struct lz_statement *out = ret_statement;
    out->shape = LZ_SHAPE_UNKNOWN;
    out->count = out->depth = out->line = 0;
    int result = 0;
    PyObject *owned = NULL;
    PyCodeObject *code = PyFrame_GetCode(frame);
    int offset = PyFrame_GetLasti(frame);
    size_t size;
    if (offset < 0)
        goto done;
    const unsigned char *units =
        frame_instructions(code, offset, &size, &owned);
    if (units == NULL) {
        result = -1;
        goto done;
    }
    if ((size_t)offset + UNIT > size || units[offset] != IMPORT_NAME)
        goto done;
    out->name = name_at(code->co_names, oparg_at(units, offset));
    if (!same_text(out->name, name))
        goto done;
    out->code = code;
    out->offset = offset;
    result = 1;
    struct cursor cursor = {units, size, (size_t)offset + UNIT, 0, 0};
    if (!read_shape(&cursor, code->co_names, from, out))
        out->shape = LZ_SHAPE_UNKNOWN;
    mark_alias(name, out);
    out->end = (int)cursor.next;
done:
    Py_XDECREF(owned);
    Py_DECREF(code); /* the frame holds its own */
    return result;
}

/* Objects/locations.md of CPython: a number of 6 bits a byte, the lowest
 * first; bit 6 says that more follow. */
static int
read_line_delta(const unsigned char *table, size_t size, size_t at)
{
    unsigned value = 0;
    for (unsigned shift = 0; at < size && shift < 30; shift += 6, at++) {
        value |= (table[at] & 63u) << shift;
        if ((table[at] & 64u) == 0)
            break;
    }
    return (value & 1) != 0 ? -(int)(value >> 1) : (int)(value >> 1);
}

/* What the entry at AT, which begins with its kind, adds to the line. */
static int
line_delta(const unsigned char *table, size_t size, size_t at)
{
    switch (table[at] >> 3 & 15) {
    case 11:
        return 1;
    case 12:
        return 2;
    case 13: /* no columns */
    case 14: /* long form */
        return read_line_delta(table, size, at + 1);
    default:
        return 0;
    }
}

int
bytecode_line(PyCodeObject *code, int offset, struct lz_lines *lines)
{
    const unsigned char *table =
        (const unsigned char *)PyBytes_AS_STRING(code->co_linetable);
    size_t size = (size_t)PyBytes_GET_SIZE(code->co_linetable);
    if (lines->at == 0 || offset < lines->start)
        *lines = (struct lz_lines){0, 0, code->co_firstlineno};
    while (lines->at < size) {
        int end = lines->start + ((table[lines->at] & 7) + 1) * UNIT;
        int line = lines->line + line_delta(table, size, lines->at);
        if (offset < end)
            return table[lines->at] >> 3 == 31 ? -1 : line;
        lines->line = line;
        lines->start = end;
        do
            lines->at++;
        while (lines->at < size && table[lines->at] < 128);
    }
    return -1;
}

bool
bytecode_follows(const struct lz_statement *statement, int end)
{
    const unsigned char *units = LZ_CODE_UNITS(statement->code);
    if (end <= 0 || end > statement->offset)
        return false;
    for (int at = end; at < statement->offset; at += UNIT) {
        switch (units[at]) {
        case LOAD_CONST:
        case EXTENDED_ARG:
        case POP_TOP:
        case NOP:
            break;
        default:
            return false;
        }
    }
    return true;
}

PyObject *
bytecode_stored_name(PyFrameObject *frame, bool *ret_star, bool *ret_attribute)
{
    *ret_star = *ret_attribute = false;
    PyObject *result = NULL;
    PyObject *owned = NULL;
    PyCodeObject *code = PyFrame_GetCode(frame);
    int offset = PyFrame_GetLasti(frame);
    size_t size;
    if (offset < 0)
        goto done;
    const unsigned char *units =
        frame_instructions(code, offset, &size, &owned);
    if (units == NULL) {
        PyErr_Clear();
        goto done;
    }
    if ((size_t)offset + UNIT > size)
        goto done;
    switch (units[offset]) {
    case STORE_NAME:
    case DELETE_NAME:
    case STORE_GLOBAL:
    case DELETE_GLOBAL:
        result = name_at(code->co_names, oparg_at(units, offset));
        break;
    case LOAD_NAME: /* most look-ups: none of these hides another */
    case LOAD_GLOBAL:
    case LOAD_ATTR:
    case IMPORT_FROM:
        goto done;
    default:
        *ret_star = lz_op_is_star(units[offset], oparg_at(units, offset));
        break;
    }
    if (result == NULL && !*ret_star) {
        /* STORE_ATTR specialises: ask the clean instructions. */
        if (owned == NULL)
            owned = lz_code_bytes(code);
        if (owned == NULL) {
            PyErr_Clear();
            goto done;
        }
        units = (const unsigned char *)PyBytes_AS_STRING(owned);
        if ((size_t)offset + UNIT <= (size_t)PyBytes_GET_SIZE(owned) &&
            (units[offset] == STORE_ATTR || units[offset] == DELETE_ATTR)) {
            *ret_attribute = true;
            result = name_at(code->co_names, oparg_at(units, offset));
        }
    }
done:
    Py_XDECREF(owned);
    Py_DECREF(code);
    return result;
}

/* Exception table */

/* Objects/exception_handling_notes.txt of CPython: entries of four varints
 * of 6 bits a byte; bit 6 says that more follow, bit 7 marks a start. */
static bool
read_varint(const unsigned char *table, size_t size, size_t *at,
            unsigned *ret_value)
{
    if (*at >= size)
        return false;
    unsigned value = table[*at] & 63u;
    while (table[*at] & 64u) {
        if (++*at >= size || value > UINT_MAX >> 6)
            return false;
        value = value << 6 | (table[*at] & 63u);
    }
    ++*at;
    *ret_value = value;
    return true;
}

bool
bytecode_next_handler(const unsigned char *table, size_t size, size_t *at,
                      struct lz_handler *ret)
{
    unsigned start, length, target, depth;
    if (!read_varint(table, size, at, &start) ||
        !read_varint(table, size, at, &length) ||
        !read_varint(table, size, at, &target) ||
        !read_varint(table, size, at, &depth))
        return false;
    *ret = (struct lz_handler){
        .start = start,
        .length = length,
        .target = target > INT_MAX / UNIT ? INT_MAX : (int)(target * UNIT),
        .depth = (int)(depth >> 1 & INT_MAX),
        .lasti = (depth & 1) != 0,
    };
    return true;
}

bool
bytecode_handler(const unsigned char *table, size_t size, int offset,
                 struct lz_handler *ret_handler)
{
    size_t at = 0;
    unsigned unit = (unsigned)offset / UNIT;
    while (bytecode_next_handler(table, size, &at, ret_handler)) {
        if (unit >= ret_handler->start &&
            unit - ret_handler->start < ret_handler->length)
            return true;
    }
    return false;
}

bool
bytecode_guarded(const unsigned char *table, size_t size, int offset)
{
    struct lz_handler handler;
    return bytecode_handler(table, size, offset, &handler);
}

/* Whether the handler at TARGET is that of except clauses: the exception is
 * pushed, and then thrown away or matched with what names denote. */
static bool
opens_except(const unsigned char *code, size_t size, int target)
{
    struct cursor cursor = {code, size, (size_t)target, 0, 0};
    if (!cursor_step_real(&cursor) || cursor.opcode != PUSH_EXC_INFO ||
        !cursor_step_real(&cursor))
        return false;
    if (cursor.opcode == POP_TOP)
        return true;
    while (cursor.opcode == LOAD_NAME || cursor.opcode == LOAD_GLOBAL ||
           cursor.opcode == LOAD_ATTR || cursor.opcode == BUILD_TUPLE) {
        if (!cursor_step_real(&cursor))
            return false;
    }
    return cursor.opcode == CHECK_EXC_MATCH;
}

bool
bytecode_leaves_handler(const unsigned char *code, size_t size, int target)
{
    struct cursor cursor = {code, size, (size_t)target, 0, 0};
    return cursor_step_real(&cursor) && cursor.opcode == COPY &&
           cursor_step_real(&cursor) && cursor.opcode == POP_EXCEPT &&
           cursor_step_real(&cursor) && cursor.opcode == RERAISE;
}

enum lz_guard
bytecode_guard(const unsigned char *code, size_t code_size,
               const unsigned char *table, size_t size, int offset)
{
    enum { NESTED_MAX = 50 };
    struct lz_handler handler;
    enum lz_guard guard = LZ_GUARD_NONE;
    for (int i = 0; i < NESTED_MAX; i++) {
        if (!bytecode_handler(table, size, offset, &handler))
            return guard;
        guard = LZ_GUARD_EXCEPT;
        offset = handler.target;
        if (opens_except(code, code_size, offset))
            offset += UNIT;
        else if (!bytecode_leaves_handler(code, code_size, offset))
            break;
    }
    return LZ_GUARD_OTHER;
}

int
bytecode_handled_to(const unsigned char *table, size_t size, int target)
{
    struct lz_handler handler;
    size_t at = 0;
    unsigned end = 0;
    while (bytecode_next_handler(table, size, &at, &handler)) {
        if (handler.target == target && handler.length < INT_MAX / UNIT &&
            handler.start < INT_MAX / UNIT &&
            handler.start + handler.length > end)
            end = handler.start + handler.length;
    }
    return end > INT_MAX / UNIT ? INT_MAX : (int)(end * UNIT);
}

/* effects */

static bool
ends_statement(int opcode)
{
    switch (opcode) {
    case RESUME:
    case NOP:
    case POP_TOP:
    case STORE_NAME:
    case STORE_GLOBAL:
    case STORE_ATTR:
    case DELETE_NAME:
    case DELETE_GLOBAL:
    case DELETE_ATTR:
    case DELETE_SUBSCR:
    case BEFORE_WITH:
    case POP_EXCEPT:
    case PUSH_EXC_INFO:
        return true;
    default:
        return lz_op_stores_subscript(opcode);
    }
}

int
bytecode_next_effect(const unsigned char *code, size_t size, PyObject *names,
                     int from)
{
    struct cursor cursor = {code, size, (size_t)from, 0, 0};
    PyObject *first = NULL;   /* first name loaded by this statement */
    PyObject *two_ago = NULL; /* name loaded two instructions ago */
    PyObject *last = NULL;
    int call = -1;    /* offset of a call that may turn out a statement */
    bool own = false; /* this statement stores into the module itself */
    while (cursor_step_real(&cursor)) {
        int offset = (int)(cursor.next - UNIT);
        int opcode = cursor.opcode;
        if (opcode == POP_TOP && call >= 0 && first != NULL &&
            !is_called(first, "__all__") && !own)
            return call;
        if ((lz_op_stores_subscript(opcode) &&
             !is_called(two_ago, "__annotations__") &&
             !is_called(first, "__all__")) ||
            opcode == STORE_ATTR || opcode == DELETE_ATTR ||
            opcode == DELETE_SUBSCR)
            return offset;
        call = lz_op_is_call(opcode) ? offset : -1;
        own = own && lz_op_read(opcode, cursor.oparg).op != LZ_OP_JUMP_IF;
        int index = lz_op_loaded_name(opcode, cursor.oparg);
        PyObject *loaded = index >= 0 ? name_at(names, index) : NULL;
        two_ago = last;
        last = loaded;
        if (ends_statement(opcode)) {
            first = NULL;
        } else if (first == NULL && loaded != NULL) {
            first = loaded;
            own = bytecode_stores_globals(code, size, offset, names);
        }
    }
    return INT_MAX;
}
