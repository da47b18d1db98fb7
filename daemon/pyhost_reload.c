/* Reload and rollback as the daemon sees them; no Python type shows here.
 *
 * What lazycore says goes to the wire's structs and an arena. With the GIL.
 */
#include <errno.h>

#include "ctl/wire/message.h"
#include "daemon/arena.h"
#include "daemon/pyhost.h"
#include "lazycore/lazycore.h"
#include "lazycore/rehearse_reload.h"

/* NULL on lack of memory. */
static const char **
copy_lines(char *const *lines, size_t count, struct arena *arena)
{
    const char **copies = arena_alloc(arena, count + 1, sizeof(*copies));

    for (size_t i = 0; copies != NULL && i < count; i++) {
        copies[i] = arena_strdup(arena, lines[i]);
    }
    return copies;
}

static int
copy_other(const struct lz_reload_result *result, struct arena *arena,
           struct wire_reload_other *ret)
{
    *ret = (struct wire_reload_other){
        .name = arena_strdup(arena, result->name),
        .verdict = lz_verdict_string(result->verdict),
        .text = arena_strdup(arena, result->text),
        .old_hash = result->old_hash,
        .new_hash = result->new_hash,
        .unrepaired =
            copy_lines(result->unrepaired, result->unrepaired_count, arena),
        .unrepaired_count = result->unrepaired_count,
        .replaced =
            copy_lines(result->replaced, result->replaced_count, arena),
        .replaced_count = result->replaced_count,
        .again = copy_lines(result->again, result->again_count, arena),
        .again_count = result->again_count,
    };
    return ret->name == NULL || ret->unrepaired == NULL ||
                   ret->replaced == NULL || ret->again == NULL
               ? -ENOMEM
               : 0;
}

static int
copy_others(const struct lz_reload_result *result, struct arena *arena,
            struct wire_reload *ret)
{
    int rc = 0;

    ret->others =
        arena_alloc(arena, result->other_count + 1, sizeof(*ret->others));
    if (ret->others == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; rc == 0 && i < result->other_count; i++) {
        rc = copy_other(&result->others[i], arena, &ret->others[i]);
    }
    ret->other_count = result->other_count;
    return rc;
}

static int
copy_reload(const struct lz_reload_result *result, struct arena *arena,
            struct wire_reload *ret)
{
    *ret = (struct wire_reload){
        .name = arena_strdup(arena, result->name),
        .verdict = lz_verdict_string(result->verdict),
        .text = arena_strdup(arena, result->text),
        .file = arena_strdup(arena, result->file),
        .line = result->line,
        .column = result->column,
        .traceback = arena_strdup(arena, result->traceback),
        .wall_ns = result->wall_ns,
        .pause_ns = result->pause_ns,
        .old_hash = result->old_hash,
        .new_hash = result->new_hash,
        .functions_kept = result->functions_kept,
        .classes_kept = result->classes_kept,
        .names_rebound = result->names_rebound,
        .unrepaired =
            copy_lines(result->unrepaired, result->unrepaired_count, arena),
        .unrepaired_count = result->unrepaired_count,
        .replaced =
            copy_lines(result->replaced, result->replaced_count, arena),
        .replaced_count = result->replaced_count,
        .again = copy_lines(result->again, result->again_count, arena),
        .again_count = result->again_count,
        .generation = result->generation,
        .generations = result->generations,
    };
    return ret->name == NULL || ret->unrepaired == NULL ||
                   ret->replaced == NULL || ret->again == NULL
               ? -ENOMEM
               : copy_others(result, arena, ret);
}

/* RESULT, which is released, as the wire has it. */
static int
answer(struct lz_reload_result *result, struct arena *arena,
       struct wire_reload *ret_reload, struct lz_error *error)
{
    int rc = copy_reload(result, arena, ret_reload);

    lazycore_reload_result_done(result);
    return rc < 0 ? lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory")
                  : 0;
}

static struct lz_reload_options
options_of(const struct wire_reload_params *params)
{
    return (struct lz_reload_options){
        .force = params->force,
        .strict = params->strict,
        .forget = params->forget,
        .hold = params->confirm > 0 && !params->dry_run,
        .dependents = params->dependents,
    };
}

int
pyhost_rehearse_reload(const struct wire_reload_params *params,
                       const struct lz_rehearsal *setup, struct arena *arena,
                       struct lz_rehearsal_outcome *ret_outcome,
                       struct wire_reload *ret_reload, struct lz_error *error)
{
    const struct lz_reload_options options = options_of(params);
    struct lz_reload_result result = {0};

    if (lazycore_rehearse_reload(setup, params->name, &options, &result,
                                 ret_outcome, error) < 0) {
        return -1;
    }
    return answer(&result, arena, ret_reload, error);
}

int
pyhost_reload(const struct wire_reload_params *params, struct arena *arena,
              struct wire_reload *ret_reload, struct lz_error *error)
{
    const struct lz_reload_options options = options_of(params);
    struct lz_reload_result result = {0};

    if (lazycore_reload(params->name, &options, &result, error) < 0) {
        return -1;
    }
    return answer(&result, arena, ret_reload, error);
}

int
pyhost_rollback(const char *name, uint64_t serial, struct arena *arena,
                struct wire_reload *ret_reload, struct lz_error *error)
{
    struct lz_reload_result result = {0};

    if (lazycore_rollback(name, serial, &result, error) < 0) {
        return -1;
    }
    return answer(&result, arena, ret_reload, error);
}
