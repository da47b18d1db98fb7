/* What stands in the place of builtins.__import__ while installed, and of
 * importlib.reload, which must take proxies.
 *
 * hook_import tells statements from calls, resolves the name, asks the
 * policy and either defers or imports as the interpreter would. Needs the
 * GIL.
 */
#include "lazycore/ahead.h"
#include "lazycore/api.h"
#include "lazycore/hold.h"
#include "lazycore/own.h"
#include "lazycore/reload.h"
#include "lazycore/search.h"
#include "lazycore/settle.h"
#include "lazycore/settle_watch.h"

struct import_call {
    PyObject *name, *globals, *locals, *fromlist;
    int level;
};

static int
parse_call(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
           struct import_call *call)
{
    static const char *const keywords[] = {"name", "globals", "locals",
                                           "fromlist", "level"};
    PyObject *values[5] = {NULL, NULL, NULL, NULL, NULL};
    if (nargs > 5) {
        PyErr_Format(PyExc_TypeError,
                     "__import__() takes at most 5 arguments (%zd given)",
                     nargs);
        return -1;
    }
    for (Py_ssize_t i = 0; i < nargs; i++)
        values[i] = args[i];
    Py_ssize_t extra = kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames);
    for (Py_ssize_t k = 0; k < extra; k++) {
        PyObject *key = PyTuple_GET_ITEM(kwnames, k);
        int at = 0;
        while (at < 5 &&
               PyUnicode_CompareWithASCIIString(key, keywords[at]) != 0)
            at++;
        if (at == 5 || values[at] != NULL) {
            PyErr_Format(PyExc_TypeError,
                         at == 5 ? "__import__() got an unexpected keyword "
                                   "argument '%U'"
                                 : "__import__() got multiple values for "
                                   "argument '%U'",
                         key);
            return -1;
        }
        values[at] = args[nargs + k];
    }
    if (values[0] == NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "__import__() missing required argument 'name' "
                        "(pos 1)");
        return -1;
    }
    *call =
        (struct import_call){values[0], values[1], values[2], values[3], 0};
    if (values[4] != NULL) {
        long level = PyLong_AsLong(values[4]);
        if (level == -1 && PyErr_Occurred())
            return -1;
        call->level = level > INT_MAX ? INT_MAX : (int)level;
    }
    return 0;
}

/* As it was before us. */
static PyObject *
import_now(struct lz_engine *engine, const struct import_call *call)
{
    if (engine == NULL || engine->import == NULL || engine->import_is_builtin)
        return PyImport_ImportModuleLevelObject(call->name, call->globals,
                                                call->locals, call->fromlist,
                                                call->level);
    return PyObject_CallFunction(engine->import, "OOOOi", call->name,
                                 call->globals ? call->globals : Py_None,
                                 call->locals ? call->locals : Py_None,
                                 call->fromlist ? call->fromlist : Py_None,
                                 call->level);
}

/* An import of NAME has failed, with the exception that is pending: whether it
 * was not found, where code expects that it is, and what was pending and may
 * have been meant to bring it, or the way to it, has been loaded. */
static bool
may_be_brought(struct lz_engine *engine, const struct import_call *call,
               PyObject *name, enum lz_guard guard)
{
    if (guard != LZ_GUARD_NONE || load_guard(call->globals) != LZ_GUARD_NONE ||
        !PyErr_ExceptionMatches(PyExc_ModuleNotFoundError))
        return false;
    PyObject *error = lz_take_error();
    PyObject *missing = ((PyImportErrorObject *)error)->name;
    int result = missing != NULL && PyUnicode_Check(missing) &&
                         dotted_begins_with(name, missing)
                     ? own_load(engine)
                     : 0;
    if (result == 0)
        lz_raise(error);
    else
        Py_XDECREF(error);
    return result > 0;
}

/* The same with a cause: what loads because of it is accounted to REASON.
 * GUARD: around it, for the modules that it loads directly (rule 4). Where a
 * statement waits for ABSOLUTE, eager code has loaded it long since: signals
 * wait, too. */
static PyObject *
import_eagerly(struct lz_engine *engine, const struct import_call *call,
               PyObject *absolute, enum lz_reason reason, enum lz_guard guard)
{
    struct lz_cause saved = load_cause_push(absolute, reason, guard);
    struct lz_target *target = target_get(engine, absolute);
    bool waited_for = target != NULL;
    Py_XDECREF(target);
    if (waited_for)
        hold_begin();
    PyObject *result = import_now(engine, call);
    if (result == NULL && reason != LZ_REASON_NOT_A_STATEMENT &&
        may_be_brought(engine, call, absolute, guard))
        result = import_now(engine, call);
    load_cause_pop(saved);
    if (waited_for && hold_finish(engine) < 0)
        Py_CLEAR(result);
    return result;
}

/* The package that a relative import starts from: a new reference, or NULL
 * without an exception, when importlib is left to find and to complain. */
static PyObject *
package_of(struct lz_engine *engine, PyObject *globals)
{
    PyObject *package =
        namespace_peek_borrowed(engine, globals, engine->names.package, NULL);
    if (package != NULL && PyUnicode_Check(package))
        return Py_NewRef(package);
    PyObject *spec =
        namespace_peek_borrowed(engine, globals, engine->names.spec, NULL);
    PyObject *parent = spec == NULL || spec == Py_None
                           ? NULL
                           : PyObject_GetAttr(spec, engine->names.parent);
    lz_forgive();
    if (parent != NULL && !PyUnicode_Check(parent))
        Py_CLEAR(parent);
    return parent;
}

/* The absolute name of the import: a new reference or NULL, no exception. */
static PyObject *
absolute_name(struct lz_engine *engine, const struct import_call *call)
{
    if (call->level == 0)
        return PyUnicode_GET_LENGTH(call->name) > 0 ? Py_NewRef(call->name)
                                                    : NULL;
    PyObject *package = package_of(engine, call->globals);
    if (package == NULL)
        return NULL;
    Py_ssize_t end = PyUnicode_GET_LENGTH(package);
    for (int level = call->level; level > 1 && end >= 0; level--)
        end = PyUnicode_FindChar(package, '.', 0, end, -1);
    PyObject *base = end <= 0 ? NULL : PyUnicode_Substring(package, 0, end);
    Py_DECREF(package);
    PyObject *result = NULL;
    if (base != NULL)
        result = PyUnicode_GET_LENGTH(call->name) == 0
                     ? Py_NewRef(base)
                     : dotted_join(base, '.', call->name);
    Py_XDECREF(base);
    lz_forgive();
    return result;
}

static bool
has_fromlist(const struct import_call *call)
{
    return call->fromlist != NULL && call->fromlist != Py_None;
}

/* The loaded module NAME, if it is an ordinary one: a new reference, or NULL
 * without an exception. */
static PyObject *
ordinary_module(struct lz_engine *engine, PyObject *name)
{
    PyObject *module = load_module_here(engine, name);
    if (module != NULL && !PyModule_CheckExact(module))
        Py_CLEAR(module);
    lz_forgive();
    return module;
}

/* The package or module that NAME begins with, of which NAME is loaded. */
static PyObject *
top_of(struct lz_engine *engine, PyObject *name)
{
    Py_ssize_t dot =
        PyUnicode_FindChar(name, '.', 0, PyUnicode_GET_LENGTH(name), 1);
    PyObject *first =
        dot < 0 ? Py_NewRef(name) : PyUnicode_Substring(name, 0, dot);
    PyObject *module = first == NULL ? NULL : ordinary_module(engine, first);
    lz_forgive();
    Py_XDECREF(first);
    return module;
}

/* Whether MODULE has all names of LIST; BOUND: and none of them pending. */
static bool
has_names(struct lz_engine *engine, PyObject *module, PyObject *list,
          bool bound)
{
    PyObject *dict = PyModule_GetDict(module);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(list); i++) {
        PyObject *attr = PyTuple_GET_ITEM(list, i);
        PyObject *value =
            PyUnicode_CheckExact(attr)
                ? namespace_peek_borrowed(engine, dict, attr, NULL)
                : NULL;
        if (value == NULL || (bound && proxy_check(engine, value)))
            return false;
    }
    return true;
}

/* What importlib would return without doing a thing, since NAME is loaded and
 * has all names of the from-list bound: a new reference, or NULL without an
 * exception where it is not so simple. */
static PyObject *
bound_module(struct lz_engine *engine, const struct import_call *call,
             PyObject *name)
{
    if (engine->import != NULL && !engine->import_is_builtin)
        return NULL;
    PyObject *list = call->fromlist == Py_None ? NULL : call->fromlist;
    if (list == NULL && call->level > 0)
        return NULL;
    if (list != NULL &&
        (!PyTuple_CheckExact(list) || PyTuple_GET_SIZE(list) == 0))
        return NULL;
    PyObject *module = ordinary_module(engine, name);
    if (module != NULL && list == NULL) {
        Py_SETREF(module, top_of(engine, name));
        return module;
    }
    if (module != NULL && !has_names(engine, module, list, true))
        Py_CLEAR(module);
    return module;
}

/* Whether an import would load nothing: its module is loaded and has all names
 * of the from-list, so that none is a submodule to be loaded. */
static bool
is_there(struct lz_engine *engine, const struct import_call *call,
         PyObject *name)
{
    PyObject *module = load_module_here(engine, name);
    bool there = module != NULL && module != Py_None;
    if (there && has_fromlist(call) && PyTuple_Check(call->fromlist) &&
        PyModule_Check(module))
        there = has_names(engine, module, call->fromlist, false);
    Py_XDECREF(module);
    lz_forgive();
    return there;
}

/* The statement's answer: 1 with a value, 0 with a reason, -1. */
static int
try_defer(struct lz_engine *engine, const struct import_call *call,
          struct lz_namespace *ns, struct lz_statement *statement,
          PyObject *absolute, PyObject **ret_value, enum lz_reason *ret_reason)
{
    (void)call;
    *ret_reason = policy_statement(engine, ns, statement);
    if (*ret_reason != LZ_REASON_LAZY)
        return 0;
    if (PyUnicode_CompareWithASCIIString(absolute, "__future__") == 0) {
        *ret_reason = LZ_REASON_FUTURE;
        return 0;
    }
    statement->line = bytecode_line(ns->code, statement->offset, &ns->lines);
    return defer_statement(engine, ns, statement, absolute, ret_value,
                           ret_reason);
}

static PyObject *
import_star(struct lz_engine *engine, const struct import_call *call,
            const struct lz_statement *statement, struct lz_namespace *ns,
            PyObject *absolute)
{
    PyObject *module = import_eagerly(engine, call, absolute, LZ_REASON_STAR,
                                      policy_guard(engine, ns, statement));
    if (module == NULL)
        return NULL;
    PyObject *result = defer_star(engine, ns, module);
    Py_DECREF(module);
    return result;
}

static PyObject *
import_statement(struct lz_engine *engine, const struct import_call *call,
                 struct lz_statement *statement, PyFrameObject *frame,
                 PyObject *absolute)
{
    PyObject *value = NULL;
    enum lz_reason reason = LZ_REASON_CUSTOM_NAMESPACE;
    /* import a.b of what is there needs no thought; a from-import does, for
     * the names that are pending in the loaded module. */
    if (statement->shape != LZ_SHAPE_FROM &&
        statement->shape != LZ_SHAPE_STAR && is_there(engine, call, absolute))
        return import_now(engine, call);
    struct lz_namespace *ns = namespace_get(engine, call->globals);
    if (ns == NULL) {
        if (PyErr_Occurred())
            return NULL;
        return import_eagerly(engine, call, absolute, reason, LZ_GUARD_NONE);
    }
    load_keep_namespace(engine, ns);
    int result = 0;
    search_begin(frame, statement);
    if (statement->shape == LZ_SHAPE_STAR)
        value = import_star(engine, call, statement, ns, absolute);
    else
        result =
            try_defer(engine, call, ns, statement, absolute, &value, &reason);
    if (result == 1)
        search_end(frame, statement);
    else
        search_break();
    if (statement->shape != LZ_SHAPE_STAR && result == 0)
        value =
            import_eagerly(engine, call, absolute, reason, statement->guard);
    ahead_forget(frame);
    Py_DECREF(ns);
    return value;
}

static enum lz_reason
reason_outside_modules(const struct import_call *call, PyFrameObject *frame,
                       struct lz_statement *statement, PyObject *globals)
{
    if (frame != NULL && call->globals == globals &&
        bytecode_statement(frame, call->name, has_fromlist(call), statement) ==
            1)
        return LZ_REASON_FUNCTION_BODY;
    lz_forgive();
    return LZ_REASON_NOT_A_STATEMENT;
}

static PyObject *
import_named(struct lz_engine *engine, const struct import_call *call,
             PyObject *absolute)
{
    struct lz_statement statement;
    PyFrameObject *frame = PyEval_GetFrame(); /* borrowed */
    PyObject *globals = frame == NULL ? NULL : PyFrame_GetGlobals(frame);
    PyObject *result;
    if (call->locals != call->globals || call->globals != globals) {
        /* Most imports in functions are of what is there: no cause then. */
        if (is_there(engine, call, absolute)) {
            result = import_now(engine, call);
        } else {
            enum lz_reason reason =
                reason_outside_modules(call, frame, &statement, globals);
            bool guarded = reason == LZ_REASON_FUNCTION_BODY &&
                           policy_is_guarded(&statement);
            result = import_eagerly(engine, call, absolute, reason,
                                    guarded ? LZ_GUARD_OTHER : LZ_GUARD_NONE);
        }
    } else {
        int is = bytecode_statement(frame, call->name, has_fromlist(call),
                                    &statement);
        if (is < 0)
            result = NULL;
        else if (is == 0)
            result = import_eagerly(engine, call, absolute,
                                    LZ_REASON_NOT_A_STATEMENT, LZ_GUARD_NONE);
        else
            result =
                import_statement(engine, call, &statement, frame, absolute);
    }
    Py_XDECREF(globals);
    return result;
}

/* A module's body imports MODULE, which is there. Where that is sys, the code
 * is read for what it does with sys.modules: it may import nothing else. */
static void
read_importer(struct lz_engine *engine, const struct import_call *call,
              PyObject *module)
{
    if (PyModule_GetDict(module) != engine->sys_dict || engine->sys_asked ||
        call->locals != call->globals)
        return;
    PyFrameObject *frame = PyEval_GetFrame(); /* borrowed */
    PyObject *globals = frame == NULL ? NULL : PyFrame_GetGlobals(frame);
    struct lz_namespace *ns =
        globals == call->globals ? namespace_get(engine, globals) : NULL;
    if (ns != NULL) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        load_keep_namespace(engine, ns); /* or it would be read again */
        if ((code->co_flags & CO_OPTIMIZED) == 0)
            (void)policy_analyse(engine, ns, code);
        Py_DECREF(code);
        Py_DECREF(ns);
    }
    lz_forgive();
    Py_XDECREF(globals);
}

PyObject *
hook_import(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
            PyObject *kwnames)
{
    struct import_call call;
    if (parse_call(args, nargs, kwnames, &call) < 0)
        return NULL;
    struct lz_engine *engine = engine_of_module(module);
    if (engine == NULL || !engine_enabled(engine) || lz_is_finalizing() ||
        !PyUnicode_CheckExact(call.name) || call.globals == NULL ||
        !PyDict_CheckExact(call.globals) || call.level < 0)
        return import_now(engine, &call);
    if (engine->settle != NULL && engine->settle->wanted)
        settle_watch_in_child(engine);
    PyObject *absolute = absolute_name(engine, &call);
    if (absolute == NULL)
        return import_now(engine, &call);
    PyObject *result = bound_module(engine, &call, absolute);
    if (result == NULL)
        result = import_named(engine, &call, absolute);
    else
        read_importer(engine, &call, result);
    Py_DECREF(absolute);
    return result;
}

/* reload()'s one argument, given by place or by its name: borrowed, or NULL.
 */
static PyObject *
reload_argument(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    Py_ssize_t named = kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames);
    if (nargs + named != 1 ||
        (named == 1 && PyUnicode_CompareWithASCIIString(
                           PyTuple_GET_ITEM(kwnames, 0), "module") != 0))
        return NULL;
    return args[0];
}

PyObject *
hook_reload(PyObject *module, PyObject *const *args, Py_ssize_t nargs,
            PyObject *kwnames)
{
    struct lz_engine *engine = engine_of_module(module);
    if (engine == NULL || engine->saved_reload == NULL)
        return engine_gone();
    PyObject *argument = reload_argument(args, nargs, kwnames);
    if (argument == NULL) /* importlib's own says what is wrong */
        return PyObject_Vectorcall(engine->saved_reload, args, (size_t)nargs,
                                   kwnames);
    PyObject *real = NULL;
    if (proxy_check(engine, argument))
        real = proxy_resolve(engine, (struct lz_proxy *)argument);
    else
        real = Py_NewRef(argument);
    PyObject *spec =
        real == NULL ? NULL : PyObject_GetAttr(real, engine->names.spec);
    struct lz_change_reload change = change_begin(engine, spec);
    if (spec != NULL)
        reload_note_source(engine, spec);
    else if (real != NULL)
        lz_forgive(); /* reload says what it misses */
    PyObject *result =
        real == NULL ? NULL : PyObject_CallOneArg(engine->saved_reload, real);
    change_end(engine, spec, &change);
    Py_XDECREF(spec);
    Py_XDECREF(real);
    return result;
}
