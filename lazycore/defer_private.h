/* What defer.c and defer_from.c share: one statement's deferral. Needs the
 * GIL. */
#ifndef LAZYCORE_DEFER_PRIVATE_H
#define LAZYCORE_DEFER_PRIVATE_H

#include "lazycore/engine.h"

/* What one deferral works on. */
struct deferral {
    struct lz_engine *engine;
    struct lz_namespace *ns;
    const struct lz_statement *statement;
    PyObject *name; /* absolute */
    enum lz_reason reason;
};

/* Whether the policy lets NAME, FOUND, wait. 1: lazy, 0: eager for d->reason,
 * -1 with an exception. */
int deferral_allowed(struct deferral *d, PyObject *name, PyObject *found);
/* Find NAME and ask the policy, for the parents that it would load too: 1 with
 * a new reference, else as above. */
int deferral_find(struct deferral *d, PyObject *name,
                  struct lz_target **ret_target);
/* A new reference to a proxy that stands for the statement's. */
struct lz_proxy *deferral_proxy(struct deferral *d, enum lz_proxy_kind kind,
                                PyObject *name, PyObject *attr,
                                struct lz_target *target);
/* Whether a store under NAME would replace an ordinary value, whose place in
 * the dict we could only take by moving it. */
bool deferral_rebinds(struct deferral *d, PyObject *name);
/* Every package of the dotted NAME shows its submodule. 0 or -1. */
int deferral_publish(struct deferral *d, PyObject *name);
/* `from D->name import ...`: as defer_statement(). */
int defer_from(struct deferral *d, PyObject **ret_value);

#endif
