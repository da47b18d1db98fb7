/* What is known of a module's body: the questions of body.h. */
#include "lazycore/body_private.h"

#include <stdarg.h>
#include <stdio.h>

#include "lazycore/foresee.h"

struct lz_reader *
body_reader_new(struct lz_engine *engine, const char *within)
{
    struct lz_reader *reader = PyMem_Calloc(1, sizeof(*reader));
    if (reader == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    reader->engine = engine;
    reader->within = within;
    reader->keep = PyList_New(0);
    if (reader->keep == NULL) {
        body_reader_free(reader);
        return NULL;
    }
    return reader;
}

void
body_reader_gives_up(struct lz_reader *reader,
                     bool (*asked)(const struct lz_engine *engine))
{
    reader->gives_up = asked;
}

void
body_reader_free(struct lz_reader *reader)
{
    if (reader == NULL)
        return;
    while (reader->classes != NULL) {
        struct klass *klass = reader->classes;
        reader->classes = klass->next;
        PyMem_Free(klass->values);
        PyMem_Free(klass->bases);
        PyMem_Free(klass->shadowed);
        PyMem_Free(klass);
    }
    while (reader->units != NULL) {
        struct unit *unit = reader->units;
        reader->units = unit->next;
        table_remove(&reader->by_name, &unit->node);
        Py_XDECREF(unit->name);
        Py_XDECREF(unit->package);
        Py_XDECREF(unit->code);
        Py_XDECREF(unit->stars);
        Py_XDECREF(unit->rebound);
        Py_XDECREF(unit->locations);
        Py_XDECREF(unit->body.file);
        Py_XDECREF(unit->body.imports);
        Py_XDECREF(unit->body.maybe);
        PyMem_Free(unit->values);
        PyMem_Free(unit);
    }
    Py_XDECREF(reader->keep);
    PyMem_Free(reader);
}

PyObject *
reader_keep(struct lz_reader *reader, PyObject *object)
{
    if (object == NULL || PyList_Append(reader->keep, object) < 0) {
        Py_XDECREF(object);
        return NULL;
    }
    Py_DECREF(object);
    return object;
}

const char *
body_text(PyObject *text)
{
    const char *result =
        text == NULL || !PyUnicode_Check(text) ? NULL : place_text(text);
    return result == NULL ? "?" : result;
}

const char *
body_describe(const struct value *value, char *text, size_t size)
{
    const char *name = body_text(value->object);
    switch ((enum kind)value->kind) {
    case V_STD:
    case V_MODULE:
        (void)snprintf(text, size, "%.80s", name);
        break;
    case V_FOREIGN:
        (void)snprintf(text, size, "%.60s.%.40s", body_text(value->of_module),
                       name);
        break;
    case V_METHOD:
        (void)snprintf(text, size, "a method .%.60s", name);
        break;
    case V_CLASS:
    case V_INSTANCE:
        (void)snprintf(text, size, "%sclass %.80s",
                       value->kind == V_CLASS ? "" : "an instance of ",
                       body_text(value->klass->code->co_name));
        break;
    case V_FUNCTION:
        (void)snprintf(text, size, "%.80s()",
                       body_text(((PyCodeObject *)value->object)->co_name));
        break;
    case V_PLAIN:
    case V_FRESH:
    case V_ITER:
        (void)snprintf(text, size, "a builtin value");
        break;
    case V_UNSET:
    case V_NULL:
    case V_SHARED:
    case V_INERT:
    case V_BUILD_CLASS:
    case V_ANY:
    default:
        (void)snprintf(text, size, "something that is not known");
        break;
    }
    return text;
}

struct value
body_effect(struct lz_reader *reader, const char *format, ...)
{
    struct lz_body *body = &reader->subject->body;
    if (body->why[0] == '\0') {
        int line = reader->code == NULL
                       ? 0
                       : PyCode_Addr2Line(reader->code, reader->offset);
        int length = snprintf(body->why, sizeof(body->why),
                              "line %d: ", line < 0 ? 0 : line);
        va_list args;
        va_start(args, format);
        (void)vsnprintf(body->why + length, sizeof(body->why) - (size_t)length,
                        format, args);
        va_end(args);
    }
    body->free = false;
    return value_of(V_ANY);
}

const struct lz_body *
body_read(struct lz_reader *reader, PyObject *name)
{
    struct unit *unit = unit_get(reader, name);
    reader->steps = 0;
    if (unit == NULL || unit_read(reader, unit) < 0)
        return NULL;
    return &unit->body;
}

/* Whether it may run */

struct question {
    struct lz_reader *reader;
    bool (*asked)(const char *module);
    char *why;
    const char *subject; /* a module: of its package alone others may be
                            loaded for this */
};

static int
refuse(struct question *question, PyObject *name, const char *why)
{
    if (question->why[0] == '\0')
        (void)snprintf(question->why, LZ_BODY_WHY_SIZE, "%.60s: %.90s",
                       body_text(name), why);
    return 0;
}

/* Whether PARENT is a package that NAME is in: that comes before it, and may
 * import it. */
static bool
is_parent(PyObject *parent, PyObject *name)
{
    return PyUnicode_Compare(parent, name) != 0 &&
           dotted_begins_with(name, parent);
}

static int may_run(struct question *question, PyObject *name,
                   PyObject *importer);

/* All of NAMES, which IMPORTER imports. */
static int
all_may_run(struct question *question, PyObject *importer, PyObject *names)
{
    struct lz_engine *engine = question->reader->engine;
    int result = 1;
    for (Py_ssize_t i = 0; result == 1 && i < PyList_GET_SIZE(names); i++) {
        PyObject *name = PyList_GET_ITEM(names, i);
        const char *text = place_text(name);
        if (text == NULL)
            return PyErr_Occurred() ? -1 : 0;
        PyObject *module = load_peek_module(name);
        if (module == NULL && PyErr_Occurred())
            return -1;
        if (module != NULL)
            result = load_initializing(engine, module)
                         ? refuse(question, name, "its body runs just now")
                         : 1;
        else if (!levels_is_stdlib(engine->core->levels, text))
            result = names_share_package(text, question->subject)
                         ? may_run(question, name, importer)
                         : refuse(question, name, "is not loaded");
        else if (!question->asked(text))
            result = refuse(question, name, "is not for every thread");
        Py_XDECREF(module);
    }
    return result;
}

static int
may_run(struct question *question, PyObject *name, PyObject *importer)
{
    enum { NEW, ASKED, ANSWERED };
    struct unit *unit = unit_get(question->reader, name);
    if (unit == NULL)
        return -1;
    if (unit->mark == ANSWERED)
        return 1;
    if (unit->mark == ASKED && is_parent(name, importer))
        return 1;
    if (unit->mark == ASKED)
        return refuse(question, name, "stands in a cycle of imports");
    if (unit_read(question->reader, unit) < 0)
        return -1;
    if (!unit->body.free)
        return refuse(question, name, unit->body.why);
    unit->mark = ASKED;
    int result = all_may_run(question, name, unit->body.imports);
    if (result == 1)
        result = all_may_run(question, name, unit->body.maybe);
    if (result == 1)
        unit->mark = ANSWERED;
    return result;
}

int
body_may_run(struct lz_reader *reader, PyObject *name,
             bool (*asked)(const char *module), char ret_why[LZ_BODY_WHY_SIZE])
{
    struct question question = {reader, asked, ret_why, place_text(name)};
    ret_why[0] = '\0';
    reader->steps = 0;
    if (question.subject == NULL)
        return PyErr_Occurred() ? -1 : 0;
    for (struct unit *unit = reader->units; unit != NULL; unit = unit->next)
        unit->mark = 0;
    return may_run(&question, name, name);
}
