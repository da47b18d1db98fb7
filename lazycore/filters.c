/* See filters.h. Filters are tuples, told apart by identity: warnings moves
 * them about and makes no copies. */
#include "lazycore/filters.h"
#include "lazycore/room.h"

/* warnings.filters, or what that will be: borrowed, or NULL. */
static PyObject *
current_list(struct lz_engine *engine)
{
    const struct lz_names *names = &engine->names;
    PyObject *modules = PyImport_GetModuleDict(), *list = NULL;
    PyObject *module = PyDict_GetItemWithError(modules, names->warnings);
    if (module == NULL)
        module = PyDict_GetItemWithError(modules, names->_warnings);
    if (module != NULL && PyModule_Check(module))
        list =
            PyDict_GetItemWithError(PyModule_GetDict(module), names->filters);
    if (list == NULL)
        lz_forgive();
    return list != NULL && PyList_CheckExact(list) ? list : NULL;
}

/* Whether LIST ends with the items of TAIL. */
static bool
ends_with(PyObject *list, PyObject *tail)
{
    Py_ssize_t extra = PyList_GET_SIZE(list) - PyTuple_GET_SIZE(tail);
    bool same = extra >= 0;
    for (Py_ssize_t i = 0; same && i < PyTuple_GET_SIZE(tail); i++)
        same = PyList_GET_ITEM(list, extra + i) == PyTuple_GET_ITEM(tail, i);
    return same;
}

static bool
is_same(PyObject *list, PyObject *tuple)
{
    return PyList_GET_SIZE(list) == PyTuple_GET_SIZE(tuple) &&
           ends_with(list, tuple);
}

static bool
has(PyObject *tuple, PyObject *item)
{
    bool found = false;
    for (Py_ssize_t i = 0; !found && i < PyTuple_GET_SIZE(tuple); i++)
        found = PyTuple_GET_ITEM(tuple, i) == item;
    return found;
}

PyObject *
filters_now(struct lz_engine *engine)
{
    PyObject *list = current_list(engine);
    if (list == NULL)
        return NULL;
    if (engine->filters == NULL || !is_same(list, engine->filters)) {
        PyObject *tuple = PyList_AsTuple(list);
        if (tuple == NULL) {
            lz_forgive();
            return NULL;
        }
        Py_XSETREF(engine->filters, tuple);
    }
    return Py_NewRef(engine->filters);
}

/* Whether no other thread of Python's may look for a filter meanwhile. */
static bool
is_alone(struct lz_engine *engine)
{
    if (!lz_in_main_thread())
        return false;
    PyObject *active = place_threads(engine); /* borrowed */
    return active == NULL || PyDict_GET_SIZE(active) <= 1;
}

/* The filters while a body runs. */
struct stay {
    PyObject *list;   /* warnings.filters */
    PyObject *then;   /* tuple: as it was at the statement */
    PyObject *before; /* tuple: as it was before the body */
    PyObject *base;   /* one of the two: what the body has found; borrowed */
};

/* Put TUPLE, or the list of its items, in STAY's list. */
static int
put(struct stay *stay, PyObject *items)
{
    return PyList_SetSlice(stay->list, 0, PyList_GET_SIZE(stay->list), items);
}

/* Where in what was before the filters of the statement begin, and end; false:
 * they were taken out since, as by resetwarnings(). */
static bool
place_of_then(const struct stay *stay, Py_ssize_t *ret_first,
              Py_ssize_t *ret_last)
{
    Py_ssize_t size = PyTuple_GET_SIZE(stay->before);
    *ret_first = *ret_last = size;
    for (Py_ssize_t i = size - 1; i >= 0; i--) {
        if (!has(stay->then, PyTuple_GET_ITEM(stay->before, i)))
            continue;
        if (*ret_first == size)
            *ret_last = i + 1;
        *ret_first = i;
    }
    return *ret_first < size || PyTuple_GET_SIZE(stay->then) == 0;
}

/* Add to LIST what the body has put BEHIND what it found, or before that; but
 * for what was made anew since, which is among the first END of what was
 * before. */
static int
add_made(const struct stay *stay, PyObject *list, PyObject *after,
         Py_ssize_t end, bool behind)
{
    bool found = false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(after); i++) {
        PyObject *item = PyTuple_GET_ITEM(after, i);
        int known = has(stay->base, item);
        found |= known == 1;
        if (found != behind)
            continue;
        for (Py_ssize_t j = 0; known == 0 && j < end; j++)
            known = PyObject_RichCompareBool(
                item, PyTuple_GET_ITEM(stay->before, j), Py_EQ);
        if (known < 0 || (known == 0 && PyList_Append(list, item) < 0))
            return -1;
    }
    return 0;
}

/* Add to LIST what was before from FROM to TO, but for what the body, which
 * has left AFTER, has taken out. */
static int
add_left(const struct stay *stay, PyObject *list, PyObject *after,
         Py_ssize_t from, Py_ssize_t to)
{
    for (Py_ssize_t i = from; i < to; i++) {
        PyObject *item = PyTuple_GET_ITEM(stay->before, i);
        bool gone = has(stay->base, item) && !has(after, item);
        if (!gone && PyList_Append(list, item) < 0)
            return -1;
    }
    return 0;
}

/* What the filters are when the body has left AFTER: a new list, or NULL with
 * an exception. */
static PyObject *
merged(const struct stay *stay, PyObject *after)
{
    PyObject *list = PyList_New(0);
    Py_ssize_t first, last, size = PyTuple_GET_SIZE(stay->before);
    bool there = place_of_then(stay, &first, &last);
    if (list != NULL &&
        (add_left(stay, list, after, 0, first) < 0 ||
         (there && add_made(stay, list, after, first, false) < 0) ||
         add_left(stay, list, after, first, last) < 0 ||
         (there && add_made(stay, list, after, first, true) < 0) ||
         add_left(stay, list, after, last, size) < 0))
        Py_CLEAR(list);
    return list;
}

static void
begin(struct lz_engine *engine, struct stay *stay, PyObject *filters)
{
    PyObject *list = filters == NULL ? NULL : current_list(engine);
    if (list == NULL || is_same(list, filters))
        return;
    stay->before = PyList_AsTuple(list);
    if (stay->before != NULL) {
        stay->list = Py_NewRef(list);
        stay->then = Py_NewRef(filters);
        stay->base = stay->before;
        if (is_alone(engine) && put(stay, filters) == 0)
            stay->base = stay->then;
    }
    lz_forgive();
}

static void
end(struct stay *stay)
{
    PyObject *error = lz_take_error();
    PyObject *after = stay->list == NULL ? NULL : PyList_AsTuple(stay->list);
    /* Another thread may have changed them: then they are nobody's. */
    if (after != NULL &&
        (stay->base == stay->then || ends_with(stay->list, stay->base))) {
        PyObject *list = merged(stay, after);
        if (list != NULL)
            (void)put(stay, list);
        Py_XDECREF(list);
    }
    lz_forgive();
    Py_XDECREF(after);
    Py_XDECREF(stay->before);
    Py_XDECREF(stay->then);
    Py_XDECREF(stay->list);
    lz_raise(error);
}

PyObject *
filters_call(struct lz_engine *engine, PyObject *filters,
             PyObject *(*load)(void *arg), void *arg)
{
    struct stay stay = {NULL, NULL, NULL, NULL};
    begin(engine, &stay, filters);
    PyObject *result = room_call(load, arg);
    end(&stay);
    return result;
}
