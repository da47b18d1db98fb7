/* Methods of builtin values: see body_private.h. Needs the GIL; runs no Python
 * code.
 */
#include "lazycore/body_private.h"

#include <string.h>

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
    "join",         "strip",        "lstrip",     "rstrip",       "lower",
    "upper",        "title",        "capitalize", "casefold",     "replace",
    "startswith",   "endswith",     "count",      "find",         "rfind",
    "index",        "encode",       "decode",     "isdigit",      "isalpha",
    "isalnum",      "zfill",        "center",     "ljust",        "rjust",
    "expandtabs",   "translate",    "hex",        "bit_length",   "to_bytes",
    "isupper",      "islower",      "is_integer", "isidentifier", "swapcase",
    "removeprefix", "removesuffix", NULL};
static const char *const format_methods[] = {"format", "format_map", NULL};
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
static const char *const consuming_methods[] = {"extend",
                                                "update",
                                                "extendleft",
                                                "difference_update",
                                                "intersection_update",
                                                NULL};
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
        if (value->lazy && !is_one_of(name, consuming_methods))
            worst = G_ANY; /* it may be gone through later */
        if (keyed && i == 0 && grade > G_INERT)
            worst = G_ANY;
        if ((strcmp(name, "extend") == 0 || strcmp(name, "update") == 0) &&
            i < arguments_positional(arguments) && value->kind != V_FRESH &&
            value->kind != V_ITER && value->kind != V_PLAIN)
            worst = G_ANY; /* it is gone through */
    }
    bool inert = arguments_inert(reader, arguments, true) &&
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
    bool inert =
        arguments_inert(reader, arguments, false) && !arguments->unknown;
    if (inert && method->fresh && is_one_of(name, reading_methods)) {
        if (is_one_of(name, element_methods))
            return value_of(method->grade <= G_INERT ? V_INERT : V_ANY);
        return value_fresh((enum grade)method->grade);
    }
    if (!method->fresh && is_one_of(name, format_methods) &&
        arguments_literal(arguments))
        return value_plain(NULL);
    if (inert && !method->fresh && is_one_of(name, listing_methods))
        return value_fresh(G_PLAIN);
    if (inert && !method->fresh && is_one_of(name, plain_methods))
        return value_plain(NULL);
    return body_effect(reader, "calls .%.60s with what is not known", name);
}
