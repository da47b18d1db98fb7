/* Whether a module's code binds a name whatever way it takes. See bytecode.h.
 *
 * Goes every way on which the name is not bound yet, as far as the store that
 * binds it. Needs the GIL; runs no Python code.
 */
#include "lazycore/bytecode_private.h"
#include "lazycore/compat_op.h"

/* A search for an end that is come to with the name not bound. */
struct search {
    PyCodeObject *code;
    PyObject *name;
    const unsigned char *bytes;
    size_t size;
    unsigned char *seen; /* for each unit: whether some way comes to it */
    unsigned *ahead;     /* units to go on from, each once at most */
    size_t count;
    bool ends;
};

/* There is a way to the byte AT. */
static void
go_to(struct search *search, size_t at)
{
    size_t unit = at / UNIT;
    if (unit >= search->size / UNIT) {
        search->ends = true;
    } else if (!search->seen[unit]) {
        search->seen[unit] = true;
        search->ahead[search->count++] = (unsigned)unit;
    }
}

/* Where the instruction before CURSOR, which jumps, goes to. */
static size_t
target_of(const struct cursor *cursor, const struct lz_instruction *in)
{
    size_t next = cursor->next, far = (size_t)in->arg * UNIT;
    while (next < cursor->size && cursor->code[next] == CACHE)
        next += UNIT;
    if (in->back)
        return far > next ? cursor->size : next - far;
    return next + far + (size_t)in->skip;
}

static bool
stores(const struct search *search, const struct lz_instruction *in)
{
    PyObject *name = in->op == LZ_OP_STORE_NAME
                         ? name_at(search->code->co_names, in->arg)
                         : NULL;
    return name != NULL && PyUnicode_Compare(name, search->name) == 0;
}

/* To what may follow the instruction at UNIT. */
static void
go_on(struct search *search, unsigned unit)
{
    struct cursor cursor = {search->bytes, search->size, (size_t)unit * UNIT,
                            0, 0};
    if (!cursor_step_real(&cursor)) {
        search->ends = true;
        return;
    }
    struct lz_instruction in = lz_op_read(cursor.opcode, cursor.oparg);
    switch (in.op) {
    case LZ_OP_RAISE:
    case LZ_OP_RERAISE:
        return;
    case LZ_OP_UNKNOWN: /* it may jump */
    case LZ_OP_RETURN:
    case LZ_OP_RETURN_CONST:
        search->ends = true;
        return;
    case LZ_OP_JUMP:
    case LZ_OP_JUMP_BACK:
        go_to(search, target_of(&cursor, &in));
        return;
    case LZ_OP_JUMP_IF:
    case LZ_OP_JUMP_IF_NONE:
    case LZ_OP_FOR:
        go_to(search, target_of(&cursor, &in));
        break;
    default:
        break;
    }
    if (!stores(search, &in))
        go_to(search, cursor.next);
}

/* To what handles exceptions of instructions that were come to. */
static void
go_to_handlers(struct search *search)
{
    PyObject *table = search->code->co_exceptiontable;
    struct lz_handler handler;
    size_t at = 0, units = search->size / UNIT;
    while (bytecode_next_handler(
        (const unsigned char *)PyBytes_AS_STRING(table),
        (size_t)PyBytes_GET_SIZE(table), &at, &handler)) {
        size_t end = (size_t)handler.start + handler.length;
        for (size_t unit = handler.start; unit < end && unit < units; unit++) {
            if (search->seen[unit]) {
                go_to(search, (size_t)handler.target);
                break;
            }
        }
    }
}

static bool
deletes(PyCodeObject *code, PyObject *bytes, PyObject *name)
{
    struct cursor cursor = {(const unsigned char *)PyBytes_AS_STRING(bytes),
                            (size_t)PyBytes_GET_SIZE(bytes), 0, 0, 0};
    while (cursor_step_real(&cursor)) {
        PyObject *other = cursor.opcode == DELETE_NAME
                              ? name_at(code->co_names, cursor.oparg)
                              : NULL;
        if (other != NULL && PyUnicode_Compare(other, name) == 0)
            return true;
    }
    return false;
}

bool
bytecode_binds(PyCodeObject *code, PyObject *bytes, PyObject *name)
{
    struct search search = {
        .code = code,
        .name = name,
        .bytes = (const unsigned char *)PyBytes_AS_STRING(bytes),
        .size = (size_t)PyBytes_GET_SIZE(bytes)};
    size_t units = search.size / UNIT;
    if (deletes(code, bytes, name))
        return false;
    search.seen = PyMem_Calloc(units, 1);
    search.ahead = PyMem_Calloc(units, sizeof(*search.ahead));
    search.ends = search.seen == NULL || search.ahead == NULL;
    if (!search.ends)
        go_to(&search, 0);
    while (search.count > 0 && !search.ends) {
        go_on(&search, search.ahead[--search.count]);
        if (search.count == 0)
            go_to_handlers(&search);
    }
    PyMem_Free(search.ahead);
    PyMem_Free(search.seen);
    return !search.ends;
}
