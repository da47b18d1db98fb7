/* What a body imports, and the other modules it takes things from: see
 * body_private.h. Needs the GIL; runs importlib's code, and finders.
 */
#include "lazycore/body_private.h"

#include <string.h>

#include "lazycore/foresee.h"
#include "lazycore/settle_rules.h"
#include "lazycore/standard.h"

/* The code of UNIT, which is left CLOSED where there is none. 0 or -1. */
static int
read_code(struct lz_reader *reader, struct unit *unit)
{
    struct lz_engine *engine = reader->engine;
    const char *text = place_text(unit->name);
    size_t size = text == NULL ? 0 : strcspn(text, ".");
    if (unit->state != UNIT_NEW)
        return 0;
    if (reader->gives_up != NULL && reader->gives_up(reader->engine)) {
        PyErr_SetNone(PyExc_SystemExit);
        return -1;
    }
    unit->state = UNIT_CLOSED;
    if (text == NULL || levels_is_stdlib(engine->core->levels, text) ||
        (reader->within != NULL && (strncmp(text, reader->within, size) != 0 ||
                                    reader->within[size] != '\0')))
        return 0;
    PyObject *spec = unit_spec(reader, unit->name);
    PyObject *loader =
        spec == NULL ? NULL : lz_get_optional(spec, engine->names.loader);
    PyObject *code = NULL;
    /* Any other loader would be the program's own code. */
    if (loader != NULL &&
        (PyObject *)Py_TYPE(loader) == engine->loader_classes[0]) {
        unit->package = lz_get_optional(spec, engine->names.parent);
        unit->body.file = lz_get_optional(spec, engine->names.origin);
        code = PyObject_CallMethod(loader, "get_code", "O", unit->name);
    }
    if (code != NULL && PyCode_Check(code) && unit->package != NULL &&
        PyUnicode_Check(unit->package) && unit->body.file != NULL &&
        PyUnicode_Check(unit->body.file)) {
        unit->code = (PyCodeObject *)Py_NewRef(code);
        unit->state = unit_scan(unit) < 0 ? UNIT_CLOSED : UNIT_CODE;
    }
    Py_XDECREF(code);
    Py_XDECREF(loader);
    Py_XDECREF(spec);
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
    lz_forgive();
    return 0;
}

static int
follow(struct lz_reader *reader, struct unit *unit)
{
    struct frame frame = {.reader = reader,
                          .unit = unit,
                          .kind = FRAME_MODULE,
                          .code = unit->code};
    unit->frame = &frame;
    int result = frame_run(&frame, NULL, 0);
    unit->frame = NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(unit->code->co_names);
    if (result == 0 && frame.slots != NULL) {
        unit->values = PyMem_Calloc((size_t)count + 1, sizeof(struct value));
        if (unit->values == NULL) {
            PyErr_NoMemory();
            result = -1;
        } else if (!frame.broken) {
            memcpy(unit->values, frame.slots + frame.fast,
                   sizeof(struct value) * (size_t)count);
        }
    }
    unit->hidden = unit->hidden || frame.broken;
    frame_done(&frame);
    return result;
}

int
unit_read(struct lz_reader *reader, struct unit *unit)
{
    struct unit *subject = reader->subject;
    PyCodeObject *code = reader->code;
    int offset = reader->offset;
    int result = 0;
    if (read_code(reader, unit) < 0)
        return -1;
    if (unit->state == UNIT_CLOSED && unit->body.why[0] == '\0')
        strcpy(unit->body.why, "its code is not to be read");
    if (unit->state != UNIT_CODE)
        return 0;
    unit->state = UNIT_READING;
    unit->body.free = true;
    unit->body.imports = PyList_New(0);
    unit->body.maybe = PyList_New(0);
    reader->subject = unit;
    if (unit->body.imports == NULL || unit->body.maybe == NULL ||
        import_parents(reader, unit->name) < 0)
        result = -1;
    if (result == 0)
        result = follow(reader, unit);
    reader->subject = subject;
    reader->code = code;
    reader->offset = offset;
    unit->state = result < 0 ? UNIT_CLOSED : UNIT_READ;
    return result;
}

/* Whether the top-level module of NAME is the standard library's own. */
static int
is_standard(struct lz_reader *reader, PyObject *name)
{
    const char *text = place_text(name);
    if (text == NULL || !levels_is_stdlib(reader->engine->core->levels, text))
        return 0;
    PyObject *top =
        PyUnicode_FromStringAndSize(text, (Py_ssize_t)strcspn(text, "."));
    struct unit *unit = top == NULL ? NULL : unit_get(reader, top);
    Py_XDECREF(top);
    if (unit == NULL)
        return -1;
    if (!unit->asked) {
        PyObject *spec = unit_spec(reader, unit->name);
        if (spec == NULL && PyErr_Occurred())
            return -1;
        unit->asked = true;
        unit->sought = true;
        unit->found = spec != NULL;
        unit->standard = spec == NULL || standard_has(reader->engine, spec);
        Py_XDECREF(spec);
    }
    return unit->standard;
}

/* Noting */

static int
add_import(struct lz_reader *reader, PyObject *name, bool maybe)
{
    struct lz_body *body = &reader->subject->body;
    if (PyUnicode_Compare(name, reader->subject->name) == 0)
        return 0;
    int known = PySequence_Contains(body->imports, name);
    if (known == 0 && maybe)
        known = PySequence_Contains(body->maybe, name);
    if (known != 0)
        return known < 0 ? -1 : 0;
    return PyList_Append(maybe ? body->maybe : body->imports, name);
}

/* NAME and its parents, which come first; not the parents alone. */
static int
add_dotted(struct lz_reader *reader, PyObject *name, bool itself, bool maybe)
{
    PyObject *part;
    Py_ssize_t at = 0;
    int result = 0;
    while (result == 0 && (part = dotted_next(name, &at)) != NULL) {
        if (itself || PyUnicode_Compare(part, name) != 0)
            result = add_import(reader, part, maybe);
        Py_DECREF(part);
    }
    return result < 0 || PyErr_Occurred() ? -1 : 0;
}

int
import_parents(struct lz_reader *reader, PyObject *name)
{
    return add_dotted(reader, name, false, false);
}

bool
code_has_name(PyCodeObject *code, const char *name)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_names); i++) {
        if (PyUnicode_CompareWithASCIIString(
                PyTuple_GET_ITEM(code->co_names, i), name) == 0)
            return true;
    }
    return false;
}

/* Whether ATTR of the module NAME is there without its being a submodule that
 * has to be imported: 1, 0: no, 2: that is not seen, 3: another object may
 * stand for the module, 4: its __getattr__ is asked, -1. */
static int
has_attribute(struct lz_reader *reader, PyObject *name, PyObject *attr)
{
    struct lz_engine *engine = reader->engine;
    PyObject *module = load_peek_module(name);
    if (module != NULL && PyModule_Check(module) &&
        !load_initializing(engine, module)) {
        bool there = namespace_peek_borrowed(engine, PyModule_GetDict(module),
                                             attr, NULL) != NULL;
        bool made = PyDict_GetItemString(PyModule_GetDict(module),
                                         "__getattr__") != NULL;
        bool plain = PyModule_CheckExact(module);
        Py_DECREF(module);
        return there ? 1 : !plain ? 3 : made ? 4 : 0;
    }
    if (module != NULL && !PyModule_Check(module)) {
        Py_DECREF(module);
        return 3;
    }
    Py_XDECREF(module);
    if (PyErr_Occurred())
        return -1;
    struct unit *unit = unit_get(reader, name);
    if (unit == NULL || read_code(reader, unit) < 0)
        return -1;
    if (unit->state == UNIT_CLOSED)
        return 2;
    bool made = code_has_name(unit->code, "__getattr__");
    int known = PySequence_Contains(unit->code->co_names, attr);
    if (known < 0 || (known == 1 && !made && !unit->replaced))
        return known;
    if (unit_read(reader, unit) < 0)
        return -1;
    known = unit_is_replaced(unit) ? 3 : unit_has(reader, unit, attr);
    if (known == 0)
        known = made ? 4 : unit->hidden ? 2 : 0;
    return known;
}

/* `from MODULE import names`: submodules of that name are imported. */
static int
add_submodules(struct lz_reader *reader, PyObject *module, PyObject *names,
               bool maybe)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        PyObject *attr = PyTuple_GET_ITEM(names, i);
        if (!PyUnicode_Check(attr) || PyUnicode_GET_LENGTH(attr) == 0 ||
            PyUnicode_READ_CHAR(attr, 0) == '*')
            continue;
        PyObject *full = reader_dotted(reader, module, ".", attr);
        int found = full == NULL ? -1 : import_finds(reader, full);
        if (found == 1 && add_import(reader, full, maybe) < 0)
            return -1;
        if (found < 0)
            return PyErr_Occurred() ? -1 : 0;
    }
    return 0;
}

static struct value
module_value(struct lz_reader *reader, PyObject *name, bool standard)
{
    if (standard)
        return value_std(reader, name);
    return (struct value){.kind = V_MODULE, .object = name};
}

/* Whether what the import under way binds is never used by the module's code:
 * it is there for what its body does to others. */
static bool
is_for_effect(struct frame *frame, bool from)
{
    struct cursor cursor = {
        (const unsigned char *)PyBytes_AS_STRING(frame->bytes),
        (size_t)PyBytes_GET_SIZE(frame->bytes), (size_t)frame->next, 0, 0};
    PyObject *used = bytecode_used_names(frame->code, frame->bytes);
    bool result = used != NULL;
    while (result && cursor_step_real(&cursor)) {
        PyObject *name = name_at(frame->code->co_names, cursor.oparg);
        if (cursor.opcode == STORE_NAME && name != NULL)
            result = PySet_Contains(used, name) == 0;
        if (cursor.opcode == STORE_NAME
                ? !from
                : cursor.opcode != IMPORT_FROM && cursor.opcode != SWAP &&
                      (from || cursor.opcode != POP_TOP))
            break;
    }
    Py_XDECREF(used);
    lz_forgive();
    return result;
}

/* Whether NAME is of another package than the subject. */
static bool
is_of_another(struct lz_reader *reader, PyObject *name)
{
    return !names_share_package(body_text(name),
                                body_text(reader->subject->name));
}

int
import_name(struct frame *frame, PyObject *name, PyObject *fromlist, int level,
            struct value *ret_value)
{
    struct lz_reader *reader = frame->reader;
    bool maybe = frame_is_conditional(frame);
    PyObject *absolute = reader_keep(
        reader, foresee_absolute(frame->unit->package, name, level));
    if (absolute == NULL) {
        *ret_value = body_effect(reader, "imports what is above its package");
        return PyErr_Occurred() ? -1 : 0;
    }
    int standard = is_standard(reader, absolute);
    int found = standard < 0 ? -1 : import_finds(reader, absolute);
    if (found < 0)
        return -1;
    if (found == 0 && frame_is_handled(frame)) {
        /* Now it raises; what is said of the sources alone must hold where
         * it is there, too. */
        frame->alive = reader->within != NULL;
        return 0;
    }
    if (found == 0) {
        *ret_value = body_effect(reader, "imports %.80s, which is not found",
                                 body_text(absolute));
        return 0;
    }
    if (standard && !settle_is_quiet(body_text(absolute)))
        *ret_value = body_effect(reader, "imports %.80s", body_text(absolute));
    if (!standard && is_of_another(reader, absolute) &&
        frame->kind == FRAME_MODULE && frame->unit == reader->subject &&
        is_for_effect(frame, fromlist != NULL))
        reader->subject->body.for_effect = true;
    if (add_dotted(reader, absolute, true, maybe) < 0 ||
        (fromlist != NULL && !standard &&
         add_submodules(reader, absolute, fromlist, maybe) < 0))
        return -1;
    if (fromlist == NULL) {
        Py_ssize_t length = PyUnicode_GET_LENGTH(absolute);
        Py_ssize_t dot = PyUnicode_FindChar(absolute, '.', 0, length, 1);
        if (dot > 0)
            absolute =
                reader_keep(reader, PyUnicode_Substring(absolute, 0, dot));
        if (absolute == NULL)
            return -1;
    }
    *ret_value = module_value(reader, absolute, standard != 0);
    return 0;
}

/* Follow the __getattr__ of MODULE for ATTR. 0, or -1 where that cannot be. */
static int
ask(struct frame *frame, PyObject *module, PyObject *attr)
{
    struct lz_reader *reader = frame->reader;
    PyObject *name =
        reader_keep(reader, PyUnicode_InternFromString("__getattr__"));
    struct value function =
        name == NULL ? value_of(V_ANY) : name_of_module(reader, module, name);
    struct arguments arguments = {.count = 1, .values = {value_plain(attr)}};
    if (function.kind != V_FUNCTION || function.maybe_unset)
        return -1;
    (void)call_function(frame, &function, &arguments);
    return 0;
}

struct value
import_from(struct frame *frame, const struct value *module, PyObject *attr)
{
    struct lz_reader *reader = frame->reader;
    if (attr == NULL || module->maybe_unset ||
        (module->kind != V_MODULE && module->kind != V_STD))
        return body_effect(reader, "takes a name of what is not known");
    PyObject *full = reader_dotted(reader, module->object, ".", attr);
    if (module->kind == V_STD)
        return value_std(reader, full);
    int has = full == NULL ? -1 : has_attribute(reader, module->object, attr);
    bool made = has == 4;
    if (made && ask(frame, module->object, attr) < 0)
        return body_effect(reader, "takes %.80s, which code may make",
                           body_text(full));
    if (has == 0 || made) {
        int found = import_finds(reader, full);
        if (found == 1)
            return module_value(reader, full, false);
        has = found < 0 ? -1 : 0;
    }
    if (has == 0 && made)
        return value_of(V_ANY);
    if (has == 0 && frame_is_handled(frame)) {
        frame->alive = reader->within != NULL;
        return value_of(V_ANY);
    }
    if (has == 0)
        return body_effect(reader, "takes %.80s, which is not seen",
                           body_text(full));
    if (has == 3)
        return body_effect(reader, "takes %.80s of what may be another",
                           body_text(full));
    if (has < 0)
        return value_of(V_ANY);
    return (struct value){
        .kind = V_FOREIGN, .object = attr, .of_module = module->object};
}
