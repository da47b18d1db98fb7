/* Reload and rollback, run in the operator thread with the GIL.
 *
 * They touch nothing of the loop's but their call.
 */
#include "daemon/handlers.h"
#include "daemon/pyhost.h"
#include "lazycore/rehearse.h"

/* Within these a rehearsal says what came of it. */
enum { REHEARSAL_MS = 20000, REHEARSAL_BYTES = 1024 * 1024 * 1024 };

static int
rehearse(struct call *call) LZ_NEEDS_GIL
{
    const struct wire_reload_params *params = &call->request->params.reload;
    struct control *control = call->control;
    struct lz_rehearsal_outcome outcome = {0};
    struct lz_error failure = {0};
    struct lz_rehearsal setup = {.core = control->setup.core,
                                 .forked = control->setup.forked,
                                 .deadline_ms = REHEARSAL_MS,
                                 .memory_bytes = REHEARSAL_BYTES,
                                 .cancelled = &call->cancelled,
                                 .apart = true};

    operator_describe(control->op, &call->job, "rehearsing a reload of '%s'",
                      params->name);
    if (pyhost_rehearse_reload(params, &setup, &call->arena, &outcome,
                               &call->reply.reload, &failure) < 0) {
        return handler_error(&call->error, &failure, &call->arena);
    }
    count_rehearsal(control, &outcome);
    lz_rehearsal_outcome_done(&outcome);
    call->reply.reload.dry_run = true;
    return 0;
}

int
operate_reload(struct call *call)
{
    const struct wire_reload_params *params = &call->request->params.reload;
    struct lz_error failure = {0};

    if (params->dry_run) {
        return rehearse(call);
    }
    if (pyhost_may_load("reload it in the service itself, by "
                        "lazycore.reload(), or start the service anew",
                        &failure) < 0) {
        call->reply.reload = (struct wire_reload){
            .name = params->name,
            .verdict = "refused",
            .text = arena_strdup(&call->arena, failure.text)};
        return 0;
    }
    operator_describe(call->control->op, &call->job, "reloading '%s'",
                      params->name);
    if (pyhost_reload(params, &call->arena, &call->reply.reload, &failure) <
        0) {
        return handler_error(&call->error, &failure, &call->arena);
    }
    if (params->confirm > 0 && call->reply.reload.generation != 0) {
        call->reply.reload.confirm = params->confirm;
    }
    return 0;
}

int
operate_rollback(struct call *call)
{
    const char *name = call->request->params.rollback.name;
    struct lz_error failure = {0};

    operator_describe(call->control->op, &call->job, "rolling back '%s'",
                      name);
    return pyhost_rollback(name, 0, &call->arena, &call->reply.reload,
                           &failure) < 0
               ? handler_error(&call->error, &failure, &call->arena)
               : 0;
}
