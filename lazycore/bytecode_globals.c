/* What code does with the dict of a module: whether the one that globals()
 * gives is only stored into, so that nobody sees what is pending in it, and
 * whether a loop is over one. See bytecode.h. Needs the GIL; runs no Python
 * code.
 */
#include "lazycore/bytecode_private.h"
#include "lazycore/compat_op.h"

enum use { USE_OTHER, USE_STORES, USE_NAMED };

/* What the instructions after CURSOR do with the dict on top of the stack:
 * `dict.update(...)`, `dict[key] = ...` with a simple key, or `NAME = dict`.
 */
static enum use
use_of(struct cursor *cursor, PyObject *names, PyObject **ret_name)
{
    int above = 0; /* values of the key */
    while (cursor_step_real(cursor)) {
        struct lz_instruction in = lz_op_read(cursor->opcode, cursor->oparg);
        switch (in.op) {
        case LZ_OP_NOTHING:
            break;
        case LZ_OP_CONST:
        case LZ_OP_NAME:
        case LZ_OP_FAST:
            above++;
            break;
        case LZ_OP_GLOBAL:
            if (in.flag)
                return USE_OTHER;
            above++;
            break;
        case LZ_OP_BINARY:
            if (above < 2)
                return USE_OTHER;
            above--;
            break;
        case LZ_OP_ATTR:
            if (above == 0)
                return in.flag && is_called(name_at(names, in.arg), "update")
                           ? USE_STORES
                           : USE_OTHER;
            if (in.flag)
                return USE_OTHER;
            break;
        case LZ_OP_STORE_SUBSCR:
            return above == 1 ? USE_STORES : USE_OTHER;
        case LZ_OP_STORE_NAME:
            *ret_name = name_at(names, in.arg);
            return above == 0 && *ret_name != NULL ? USE_NAMED : USE_OTHER;
        default:
            return USE_OTHER;
        }
    }
    return USE_OTHER;
}

/* Whether `globals` is called at CURSOR, which has loaded a name: it stands on
 * the call then. */
static bool
calls_globals(struct cursor *cursor, PyObject *names)
{
    struct lz_instruction in = lz_op_read(cursor->opcode, cursor->oparg);
    if ((in.op != LZ_OP_NAME && in.op != LZ_OP_GLOBAL) ||
        !is_called(name_at(names, in.arg), "globals"))
        return false;
    while (cursor_step_real(cursor)) {
        in = lz_op_read(cursor->opcode, cursor->oparg);
        if (in.op != LZ_OP_NULL && in.op != LZ_OP_NOTHING)
            return in.op == LZ_OP_CALL && in.arg == 0;
    }
    return false;
}

bool
bytecode_stores_globals(const unsigned char *code, size_t size, int offset,
                        PyObject *names)
{
    struct cursor cursor = {code, size, (size_t)offset, 0, 0};
    PyObject *name;
    return cursor_step_real(&cursor) && calls_globals(&cursor, names) &&
           use_of(&cursor, names, &name) == USE_STORES;
}

static bool
has_nested(PyCodeObject *code, PyObject *name)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_consts); i++) {
        PyObject *item = PyTuple_GET_ITEM(code->co_consts, i);
        if (!PyCode_Check(item))
            continue;
        PyCodeObject *inner = (PyCodeObject *)item;
        for (Py_ssize_t n = 0; n < PyTuple_GET_SIZE(inner->co_names); n++) {
            if (PyTuple_GET_ITEM(inner->co_names, n) == name)
                return true;
        }
        if (has_nested(inner, name))
            return true;
    }
    return false;
}

/* Whether all that CODE does with NAME is to store into it. */
static bool
only_stores_into(PyCodeObject *code, struct cursor cursor, PyObject *name)
{
    PyObject *names = code->co_names, *other;
    cursor.next = 0;
    while (cursor_step_real(&cursor)) {
        struct lz_instruction in = lz_op_read(cursor.opcode, cursor.oparg);
        struct cursor after = cursor;
        if ((in.op == LZ_OP_NAME || in.op == LZ_OP_GLOBAL) &&
            name_at(names, in.arg) == name &&
            use_of(&after, names, &other) != USE_STORES)
            return false;
    }
    return !has_nested(code, name);
}

bool
bytecode_only_stores(PyCodeObject *code, PyObject *bytes, int offset,
                     bool whole)
{
    struct cursor cursor = {(const unsigned char *)PyBytes_AS_STRING(bytes),
                            (size_t)PyBytes_GET_SIZE(bytes), 0, 0, 0};
    PyObject *name = NULL;
    while (cursor_step_real(&cursor)) {
        struct cursor call = cursor;
        if (!calls_globals(&call, code->co_names) ||
            call.next != (size_t)offset + UNIT)
            continue;
        enum use use = use_of(&call, code->co_names, &name);
        return use == USE_STORES || (use == USE_NAMED && whole &&
                                     only_stores_into(code, call, name));
    }
    return false;
}
