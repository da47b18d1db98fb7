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

/* The entries that CODE itself takes; and whether it loops over all. */
static int
add_entries(PyObject *set, PyCodeObject *code, PyObject *modules,
            bool *ret_loops)
{
    PyObject *bytes = lz_code_bytes(code);
    if (bytes == NULL)
        return -1;
    struct cursor cursor = {(const unsigned char *)PyBytes_AS_STRING(bytes),
                            (size_t)PyBytes_GET_SIZE(bytes), 0, 0, 0};
    struct lz_instruction key = {.op = LZ_OP_UNKNOWN};
    enum place place = NOWHERE;
    int result = 0, variables = 0;
    while (result == 0 && cursor_step_real(&cursor)) {
        struct lz_instruction in = lz_op_read(cursor.opcode, cursor.oparg);
        bool subscript = in.op == LZ_OP_SUBSCR ||
                         in.op == LZ_OP_STORE_SUBSCR ||
                         in.op == LZ_OP_DELETE_SUBSCR;
        struct lz_instruction first = first_of(in);
        if (place == METHOD &&
            (first.op == LZ_OP_CONST || is_variable(first.op)))
            result = add_key(set, code, &cursor, first, &variables);
        else if (place == KEY && subscript)
            result = add_key(set, code, &cursor, key, &variables);
        place = next_place(place, code->co_names, modules, in);
        if (place == TABLE && bytecode_is_looped(cursor, code->co_names))
            *ret_loops = true;
        if (place == KEY && in.op != LZ_OP_NOTHING && in.op != LZ_OP_NULL)
            key = in;
    }
    Py_DECREF(bytes);
    return result;
}

static int
add_modules(PyObject *set, PyCodeObject *code, PyObject *modules,
            bool *ret_walks, int nesting)
{
    if (nesting > BYTECODE_NESTING_MAX)
        return 0;
    int result = 0;
    Py_ssize_t count = PyTuple_GET_SIZE(code->co_names), at = 0;
    while (at < count && PyTuple_GET_ITEM(code->co_names, at) != modules)
        at++;
    bool loops = false;
    if (at < count)
        result = add_entries(set, code, modules, &loops);
    if (loops && bytecode_code_lists(code))
        *ret_walks = true;
    count = PyTuple_GET_SIZE(code->co_consts);
    for (Py_ssize_t i = 0; result == 0 && i < count; i++) {
        PyObject *item = PyTuple_GET_ITEM(code->co_consts, i);
        if (PyCode_Check(item))
            result = add_modules(set, (PyCodeObject *)item, modules, ret_walks,
                                 nesting + 1);
    }
    return result;
}

int
bytecode_modules(PyCodeObject *code, PyObject *modules, PyObject *set,
                 bool *ret_walks)
{
    *ret_walks = false;
    return add_modules(set, code, modules, ret_walks, 0);
}
