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

static bool
are_inert(struct lz_reader *reader, const struct arguments *arguments,
          bool functions)
{
    int positional = arguments_positional(arguments);
    for (int i = 0; i < arguments->count; i++) {
        const struct value *value = &arguments->values[i];
        if (!value_is_inert(reader, value))
            return false;
        struct value found =
            value->kind == V_FOREIGN ? name_resolve(reader, value) : *value;
        if (found.kind == V_FUNCTION && !functions)
            return false; /* it may be called */
        if (i >= positional && found.kind != V_STD && found.kind != V_PLAIN &&
            PyUnicode_CompareWithASCIIString(
                PyTuple_GET_ITEM(arguments->keywords, i - positional),
                "key") == 0)
            return false;
    }
    return true;
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

static struct value
result_of(struct lz_reader *reader, const struct known *known,
          const struct arguments *arguments)
{
    const char *result = known->result;
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
                              .grade = (unsigned char)elements(arguments)};
    if (strcmp(result, "*inert") == 0)
        return value_of(V_INERT);
    if (strcmp(result, "*any") == 0)
        return value_of(V_ANY);
    return value_std_text(reader, result);
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
        value_held(first) > G_INERT)
        return body_effect(reader, "calls %.100s with what is not its own",
                           known->name);
    if (how == 'w')
        return value_of(V_INERT);
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
    bool good = false;
    bool functions = strchr(known->how, 'f') != NULL;
    switch (known->how[0]) {
    case 'c':
        good = true;
        break;
    case 'i':
        good = are_inert(reader, arguments, functions);
        break;
    case 'a':
        good = is_looked_up(arguments) && are_inert(reader, arguments, false);
        break;
    case 's':
        good = are_inert(reader, arguments, false) &&
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

/* Methods of builtin values */

static bool
is_one_of(const char *name, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strcmp(name, *names) == 0)
            return true;
    }
    return false;
}

static const char *const plain_methods[] = {
    "join",         "format",     "strip",        "lstrip",       "rstrip",
    "lower",        "upper",      "title",        "capitalize",   "casefold",
    "replace",      "startswith", "endswith",     "count",        "find",
    "rfind",        "index",      "encode",       "decode",       "isdigit",
    "isalpha",      "isalnum",    "zfill",        "center",       "ljust",
    "rjust",        "expandtabs", "translate",    "hex",          "bit_length",
    "to_bytes",     "isupper",    "islower",      "is_integer",   "format_map",
    "isidentifier", "swapcase",   "removeprefix", "removesuffix", NULL};
static const char *const listing_methods[] = {
    "split", "rsplit", "splitlines", "partition", "rpartition", NULL};
static const char *const reading_methods[] = {"get",
                                              "keys",
                                              "values",
                                              "items",
                                              "copy",
                                              "count",
                                              "index",
                                              "union",
                                              "difference",
                                              "intersection",
                                              "issubset",
                                              "issuperset",
                                              "isdisjoint",
                                              "most_common",
                                              "symmetric_difference",
                                              NULL};
static const char *const changing_methods[] = {"append",
                                               "extend",
                                               "insert",
                                               "add",
                                               "update",
                                               "pop",
                                               "setdefault",
                                               "popitem",
                                               "remove",
                                               "discard",
                                               "clear",
                                               "reverse",
                                               "sort",
                                               "appendleft",
                                               "popleft",
                                               "extendleft",
                                               "move_to_end",
                                               "subtract",
                                               "difference_update",
                                               "intersection_update",
                                               NULL};
/* Of these, those that only put in what they are given. */
static const char *const storing_methods[] = {
    "append", "extend", "insert", "update", "setdefault", "appendleft", NULL};
static const char *const element_methods[] = {
    "get", "pop", "setdefault", "popleft", "popitem", NULL};

static struct value
change(struct frame *frame, const struct value *method,
       const struct arguments *arguments, const char *name)
{
    struct lz_reader *reader = frame->reader;
    enum grade worst = G_PLAIN;
    bool keyed = strcmp(name, "setdefault") == 0;
    for (int i = 0; i < arguments->count; i++) {
        const struct value *value = &arguments->values[i];
        enum grade grade = value->kind == V_FRESH || value->kind == V_ITER
                               ? (enum grade)value->grade
                           : keyed && i == 0 ? value_grade(reader, value)
                                             : value_held(value);
        worst = grade > worst ? grade : worst;
        if (keyed && i == 0 && grade > G_INERT)
            worst = G_ANY;
        if ((strcmp(name, "extend") == 0 || strcmp(name, "update") == 0) &&
            i < arguments_positional(arguments) && value->kind != V_FRESH &&
            value->kind != V_ITER && value->kind != V_PLAIN)
            worst = G_ANY; /* it is gone through */
    }
    bool inert = are_inert(reader, arguments, true) &&
                 (strcmp(name, "sort") != 0 || arguments->count == 0);
    if (arguments->unknown || worst == G_ANY ||
        (!inert && !is_one_of(name, storing_methods)))
        return body_effect(reader, "calls .%.60s with what is not known",
                           name);
    if (worst > (enum grade)method->grade)
        frame_taint(frame, worst);
    if (!is_one_of(name, element_methods))
        return value_plain(Py_None);
    return value_of(worst <= G_INERT && method->grade <= G_INERT ? V_INERT
                                                                 : V_ANY);
}

struct value
known_method(struct frame *frame, const struct value *method,
             const struct arguments *arguments)
{
    struct lz_reader *reader = frame->reader;
    const char *name = body_text(method->object);
    if (method->fresh && is_one_of(name, changing_methods))
        return change(frame, method, arguments, name);
    bool inert = are_inert(reader, arguments, false) && !arguments->unknown;
    if (inert && method->fresh && is_one_of(name, reading_methods)) {
        if (is_one_of(name, element_methods))
            return value_of(method->grade <= G_INERT ? V_INERT : V_ANY);
        return value_fresh((enum grade)method->grade);
    }
    if (inert && !method->fresh && is_one_of(name, listing_methods))
        return value_fresh(G_PLAIN);
    if (inert && !method->fresh && is_one_of(name, plain_methods))
        return value_plain(NULL);
    return body_effect(reader, "calls .%.60s with what is not known", name);
}
