/* What only `show` and `why` ask for: see explain.c. Needs the GIL. */
#ifndef LAZYCORE_EXPLAIN_H
#define LAZYCORE_EXPLAIN_H

#include "lazycore/engine.h"

enum { LZ_RULE_TEXT_SIZE = 320 };

/* What a load's record borrows from. */
struct lz_trigger {
    struct lz_caller caller;
    char rule[LZ_RULE_TEXT_SIZE];
};

/* Fill LOAD, whose reason is known, with what needs the module NAME, of FILE
 * or NULL, and with the rule that made its load eager; the strings are RET's.
 * OUTERMOST: it is nested in no other load. */
void explain_trigger(struct lz_engine *engine, PyObject *name, PyObject *file,
                     bool outermost, struct lz_load *load,
                     struct lz_trigger *ret);
void explain_done(struct lz_trigger *trigger);
/* STATEMENT in NS has deferred TARGET. */
void explain_statement(struct lz_engine *engine, struct lz_target *target,
                       const struct lz_namespace *ns,
                       const struct lz_statement *statement);

#endif
