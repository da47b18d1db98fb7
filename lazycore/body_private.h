/* What the parts of body.h share: abstract values, frames, what was read. */
#ifndef LAZYCORE_BODY_PRIVATE_H
#define LAZYCORE_BODY_PRIVATE_H

#include "lazycore/body.h"
#include "lazycore/bytecode_private.h"
#include "lazycore/compat_op.h"

enum {
    BODY_DEPTH_MAX = 24,      /* code objects within each other */
    BODY_UNITS_MAX = 20000,   /* modules of one reader */
    BODY_STACK_MAX = 600,     /* values on one stack */
    BODY_STEPS_MAX = 400000,  /* instructions followed for one question */
    BODY_STEP_VALUES = 16,    /* values that are as much work as one of them */
    BODY_STEP_BYTES = 64,     /* and bytes of an exception table */
    BODY_SAVED_MAX = 1 << 26, /* bytes of values saved at a time */
    BODY_PASSES_MAX = 12,     /* over one code object with loops */
    BODY_NAME_MAX = 200,      /* characters of a dotted name */
    BODY_ARGUMENTS_MAX = 64
};

enum kind {
    V_UNSET,    /* a name without a value */
    V_NULL,     /* below a callable */
    V_PLAIN,    /* number, text, None, or a tuple of such: .object if known */
    V_FRESH,    /* list, dict, set ... that this body has made */
    V_ITER,     /* over one */
    V_METHOD,   /* .object, its name, of a PLAIN or FRESH value */
    V_FUNCTION, /* .object its code, of .unit; bound where it has a .klass */
    V_CLASS,    /* .klass */
    V_INSTANCE, /* of .klass, made by this body */
    V_MODULE,   /* .object its name: not of the standard library */
    V_STD,      /* of the standard library: .object its dotted name, with "()"
                   what comes of a call */
    V_FOREIGN,  /* attribute .object of module .of_module */
    V_SHARED,   /* a builtin container of another module */
    V_INERT,    /* nothing more is known than that it may be hashed, compared,
                   shown: that does nothing */
    V_BUILD_CLASS,
    V_ANY
};

/* What a container holds, or may be done with a value: the most of all. */
enum grade { G_PLAIN, G_INERT, G_NAMED, G_ANY };

struct value {
    unsigned char kind;  /* enum kind */
    unsigned char grade; /* FRESH, ITER, METHOD: enum grade of what it holds */
    bool fresh;          /* METHOD: of a FRESH one; PLAIN: a tuple */
    bool maybe_unset;    /* on another way it is */
    bool lazy;           /* ITER: runs code of this module's when it is used */
    bool foreign;        /* CLASS, FUNCTION: of another module's */
    PyObject *object;    /* borrowed from code, or kept by the reader */
    PyObject *of_module;
    struct klass *klass;
    struct unit *unit;
};

struct klass {
    struct klass *next;
    struct unit *unit;
    PyCodeObject *code;   /* borrowed: of the unit's */
    PyObject *names;      /* borrowed: its co_names */
    struct value *values; /* by index of names */
    struct value *bases;
    Py_ssize_t count, base_count;
    bool enumeration;
    bool data;      /* a dataclass: its __init__ calls what fields name */
    bool made;      /* already, once */
    bool *shadowed; /* by index of names: an instance has its own */
};

enum unit_state {
    UNIT_NEW,
    UNIT_CODE, /* its code is there */
    UNIT_READING,
    UNIT_READ,
    UNIT_CLOSED
};

/* A module. */
struct unit {
    struct lz_node node; /* of the reader's table, by name; must be first */
    struct unit *next;
    PyObject *name, *package;
    PyCodeObject *code;
    enum unit_state state; /* CLOSED: no code to be had */
    struct value *values;  /* of its namespace, by index of co_names */
    struct frame *frame;   /* while it is read */
    PyObject *stars;       /* list of modules it has all names of, or NULL */
    PyObject *rebound;     /* set of names that its functions rebind */
    PyObject *locations;   /* where its submodules are, or NULL */
    bool hidden;           /* it has names that are not seen */
    bool dynamic;          /* its code may get at namespaces unseen */
    bool replaced;         /* and at sys.modules */
    struct lz_body body;
    unsigned char mark;   /* body_may_run's */
    bool sought, found;   /* import_finds has looked, and found */
    bool placed;          /* LOCATIONS are known */
    bool asked, standard; /* whether it is the standard library's */
};

enum frame_kind { FRAME_MODULE, FRAME_CLASS, FRAME_FUNCTION };

struct frame {
    struct lz_reader *reader;
    struct unit *unit; /* whose globals it sees */
    struct frame *back;
    enum frame_kind kind;
    PyCodeObject *code;
    PyObject *bytes;
    PyObject *keywords;   /* for the next call; borrowed */
    struct value *slots;  /* fast locals, names, stack */
    struct value **saved; /* by unit of code: slots at a jump's target */
    int *saved_depth;
    int fast, names, depth, room; /* of slots */
    int begin, next;         /* bytes: the instruction under way, and after its
                                caches */
    int sure_from;           /* bytes: before it all is under a condition */
    int handler, handled_to; /* where the last handler begins, and the end of
                                what it handles */
    bool alive, again, cold, broken;
    bool generator;
    struct value nothing; /* where there is none */
    struct value result;  /* UNSET: it does not return */
};

struct lz_reader {
    struct lz_engine *engine;
    const char *within;
    bool (*gives_up)(const struct lz_engine *engine); /* or NULL */
    PyObject *keep; /* list of objects that values have */
    struct unit *units;
    struct lz_table by_name; /* of units */
    struct klass *classes;
    struct unit *subject; /* whose body is judged */
    unsigned unit_count, steps;
    size_t saved; /* bytes, by all frames */
    int depth;
    PyCodeObject *code; /* borrowed: of the subject, where it is at the byte */
    int offset;
};

static inline struct value
value_of(enum kind kind)
{
    return (struct value){.kind = (unsigned char)kind};
}

static inline enum grade
grade_worse(enum grade a, enum grade b)
{
    return a > b ? a : b;
}

/* body_value.c */
struct value value_plain(PyObject *object);
struct value value_fresh(enum grade grade);
struct value value_join(const struct value *a, const struct value *b);
bool value_same(const struct value *a, const struct value *b);
/* What may be done with VALUE, imported names looked up. */
enum grade value_grade(struct lz_reader *reader, const struct value *value);
bool value_is_inert(struct lz_reader *reader, const struct value *value);
/* What grade a container gets by holding VALUE, which is not looked up. */
enum grade value_held(const struct value *value);
/* A dotted name: NULL with an exception. Both kept by the reader. */
PyObject *reader_dotted(struct lz_reader *reader, PyObject *base,
                        const char *between, PyObject *name);
struct value value_std(struct lz_reader *reader, PyObject *name);
struct value value_std_text(struct lz_reader *reader, const char *name);
/* Whether OBJECT's truth and comparison are those of a builtin type. */
bool value_is_constant(PyObject *object);
/* Whether the constant VALUE is true: 1, 0, or -1: not known. */
int value_truth(const struct value *value);

/* body.c */
/* Note that the subject has an effect, for the first time; the result is
 * ANY. */
struct value body_effect(struct lz_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *body_text(PyObject *text); /* for messages; never NULL */
/* KIND's name and, where it has one, VALUE's, for messages. */
const char *body_describe(const struct value *value, char *text, size_t size);
/* OBJECT, whose reference is taken, is kept: borrowed, or NULL with an
 * exception. */
PyObject *reader_keep(struct lz_reader *reader, PyObject *object);

/* body_run.c */
/* Follow CODE to its end. 0, or -1 with an exception. INIT has the fast
 * locals, or is NULL. On 0 the frame has its result, and its slots until
 * frame_done. */
int frame_run(struct frame *frame, const struct value *init, int count);
void frame_done(struct frame *frame);
/* Something of GRADE was put into a container, which may have other names. */
void frame_taint(struct frame *frame, enum grade grade);
/* What is not in the frames' slots has changed: loops are gone through once
 * more. */
void frame_again(struct frame *frame);
/* The state as it is now holds at the byte TARGET, too. */
int frame_jump(struct frame *frame, int target);
/* The state as it is now is one of those at the end. */
int frame_end(struct frame *frame);
/* Whether a condition or a handler stands before the instruction. */
bool frame_is_conditional(const struct frame *frame);
/* Whether something handles an exception at the instruction. */
bool frame_is_handled(const struct frame *frame);

/* body_op.c: one instruction. 0 or -1 with an exception. */
int body_step(struct frame *frame, const struct lz_instruction *in);
/* body_build.c: those of containers. */
int body_step_build(struct frame *frame, const struct lz_instruction *in);
/* body_flow.c: jumps, calls, imports and the like. */
int body_step_flow(struct frame *frame, const struct lz_instruction *in);
struct value *frame_top(struct frame *frame, int below);
struct value frame_pop(struct frame *frame);
void frame_push(struct frame *frame, struct value value);
void frame_break(struct frame *frame, const char *why);

/* body_name.c */
/* What the name INDEX of the frame's code stands for. */
struct value name_load(struct frame *frame, int index);
struct value name_global(struct frame *frame, PyObject *name);
/* What the imported value is: never FOREIGN; ANY where that is not seen. */
struct value name_resolve(struct lz_reader *reader, const struct value *value);
/* Attribute ATTR of the module NAME, which is there. */
struct value name_of_module(struct lz_reader *reader, PyObject *module,
                            PyObject *attr);
struct value attr_load(struct frame *frame, const struct value *base,
                       PyObject *name);
/* OBJECT.NAME = VALUE, or del */
void attr_store(struct frame *frame, const struct value *object,
                PyObject *name, const struct value *value);

/* body_import.c */
int import_name(struct frame *frame, PyObject *name, PyObject *fromlist,
                int level, struct value *ret_value);
/* Whether NAME is one of CODE's own names. */
bool code_has_name(PyCodeObject *code, const char *name);
/* body_star.c: the one that is on the stack: import *. */
void import_star(struct frame *frame);
struct value import_from(struct frame *frame, const struct value *module,
                         PyObject *attr);
int unit_read(struct lz_reader *reader, struct unit *unit);
/* Whether UNIT's namespace has NAME, as far as it has been read. */
int unit_has(struct lz_reader *reader, struct unit *unit, PyObject *name);
/* The parents of the subject NAME are imported before it. 0 or -1. */
int import_parents(struct lz_reader *reader, PyObject *name);

/* body_find.c */
/* The module NAME, met before or not; NULL with an exception. */
struct unit *unit_get(struct lz_reader *reader, PyObject *name);
/* The spec of NAME: of the module that is there, or what would be found. A new
 * reference, or NULL, with an exception only where it interrupts. */
PyObject *unit_spec(struct lz_reader *reader, PyObject *name);
/* Whether there is a module NAME. 1, 0 or -1. */
int import_finds(struct lz_reader *reader, PyObject *name);

/* body_seen.c */
/* Fill the fields of UNIT that say what its code may do unseen. 0 or -1. */
int unit_scan(struct unit *unit);
/* Whether it may have names that are not seen. */
bool unit_is_opaque(const struct unit *unit);
/* Whether another object may stand for it in sys.modules. */
bool unit_is_replaced(const struct unit *unit);
/* Whether VALUE, which UNIT's code gives NAME, is what it has for others,
 * as far as that is seen. */
bool unit_value_holds(struct lz_reader *reader, struct unit *unit,
                      PyObject *name, const struct value *value);

/* Whether what the dotted NAME of the standard library calls, where it is
 * loaded, was not put there by others. */
bool known_is_genuine(struct lz_reader *reader, const char *name);

/* body_call.c */
/* The call of what is on the stack. */
void call_stacked(struct frame *frame, const struct lz_instruction *in);
struct arguments {
    struct value values[BODY_ARGUMENTS_MAX];
    int count;          /* of all; the last ones by keyword */
    PyObject *keywords; /* tuple of their names, or NULL */
    bool unknown;       /* there are others: *args, **kwargs */
};
struct value call_value(struct frame *frame, const struct value *callable,
                        struct arguments *arguments);
struct value call_function(struct frame *frame, const struct value *function,
                           const struct arguments *arguments);
int arguments_positional(const struct arguments *arguments);

/* body_class.c, body_instance.c */
struct value class_build(struct frame *frame,
                         const struct arguments *arguments);
struct value class_attr(struct lz_reader *reader, const struct value *value,
                        PyObject *name);
struct value class_make(struct frame *frame, const struct value *value,
                        struct arguments *arguments);
/* FUNCTION, a method, called with VALUE, its instance. */
struct value class_call(struct frame *frame, const struct value *function,
                        const struct value *value,
                        const struct arguments *arguments);
/* Attribute NAME of the instance VALUE. */
struct value class_of_instance(struct lz_reader *reader,
                               const struct value *value, PyObject *name);
/* Whether setting it runs nothing. */
bool class_may_store(struct frame *frame, const struct value *value,
                     PyObject *name);
/* CLASS.NAME = VALUE, or del. Whether what that does is seen. */
bool class_store(struct frame *frame, struct klass *klass, PyObject *name,
                 const struct value *value);
/* What CLASS or a base has under NAME; NULL: nothing that is seen. */
const struct value *class_find(const struct klass *klass, const char *name);
/* The same, and which class has it. */
const struct value *class_find_owner(const struct klass *klass,
                                     const char *name,
                                     const struct klass **ret_owner);
/* The first of NAMES, which ends with NULL, that CLASS or a base of it has; or
 * NULL. */
const char *class_find_any(const struct klass *klass,
                           const char *const *names);
/* Whether a class that has been seen may answer what is an instance or a
 * subclass of it by code of the program's, or by looking at the instance. */
bool class_any_answers(const struct lz_reader *reader);
/* A member of the enumeration VALUE, which is a class. */
struct value class_member(const struct value *value);

/* body_known.c */
struct known {
    const char *name;
    const char *how;    /* see body_known.def */
    const char *result; /* or NULL */
};
const struct known *known_find(const char *name);
/* Whether NAME of the builtins is one. */
bool known_is_builtin(const char *name);
/* Whether the dotted NAME can be subscripted, as a type. */
bool known_is_generic(const char *name);
struct value known_call(struct frame *frame, const struct value *callable,
                        const struct arguments *arguments);
/* Whether all may be hashed, compared, shown; with FUNCTIONS these, too. */
bool arguments_inert(struct lz_reader *reader,
                     const struct arguments *arguments, bool functions);
/* Whether all are numbers, text and containers of such: no attribute of
 * theirs that a format takes runs anything. */
bool arguments_literal(const struct arguments *arguments);

/* body_method.c */
struct value known_method(struct frame *frame, const struct value *method,
                          const struct arguments *arguments);
/* What the name of the standard library is for certain: UNSET where that is
 * not known. */
struct value known_constant(const char *name);

#endif
