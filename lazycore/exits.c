/* See exits.h. A callback is a tuple: moment, function, arguments, keywords or
 * None. */
#include "lazycore/exits.h"

#include "lazycore/engine.h"

static struct lz_moment
moment_of(PyObject *callback)
{
    struct lz_moment moment;
    memcpy(&moment, PyBytes_AS_STRING(PyTuple_GET_ITEM(callback, 0)),
           sizeof(moment));
    return moment;
}

/* What atexit's own FUNCTION answers, to ARG or, for NULL, to nothing. */
static PyObject *
call_saved(const struct lz_engine *engine, enum lz_exits_function function,
           PyObject *arg)
{
    PyObject *saved = engine->exits.saved[function];
    if (saved == NULL)
        return engine_gone();
    return PyObject_CallFunctionObjArgs(saved, arg, NULL);
}

/* How many the interpreter's own list has, ours among them, or had. -1 with an
 * exception. */
static long
saved_count(const struct lz_engine *engine)
{
    PyObject *count = call_saved(engine, LZ_EXITS_COUNT, NULL);
    long result = count == NULL ? -1 : PyLong_AsLong(count);
    Py_XDECREF(count);
    return result;
}

/* HOW the interpreter's own list changes: REGISTER ours, or UNREGISTER it. */
static int
change_ours(struct lz_engine *engine, enum lz_exits_function how)
{
    PyObject *ours = PyObject_GetAttrString(engine->module, "_at_exit");
    PyObject *done = ours == NULL ? NULL : call_saved(engine, how, ours);
    int result = done == NULL ? -1 : 0;
    Py_XDECREF(done);
    Py_XDECREF(ours);
    return result;
}

/* FUNCTION with ARGS and KWARGS, or NULL, was registered at MOMENT: 0 or -1.
 */
static int
insert(PyObject *list, struct lz_moment moment, PyObject *function,
       PyObject *args, PyObject *kwargs)
{
    PyObject *bytes =
        PyBytes_FromStringAndSize((const char *)&moment, sizeof(moment));
    PyObject *callback = bytes == NULL
                             ? NULL
                             : PyTuple_Pack(4, bytes, function, args,
                                            kwargs == NULL ? Py_None : kwargs);
    Py_XDECREF(bytes);
    if (callback == NULL)
        return -1;
    PyObject_GC_UnTrack(callback);
    Py_ssize_t at = PyList_GET_SIZE(list);
    while (at > 0 && moment_compare(moment_of(PyList_GET_ITEM(list, at - 1)),
                                    moment) > 0)
        at--;
    int result = PyList_Insert(list, at, callback);
    Py_DECREF(callback);
    return result;
}

static PyObject *
exits_register(PyObject *module, PyObject *args, PyObject *kwargs)
{
    PyObject *function =
        PyTuple_GET_SIZE(args) == 0 ? Py_None : PyTuple_GET_ITEM(args, 0);
    struct lz_engine *engine = engine_of_module(module);
    if (engine == NULL) /* finalizers run: it would not be called */
        return Py_NewRef(function);
    struct lz_exits *exits = &engine->exits;
    if (!engine->installed || !PyCallable_Check(function))
        return PyObject_Call(exits->saved[LZ_EXITS_REGISTER], args, kwargs);
    PyObject *rest = PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args));
    struct lz_moment moment = moment_new(engine);
    int result = rest == NULL ? -1 : 0;
    if (result == 0)
        result = insert(exits->list, moment, function, rest, kwargs);
    Py_XDECREF(rest);
    return result < 0 ? NULL : Py_NewRef(function);
}

/* Take CALLBACK out of LIST, if it is still there. */
static int
take_out(PyObject *list, PyObject *callback)
{
    for (Py_ssize_t i = PyList_GET_SIZE(list) - 1; i >= 0; i--) {
        if (PyList_GET_ITEM(list, i) == callback)
            return PyList_SetSlice(list, i, i + 1, NULL);
    }
    return 0;
}

/* Take what equals FUNCTION out of the interpreter's own list, in which ours,
 * which is nobody's to compare, is mostly alone. */
static PyObject *
unregister_below(struct lz_engine *engine, PyObject *function)
{
    long count = saved_count(engine);
    bool there = engine->installed && engine->exits.limit == 0;
    if (count < 0)
        return NULL;
    if (there && count <= 1)
        Py_RETURN_NONE;
    if (there && change_ours(engine, LZ_EXITS_UNREGISTER) < 0)
        return NULL;
    PyObject *done = call_saved(engine, LZ_EXITS_UNREGISTER, function);
    PyObject *error = lz_take_error();
    if (there && change_ours(engine, LZ_EXITS_REGISTER) < 0) {
        lz_forgive();
        Py_CLEAR(done);
    }
    lz_raise(error);
    return done;
}

static PyObject *
exits_unregister(PyObject *module, PyObject *function)
{
    struct lz_engine *engine = engine_of_module(module);
    if (engine == NULL)
        Py_RETURN_NONE;
    PyObject *done = unregister_below(engine, function);
    PyObject *list = engine->exits.list;
    PyObject *all =
        done == NULL ? NULL : PyList_GetSlice(list, 0, PyList_GET_SIZE(list));
    int same = all == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; same >= 0 && i < PyList_GET_SIZE(all); i++) {
        PyObject *callback = PyList_GET_ITEM(all, i);
        same = PyObject_RichCompareBool(PyTuple_GET_ITEM(callback, 1),
                                        function, Py_EQ);
        if (same == 1)
            same = take_out(list, callback);
    }
    Py_XDECREF(all);
    if (same < 0)
        Py_CLEAR(done);
    return done;
}

/* The interpreter has forgotten ours, too: FUNCTION of atexit's does that.
 * While the callbacks are called it need not come again. */
static PyObject *
and_ours_again(struct lz_engine *engine, enum lz_exits_function function)
{
    PyObject *done = call_saved(engine, function, NULL);
    if (done != NULL && engine->exits.limit == 0 && engine->installed &&
        change_ours(engine, LZ_EXITS_REGISTER) < 0)
        Py_CLEAR(done);
    return done;
}

static void
forget_all(PyObject *list)
{
    (void)PyList_SetSlice(list, 0, PyList_GET_SIZE(list), NULL);
}

static PyObject *
exits_clear(PyObject *module, PyObject *Py_UNUSED(unused))
{
    struct lz_engine *engine = engine_of_module(module);
    if (engine == NULL)
        Py_RETURN_NONE;
    struct lz_exits *exits = &engine->exits;
    /* As many more are called as were left, as the interpreter does. */
    if (exits->limit != 0)
        exits->limit =
            engine->moments + 1 + (uint32_t)PyList_GET_SIZE(exits->list);
    forget_all(exits->list);
    return and_ours_again(engine, LZ_EXITS_CLEAR);
}

static void
call_one(PyObject *callback)
{
    PyObject *function = PyTuple_GET_ITEM(callback, 1);
    PyObject *kwargs = PyTuple_GET_ITEM(callback, 3);
    PyObject *done = PyObject_Call(function, PyTuple_GET_ITEM(callback, 2),
                                   kwargs == Py_None ? NULL : kwargs);
    if (done == NULL)
        lz_unraisable_at_exit(function);
    Py_XDECREF(done);
}

/* The last of those that are to be called, taken out: a new reference, or
 * NULL. */
static PyObject *
take_last(struct lz_exits *exits)
{
    Py_ssize_t i = exits->list == NULL ? 0 : PyList_GET_SIZE(exits->list);
    while (--i >= 0) {
        PyObject *callback = PyList_GET_ITEM(exits->list, i);
        if (moment_of(callback).at[0] >= exits->limit)
            continue;
        Py_INCREF(callback);
        if (PyList_SetSlice(exits->list, i, i + 1, NULL) == 0)
            return callback;
        Py_DECREF(callback);
        lz_forgive();
    }
    return NULL;
}

void
exits_call(struct lz_engine *engine, uint32_t limit)
{
    struct lz_exits *exits = &engine->exits;
    uint32_t outer = exits->limit;
    struct lz_late saved = moment_enter_now();
    PyObject *callback;
    exits->limit = limit;
    while ((callback = take_last(exits)) != NULL) {
        call_one(callback);
        Py_DECREF(callback);
    }
    if (exits->list != NULL)
        forget_all(exits->list);
    exits->limit = outer;
    moment_leave(saved);
}

static PyObject *
exits_run(PyObject *module, PyObject *Py_UNUSED(unused))
{
    struct lz_engine *engine = engine_of_module(module);
    if (engine == NULL)
        Py_RETURN_NONE;
    if (change_ours(engine, LZ_EXITS_UNREGISTER) < 0)
        return NULL;
    exits_call(engine, engine->moments + 1);
    return and_ours_again(engine, LZ_EXITS_RUN);
}

static PyObject *
exits_count(PyObject *module, PyObject *Py_UNUSED(unused))
{
    struct lz_engine *engine = engine_of_module(module);
    if (engine == NULL)
        return PyLong_FromLong(0);
    long below = saved_count(engine);
    if (below < 0)
        return NULL;
    return PyLong_FromSsize_t(below - (below > 0 && engine->installed) +
                              PyList_GET_SIZE(engine->exits.list));
}

PyMethodDef exits_methods[] = {
    {"register", (PyCFunction)(void (*)(void))exits_register,
     METH_VARARGS | METH_KEYWORDS, NULL},
    {"unregister", exits_unregister, METH_O, NULL},
    {"_clear", exits_clear, METH_NOARGS, NULL},
    {"_run_exitfuncs", exits_run, METH_NOARGS, NULL},
    {"_ncallbacks", exits_count, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

/* Life */

int
exits_init(struct lz_exits *exits)
{
    exits->list = PyList_New(0);
    if (exits->list == NULL)
        return -1;
    PyObject_GC_UnTrack(exits->list);
    return 0;
}

void
exits_done(struct lz_exits *exits)
{
    Py_CLEAR(exits->list);
    for (int i = 0; i < LZ_EXITS_FUNCTIONS; i++)
        Py_CLEAR(exits->saved[i]);
}

int
exits_install(struct lz_engine *engine)
{
    return engine->exits.limit != 0 ? 0
                                    : change_ours(engine, LZ_EXITS_REGISTER);
}

/* Give CALLBACK to the interpreter. */
static int
hand_back(const struct lz_exits *exits, PyObject *callback)
{
    PyObject *args = PyTuple_GetSlice(callback, 1, 2);
    PyObject *kwargs = PyTuple_GET_ITEM(callback, 3);
    if (args != NULL)
        Py_SETREF(args,
                  PySequence_Concat(args, PyTuple_GET_ITEM(callback, 2)));
    PyObject *done = args == NULL
                         ? NULL
                         : PyObject_Call(exits->saved[LZ_EXITS_REGISTER], args,
                                         kwargs == Py_None ? NULL : kwargs);
    int result = done == NULL ? -1 : 0;
    Py_XDECREF(done);
    Py_XDECREF(args);
    return result;
}

int
exits_uninstall(struct lz_engine *engine)
{
    struct lz_exits *exits = &engine->exits;
    if (exits->limit != 0)
        return 0; /* they are being called, and go on */
    int result = change_ours(engine, LZ_EXITS_UNREGISTER);
    for (Py_ssize_t i = 0; result == 0 && i < PyList_GET_SIZE(exits->list);
         i++)
        result = hand_back(exits, PyList_GET_ITEM(exits->list, i));
    forget_all(exits->list);
    return result;
}
