/* Which entries of sys.modules code takes, puts there or takes out, by
 * bytecode: those whose names are constants, or what a variable has of them;
 * and whether it walks them all.
 *
 * See bytecode.h. Needs the GIL; runs no Python code.
 */
#include "lazycore/bytecode_private.h"
#include "lazycore/compat_op.h"

enum { VARIABLES_MAX = 16 }; /* of one code object that are looked up */

/* Where a walk stands: behind `sys`, `sys.modules`, a method, or a key. */
enum place { NOWHERE, SYS, TABLE, METHOD, KEY };

static bool
is_variable(enum lz_op op)
{
    return op == LZ_OP_NAME || op == LZ_OP_GLOBAL || op == LZ_OP_FAST;
}

/* IN, or what it loads first of two. */
static struct lz_instruction
first_of(struct lz_instruction in)
{
    if (in.op == LZ_OP_FAST_PAIR)
        in = (struct lz_instruction){.op = LZ_OP_FAST, .arg = in.arg >> 4};
    return in;
}

/* Whether STORE binds what LOAD loads. */
static bool
stores_variable(PyObject *names, struct lz_instruction store,
                struct lz_instruction load)
{
    if (load.op == LZ_OP_FAST)
        return store.op == LZ_OP_STORE_FAST && store.arg == load.arg;
    return (store.op == LZ_OP_STORE_NAME || store.op == LZ_OP_STORE_GLOBAL) &&
           name_at(names, store.arg) == name_at(names, load.arg);
}

/* The constants that CODE stores in the variable that LOAD loads, one after
 * another where it iterates over them. */
static int
add_stored(PyObject *set, PyCodeObject *code, struct cursor cursor,
           struct lz_instruction load)
{
    PyObject *value = NULL;
    cursor.next = 0;
    while (cursor_step_real(&cursor)) {
        struct lz_instruction in = lz_op_read(cursor.opcode, cursor.oparg);
        if (in.op == LZ_OP_CONST)
            value = name_at(code->co_consts, in.arg);
        else if (value != NULL && stores_variable(code->co_names, in, load) &&
                 bytecode_add_strings(set, value) < 0)
            return -1;
        else if (in.op != LZ_OP_NOTHING && in.op != LZ_OP_ITER &&
                 in.op != LZ_OP_FOR)
            value = NULL;
    }
    return 0;
}

static int
add_key(PyObject *set, PyCodeObject *code, const struct cursor *cursor,
        struct lz_instruction key, int *variables)
{
    if (is_variable(key.op))
        return ++*variables > VARIABLES_MAX
                   ? 0
                   : add_stored(set, code, *cursor, key);
    PyObject *value = name_at(code->co_consts, key.arg);
    return value != NULL && PyUnicode_CheckExact(value) ? PySet_Add(set, value)
                                                        : 0;
}

/* Whether IN loads what is called sys, or _sys. */
static bool
loads_sys(PyObject *names, struct lz_instruction in)
{
    PyObject *name = in.op == LZ_OP_NAME || in.op == LZ_OP_GLOBAL
                         ? name_at(names, in.arg)
                         : NULL;
    return is_called(name, "sys") || is_called(name, "_sys");
}

static enum place
next_place(enum place place, PyObject *names, PyObject *modules,
           struct lz_instruction in)
{
    PyObject *attr = in.op == LZ_OP_ATTR ? name_at(names, in.arg) : NULL;
    if (in.op == LZ_OP_NOTHING || in.op == LZ_OP_NULL)
        return place;
    if (place == SYS && attr == modules)
        return TABLE;
    if (place == TABLE &&
        (is_called(attr, "pop") || is_called(attr, "setdefault")))
        return METHOD;
    if (place == TABLE && (in.op == LZ_OP_CONST || is_variable(in.op)))
        return KEY;
    return loads_sys(names, in) ? SYS : NOWHERE;
}

/* Whether KEY is a variable, and not the module's own name. */
static bool
names_another(PyObject *names, struct lz_instruction key)
{
    bool own = (key.op == LZ_OP_NAME || key.op == LZ_OP_GLOBAL) &&
               is_called(name_at(names, key.arg), "__name__");
    return is_variable(key.op) && !own;
}

/* Whether an instruction like that may stand between sys.modules and the
 * STORE_SUBSCR that it is for. */
static bool
computes_key(enum lz_op op)
{
    switch (op) {
    case LZ_OP_NOTHING:
    case LZ_OP_NULL:
    case LZ_OP_CONST:
    case LZ_OP_NAME:
    case LZ_OP_GLOBAL:
    case LZ_OP_ATTR:
    case LZ_OP_BINARY:
    case LZ_OP_FORMAT:
    case LZ_OP_STRING:
    case LZ_OP_KEYWORDS:
    case LZ_OP_CALL:
    case LZ_OP_CALL_KEYWORDS:
        return true;
    default:
        return false;
    }
}

/* What is asked, and found. */
struct asking {
    PyObject *modules; /* "modules" */
    PyObject *taken;
    struct lz_modules_use use;
};

/* The entries that CODE itself takes; and what it does with all of them.
 * OUTER: it is a module's. */
static int
add_entries(struct asking *asking, PyCodeObject *code, bool outer)
{
    PyObject *bytes = lz_code_bytes(code);
    if (bytes == NULL)
        return -1;
    struct cursor cursor = {(const unsigned char *)PyBytes_AS_STRING(bytes),
                            (size_t)PyBytes_GET_SIZE(bytes), 0, 0, 0};
    struct lz_instruction key = {.op = LZ_OP_UNKNOWN};
    enum place place = NOWHERE;
    int result = 0, variables = 0;
    bool loops = false, reads = false, copies = false;
    bool waits = false; /* sys.modules is on the stack, for a key */
    while (result == 0 && cursor_step_real(&cursor)) {
        struct lz_instruction in = lz_op_read(cursor.opcode, cursor.oparg);
        bool subscript = in.op == LZ_OP_SUBSCR ||
                         in.op == LZ_OP_STORE_SUBSCR ||
                         in.op == LZ_OP_DELETE_SUBSCR;
        struct lz_instruction first = first_of(in);
        if (place == METHOD &&
            (first.op == LZ_OP_CONST || is_variable(first.op)))
            result = add_key(asking->taken, code, &cursor, first, &variables);
        else if (place == KEY && subscript)
            result = add_key(asking->taken, code, &cursor, key, &variables);
        bool variable = place == KEY && names_another(code->co_names, key);
        copies |= in.op == LZ_OP_STORE_SUBSCR && reads &&
                  (place == KEY ? variable : waits);
        reads |= in.op == LZ_OP_SUBSCR && variable;
        place = next_place(place, code->co_names, asking->modules, in);
        waits = place == TABLE || (waits && computes_key(in.op));
        loops |= place == TABLE && bytecode_is_looped(cursor, code->co_names);
        if (place == KEY && in.op != LZ_OP_NOTHING && in.op != LZ_OP_NULL)
            key = in;
    }
    asking->use.copies |= copies && outer;
    asking->use.walks |= loops && bytecode_code_lists(code);
    Py_DECREF(bytes);
    return result;
}

static int
add_modules(struct asking *asking, PyCodeObject *code, int nesting)
{
    if (nesting > BYTECODE_NESTING_MAX)
        return 0;
    int result = 0;
    Py_ssize_t count = PyTuple_GET_SIZE(code->co_names), at = 0;
    while (at < count &&
           PyTuple_GET_ITEM(code->co_names, at) != asking->modules)
        at++;
    if (at < count)
        result = add_entries(asking, code, nesting == 0);
    count = PyTuple_GET_SIZE(code->co_consts);
    for (Py_ssize_t i = 0; result == 0 && i < count; i++) {
        PyObject *item = PyTuple_GET_ITEM(code->co_consts, i);
        if (PyCode_Check(item))
            result = add_modules(asking, (PyCodeObject *)item, nesting + 1);
    }
    return result;
}

int
bytecode_modules(PyCodeObject *code, PyObject *modules, PyObject *set,
                 struct lz_modules_use *ret_use)
{
    struct asking asking = {modules, set, {false, false}};
    int result = add_modules(&asking, code, 0);
    *ret_use = asking.use;
    return result;
}
