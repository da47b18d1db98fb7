/* Whether a module's code binds a name whatever way it takes. See bytecode.h.
 * Needs the GIL; runs no Python code.
 */
#include "lazycore/bytecode_private.h"
#include "lazycore/compat_op.h"

/* Whether nothing but a jump comes to what follows the instruction. */
static bool
ends_way(const struct lz_instruction *in)
{
    return in->op == LZ_OP_RETURN || in->op == LZ_OP_RETURN_CONST ||
           in->op == LZ_OP_RAISE || in->op == LZ_OP_RERAISE ||
           in->op == LZ_OP_JUMP || in->op == LZ_OP_JUMP_BACK;
}

static bool
jumps_ahead(const struct lz_instruction *in)
{
    return !in->back && (in->op == LZ_OP_JUMP || in->op == LZ_OP_JUMP_IF ||
                         in->op == LZ_OP_JUMP_IF_NONE || in->op == LZ_OP_FOR);
}

/* Where the instruction at CURSOR, which jumps, goes to. */
static size_t
target_of(const struct cursor *cursor, const struct lz_instruction *in)
{
    size_t next = cursor->next, far = (size_t)in->arg * UNIT;
    while (next < cursor->size && cursor->code[next] == CACHE)
        next += UNIT;
    if (in->back)
        return far > next ? 0 : next - far;
    return next + far + (size_t)in->skip;
}

/* The last place to which the handler at TARGET, or one behind it, goes back:
 * from there on nobody can tell whether anything was raised. Where handlers
 * stand in line, behind what they are for, jumps around them say so. */
static size_t
handled_to(const unsigned char *code, size_t size, int target)
{
    struct cursor cursor = {code, size, (size_t)target, 0, 0};
    size_t last = (size_t)target;
    if (!LZ_HANDLERS_COME_LAST)
        return last;
    for (last = 0; cursor_step_real(&cursor);) {
        struct lz_instruction in = lz_op_read(cursor.opcode, cursor.oparg);
        if (in.back && target_of(&cursor, &in) > last)
            last = target_of(&cursor, &in);
    }
    return last;
}

/* What of a code object is gone through: instructions, and what handles
 * exceptions, both in the order of their places. */
struct scan {
    struct cursor cursor;
    const unsigned char *table;
    size_t table_size, table_at;
    struct lz_handler next; /* handler, of instructions from .start on */
    bool more;              /* there is one */
    size_t sure_from;       /* ways part before, and have met there */
};

static void
part_until(struct scan *scan, size_t meet)
{
    if (meet > scan->sure_from)
        scan->sure_from = meet;
}

/* Ways part at AT that meet again behind what handles exceptions there. */
static void
part_at(struct scan *scan, size_t at)
{
    int last = -1;
    while (scan->more && (size_t)scan->next.start * UNIT <= at) {
        if (scan->next.target != last)
            part_until(scan, handled_to(scan->cursor.code, scan->cursor.size,
                                        scan->next.target));
        last = scan->next.target;
        scan->more = bytecode_next_handler(scan->table, scan->table_size,
                                           &scan->table_at, &scan->next);
    }
}

static bool
names(PyCodeObject *code, const struct lz_instruction *in, PyObject *name)
{
    PyObject *other = in->op == LZ_OP_STORE_NAME || in->op == LZ_OP_DELETE_NAME
                          ? name_at(code->co_names, in->arg)
                          : NULL;
    return other != NULL && PyUnicode_Compare(other, name) == 0;
}

bool
bytecode_binds(PyCodeObject *code, PyObject *bytes, PyObject *name)
{
    PyObject *table = code->co_exceptiontable;
    struct scan scan = {
        .cursor = {(const unsigned char *)PyBytes_AS_STRING(bytes),
                   (size_t)PyBytes_GET_SIZE(bytes), 0, 0, 0},
        .table = (const unsigned char *)PyBytes_AS_STRING(table),
        .table_size = (size_t)PyBytes_GET_SIZE(table)};
    bool bound = false, ended = false;
    scan.more = bytecode_next_handler(scan.table, scan.table_size,
                                      &scan.table_at, &scan.next);
    while (cursor_step_real(&scan.cursor)) {
        size_t at = scan.cursor.next - UNIT;
        struct lz_instruction in =
            lz_op_read(scan.cursor.opcode, scan.cursor.oparg);
        bool here = names(code, &in, name);
        if (here && in.op == LZ_OP_DELETE_NAME)
            return false;
        if (ended)
            continue;
        part_at(&scan, at);
        if (here && at >= scan.sure_from &&
            !bytecode_guarded(scan.table, scan.table_size, (int)at))
            bound = true;
        if (jumps_ahead(&in))
            part_until(&scan, target_of(&scan.cursor, &in));
        /* What is not known may part them, too. */
        ended =
            in.op == LZ_OP_UNKNOWN || (ends_way(&in) && at >= scan.sure_from);
    }
    return bound;
}
