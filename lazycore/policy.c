/* Which imports are lazy: DESIGN 4.3, each rule a reason.
 *
 * Rules 1 and 6 to 7 look at the imported module, 2 to 5 at the statement.
 * What the bytecode says comes from bytecode.c; the ignore sets and levels
 * are plain C of their own. Needs the GIL.
 */
#include "lazycore/foresee.h"
#include "lazycore/record.h"
#include "lazycore/standard.h"
#include "lazycore/taken.h"

static const char *const rule_strings[LZ_RULES] = {
    [LZ_RULE_GUARDED] = "guarded",
    [LZ_RULE_LATE] = "late",
    [LZ_RULE_FOR_EFFECT] = "for_effect",
    [LZ_RULE_SAME_PACKAGE] = "same_package",
    [LZ_RULE_NAMESPACES] = "namespaces",
    [LZ_RULE_FORESIGHT] = "foresight",
    [LZ_RULE_SYS_MODULES] = "sys_modules",
    [LZ_RULE_FORKS] = "forks",
    [LZ_RULE_ACCOUNTING] = "accounting",
};

const char *
policy_rule_string(enum lz_rule rule)
{
    return rule_strings[rule];
}

/* The first statement of NS's code that has an effect: in the source, where
 * the instructions are in another order. */
static void
find_effect(struct lz_namespace *ns)
{
    const unsigned char *code =
        (const unsigned char *)PyBytes_AS_STRING(ns->code_bytes);
    size_t size = (size_t)PyBytes_GET_SIZE(ns->code_bytes);
    PyObject *names = ns->code->co_names;
    struct lz_lines lines = {0};
    ns->effect_line = 0;
    int first = bytecode_next_effect(code, size, names, 0);
    ns->first_effect = first;
    if (!LZ_HANDLERS_COME_LAST ||
        PyBytes_GET_SIZE(ns->code->co_exceptiontable) == 0)
        return;
    for (int at = first; at < (int)size;
         at = bytecode_next_effect(code, size, names, at + 2)) {
        int line = bytecode_line(ns->code, at, &lines);
        if (line <= 0) { /* made by a program */
            ns->effect_line = 0;
            ns->first_effect = first;
            return;
        }
        if (ns->effect_line == 0 || line < ns->effect_line) {
            ns->effect_line = line;
            ns->first_effect = at;
        }
    }
}

/* Whether STATEMENT comes after that. */
static bool
is_late(struct lz_namespace *ns, const struct lz_statement *statement)
{
    if (ns->effect_line == 0)
        return ns->first_effect < statement->offset;
    int line = bytecode_line(ns->code, statement->offset, &ns->lines);
    return line == ns->effect_line ? ns->first_effect < statement->offset
                                   : ns->effect_line < line;
}

int
policy_analyse(struct lz_engine *engine, struct lz_namespace *ns,
               PyCodeObject *code)
{
    if (ns->code == code)
        return 0;
    PyObject *bytes = lz_code_bytes(code);
    if (bytes == NULL)
        return -1;
    Py_INCREF(code);
    Py_XSETREF(ns->code, code);
    Py_XSETREF(ns->code_bytes, bytes);
    Py_CLEAR(ns->used);
    ns->lines = (struct lz_lines){0};
    find_effect(ns);
    return engine->rule_off[LZ_RULE_SYS_MODULES]
               ? 0
               : taken_note(engine, ns, code);
}

bool
policy_is_guarded(const struct lz_statement *statement)
{
    PyObject *table = statement->code->co_exceptiontable;
    return bytecode_guarded((const unsigned char *)PyBytes_AS_STRING(table),
                            (size_t)PyBytes_GET_SIZE(table),
                            statement->offset);
}

static enum lz_guard
guard_of(const struct lz_namespace *ns, const struct lz_statement *statement)
{
    PyObject *table = statement->code->co_exceptiontable;
    return bytecode_guard(
        (const unsigned char *)PyBytes_AS_STRING(ns->code_bytes),
        (size_t)PyBytes_GET_SIZE(ns->code_bytes),
        (const unsigned char *)PyBytes_AS_STRING(table),
        (size_t)PyBytes_GET_SIZE(table), statement->offset);
}

enum lz_guard
policy_guard(struct lz_engine *engine, struct lz_namespace *ns,
             const struct lz_statement *statement)
{
    if (engine->rule_off[LZ_RULE_GUARDED] || !policy_is_guarded(statement))
        return LZ_GUARD_NONE;
    if (policy_analyse(engine, ns, statement->code) < 0) {
        lz_forgive();
        return LZ_GUARD_OTHER;
    }
    return guard_of(ns, statement);
}

/* Rule 4. An except clause is there for a module that is missing, or lacks a
 * name: of what is sure to load the module itself may wait, and within the
 * standard library, which is of one piece, its names; of others, those that
 * its code binds in any case. Where nothing but an ImportError is expected, a
 * module may wait that is recorded not to end in one. */
static bool
is_guarded(struct lz_engine *engine, struct lz_namespace *ns,
           struct lz_statement *statement)
{
    enum lz_guard inherited = load_guard(ns->dict);
    statement->guard = guard_of(ns, statement);
    statement->certain_only =
        statement->guard == LZ_GUARD_EXCEPT || inherited == LZ_GUARD_EXCEPT;
    if (statement->guard == LZ_GUARD_OTHER || inherited == LZ_GUARD_OTHER)
        return true;
    statement->sure_will_do =
        statement->guard == LZ_GUARD_EXCEPT && inherited == LZ_GUARD_NONE &&
        statement->shape != LZ_SHAPE_FROM &&
        bytecode_expects_import_error(ns->code, ns->code_bytes,
                                      statement->offset);
    statement->certain_names =
        statement->shape == LZ_SHAPE_FROM &&
        (statement->guard == LZ_GUARD_EXCEPT ||
         (inherited == LZ_GUARD_EXCEPT &&
          !standard_has_code(engine, ns, statement->code)));
    return false;
}

enum lz_reason
policy_statement(struct lz_engine *engine, struct lz_namespace *ns,
                 struct lz_statement *statement)
{
    const bool *off = engine->rule_off;
    PyCodeObject *code = statement->code;
    statement->guard = LZ_GUARD_NONE;
    statement->certain_only = statement->certain_names = false;
    statement->sure_will_do = false;
    if (statement->shape == LZ_SHAPE_UNKNOWN)
        return LZ_REASON_UNKNOWN_SHAPE;
    if (statement->shape == LZ_SHAPE_STAR)
        return LZ_REASON_STAR;
    if (load_must_finish())
        return LZ_REASON_IGNORE_PACKAGE;
    if (policy_analyse(engine, ns, code) < 0) {
        lz_forgive();
        return LZ_REASON_UNKNOWN_SHAPE;
    }
    if (ns->copies)
        return LZ_REASON_SYS_MODULES;
    if (!off[LZ_RULE_GUARDED] && is_guarded(engine, ns, statement))
        return LZ_REASON_GUARDED;
    if (!off[LZ_RULE_LATE] && is_late(ns, statement))
        return statement->certain_names ? LZ_REASON_GUARDED : LZ_REASON_LATE;
    return LZ_REASON_LAZY;
}

/* A name in the top-level package that the code of NS belongs to: __package__
 * (a package's __main__ runs as "__main__"), else __name__. */
static const char *
importer_package(struct lz_engine *engine, struct lz_namespace *ns)
{
    PyObject *package =
        namespace_peek_borrowed(engine, ns->dict, engine->names.package, NULL);
    if (package == NULL || !PyUnicode_Check(package) ||
        PyUnicode_GET_LENGTH(package) == 0)
        package = ns->name;
    const char *text = PyUnicode_AsUTF8(package);
    if (text == NULL) {
        lz_forgive();
        text = "";
    }
    return text;
}

static bool
is_own(struct lz_engine *engine, struct lz_namespace *ns, const char *module)
{
    return names_share_package(module, importer_package(engine, ns));
}

bool
policy_is_own(struct lz_engine *engine, struct lz_namespace *ns,
              PyObject *name)
{
    const char *text = place_text(name);
    return text != NULL && is_own(engine, ns, text);
}

/* What a package's own module imports may be there for others to take from
 * it; `import other.thing` that it does not use is not. */
static bool
may_hand_on(struct lz_engine *engine, struct lz_namespace *ns,
            const struct lz_statement *statement, const char *module)
{
    if (namespace_peek_borrowed(engine, ns->dict, engine->names.path, NULL) ==
        NULL)
        return false;
    return statement->shape != LZ_SHAPE_IMPORT || is_own(engine, ns, module);
}

/* Whether the code of NS loads NAME, which it binds: 1, 0 or -1. */
static int
uses_name(struct lz_namespace *ns, PyObject *name)
{
    if (ns->used == NULL)
        ns->used = bytecode_body_names(ns->code, ns->code_bytes);
    int result = ns->used == NULL ? -1 : PySet_Contains(ns->used, name);
    return result != 0 ? result : bytecode_nested_uses(ns->code, name);
}

/* Whether a statement waits for NAME, or one elsewhere was the first to wait
 * for a package above it. */
static bool
is_begun(struct lz_engine *engine, const struct lz_namespace *ns,
         PyObject *name)
{
    bool result = false;
    Py_ssize_t at = 0;
    PyObject *part;
    while (!result && (part = dotted_next(name, &at)) != NULL) {
        struct lz_target *target = target_get(engine, part);
        const struct lz_proxy *first = target == NULL ? NULL : target->waiters;
        bool above = PyUnicode_GET_LENGTH(part) < PyUnicode_GET_LENGTH(name);
        bool own = above && first != NULL && first->key != NULL &&
                   first->key->ns == ns;
        result = target != NULL && target->noted && !own;
        Py_XDECREF(target);
        Py_DECREF(part);
    }
    return result;
}

/* Whether STATEMENT is `import a.b` in a module that uses a, but nothing by
 * the name of b: what it uses has come with another statement. Where eager
 * code has had b by then, it comes with the statement that brought it; and
 * what leads here may have begun at that end. */
static bool
is_unused_part(struct lz_engine *engine, const struct lz_namespace *ns,
               const struct lz_statement *statement)
{
    PyObject *name = statement->name;
    if (statement->shape != LZ_SHAPE_IMPORT ||
        PyUnicode_FindChar(name, '.', 0, PyUnicode_GET_LENGTH(name), 1) < 0)
        return false;
    PyObject *tail = dotted_tail(name);
    if (tail != NULL)
        PyUnicode_InternInPlace(&tail);
    bool result =
        tail != NULL &&
        bytecode_may_use(ns->code, statement->stored[0], tail) == 0 &&
        !is_begun(engine, ns, name) &&
        foresee_leads_to(engine, name, ns->name) == 0;
    lz_forgive();
    Py_XDECREF(tail);
    return result;
}

static bool
is_for_effect(struct lz_engine *engine, struct lz_namespace *ns,
              const struct lz_statement *statement, const char *module)
{
    if (may_hand_on(engine, ns, statement, module))
        return false;
    if (is_unused_part(engine, ns, statement))
        return true;
    for (int i = 0; i < statement->count; i++) {
        if (uses_name(ns, statement->stored[i]) != 0) {
            lz_forgive();
            return false;
        }
    }
    return true;
}

/* Rules 1, 6 and 7, which look at the imported module. -1 with an exception.
 */
static int
look_at_module(struct lz_engine *engine, struct lz_namespace *ns,
               const struct lz_statement *statement, PyObject *name,
               PyObject *file, enum lz_reason *ret_reason)
{
    struct lz_core *core = engine->core;
    const char *module = PyUnicode_AsUTF8(name);
    if (module == NULL)
        return -1;
    const char *path = file == NULL ? NULL : PyUnicode_AsUTF8(file);
    if (path == NULL)
        lz_forgive(); /* a path with surrogates matches no rule */
    *ret_reason = ignore_match(core->ignore, module, path);
    if (*ret_reason != LZ_REASON_LAZY)
        return 0;
    if (taken_has(engine, name, statement)) {
        *ret_reason = LZ_REASON_SYS_MODULES;
        return 0;
    }
    enum lz_level level = levels_get(core->levels, module, NULL);
    if (level == LZ_LEVEL_EAGER) {
        *ret_reason = LZ_REASON_LEVEL_EAGER;
        return 0;
    }
    if (levels_is_stdlib(core->levels, module))
        return 0;
    if (!engine->rule_off[LZ_RULE_FOR_EFFECT] &&
        is_for_effect(engine, ns, statement, module)) {
        *ret_reason = LZ_REASON_FOR_EFFECT;
        return 0;
    }
    if (!engine->rule_off[LZ_RULE_SAME_PACKAGE] && level != LZ_LEVEL_FULL &&
        is_own(engine, ns, module))
        *ret_reason = LZ_REASON_SAME_PACKAGE;
    return 0;
}

/* `from x import a as B` in which no name is like that of something unused:
 * others take B from here. */
static bool
renames_all(const struct lz_statement *statement)
{
    for (int i = 0; i < statement->count; i++) {
        PyObject *stored = statement->stored[i];
        if (PyUnicode_Compare(stored, statement->attrs[i]) == 0 ||
            PyUnicode_READ_CHAR(stored, 0) == '_')
            return false;
    }
    return true;
}

/* Whether REASON, why NS may not defer NAME, found at FILE, does not hold: it
 * is free of effects. One that is imported for its effect may never be
 * loaded, so that nothing that others would do may come with it. */
static int
is_free(struct lz_engine *engine, struct lz_namespace *ns,
        const struct lz_statement *statement, PyObject *name, PyObject *file,
        enum lz_reason reason)
{
    bool for_effect = reason == LZ_REASON_FOR_EFFECT;
    if (reason != LZ_REASON_SAME_PACKAGE &&
        !(for_effect && policy_is_own(engine, ns, name)))
        return 0;
    int result = record_allows(engine, name, file);
    if (result != 1 || !for_effect ||
        (statement->shape == LZ_SHAPE_FROM && renames_all(statement)))
        return result;
    int strays = foresee_strays(engine, name);
    return strays < 0 ? -1 : strays == 0;
}

static void
note_free(struct lz_engine *engine, PyObject *name)
{
    struct lz_target *target = target_get(engine, name);
    if (target != NULL)
        target->free = true;
    Py_XDECREF(target);
}

static PyObject *
note_made(void *ret_made)
{
    *(bool *)ret_made = true;
    PyErr_SetNone(PyExc_AttributeError);
    return NULL;
}

/* Whether there are audit hooks, each of which may refuse an import. Only for
 * them are the arguments of an event made; they do not hear of this one. */
static bool
is_audited(void)
{
    bool made = false;
    PySys_Audit("lazycore.is_audited", "O&", note_made, (void *)&made);
    lz_forgive();
    return made;
}

/* Whether what STATEMENT asks of NAME in a guard holds. */
static bool
is_certain(struct lz_engine *engine, const struct lz_statement *statement,
           PyObject *name, PyObject *found, PyObject *file)
{
    if (is_audited())
        return false;
    return standard_is_certain(engine, name, found) ||
           (statement->sure_will_do && record_is_sure(engine, name, file) &&
            standard_is_whole(engine));
}

int
policy_allows(struct lz_engine *engine, struct lz_namespace *ns,
              const struct lz_statement *statement, PyObject *name,
              PyObject *found, enum lz_reason *ret_reason)
{
    PyObject *file = found_file(engine, found);
    *ret_reason = LZ_REASON_GUARDED;
    if (statement->certain_only &&
        !is_certain(engine, statement, name, found, file)) {
        Py_XDECREF(file);
        return 0;
    }
    int result = look_at_module(engine, ns, statement, name, file, ret_reason);
    if (result == 0 && *ret_reason != LZ_REASON_LAZY) {
        result = is_free(engine, ns, statement, name, file, *ret_reason);
        if (result == 1) {
            *ret_reason = LZ_REASON_LAZY;
            note_free(engine, name);
        }
    }
    Py_XDECREF(file);
    return result < 0 ? -1 : *ret_reason == LZ_REASON_LAZY;
}
