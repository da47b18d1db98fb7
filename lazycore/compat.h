/* Where CPython versions differ, and nowhere else: 3.11 to 3.13.
 *
 * Opcodes by our own names, the bytes of a code object without leaving a
 * cached copy on it, and the test for an interpreter that is going down.
 * Needs the GIL unless stated.
 */
#ifndef LAZYCORE_COMPAT_H
#define LAZYCORE_COMPAT_H

#include <Python.h>
#include <opcode.h>
#include <stdbool.h>

#if PY_VERSION_HEX < 0x030B0000 || PY_VERSION_HEX >= 0x030E0000
#error "lazycore supports CPython 3.11 to 3.13"
#endif
#ifdef Py_GIL_DISABLED
#error "lazycore needs a CPython build with the GIL"
#endif

/* OBJECT.ATTR: a new reference, or NULL, without an exception where there is
 * no such attribute. None is made that would have to be cleared, which takes
 * longer than the rest; the function for that is public from 3.13 on. */
static inline PyObject *
lz_get_optional(PyObject *object, PyObject *attr)
{
    PyObject *value = NULL;
#if PY_VERSION_HEX >= 0x030D0000
    (void)PyObject_GetOptionalAttr(object, attr, &value);
#else
    (void)_PyObject_LookupAttr(object, attr, &value);
#endif
    return value;
}

/* What the weak reference REFERENCE is to, borrowed, while something else
 * holds it; or None. */
static inline PyObject *
lz_weakref_borrowed(PyObject *reference)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *object = NULL;
    if (PyWeakref_GetRef(reference, &object) < 0)
        PyErr_Clear();
    if (object == NULL)
        return Py_None;
    Py_DECREF(object);
    return object;
#else
    return PyWeakref_GetObject(reference);
#endif
}

/* The pending exception, taken, as one object with its traceback: a new
 * reference or NULL. lz_raise() steals ERROR, which may be NULL, and makes it
 * the pending one. */
static inline PyObject *
lz_take_error(void)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    if (traceback != NULL)
        (void)PyException_SetTraceback(error, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return error;
#endif
}

static inline void
lz_raise(PyObject *error)
{
#if PY_VERSION_HEX >= 0x030C0000
    PyErr_SetRaisedException(error);
#else
    PyErr_Restore(error == NULL ? NULL : Py_NewRef(Py_TYPE(error)), error,
                  error == NULL ? NULL : PyException_GetTraceback(error));
#endif
}

/* The pending exception comes from FUNCTION, a callback of atexit, where
 * nobody can take it: sys.unraisablehook hears of it. */
static inline void
lz_unraisable_at_exit(PyObject *function)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyErr_FormatUnraisable("Exception ignored in atexit callback %R",
                           function);
#else
    _PyErr_WriteUnraisableMsg("in atexit callback", function);
#endif
}

/* How many frames STATE may enter at once, and how many more it may now; both
 * are fields that the headers show, and no function does. */
static inline int
lz_recursion_limit(const PyThreadState *state)
{
#if PY_VERSION_HEX >= 0x030C0000
    return state->py_recursion_limit;
#else
    return state->recursion_limit;
#endif
}

static inline int *
lz_recursion_left(PyThreadState *state)
{
#if PY_VERSION_HEX >= 0x030C0000
    return &state->py_recursion_remaining;
#else
    return &state->recursion_remaining;
#endif
}

/* The same for calls from C to C, which 3.11 counts among the frames: NULL. */
static inline int *
lz_calls_left(PyThreadState *state)
{
#if PY_VERSION_HEX >= 0x030C0000
    return &state->c_recursion_remaining;
#else
    (void)state;
    return NULL;
#endif
}

/* os.fork() warns where the process has more than one thread, of whatever
 * kind. */
#define LZ_FORK_COUNTS_THREADS (PY_VERSION_HEX >= 0x030C0000)

/* Text for a field of CPython's that lacks the const it keeps. */
#define LZ_CHARS(text) ((char *)(uintptr_t)(const char *)(text))

/* No reference to the interpreter's objects may be followed after this. */
static inline bool
lz_is_finalizing(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    return Py_IsFinalizing() != 0;
#else
    return _Py_IsFinalizing() != 0;
#endif
}

/* The star import is an opcode in 3.11, an intrinsic call from 3.12. */
static inline bool
lz_op_is_star(int opcode, int oparg)
{
#ifdef IMPORT_STAR
    (void)oparg;
    return opcode == IMPORT_STAR;
#else
    return opcode == CALL_INTRINSIC_1 && oparg == 2;
#endif
}

/* From this opcode on (3.12), the instruction may hide another one. */
static inline bool
lz_op_is_instrumented(int opcode)
{
#ifdef MIN_INSTRUMENTED_OPCODE
    return opcode >= MIN_INSTRUMENTED_OPCODE;
#else
    (void)opcode;
    return false;
#endif
}

/* Loads a name from the module's namespace: the index in co_names, or -1. */
static inline int
lz_op_loaded_name(int opcode, int oparg)
{
    switch (opcode) {
    case LOAD_NAME:
#ifdef LOAD_FROM_DICT_OR_GLOBALS
    case LOAD_FROM_DICT_OR_GLOBALS:
#endif
        return oparg;
    case LOAD_GLOBAL:
        return oparg >> 1;
    default:
        return -1;
    }
}

/* Does nothing that code can notice, and looks up nothing. */
static inline bool
lz_op_is_idle(int opcode)
{
    switch (opcode) {
    case RESUME:
    case NOP:
    case LOAD_CONST:
    case RETURN_VALUE:
#ifdef RETURN_CONST
    case RETURN_CONST:
#endif
        return true;
    default:
        return false;
    }
}

static inline bool
lz_op_is_call(int opcode)
{
    switch (opcode) {
    case CALL:
    case CALL_FUNCTION_EX:
#ifdef CALL_KW
    case CALL_KW:
#endif
        return true;
    default:
        return false;
    }
}

/* `x[a:b] = y` has an opcode of its own from 3.12. */
static inline bool
lz_op_stores_subscript(int opcode)
{
#ifdef STORE_SLICE
    if (opcode == STORE_SLICE)
        return true;
#endif
    return opcode == STORE_SUBSCR;
}

/* The instructions of CODE without inline caches' data and specialisation.
 * A new reference; PyCode_GetCode would leave a copy on the code object for
 * its whole life (1-2 MB over a large application), which is taken back. */
static inline PyObject *
lz_code_bytes(PyCodeObject *code)
{
#if PY_VERSION_HEX >= 0x030C0000
    bool cached =
        code->_co_cached != NULL && code->_co_cached->_co_code != NULL;
    PyObject *bytes = PyCode_GetCode(code);
    if (!cached && code->_co_cached != NULL)
        Py_CLEAR(code->_co_cached->_co_code);
#else
    bool cached = code->_co_code != NULL;
    PyObject *bytes = PyCode_GetCode(code);
    if (!cached)
        Py_CLEAR(code->_co_code);
#endif
    return bytes;
}

/* From 3.12 on the code of except clauses stands behind all other. */
#define LZ_HANDLERS_COME_LAST (PY_VERSION_HEX >= 0x030C0000)

/* What is recorded of imports that cannot fail was tried with 3.11. */
#define LZ_RECORD_IS_OF_THIS_PYTHON (PY_VERSION_HEX < 0x030C0000)

/* Whether `threading` takes the thread that loads it for the main one. */
#define LZ_THREADING_TAKES_LOADER (PY_VERSION_HEX < 0x030D0000)

/* The live instructions: only good for opcodes that are never specialised. */
#if PY_VERSION_HEX >= 0x030D0000
#define LZ_CODE_UNITS(code) ((const unsigned char *)(code)->co_code_adaptive)
#else
#define LZ_CODE_UNITS(code) ((const unsigned char *)_PyCode_CODE(code))
#endif

/* Whether the live instructions of CODE are as clean as lz_code_bytes(): in
 * 3.11 those of code that has hardly run yet. */
static inline bool
lz_code_is_clean(PyCodeObject *code)
{
#if PY_VERSION_HEX < 0x030C0000
    const unsigned char *units = LZ_CODE_UNITS(code);
    Py_ssize_t at = 0;
    while (at < Py_SIZE(code) &&
           (units[2 * at] == COPY_FREE_VARS || units[2 * at] == MAKE_CELL ||
            units[2 * at] == EXTENDED_ARG ||
            units[2 * at] == RETURN_GENERATOR || units[2 * at] == POP_TOP))
        at++;
    return at < Py_SIZE(code) && units[2 * at] == RESUME;
#else
    (void)code;
    return false;
#endif
}

#endif
