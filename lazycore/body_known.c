/* What is known of builtins and the standard library: body_known.def. Needs
 * the GIL; runs no Python code.
 */
#include "lazycore/body_private.h"

#include <stdlib.h>
#include <string.h>

static const struct known table[] = {
#define KNOWN(name, how, result) {name, how, result},
#include "lazycore/body_known.def"
#undef KNOWN
};

static int
compare_names(const void *name, const void *row)
{
    return strcmp(name, ((const struct known *)row)->name);
}

const struct known *
known_find(const char *name)
{
    return bsearch(name, table, sizeof(table) / sizeof(table[0]),
                   sizeof(table[0]), compare_names);
}

static PyObject *
builtin_borrowed(const char *name)
{
    PyObject *builtins = PyEval_GetBuiltins();
    return builtins == NULL || !PyDict_Check(builtins)
               ? NULL
               : PyDict_GetItemString(builtins, name);
}

bool
known_is_builtin(const char *name)
{
    return builtin_borrowed(name) != NULL;
}

/* One of the interpreter's own exceptions. */
static bool
is_exception(const char *name)
{
    PyObject *value =
        strncmp(name, "builtins.", 9) == 0 ? builtin_borrowed(name + 9) : NULL;
    return value != NULL && PyExceptionClass_Check(value) &&
           !PyType_HasFeature((PyTypeObject *)value, Py_TPFLAGS_HEAPTYPE);
}

bool
known_is_generic(const char *name)
{
    static const char *const exact[] = {"builtins.dict",
                                        "builtins.frozenset",
                                        "builtins.list",
                                        "builtins.set",
                                        "builtins.tuple",
                                        "builtins.type",
                                        "contextvars.Token",
                                        "contextvars.ContextVar",
                                        "dataclasses.InitVar",
                                        "functools.cached_property",
                                        "functools.partial",
                                        "logging.LoggerAdapter",
                                        "logging.StreamHandler",
                                        "os.DirEntry",
                                        "os.PathLike",
                                        "re.Match",
                                        "re.Pattern",
                                        "subprocess.CompletedProcess",
                                        "subprocess.Popen",
                                        "types.MappingProxyType"};
    static const char *const modules[] = {"asyncio.",    "collections.",
                                          "contextlib.", "queue.",
                                          "typing.",     "weakref."};
    if (strchr(name, '(') != NULL)
        return false;
    for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
        if (strncmp(name, modules[i], strlen(modules[i])) == 0)
            return true;
    }
    for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++) {
        if (strcmp(name, exact[i]) == 0)
            return true;
    }
    return false;
}

struct value
known_constant(const char *name)
{
    static const char *const of_sys[] = {"version_info", "platform", "maxsize",
                                         "byteorder"};
    /* What prints, and what is read from outside. */
    static const char *const any[] = {"re.DEBUG", "sys.stdin",
                                      "sys.__stdin__"};
    for (size_t i = 0; i < sizeof(any) / sizeof(any[0]); i++) {
        if (strcmp(name, any[i]) == 0)
            return value_of(V_ANY);
    }
    if (strcmp(name, "typing.TYPE_CHECKING") == 0)
        return value_plain(Py_False);
    for (size_t i = 0; strncmp(name, "sys.", 4) == 0 &&
                       i < sizeof(of_sys) / sizeof(of_sys[0]);
         i++) {
        PyObject *value = strcmp(name + 4, of_sys[i]) == 0
                              ? PySys_GetObject(of_sys[i])
                              : NULL;
        if (value != NULL &&
            (PyUnicode_CheckExact(value) || PyLong_CheckExact(value) ||
             PyTuple_Check(value)))
            return value_plain(value);
    }
    return value_of(V_UNSET);
}

/* Arguments */

/* Whether VALUE may be called for each element as its key. */
static bool
is_key(const struct value *value)
{
    static const char *const keys[] = {
        "builtins.len", "builtins.int",         "builtins.str",
        "builtins.abs", "builtins.str.lower",   "builtins.str.upper",
        "builtins.ord", "builtins.str.casefold"};
    const char *name = body_text(value->object);
    for (size_t i = 0;
         value->kind == V_STD && i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(name, keys[i]) == 0)
            return true;
    }
    return value->kind == V_PLAIN;
}

static bool
is_literal(const struct value *value)
{
    return !value->maybe_unset &&
           (value->kind == V_PLAIN ||
            ((value->kind == V_FRESH || value->kind == V_ITER) &&
             value->grade == G_PLAIN));
}

bool
arguments_inert(struct lz_reader *reader, const struct arguments *arguments,
                bool functions)
{
    int positional = arguments_positional(arguments);
    for (int i = 0; i < arguments->count; i++) {
        const struct value *value = &arguments->values[i];
        if (!value_is_inert(reader, value) ||
            (arguments->unknown && !is_literal(value)))
            return false;
        struct value found =
            value->kind == V_FOREIGN ? name_resolve(reader, value) : *value;
        if (found.kind == V_FUNCTION && !functions)
            return false; /* it may be called */
        if (found.kind == V_CLASS && found.klass->enumeration &&
            class_member(&found).kind != V_INERT)
            return false; /* its members may be gone through */
        if (i >= positional && !is_key(&found) &&
            PyUnicode_CompareWithASCIIString(
                PyTuple_GET_ITEM(arguments->keywords, i - positional),
                "key") == 0)
            return false;
    }
    return true;
}

/* Whether VALUE is nothing that can be called. Constants of the standard
 * library have upper-case names. */
static bool
is_uncallable(const struct value *value)
{
    const char *name = body_text(value->object);
    const char *last = strrchr(name, '.');
    if (value->kind != V_STD)
        return value->kind == V_PLAIN || value->kind == V_FRESH ||
               value->kind == V_ITER;
    if (strcmp(name, "re.compile()") == 0)
        return true;
    for (last = last == NULL ? name : last + 1; *last != '\0'; last++) {
        if ((*last < 'A' || *last > 'Z') && *last != '_')
            return false;
    }
    return true;
}

static bool
are_uncallable(struct lz_reader *reader, const struct arguments *arguments)
{
    for (int i = 0; i < arguments->count; i++) {
        if (!is_uncallable(&arguments->values[i]))
            return false;
    }
    return !arguments->unknown && arguments_inert(reader, arguments, false);
}

bool
arguments_literal(const struct arguments *arguments)
{
    for (int i = 0; i < arguments->count; i++) {
        if (!is_literal(&arguments->values[i]))
            return false;
    }
    return !arguments->unknown;
}

/* Whether no class of the program's answers what is of it. */
static bool
are_classes_mute(struct lz_reader *reader, const struct arguments *arguments)
{
    return arguments->count == 2 && !arguments->unknown &&
           (arguments->values[1].kind == V_STD ||
            !class_any_answers(reader)) &&
           arguments_inert(reader, arguments, false);
}

/* What a container holds that is made of ARGUMENTS. */
static enum grade
elements(const struct arguments *arguments)
{
    enum grade result = G_PLAIN;
    for (int i = 0; i < arguments->count; i++) {
        const struct value *value = &arguments->values[i];
        enum grade grade = value->kind == V_FRESH || value->kind == V_ITER
                               ? (enum grade)value->grade
                           : value->kind == V_PLAIN ? G_PLAIN
                                                    : G_INERT;
        result = grade > result ? grade : result;
    }
    return result;
}

static bool
has_lazy(const struct arguments *arguments)
{
    for (int i = 0; i < arguments->count; i++) {
        if (arguments->values[i].lazy)
            return true;
    }
    return false;
}

static struct value
result_of(struct lz_reader *reader, const struct known *known,
          const struct arguments *arguments)
{
    const char *result = known->result;
    if (has_lazy(arguments) && (result == NULL || result[0] != '*'))
        return body_effect(reader, "calls %.60s with a generator",
                           known->name);
    if (result == NULL) {
        PyObject *name = PyUnicode_FromFormat("%s()", known->name);
        return value_std(reader, reader_keep(reader, name));
    }
    if (strcmp(result, "*plain") == 0)
        return value_plain(NULL);
    if (strcmp(result, "*fresh") == 0)
        return value_fresh(elements(arguments));
    if (strcmp(result, "*iter") == 0)
        return (struct value){.kind = V_ITER,
                              .lazy = has_lazy(arguments),
                              .grade = (unsigned char)elements(arguments)};
    if (strcmp(result, "*inert") == 0)
        return value_of(V_INERT);
    if (strcmp(result, "*any") == 0)
        return value_of(V_ANY);
    return value_std_text(reader, result);
}

/* Whether VALUE does not run where it is taken from a class. */
static bool
is_wrapped_plainly(const struct value *value)
{
    static const char *const names[] = {
        "functools.cache()", "contextlib.contextmanager()",
        "contextlib.asynccontextmanager()", "typing.overload()"};
    for (size_t i = 0;
         value->kind == V_STD && i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(body_text(value->object), names[i]) == 0)
            return true;
    }
    return value->kind == V_FUNCTION;
}

/* Whether VALUE, which is to be marked, was made by this module. */
static bool
is_own(const struct value *value)
{
    const char *name = body_text(value->object);
    size_t length = strlen(name);
    return value->kind == V_FUNCTION || value->kind == V_CLASS ||
           (value->kind == V_STD && length > 2 &&
            strcmp(name + length - 2, "()") == 0);
}

/* Decorators: the first argument, or themselves where it is yet to come. */
static struct value
decorate(struct lz_reader *reader, const struct known *known,
         const struct value *callable, const struct arguments *arguments)
{
    int positional = arguments_positional(arguments);
    const struct value *first = &arguments->values[0];
    char how = known->how[0];
    if (positional == 0 || (how == 'g' && first->kind != V_FUNCTION) ||
        (how == 'w' && first->kind == V_PLAIN))
        return *callable;
    if (first->foreign || first->kind == V_FOREIGN ||
        value_held(first) > G_INERT || (how != 'w' && !is_own(first)))
        return body_effect(reader, "calls %.100s with what is not its own",
                           known->name);
    if (how == 'w')
        return value_std_text(reader, "functools.cache()");
    if (how == 'd' && first->kind == V_CLASS)
        first->klass->data = true;
    return *first;
}

/* Whether a call of VALUE makes a builtin value; None is not called. */
static bool
makes_builtin(const struct value *value)
{
    const char *name = body_text(value->object);
    return value->kind == V_PLAIN ||
           (value->kind == V_STD &&
            (strncmp(name, "builtins.", 9) == 0 ||
             strncmp(name, "collections.", 12) == 0) &&
            known_find(name) != NULL);
}

static bool
is_looked_up(const struct arguments *arguments)
{
    const struct value *first = &arguments->values[0];
    return arguments->count >= 2 &&
           (first->kind == V_STD || first->kind == V_PLAIN ||
            first->kind == V_FUNCTION);
}

struct value
known_call(struct frame *frame, const struct value *callable,
           const struct arguments *arguments)
{
    struct lz_reader *reader = frame->reader;
    const char *name = body_text(callable->object);
    const struct known *known = known_find(name);
    if (known == NULL && is_exception(name))
        return value_of(V_INERT);
    if (known == NULL)
        return body_effect(reader, "calls %.100s", name);
    if (!known_is_genuine(reader, name))
        return body_effect(reader, "calls %.100s, which was replaced", name);
    bool good = false;
    bool functions = strchr(known->how, 'f') != NULL;
    switch (known->how[0]) {
    case 'c':
        good = true;
        break;
    case 'i':
        good = arguments_inert(reader, arguments, functions);
        break;
    case 'k':
        good = are_uncallable(reader, arguments);
        break;
    case 'l':
        good = arguments_literal(arguments);
        break;
    case 't':
        good = are_classes_mute(reader, arguments);
        break;
    case 'm':
        good = arguments->count == 1 && is_wrapped_plainly(arguments->values);
        break;
    case 'a':
        good = is_looked_up(arguments) &&
               arguments_inert(reader, arguments, false);
        break;
    case 's':
        good = arguments_inert(reader, arguments, false) &&
               (arguments->count == 0 || makes_builtin(arguments->values));
        break;
    case 'r':
    case 'd':
    case 'g':
    case 'w':
        if (!arguments->unknown)
            return decorate(reader, known, callable, arguments);
        break;
    default:
        break;
    }
    if (!good)
        return body_effect(reader, "calls %.100s with what is not known",
                           name);
    return result_of(reader, known, arguments);
}
