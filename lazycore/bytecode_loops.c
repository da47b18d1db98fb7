/* Loops over a dict that holds modules, or what is in one, by bytecode.
 *
 * See bytecode.h. Needs the GIL; runs no Python code.
 */
#include "lazycore/bytecode_private.h"
#include "lazycore/compat_op.h"

/* The next instruction that does something. */
static struct lz_instruction
next_instruction(struct cursor *cursor)
{
    struct lz_instruction in = {.op = LZ_OP_UNKNOWN};
    while (cursor_step_real(cursor)) {
        in = lz_op_read(cursor->opcode, cursor->oparg);
        if (in.op != LZ_OP_NOTHING)
            break;
    }
    return in;
}

bool
bytecode_is_looped(struct cursor cursor, PyObject *names)
{
    struct lz_instruction in = next_instruction(&cursor);
    if (in.op == LZ_OP_ATTR) {
        PyObject *name = name_at(names, in.arg);
        if (!is_called(name, "items") && !is_called(name, "values") &&
            !is_called(name, "keys"))
            return false;
        in = next_instruction(&cursor);
        if (in.op != LZ_OP_CALL || in.arg != 0)
            return false;
        in = next_instruction(&cursor);
    }
    return in.op == LZ_OP_ITER;
}

/* Whether NAMES has one like `iteritems`. */
static bool
has_items(PyObject *names)
{
    bool result = false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        const char *name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, i));
        size_t length = name == NULL ? 0 : strlen(name);
        result =
            result || (length > 5 && strcmp(name + length - 5, "items") == 0);
    }
    return result;
}

/* Whether what comes at CURSOR, with a dict on the stack, loops over it, takes
 * its items or values, or hands it to a function that may. */
static bool
takes_values(struct cursor cursor, PyObject *names)
{
    const struct cursor before = cursor;
    struct lz_instruction in = next_instruction(&cursor);
    if (in.op == LZ_OP_CALL)
        return has_items(names);
    PyObject *name = in.op == LZ_OP_ATTR ? name_at(names, in.arg) : NULL;
    return (name != NULL &&
            (is_called(name, "items") || is_called(name, "values"))) ||
           bytecode_is_looped(before, names);
}

/* What TEST says of what follows the attribute that FRAME takes. */
static bool
follows_attribute(PyFrameObject *frame,
                  bool (*test)(struct cursor cursor, PyObject *names))
{
    PyCodeObject *code = PyFrame_GetCode(frame);
    PyObject *bytes = lz_code_bytes(code);
    int offset = PyFrame_GetLasti(frame);
    bool result = false;
    if (bytes != NULL && offset >= 0) {
        struct cursor cursor = {
            (const unsigned char *)PyBytes_AS_STRING(bytes),
            (size_t)PyBytes_GET_SIZE(bytes), (size_t)offset, 0, 0};
        /* The attribute's name may begin before that. */
        result = next_instruction(&cursor).op == LZ_OP_ATTR &&
                 test(cursor, code->co_names);
    }
    Py_XDECREF(bytes);
    Py_DECREF(code);
    return result;
}

bool
bytecode_loops(PyFrameObject *frame)
{
    return follows_attribute(frame, bytecode_is_looped);
}

bool
bytecode_takes_values(PyFrameObject *frame)
{
    return follows_attribute(frame, takes_values);
}

/* Whether NAME is one by which one gets at all that is in a module. */
static bool
is_listing(PyObject *name)
{
    switch (PyUnicode_GET_LENGTH(name)) { /* asked at each sys.modules */
    case 3:
        return is_called(name, "dir");
    case 4:
        return is_called(name, "vars");
    case 8:
        return is_called(name, "__dict__");
    case 10:
        return is_called(name, "getmembers");
    default:
        return false;
    }
}

static bool
has_listing(PyCodeObject *code)
{
    bool result = false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_names); i++)
        result = result || is_listing(PyTuple_GET_ITEM(code->co_names, i));
    return result;
}

bool
bytecode_code_lists(PyCodeObject *code)
{
    bool result = has_listing(code);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_consts); i++) {
        PyObject *item = PyTuple_GET_ITEM(code->co_consts, i);
        result = result ||
                 (PyCode_Check(item) && has_listing((PyCodeObject *)item));
    }
    return result;
}

bool
bytecode_lists_names(PyFrameObject *frame)
{
    PyCodeObject *code = PyFrame_GetCode(frame);
    bool result = bytecode_code_lists(code);
    Py_DECREF(code);
    return result;
}
