/* What the bytecode behind an import statement says.
 *
 * Reads instructions and exception tables; decides nothing and runs no
 * Python code. The scanners over raw bytes take any input and stay within
 * it. Needs the GIL where a PyObject appears.
 */
#ifndef LAZYCORE_BYTECODE_H
#define LAZYCORE_BYTECODE_H

#include <Python.h>
#include <stdbool.h>
#include <stddef.h>

enum lz_shape {
    LZ_SHAPE_UNKNOWN, /* not an import statement, or not understood */
    LZ_SHAPE_IMPORT,  /* import a.b: stores the top-level package */
    LZ_SHAPE_ALIAS,   /* import a.b as c: .depth look-ups, one store */
    LZ_SHAPE_FROM,    /* from a import x, y as z */
    LZ_SHAPE_STAR     /* from a import * */
};

enum { LZ_STATEMENT_NAMES_MAX = 256 };

/* What stands around an instruction. */
enum lz_guard {
    LZ_GUARD_NONE,
    LZ_GUARD_EXCEPT, /* nothing but except clauses, or it is in one */
    LZ_GUARD_OTHER   /* with, finally, except*, except ... as */
};

/* One import statement. Strings are borrowed from the code object. */
struct lz_statement {
    enum lz_shape shape;
    PyCodeObject *code; /* borrowed: the frame holds it */
    PyObject *name;     /* of the module, as the statement says it */
    int offset;         /* of IMPORT_NAME, bytes */
    int end;            /* of what stores it, bytes; FROM's and ALIAS's
                           clean-up may follow */
    int line;
    int depth;           /* ALIAS: number of IMPORT_FROM */
    enum lz_guard guard; /* around it: the policy's, as is */
    bool certain_only;   /* what may wait must be sure to load */
    bool sure_will_do;   /* of CERTAIN_ONLY: so will what is recorded so */
    bool certain_names;  /* FROM: and its names sure to be there */
    int count;
    PyObject *attrs[LZ_STATEMENT_NAMES_MAX];  /* FROM: imported names */
    PyObject *stored[LZ_STATEMENT_NAMES_MAX]; /* names bound */
};

/* The statement that FRAME is executing, when it imports NAME, with or
 * without a list of names (`from NAME import ...`). 1 with
 * *ret_statement filled, 0 where FRAME's instruction is no such statement,
 * -1 with an exception. */
int bytecode_statement(PyFrameObject *frame, PyObject *name, bool from,
                       struct lz_statement *ret_statement);

/* Where a walk over the lines of a code object stands; all zero: nowhere. */
struct lz_lines {
    size_t at; /* of an entry of co_linetable */
    int start; /* byte offset where it begins */
    int line;  /* of what is before it */
};

/* The line of CODE at the byte OFFSET, or -1: it has none. LINES is of CODE,
 * so that offsets asked in their order cost one walk together. */
int bytecode_line(PyCodeObject *code, int offset, struct lz_lines *lines);

/* Whether nothing but the operands of STATEMENT, and the clean-up of another
 * one, stands between the byte offset END and its own. */
bool bytecode_follows(const struct lz_statement *statement, int end);

/* What FRAME's current instruction stores or deletes by name: borrowed, or
 * NULL. *ret_star: it is a star import. *ret_attribute: an attribute. */
PyObject *bytecode_stored_name(PyFrameObject *frame, bool *ret_star,
                               bool *ret_attribute);

/* Whether a handler of the exception table covers the byte OFFSET. */
bool bytecode_guarded(const unsigned char *table, size_t size, int offset);
/* Handlers of all that is around the byte OFFSET. CODE: clean instructions. */
enum lz_guard bytecode_guard(const unsigned char *code, size_t code_size,
                             const unsigned char *table, size_t size,
                             int offset);

/* Whether handlers around the byte OFFSET of CODE are for ImportError and
 * ModuleNotFoundError alone. BYTES are its clean instructions. */
bool bytecode_expects_import_error(PyCodeObject *code, PyObject *bytes,
                                   int offset);

/* An entry of an exception table: from unit START on, LENGTH of them. */
struct lz_handler {
    unsigned start, length;
    int target; /* byte offset */
    int depth;  /* of the stack there, without what is pushed: */
    bool lasti; /* an offset, before the exception */
};

/* What handles an exception at the byte OFFSET. */
bool bytecode_handler(const unsigned char *table, size_t size, int offset,
                      struct lz_handler *ret_handler);
/* The byte offset where all ends that the handler at TARGET is for; 0: it is
 * none. */
int bytecode_handled_to(const unsigned char *table, size_t size, int target);

/* Byte offset of the first module-level statement, from the offset FROM on,
 * with an effect: a call as a statement, a store or delete of a subscript or
 * an attribute. INT_MAX where there is none. NAMES is co_names; CODE the clean
 * instructions. */
int bytecode_next_effect(const unsigned char *code, size_t size,
                         PyObject *names, int from);

/* Whether the instruction at OFFSET begins `globals().update(...)` or
 * `globals()[key]` that is stored. */
bool bytecode_stores_globals(const unsigned char *code, size_t size,
                             int offset, PyObject *names);
/* Whether the dict that `globals()`, called at OFFSET of CODE, returns is only
 * stored into. WHOLE: no other code takes it from the name it gets, if any.
 * BYTES are CODE's clean instructions. */
bool bytecode_only_stores(PyCodeObject *code, PyObject *bytes, int offset,
                          bool whole);
/* Whether FRAME is about to take an attribute, and to loop over it, a dict, or
 * its items, values or keys. False, with an exception, on lack of memory. */
bool bytecode_loops(PyFrameObject *frame);
/* The same: and to take its items or values, whatever for. */
bool bytecode_takes_values(PyFrameObject *frame);
/* Whether FRAME's code, or one in it, has a name by which one gets at all that
 * is in a module: __dict__, vars, dir, getmembers. */
bool bytecode_lists_names(PyFrameObject *frame);

/* The names that CODE or a code object nested in it loads from the module's
 * namespace, and those that its __all__ may list: a new set. BYTES are CODE's
 * clean instructions. */
PyObject *bytecode_used_names(PyCodeObject *code, PyObject *bytes);
/* The same of CODE itself: a new set; and whether one nested in it loads NAME,
 * an item of CODE's co_names. 1, 0, or -1 with an exception. */
PyObject *bytecode_body_names(PyCodeObject *code, PyObject *bytes);
int bytecode_nested_uses(PyCodeObject *code, PyObject *name);
/* The strings that CODE puts into __all__: a new set. BYTES are CODE's clean
 * instructions. */
PyObject *bytecode_listed_names(PyCodeObject *code, PyObject *bytes);
/* Whether CODE, or one nested in it, may use the submodule TAIL of the module
 * that it calls TOP: it has a name like that, or takes TOP for more than an
 * attribute. Both are interned. 1, 0, or -1 with an exception. */
int bytecode_may_use(PyCodeObject *code, PyObject *top, PyObject *tail);

/* What code does with all of sys.modules: */
struct lz_modules_use {
    bool walks;  /* loops over it, and says a name by which one gets at what is
                    in a module */
    bool copies; /* takes entries by a variable and stores, in a module's own
                    code */
};
/* Add to SET the names, as far as they are constants, of the entries of
 * sys.modules that CODE or what is nested in it takes, changes or takes out.
 * MODULES is the interned string "modules". 0 or -1. */
int bytecode_modules(PyCodeObject *code, PyObject *modules, PyObject *set,
                     struct lz_modules_use *ret_use);

/* Whether CODE, a module's, has bound NAME when it comes to its end, on every
 * way there is. BYTES are its clean instructions. */
bool bytecode_binds(PyCodeObject *code, PyObject *bytes, PyObject *name);

/* Call VISIT for every import of CODE's own body (not of functions in it),
 * with fromlist NULL where there is none; stop where it returns non-zero,
 * and return that. BYTES are CODE's clean instructions. */
int bytecode_imports(PyCodeObject *code, PyObject *bytes,
                     int (*visit)(void *arg, PyObject *name,
                                  PyObject *fromlist, int level),
                     void *arg);
/* The same for calls of import_module() and __import__(), with a constant that
 * has a dot in it. */
int bytecode_import_calls(PyCodeObject *code, PyObject *bytes,
                          int (*visit)(void *arg, PyObject *name,
                                       PyObject *fromlist, int level),
                          void *arg);

#endif
