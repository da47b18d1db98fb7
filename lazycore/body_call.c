/* Calls: of what is known of the standard library, of functions whose code
 * can be followed, of classes. See body_private.h. Needs the GIL; runs
 * importlib's code.
 */
#include "lazycore/body_private.h"

#include <string.h>

int
arguments_positional(const struct arguments *arguments)
{
    int keywords = arguments->keywords == NULL
                       ? 0
                       : (int)PyTuple_GET_SIZE(arguments->keywords);
    return arguments->count - keywords;
}

struct value
call_value(struct frame *frame, const struct value *callable,
           struct arguments *arguments)
{
    struct lz_reader *reader = frame->reader;
    char text[128];
    struct value what = *callable;
    if (what.kind == V_FOREIGN)
        what = name_resolve(reader, callable);
    if (what.maybe_unset)
        what = value_of(V_ANY);
    switch ((enum kind)what.kind) {
    case V_BUILD_CLASS:
        return class_build(frame, arguments);
    case V_STD:
        return known_call(frame, &what, arguments);
    case V_METHOD:
        return known_method(frame, &what, arguments);
    case V_FUNCTION:
        if (what.klass != NULL) {
            struct value self = {
                .kind = V_INSTANCE, .klass = what.klass, .grade = G_ANY};
            return class_call(frame, &what, &self, arguments);
        }
        return call_function(frame, &what, arguments);
    case V_CLASS:
        return class_make(frame, &what, arguments);
    case V_UNSET:
    case V_NULL:
    case V_PLAIN:
    case V_FRESH:
    case V_ITER:
    case V_INSTANCE:
    case V_MODULE:
    case V_FOREIGN:
    case V_SHARED:
    case V_INERT:
    case V_ANY:
    default:
        return body_effect(reader, "calls %s",
                           body_describe(callable, text, sizeof(text)));
    }
}

/* Functions */

/* Whether CODE is that of a generator expression. */
static bool
is_expression(PyCodeObject *code)
{
    return PyUnicode_CompareWithASCIIString(code->co_name, "<genexpr>") == 0;
}

static bool
is_running(const struct frame *frame, PyCodeObject *code)
{
    for (; frame != NULL; frame = frame->back) {
        if (frame->code == code)
            return true;
    }
    return false;
}

static enum grade
worst(const struct arguments *arguments, int from, int to)
{
    enum grade result = G_PLAIN;
    for (int i = from; i < to; i++) {
        const struct value *value = &arguments->values[i];
        enum grade grade = value->lazy ? G_ANY : value_held(value);
        result = grade > result ? grade : result;
    }
    return result;
}

/* Where the parameter NAME of the PARAMETERS first ones stands, or -1. */
static int
find_parameter(PyObject *names, int parameters, PyObject *name)
{
    for (int i = 0; i < parameters && i < (int)PyTuple_GET_SIZE(names); i++) {
        if (PyUnicode_Compare(PyTuple_GET_ITEM(names, i), name) == 0)
            return i;
    }
    return -1;
}

/* LOCALS, of which the first are CODE's parameters, from ARGUMENTS. What is
 * not given has a default that is not known. */
static void
bind(PyCodeObject *code, PyObject *names, const struct arguments *arguments,
     struct value *locals)
{
    int parameters = code->co_argcount + code->co_kwonlyargcount;
    int positional = arguments_positional(arguments);
    int at = parameters;
    for (int i = 0; i < parameters; i++)
        locals[i] =
            arguments->unknown || i >= positional || i >= code->co_argcount
                ? value_of(V_ANY)
                : arguments->values[i];
    for (int i = 0; i < parameters; i++) {
        if (locals[i].lazy && !is_expression(code))
            locals[i] = value_of(V_ANY);
    }
    enum grade grade =
        arguments->unknown
            ? G_ANY
            : worst(arguments,
                    positional < code->co_argcount ? positional
                                                   : code->co_argcount,
                    arguments->count);
    if (code->co_flags & CO_VARARGS)
        locals[at++] = value_fresh(grade);
    if (code->co_flags & CO_VARKEYWORDS)
        locals[at] = value_fresh(grade);
    for (int i = positional; !arguments->unknown && i < arguments->count;
         i++) {
        PyObject *name = PyTuple_GET_ITEM(arguments->keywords, i - positional);
        int found = find_parameter(names, parameters, name);
        if (found >= 0)
            locals[found] = arguments->values[i].lazy ? value_of(V_ANY)
                                                      : arguments->values[i];
    }
}

static struct value
run_function(struct frame *frame, const struct value *function,
             PyCodeObject *code, PyObject *names,
             const struct arguments *arguments)
{
    struct frame inner = {.reader = frame->reader,
                          .unit = function->unit,
                          .back = frame,
                          .kind = FRAME_FUNCTION,
                          .code = code};
    struct value result = value_of(V_ANY);
    struct value *locals =
        PyMem_Calloc((size_t)code->co_nlocalsplus + 3, sizeof(*locals));
    if (locals == NULL) {
        PyErr_NoMemory();
        return result;
    }
    bind(code, names, arguments, locals);
    if (frame_run(&inner, locals, code->co_nlocalsplus) == 0 &&
        !inner.broken && inner.result.kind != V_UNSET)
        result = inner.result;
    frame_done(&inner);
    PyMem_Free(locals);
    return result;
}

struct value
call_function(struct frame *frame, const struct value *function,
              const struct arguments *arguments)
{
    struct lz_reader *reader = frame->reader;
    PyCodeObject *code = (PyCodeObject *)function->object;
    bool expression = is_expression(code);
    int extra = ((code->co_flags & CO_VARARGS) != 0) +
                ((code->co_flags & CO_VARKEYWORDS) != 0);
    if ((code->co_flags & CO_COROUTINE) != 0)
        return body_effect(reader, "calls %.60s(), which nothing awaits",
                           body_text(code->co_name));
    if ((code->co_flags & CO_ASYNC_GENERATOR) != 0 ||
        ((code->co_flags & CO_GENERATOR) != 0 && !expression))
        return value_of(V_ANY); /* nothing of it runs as yet */
    if (code->co_argcount + code->co_kwonlyargcount + extra >
            code->co_nlocalsplus ||
        is_running(frame, code))
        return body_effect(reader, "calls %.60s(), which is not followed",
                           body_text(code->co_name));
    PyObject *names = PyCode_GetVarnames(code);
    if (names == NULL)
        return value_of(V_ANY);
    struct value result =
        run_function(frame, function, code, names, arguments);
    Py_DECREF(names);
    result.lazy = expression && result.kind == V_ITER;
    return result;
}

/* On the stack */

/* Whether KEYWORDS are names of some of COUNT arguments. */
static bool
are_names(PyObject *keywords, int count)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(keywords); i++) {
        if (!PyUnicode_Check(PyTuple_GET_ITEM(keywords, i)))
            return false;
    }
    return PyTuple_GET_SIZE(keywords) <= count;
}

/* COUNT values on top, then self or NULL, then the callable, or these two the
 * other way round. */
static void
call(struct frame *frame, int count, PyObject *keywords)
{
    struct arguments arguments = {.count = count, .keywords = keywords};
    int room = BODY_ARGUMENTS_MAX - 1;
    if (keywords != NULL && !are_names(keywords, count)) {
        frame_break(frame, "its code is not understood");
        return;
    }
    arguments.unknown = count > room;
    for (int i = count - 1; i >= 0 && !frame->broken; i--) {
        struct value value = frame_pop(frame);
        if (!arguments.unknown)
            arguments.values[i + 1] = value;
    }
    struct value second = frame_pop(frame);
    struct value first = frame_pop(frame);
    if (frame->broken)
        return;
    struct value *callable = first.kind == V_NULL ? &second : &first;
    if (arguments.unknown) {
        arguments.count = 1;
        arguments.values[0] = value_of(V_ANY);
        arguments.keywords = NULL;
    } else if (first.kind != V_NULL && second.kind != V_NULL) {
        arguments.values[0] = second;
        arguments.count++;
    } else {
        for (int i = 0; i < count; i++)
            arguments.values[i] = arguments.values[i + 1];
    }
    struct value result = call_value(frame, callable, &arguments);
    frame_push(frame, result);
}

void
call_stacked(struct frame *frame, const struct lz_instruction *in)
{
    struct arguments arguments = {.unknown = true};
    PyObject *keywords = NULL;
    if (in->op == LZ_OP_CALL_KEYWORDS) {
        struct value names = frame_pop(frame);
        if (names.kind == V_PLAIN && names.object != NULL &&
            PyTuple_Check(names.object))
            call(frame, in->arg, names.object);
        else
            frame_break(frame, "its code is not understood");
        return;
    }
    if (in->op == LZ_OP_CALL) {
        keywords = frame->keywords;
        frame->keywords = NULL;
        call(frame, in->arg, keywords);
        return;
    }
    if (in->flag)
        arguments.values[arguments.count++] = frame_pop(frame);
    arguments.values[arguments.count++] = frame_pop(frame);
    struct value second = frame_pop(frame);
    struct value first = frame_pop(frame);
    struct value *callable = first.kind == V_NULL ? &second : &first;
    if (!frame->broken)
        frame_push(frame, call_value(frame, callable, &arguments));
}
