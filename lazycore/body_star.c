/* `from ... import *`: see body_private.h. Needs the GIL; runs importlib's
 * code.
 */
#include "lazycore/body_private.h"

/* The name INDEX, if UNIT has it; where __all__ has CHOSEN, perhaps. */
static void
star_name(struct frame *frame, struct unit *unit, int index, bool chosen)
{
    PyObject *name = PyTuple_GET_ITEM(frame->code->co_names, index);
    struct value *slot = &frame->slots[frame->fast + index];
    bool private =
        PyUnicode_GET_LENGTH(name) == 0 || PyUnicode_READ_CHAR(name, 0) == '_';
    if ((private && !chosen) ||
        PyUnicode_CompareWithASCIIString(name, "__all__") == 0 ||
        unit_has(frame->reader, unit, name) != 1)
        return;
    bool other = slot->kind != V_UNSET || known_is_builtin(body_text(name));
    *slot = chosen && other ? value_of(V_ANY)
                            : (struct value){.kind = V_FOREIGN,
                                             .object = name,
                                             .of_module = unit->name};
}

/* `from MODULE import *`: the names that are there are the module's. */
void
import_star(struct frame *frame)
{
    struct lz_reader *reader = frame->reader;
    struct value module = frame_pop(frame);
    struct unit *unit =
        module.kind == V_MODULE ? unit_get(reader, module.object) : NULL;
    if (unit == NULL || frame->kind != FRAME_MODULE ||
        unit_read(reader, unit) < 0 || unit->state != UNIT_READ ||
        unit_is_opaque(unit)) {
        (void)body_effect(reader, "imports names that are not seen");
        frame->unit->hidden = true;
        return;
    }
    frame->unit->hidden = frame->unit->hidden || unit->hidden;
    bool chosen = code_has_name(unit->code, "__all__") || unit->stars != NULL;
    for (int i = 0; i < frame->names; i++)
        star_name(frame, unit, i, chosen);
    if (frame->unit->stars == NULL)
        frame->unit->stars = PyList_New(0);
    if (frame->unit->stars != NULL)
        (void)PyList_Append(frame->unit->stars, module.object);
}
