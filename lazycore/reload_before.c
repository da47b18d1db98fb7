/* Reload: what one container held before, found without a walk for each.
 *
 * Runs no Python code. Needs the GIL.
 */
#include "lazycore/reload_containers.h"

void
before_begin(struct lz_before *before, const struct lz_containers *containers,
             const struct lz_container *kept)
{
    *before = (struct lz_before){.items = containers->items + kept->first,
                                 .count = kept->count,
                                 .pairs = PyDict_Check(kept->object)};
}

void
before_done(struct lz_before *before)
{
    ptrmap_done(&before->places);
    Py_CLEAR(before->index);
}

bool
before_is_plain(PyObject *key)
{
    return PyUnicode_CheckExact(key) || PyLong_CheckExact(key);
}

/* On the first question. 0, or -1 without an exception. */
static int
fill(struct lz_before *before)
{
    size_t step = before->pairs ? 2 : 1;
    int status = 0;

    if (before->filled) {
        return 0;
    }
    before->index = before->pairs ? PyDict_New() : NULL;
    status = before->pairs && before->index == NULL ? -1 : 0;
    for (size_t i = 0; status == 0 && i + step <= before->count; i += step) {
        PyObject *key = before->items[i];
        PyObject *value = before->items[i + step - 1];
        status = ptrmap_put(&before->places, key, value);
        if (status == 0 && before->pairs && before_is_plain(key)) {
            status = PyDict_SetItem(before->index, key, value);
        }
    }
    before->filled = status == 0;
    lz_forgive();
    return status == 0 ? 0 : -1;
}

int
before_find(struct lz_before *before, PyObject *object, PyObject **ret_value)
{
    PyObject *value;

    *ret_value = NULL;
    if (fill(before) < 0) {
        return -1;
    }
    value = ptrmap_get(&before->places, object);
    if (value == NULL && before->pairs && before_is_plain(object)) {
        value = PyDict_GetItemWithError(before->index, object);
        lz_forgive();
    }
    *ret_value = value;
    return value != NULL;
}
