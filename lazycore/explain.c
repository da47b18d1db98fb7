/* What the registry is told beside a load for those who ask why.
 *
 * The rule behind a reason, and which file is the program's own. Needs the
 * GIL; runs no Python code.
 */
#include "lazycore/explain.h"
#include "lazycore/settle.h"

#include <stdio.h>
#include <string.h>

/* The entry of an ignore set or the level behind REASON, which made the load
 * of NAME eager, in TEXT; or NULL where the reason says it all. */
static const char *
rule_behind(struct lz_engine *engine, enum lz_reason reason, PyObject *name,
            PyObject *file, char text[LZ_RULE_TEXT_SIZE])
{
    struct lz_core *core = engine->core;
    const char *module = place_text(name);
    switch (reason) {
    case LZ_REASON_IGNORE_NAME:
    case LZ_REASON_IGNORE_PACKAGE:
    case LZ_REASON_IGNORE_PATH:
        return ignore_rule_of(core->ignore, module, place_text(file), text,
                              LZ_RULE_TEXT_SIZE)
                   ? text
                   : NULL;
    case LZ_REASON_LEVEL_EAGER:
    case LZ_REASON_SAME_PACKAGE:
        (void)snprintf(
            text, LZ_RULE_TEXT_SIZE, "level %.*s %s",
            (int)strcspn(module, "."), module,
            lz_level_string(levels_get(core->levels, module, NULL)));
        return text;
    default:
        return NULL;
    }
}

/* The code in FILE with these GLOBALS imports: it may be the program's own,
 * whose file nothing else tells. */
static void
note_main(struct lz_engine *engine, PyObject *globals, const char *file)
{
    if (engine->main_noted || globals == NULL || file == NULL)
        return;
    PyObject *main =
        PyDict_GetItemString(PyImport_GetModuleDict(), "__main__");
    if (main != NULL && PyModule_Check(main) &&
        PyModule_GetDict(main) == globals) {
        engine->main_noted = true;
        registry_existing(engine->core->registry, "__main__", file);
    }
}

void
explain_trigger(struct lz_engine *engine, PyObject *name, PyObject *file,
                bool outermost, struct lz_load *load, struct lz_trigger *ret)
{
    struct lz_caller *caller = &ret->caller;
    if (engine->rule_off[LZ_RULE_ACCOUNTING])
        return;
    place_caller_of(engine, name, caller);
    if (caller->file == NULL) /* no Python code on this thread */
        caller->file = Py_XNewRef(settle_place(engine, &caller->line));
    load->thread = caller->thread;
    load->trigger.line = caller->line;
    load->trigger.file = place_text(caller->file);
    load->trigger.function = caller->file != NULL && caller->function == NULL
                                 ? "(hot)"
                                 : place_text(caller->function);
    load->rule = rule_behind(engine, load->reason, name, file, ret->rule);
    if (outermost)
        note_main(engine, caller->globals, load->trigger.file);
}

void
explain_done(struct lz_trigger *trigger)
{
    place_caller_done(&trigger->caller);
}

void
explain_statement(struct lz_engine *engine, struct lz_target *target,
                  const struct lz_namespace *ns,
                  const struct lz_statement *statement)
{
    PyObject *file = statement->code->co_filename;
    target_note(engine, target, file, statement->line);
    if (!engine->main_noted &&
        PyUnicode_CompareWithASCIIString(ns->name, "__main__") == 0)
        note_main(engine, ns->dict, place_text(file));
}
