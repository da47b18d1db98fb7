/* Reload: whose references are not to be repaired.
 *
 * Those of the transaction's own lists and of what generations hold, but for
 * the names of other modules' namespaces: who goes back is to find what
 * others have become since. Needs the GIL.
 */
#include "lazycore/reload_generation.h"

static int
own(struct lz_publish *publish, PyObject *object)
{
    if (ptrmap_put(&publish->ours, object, publish) != 0) {
        (void)PyErr_NoMemory();
        return -1;
    }
    return 0;
}

/* OURS: of the module that is published. SETTLED: what stayed the same object
 * has its new contents, and the others have the old ones. */
static int
own_generation(struct lz_publish *publish, PyObject *generation, bool ours,
               bool settled)
{
    static const int lists[] = {GEN_PENDING, GEN_PAIRS, GEN_CLASSES,
                                GEN_MEMBERS};
    PyObject *names = reload_part_borrowed(generation, GEN_NAMESPACE);

    if (ours ? own(publish, names) < 0
             : ptrmap_put(&publish->modules, names, Py_None) != 0) {
        (void)PyErr_NoMemory();
        return -1;
    }
    for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
        PyObject *list = reload_part_borrowed(generation, lists[k]);
        if (own(publish, list) < 0 || own(publish, generation) < 0) {
            return -1;
        }
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
            PyObject *object = PyList_GET_ITEM(list, i);
            if (PyDict_CheckExact(object) && own(publish, object) < 0) {
                return -1;
            }
            if (settled && lists[k] == GEN_PAIRS && i % 2 == 1 &&
                PyFunction_Check(object)) {
                reload_disown(publish, object);
            }
        }
    }
    return 0;
}

/* Those that this transaction makes. */
static int
own_made(struct lz_publish *publish)
{
    struct lz_transaction *transaction = publish->reload->transaction;
    bool settled = true;

    for (size_t i = 0; i < transaction->count; i++) {
        const struct lz_publish *other = transaction->items[i].publish;
        settled &= other != publish;
        if (other != NULL && other->made != NULL &&
            own_generation(publish, other->made, other == publish, settled) <
                0) {
            return -1;
        }
    }
    return 0;
}

static int
own_generations(struct lz_publish *publish)
{
    PyObject *all = publish->reload->engine->generations, *name, *held;
    Py_ssize_t at = 0;

    if (own_made(publish) < 0) {
        return -1;
    }
    while (all != NULL && PyDict_Next(all, &at, &name, &held)) {
        bool ours = PyUnicode_Compare(name, publish->reload->name) == 0;
        if (own(publish, held) < 0) {
            return -1;
        }
        for (Py_ssize_t i = HELD_FIRST; i < PyList_GET_SIZE(held); i++) {
            if (own_generation(publish, PyList_GET_ITEM(held, i), ours, true) <
                0) {
                return -1;
            }
        }
    }
    return 0;
}

static int
own_rows(struct lz_publish *publish, PyObject *rows)
{
    for (Py_ssize_t i = 0; rows != NULL && i < PyList_GET_SIZE(rows); i++) {
        if (own(publish, PyList_GET_ITEM(rows, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
own_lists(struct lz_publish *publish, const struct lz_publish *other)
{
    PyObject *const objects[] = {other->keep,
                                 other->graveyard,
                                 other->late,
                                 other->functions,
                                 other->instances,
                                 other->children,
                                 other->holders,
                                 other->reload->constants,
                                 other->reload->suspects,
                                 other->reload->foreign};

    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        if (objects[i] != NULL && own(publish, objects[i]) < 0) {
            return -1;
        }
    }
    return own_rows(publish, other->reload->constants) < 0
               ? -1
               : own_rows(publish, other->reload->suspects);
}

/* The lists of the transaction, and the two namespaces, refer to all of it. */
int
reload_own(struct lz_publish *publish)
{
    struct lz_reload *reload = publish->reload;
    struct lz_transaction *transaction = reload->transaction;
    int status = 0;

    for (size_t i = 0; status == 0 && i < transaction->count; i++) {
        if (transaction->items[i].publish != NULL) {
            status = own_lists(publish, transaction->items[i].publish);
        }
    }
    return status < 0 || own(publish, reload->fresh) < 0 ||
                   own(publish, reload->live) < 0
               ? -1
               : own_generations(publish);
}
