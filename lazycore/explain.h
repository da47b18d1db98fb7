/* What only `show` and `why` ask for: see explain.c. Needs the GIL. */
#ifndef LAZYCORE_EXPLAIN_H
#define LAZYCORE_EXPLAIN_H

#include "lazycore/engine.h"

enum { LZ_RULE_TEXT_SIZE = 320 };
/* The entry of an ignore set or the level behind REASON, which made the load
 * of NAME eager, in TEXT; or NULL where the reason says it all. */
const char *explain_rule(struct lz_engine *engine, enum lz_reason reason,
                         PyObject *name, PyObject *spec,
                         char text[LZ_RULE_TEXT_SIZE]);
/* STATEMENT in NS has deferred TARGET. */
void explain_statement(struct lz_engine *engine, struct lz_target *target,
                       const struct lz_namespace *ns,
                       const struct lz_statement *statement);
/* The code in FILE with these GLOBALS imports: it may be the program's own,
 * whose file nothing else tells. Both may be NULL. */
void explain_note_main(struct lz_engine *engine, PyObject *globals,
                       const char *file);

#endif
