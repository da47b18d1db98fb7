/* Instructions by what they do, the same in CPython 3.11 to 3.13: for body.h,
 * which follows whole bodies. A part of compat.h; nowhere else is an opcode
 * taken for another's in another version.
 */
#ifndef LAZYCORE_COMPAT_OP_H
#define LAZYCORE_COMPAT_OP_H

#include <Python.h>
#include <opcode.h>
#include <stdbool.h>

enum lz_op {
    LZ_OP_UNKNOWN,
    LZ_OP_NOTHING,
    LZ_OP_POP,
    LZ_OP_NULL,
    LZ_OP_CONST,
    LZ_OP_NAME,
    LZ_OP_GLOBAL, /* .flag: and a NULL */
    LZ_OP_FAST,
    LZ_OP_FAST_PAIR, /* .arg: two of them */
    LZ_OP_FAST_CLEAR,
    LZ_OP_CELL,
    LZ_OP_LOCALS,
    LZ_OP_BUILD_CLASS,
    LZ_OP_ASSERTION,
    LZ_OP_STORE_NAME,
    LZ_OP_STORE_GLOBAL,
    LZ_OP_STORE_FAST,
    LZ_OP_STORE_FAST_PAIR,
    LZ_OP_STORE_LOAD_FAST,
    LZ_OP_STORE_DEREF,
    LZ_OP_DELETE_NAME,
    LZ_OP_DELETE_FAST,
    LZ_OP_ANNOTATIONS,
    LZ_OP_ATTR, /* .flag: and a NULL, for a call */
    LZ_OP_STORE_ATTR,
    LZ_OP_DELETE_ATTR,
    LZ_OP_SUBSCR,
    LZ_OP_SLICE,
    LZ_OP_STORE_SUBSCR,
    LZ_OP_STORE_SLICE,
    LZ_OP_DELETE_SUBSCR,
    LZ_OP_BINARY,
    LZ_OP_UNARY,
    LZ_OP_NOT,
    LZ_OP_BOOL,
    LZ_OP_COMPARE, /* .arg: Py_LT to Py_GE */
    LZ_OP_IS,
    LZ_OP_CONTAINS,
    LZ_OP_TUPLE,
    LZ_OP_LIST,
    LZ_OP_SET,
    LZ_OP_MAP,
    LZ_OP_CONST_MAP,
    LZ_OP_STRING,
    LZ_OP_BUILD_SLICE,
    LZ_OP_LIST_APPEND,
    LZ_OP_SET_ADD,
    LZ_OP_MAP_ADD,
    LZ_OP_EXTEND, /* a list or set by what can be iterated */
    LZ_OP_UPDATE, /* a dict by another */
    LZ_OP_LIST_TO_TUPLE,
    LZ_OP_FORMAT, /* .flag: by a format */
    LZ_OP_ITER,
    LZ_OP_FOR,
    LZ_OP_UNPACK,
    LZ_OP_UNPACK_EX,
    LZ_OP_COPY,
    LZ_OP_SWAP,
    LZ_OP_IMPORT,
    LZ_OP_IMPORT_FROM,
    LZ_OP_STAR,               /* .flag: and a None */
    LZ_OP_FUNCTION,           /* .arg: how many values besides the code */
    LZ_OP_FUNCTION_ATTRIBUTE, /* a value to the function above it */
    LZ_OP_KEYWORDS,           /* their names for the call that follows */
    LZ_OP_CALL,
    LZ_OP_CALL_KEYWORDS, /* their names on top */
    LZ_OP_CALL_EX,       /* .flag: with a dict */
    LZ_OP_JUMP,
    LZ_OP_JUMP_BACK,
    LZ_OP_JUMP_IF,      /* .flag: if true, else if false; .keep: else popped */
    LZ_OP_JUMP_IF_NONE, /* .flag: if None, else if not */
    LZ_OP_RETURN,
    LZ_OP_RETURN_CONST,
    LZ_OP_YIELD,
    LZ_OP_GENERATOR,
    LZ_OP_PUSH_EXCEPTION,
    LZ_OP_MATCH_EXCEPTION,
    LZ_OP_RERAISE,
    LZ_OP_RAISE
};

struct lz_instruction {
    enum lz_op op;
    int arg;
    bool flag;
    bool keep; /* JUMP_IF: the value stays where it jumps */
    int skip;  /* FOR: bytes to skip at the target */
    bool back; /* jumps: the target is before */
};

#ifdef CALL_INTRINSIC_1
enum {
    LZ_INTRINSIC_STAR = 2,
    LZ_INTRINSIC_STOPITERATION = 3,
    LZ_INTRINSIC_POSITIVE = 5,
    LZ_INTRINSIC_LIST_TO_TUPLE = 6
};

static inline struct lz_instruction
lz_op_intrinsic(int oparg)
{
    switch (oparg) {
    case LZ_INTRINSIC_STAR:
        return (struct lz_instruction){.op = LZ_OP_STAR, .flag = true};
    case LZ_INTRINSIC_STOPITERATION:
        return (struct lz_instruction){.op = LZ_OP_NOTHING};
    case LZ_INTRINSIC_POSITIVE:
        return (struct lz_instruction){.op = LZ_OP_UNARY};
    case LZ_INTRINSIC_LIST_TO_TUPLE:
        return (struct lz_instruction){.op = LZ_OP_LIST_TO_TUPLE};
    default:
        return (struct lz_instruction){.op = LZ_OP_UNKNOWN};
    }
}
#endif

/* Calls, functions and ends. */
static inline struct lz_instruction
lz_op_call(int opcode, int oparg)
{
    struct lz_instruction in = {.op = LZ_OP_UNKNOWN, .arg = oparg};
    switch (opcode) {
    case CALL:
        in.op = LZ_OP_CALL;
        break;
    case CALL_FUNCTION_EX:
        in.op = LZ_OP_CALL_EX;
        in.flag = (oparg & 1) != 0;
        break;
#ifdef CALL_KW
    case CALL_KW:
        in.op = LZ_OP_CALL_KEYWORDS;
        break;
    case MAKE_FUNCTION:
        in.op = LZ_OP_FUNCTION;
        in.arg = 0;
        break;
    case SET_FUNCTION_ATTRIBUTE:
        in.op = LZ_OP_FUNCTION_ATTRIBUTE;
        break;
#else
    case KW_NAMES:
        in.op = LZ_OP_KEYWORDS;
        break;
    case MAKE_FUNCTION:
        in.op = LZ_OP_FUNCTION;
        in.arg = __builtin_popcount((unsigned)oparg & 15u);
        break;
#endif
    case RETURN_VALUE:
        in.op = LZ_OP_RETURN;
        break;
#ifdef RETURN_CONST
    case RETURN_CONST:
        in.op = LZ_OP_RETURN_CONST;
        break;
#endif
    case RERAISE:
        in.op = LZ_OP_RERAISE;
        break;
    case RAISE_VARARGS:
        in.op = LZ_OP_RAISE;
        break;
#ifdef CALL_INTRINSIC_1
    case CALL_INTRINSIC_1:
        return lz_op_intrinsic(oparg);
#endif
    default:
        break;
    }
    return in;
}

static inline struct lz_instruction
lz_op_jump(int opcode, int oparg)
{
    struct lz_instruction in = {.op = LZ_OP_UNKNOWN, .arg = oparg};
    switch (opcode) {
    case JUMP_FORWARD:
        in.op = LZ_OP_JUMP;
        break;
    case JUMP_BACKWARD:
    case JUMP_BACKWARD_NO_INTERRUPT:
        in.op = LZ_OP_JUMP_BACK;
        in.back = true;
        break;
    case FOR_ITER:
        in.op = LZ_OP_FOR;
        in.skip = PY_VERSION_HEX >= 0x030D0000   ? 4
                  : PY_VERSION_HEX >= 0x030C0000 ? 2
                                                 : 0;
        break;
#ifdef JUMP_IF_TRUE_OR_POP
    case JUMP_IF_TRUE_OR_POP:
    case JUMP_IF_FALSE_OR_POP:
        in.op = LZ_OP_JUMP_IF;
        in.flag = opcode == JUMP_IF_TRUE_OR_POP;
        in.keep = true;
        break;
    case POP_JUMP_FORWARD_IF_TRUE:
    case POP_JUMP_FORWARD_IF_FALSE:
        in.op = LZ_OP_JUMP_IF;
        in.flag = opcode == POP_JUMP_FORWARD_IF_TRUE;
        break;
    case POP_JUMP_FORWARD_IF_NONE:
    case POP_JUMP_FORWARD_IF_NOT_NONE:
        in.op = LZ_OP_JUMP_IF_NONE;
        in.flag = opcode == POP_JUMP_FORWARD_IF_NONE;
        break;
    case POP_JUMP_BACKWARD_IF_TRUE:
    case POP_JUMP_BACKWARD_IF_FALSE:
        in.op = LZ_OP_JUMP_IF;
        in.flag = opcode == POP_JUMP_BACKWARD_IF_TRUE;
        in.back = true;
        break;
    case POP_JUMP_BACKWARD_IF_NONE:
    case POP_JUMP_BACKWARD_IF_NOT_NONE:
        in.op = LZ_OP_JUMP_IF_NONE;
        in.flag = opcode == POP_JUMP_BACKWARD_IF_NONE;
        in.back = true;
        break;
#else
    case POP_JUMP_IF_TRUE:
    case POP_JUMP_IF_FALSE:
        in.op = LZ_OP_JUMP_IF;
        in.flag = opcode == POP_JUMP_IF_TRUE;
        break;
    case POP_JUMP_IF_NONE:
    case POP_JUMP_IF_NOT_NONE:
        in.op = LZ_OP_JUMP_IF_NONE;
        in.flag = opcode == POP_JUMP_IF_NONE;
        break;
#endif
    default:
        return lz_op_call(opcode, oparg);
    }
    return in;
}

/* Those whose argument is packed otherwise from version to version. */
static inline struct lz_instruction
lz_op_packed(int opcode, int oparg)
{
    struct lz_instruction in = {.op = LZ_OP_UNKNOWN, .arg = oparg};
    switch (opcode) {
    case LOAD_GLOBAL:
        in.op = LZ_OP_GLOBAL;
        in.arg = oparg >> 1;
        in.flag = (oparg & 1) != 0;
        break;
    case LOAD_ATTR:
        in.op = LZ_OP_ATTR;
#if PY_VERSION_HEX >= 0x030C0000
        in.arg = oparg >> 1;
        in.flag = (oparg & 1) != 0;
#else
        break;
    case LOAD_METHOD:
        in.op = LZ_OP_ATTR;
        in.flag = true;
#endif
        break;
    case COMPARE_OP:
        in.op = LZ_OP_COMPARE;
        in.arg = PY_VERSION_HEX >= 0x030D0000   ? oparg >> 5
                 : PY_VERSION_HEX >= 0x030C0000 ? oparg >> 4
                                                : oparg;
        break;
#ifdef FORMAT_VALUE
    case FORMAT_VALUE:
        in.op = LZ_OP_FORMAT;
        in.flag = (oparg & 4) != 0;
        break;
#else
    case FORMAT_SIMPLE:
    case FORMAT_WITH_SPEC:
        in.op = LZ_OP_FORMAT;
        in.flag = opcode == FORMAT_WITH_SPEC;
        break;
    case CONVERT_VALUE:
        in.op = LZ_OP_FORMAT;
        break;
    case TO_BOOL:
        in.op = LZ_OP_BOOL;
        break;
    case LOAD_FAST_LOAD_FAST:
        in.op = LZ_OP_FAST_PAIR;
        break;
    case STORE_FAST_STORE_FAST:
        in.op = LZ_OP_STORE_FAST_PAIR;
        break;
    case STORE_FAST_LOAD_FAST:
        in.op = LZ_OP_STORE_LOAD_FAST;
        break;
#endif
    default:
        return lz_op_jump(opcode, oparg);
    }
    return in;
}

/* What has one meaning in all versions: LZ_OP_UNKNOWN for what has not. */
static inline enum lz_op
lz_op_plain(int opcode)
{
    static const unsigned char ops[256] = {
        [RESUME] = LZ_OP_NOTHING,
        [NOP] = LZ_OP_NOTHING,
        [COPY_FREE_VARS] = LZ_OP_NOTHING,
        [MAKE_CELL] = LZ_OP_NOTHING,
        [POP_TOP] = LZ_OP_POP,
        [PUSH_NULL] = LZ_OP_NULL,
        [LOAD_CONST] = LZ_OP_CONST,
        [LOAD_NAME] = LZ_OP_NAME,
        [LOAD_FAST] = LZ_OP_FAST,
        [LOAD_DEREF] = LZ_OP_FAST,
        [LOAD_BUILD_CLASS] = LZ_OP_BUILD_CLASS,
        [LOAD_ASSERTION_ERROR] = LZ_OP_ASSERTION,
        [STORE_NAME] = LZ_OP_STORE_NAME,
        [STORE_GLOBAL] = LZ_OP_STORE_GLOBAL,
        [STORE_FAST] = LZ_OP_STORE_FAST,
        [STORE_DEREF] = LZ_OP_STORE_DEREF,
        [DELETE_NAME] = LZ_OP_DELETE_NAME,
        [DELETE_FAST] = LZ_OP_DELETE_FAST,
        [SETUP_ANNOTATIONS] = LZ_OP_ANNOTATIONS,
        [STORE_ATTR] = LZ_OP_STORE_ATTR,
        [DELETE_ATTR] = LZ_OP_DELETE_ATTR,
        [BINARY_SUBSCR] = LZ_OP_SUBSCR,
        [STORE_SUBSCR] = LZ_OP_STORE_SUBSCR,
        [DELETE_SUBSCR] = LZ_OP_DELETE_SUBSCR,
        [BINARY_OP] = LZ_OP_BINARY,
        [UNARY_NEGATIVE] = LZ_OP_UNARY,
        [UNARY_INVERT] = LZ_OP_UNARY,
        [UNARY_NOT] = LZ_OP_NOT,
        [IS_OP] = LZ_OP_IS,
        [CONTAINS_OP] = LZ_OP_CONTAINS,
        [BUILD_TUPLE] = LZ_OP_TUPLE,
        [BUILD_LIST] = LZ_OP_LIST,
        [BUILD_SET] = LZ_OP_SET,
        [BUILD_MAP] = LZ_OP_MAP,
        [BUILD_CONST_KEY_MAP] = LZ_OP_CONST_MAP,
        [BUILD_STRING] = LZ_OP_STRING,
        [BUILD_SLICE] = LZ_OP_BUILD_SLICE,
        [LIST_APPEND] = LZ_OP_LIST_APPEND,
        [SET_ADD] = LZ_OP_SET_ADD,
        [MAP_ADD] = LZ_OP_MAP_ADD,
        [LIST_EXTEND] = LZ_OP_EXTEND,
        [SET_UPDATE] = LZ_OP_EXTEND,
        [DICT_UPDATE] = LZ_OP_UPDATE,
        [DICT_MERGE] = LZ_OP_UPDATE,
        [GET_ITER] = LZ_OP_ITER,
        [UNPACK_SEQUENCE] = LZ_OP_UNPACK,
        [UNPACK_EX] = LZ_OP_UNPACK_EX,
        [COPY] = LZ_OP_COPY,
        [SWAP] = LZ_OP_SWAP,
        [IMPORT_NAME] = LZ_OP_IMPORT,
        [IMPORT_FROM] = LZ_OP_IMPORT_FROM,
        [YIELD_VALUE] = LZ_OP_YIELD,
        [RETURN_GENERATOR] = LZ_OP_GENERATOR,
        [PUSH_EXC_INFO] = LZ_OP_PUSH_EXCEPTION,
        [POP_EXCEPT] = LZ_OP_POP,
        [CHECK_EXC_MATCH] = LZ_OP_MATCH_EXCEPTION,
#ifdef PRECALL
        [PRECALL] = LZ_OP_NOTHING,
        [IMPORT_STAR] = LZ_OP_STAR,
        [LIST_TO_TUPLE] = LZ_OP_LIST_TO_TUPLE,
        [UNARY_POSITIVE] = LZ_OP_UNARY,
        [LOAD_CLASSDEREF] = LZ_OP_FAST,
#else
        [BINARY_SLICE] = LZ_OP_SLICE,
        [STORE_SLICE] = LZ_OP_STORE_SLICE,
        [LOAD_LOCALS] = LZ_OP_LOCALS,
        [LOAD_FAST_CHECK] = LZ_OP_FAST,
        [LOAD_FAST_AND_CLEAR] = LZ_OP_FAST_CLEAR,
#endif
#if PY_VERSION_HEX < 0x030D0000
        [LOAD_CLOSURE] = LZ_OP_CELL,
#endif
    };
    return (enum lz_op)ops[opcode & 255];
}

static inline struct lz_instruction
lz_op_read(int opcode, int oparg)
{
    enum lz_op op = lz_op_plain(opcode);
    if (op != LZ_OP_UNKNOWN)
        return (struct lz_instruction){.op = op, .arg = oparg};
    return lz_op_packed(opcode, oparg);
}

#endif
