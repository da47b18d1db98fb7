/* What except clauses around an instruction are for. See bytecode.h. Needs the
 * GIL; runs no Python code.
 */
#include "lazycore/bytecode_private.h"
#include "lazycore/compat_op.h"

/* The one name of an except clause that CURSOR stands at, which it goes past;
 * NULL: it has another form. */
static PyObject *
clause_name(struct cursor *cursor, PyObject *names)
{
    struct lz_instruction in;
    if (!cursor_step_real(cursor))
        return NULL;
    in = lz_op_read(cursor->opcode, cursor->oparg);
    if (in.op != LZ_OP_NAME || !cursor_step_real(cursor) ||
        cursor->opcode != CHECK_EXC_MATCH)
        return NULL;
    return name_at(names, in.arg);
}

/* Whether all clauses of the handler at TARGET are for an ImportError. */
static bool
clauses_expect(PyCodeObject *code, PyObject *bytes, int target)
{
    struct cursor cursor = {(const unsigned char *)PyBytes_AS_STRING(bytes),
                            (size_t)PyBytes_GET_SIZE(bytes), (size_t)target, 0,
                            0};
    if (!cursor_step_real(&cursor) || cursor.opcode != PUSH_EXC_INFO)
        return false;
    for (;;) {
        struct cursor ahead = cursor;
        if (cursor_step_real(&ahead) && ahead.opcode == RERAISE)
            return true;
        PyObject *name = clause_name(&cursor, code->co_names);
        if (!(is_called(name, "ImportError") ||
              is_called(name, "ModuleNotFoundError")) ||
            !cursor_step_real(&cursor))
            return false;
        struct lz_instruction in = lz_op_read(cursor.opcode, cursor.oparg);
        if (in.op != LZ_OP_JUMP_IF || in.flag || in.back)
            return false;
        while (cursor.next < cursor.size && cursor.code[cursor.next] == CACHE)
            cursor.next += UNIT;
        cursor.next += (size_t)in.arg * UNIT;
    }
}

bool
bytecode_expects_import_error(PyCodeObject *code, PyObject *bytes, int offset)
{
    enum { NESTED_MAX = 50 };
    const unsigned char *table =
        (const unsigned char *)PyBytes_AS_STRING(code->co_exceptiontable);
    size_t size = (size_t)PyBytes_GET_SIZE(code->co_exceptiontable);
    struct lz_handler handler;
    if (!bytecode_handler(table, size, offset, &handler) ||
        !clauses_expect(code, bytes, handler.target))
        return false;
    offset = handler.target + UNIT;
    for (int i = 0; i < NESTED_MAX; i++) {
        if (!bytecode_handler(table, size, offset, &handler))
            return true;
        if (!bytecode_leaves_handler(
                (const unsigned char *)PyBytes_AS_STRING(bytes),
                (size_t)PyBytes_GET_SIZE(bytes), handler.target))
            return false;
        offset = handler.target;
    }
    return false;
}
