/* Reload: the bodies have run, and have put into lists of other modules what
 * these had from the last bodies already.
 *
 * Says so and repairs nothing: whether it was meant, nobody knows. Needs the
 * GIL.
 */
#include "lazycore/reload_containers.h"

#include <stdio.h>

enum { WORDS_BYTES = 200 };

/* The name that the namespace DICT has for LIST: borrowed, or NULL. */
static PyObject *
name_in(PyObject *dict, PyObject *list)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;

    while (PyDict_Next(dict, &at, &key, &value)) {
        if (value == list && PyUnicode_Check(key)) {
            return key;
        }
    }
    return NULL;
}

/* A class as "module.Name". */
static const char *
class_words(PyTypeObject *type, char words[WORDS_BYTES])
{
    PyObject *module = (type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0
                           ? PyDict_GetItemString(type->tp_dict, "__module__")
                           : NULL;

    (void)snprintf(words, WORDS_BYTES, "%.80s%s%.80s",
                   module == NULL ? "" : reload_text(module, "?"),
                   module == NULL ? "" : ".", type->tp_name);
    return words;
}

/* Where the list KEPT is: "module.NAME", or what has it. */
static const char *
list_words(struct lz_engine *engine, const struct lz_container *kept,
           char words[WORDS_BYTES])
{
    PyObject *holder = kept->holder;
    PyObject *module =
        holder != NULL && PyDict_CheckExact(holder)
            ? namespace_peek_borrowed(engine, holder, engine->names.name, NULL)
            : NULL;
    char class[WORDS_BYTES];

    if (holder == NULL) {
        return "a list";
    }
    if (module != NULL) {
        (void)snprintf(words, WORDS_BYTES, "%.80s.%.80s",
                       reload_text(module, "?"),
                       reload_text(name_in(holder, kept->object), "?"));
    } else if (PyType_Check(holder)) {
        (void)snprintf(words, WORDS_BYTES, "class %.170s",
                       class_words((PyTypeObject *)holder, class));
    } else if (PyFunction_Check(holder)) {
        (void)snprintf(
            words, WORDS_BYTES, "function %.170s",
            reload_text(((PyFunctionObject *)holder)->func_qualname, "?"));
    } else {
        (void)snprintf(words, WORDS_BYTES, "%s %.170s",
                       PyDict_CheckExact(holder) || PyList_CheckExact(holder)
                           ? "a"
                           : "an instance of",
                       class_words(Py_TYPE(holder), class));
    }
    return words;
}

static const char *
object_words(PyObject *object, char words[WORDS_BYTES])
{
    if (PyFunction_Check(object)) {
        return reload_text(((PyFunctionObject *)object)->func_qualname, "?");
    }
    if (PyType_Check(object)) {
        return ((PyTypeObject *)object)->tp_name;
    }
    (void)snprintf(words, WORDS_BYTES, "a %.190s", Py_TYPE(object)->tp_name);
    return words;
}

static bool
has_any(struct lz_made *made, PyObject *const *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (made_has(made, items[i])) {
            return true;
        }
    }
    return false;
}

/* What NEW has in LIST that was not in it, where it had something of OLD. 0
 * or -1. */
static int
look_at_list(struct lz_reload *reload, const struct lz_container *kept,
             struct lz_made *old, struct lz_made *new)
{
    const struct lz_containers *containers = reload->transaction->containers;
    char list[WORDS_BYTES], words[WORDS_BYTES];
    struct lz_before before;
    PyObject *found;
    int status = 0;

    if ((size_t)PyList_GET_SIZE(kept->object) <= kept->count ||
        !has_any(old, containers->items + kept->first, kept->count)) {
        return 0;
    }
    before_begin(&before, containers, kept);
    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(kept->object);
         i++) {
        PyObject *object = PyList_GET_ITEM(kept->object, i);
        int known =
            made_has(new, object) ? before_find(&before, object, &found) : 1;
        if (known < 0) {
            new->lacking = true;
        } else if (known == 0) {
            status = reload_again(reload, "%s: %s",
                                  list_words(reload->engine, kept, list),
                                  object_words(object, words));
        }
    }
    before_done(&before);
    return status;
}

int
reload_note_again(struct lz_transaction *transaction)
{
    const struct lz_containers *containers = transaction->containers;
    int collecting = PyGC_Disable();
    int status = 0;

    for (size_t i = 0; status == 0 && i < transaction->count; i++) {
        struct lz_reload *reload = &transaction->items[i];
        struct lz_made old, new;
        made_begin(&old, reload, 1, true);
        made_begin(&new, reload, 1, false);
        for (size_t k = 0; status == 0 && k < containers->count; k++) {
            if (PyList_Check(containers->list[k].object)) {
                status =
                    look_at_list(reload, &containers->list[k], &old, &new);
            }
        }
        if (status == 0 && (old.lacking || new.lacking)) {
            (void)PyErr_NoMemory();
            status = -1;
        }
        made_done(&new);
        made_done(&old);
    }
    if (collecting) {
        (void)PyGC_Enable();
    }
    return status;
}
