/* Modules whose source on disk is not what runs, and learning what does run.
 *
 * Both read files: not for the loop's thread.
 */
#include <stdio.h>

#include "daemon/handlers.h"

static int
copy_row(const struct lz_drift_row *from, struct arena *arena,
         struct wire_drift_row *ret)
{
    *ret = (struct wire_drift_row){
        .name = arena_strdup(arena, from->name),
        .file = arena_strdup(arena, from->path),
        .drift = lz_drift_string(from->drift),
        .since_ns = from->since_ns,
        .old_hash = from->old_hash,
        .new_hash = from->new_hash,
    };
    return ret->name == NULL || ret->file == NULL ? -1 : 0;
}

int
handle_drift(struct lz_core *core, const struct wire_drift_params *params,
             struct arena *arena, struct wire_drift *ret,
             struct wire_error *error)
{
    struct lz_drift_row *rows = NULL;
    size_t count = 0;
    int rc = sources_drift(core->sources, params->match, &rows, &count);

    ret->modules =
        rc < 0 ? NULL : arena_alloc(arena, count + 1, sizeof(*ret->modules));
    rc = ret->modules == NULL ? -1 : 0;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        enum lz_drift drift = rows[i].drift;

        ret->drifted += drift == LZ_DRIFT_CHANGED || drift == LZ_DRIFT_MISSING;
        ret->unknown += drift == LZ_DRIFT_UNKNOWN;
        if (drift != LZ_DRIFT_NONE || params->all) {
            rc = copy_row(&rows[i], arena, &ret->modules[ret->module_count]);
            ret->module_count++;
        }
    }
    sources_drift_free(rows, count);
    ret->total = count;
    return rc < 0 ? handler_no_memory(error) : 0;
}

/* --- learning ----------------------------------------------------------- */

/* In the disk's thread. */
static void
learn(struct operator_job *job)
{
    struct learner *learner = (struct learner *)(void *)job;

    sources_learn(learner->sources);
}

static void
on_learn(uv_timer_t *timer) LZ_LOOP_ONLY
{
    struct control *control = timer->data;
    struct learner *learner = &control->learner;

    atomic_store(&learner->loaded, false);
    learner->sources = control->setup.core->sources;
    learner->job.run = learn;
    (void)snprintf(learner->job.what, sizeof(learner->job.what),
                   "reading sources");
    learner->out = operator_submit(control->disk, &learner->job) == 0;
}

void
learner_wake(struct control *control)
{
    struct learner *learner = &control->learner;

    if (atomic_load(&learner->loaded) && !learner->out &&
        control->setup.socket_path != NULL && !control->closing &&
        !uv_is_active((const uv_handle_t *)&learner->wait)) {
        (void)uv_timer_start(&learner->wait, on_learn, LZ_LEARN_MS, 0);
    }
}

bool
learner_take(struct control *control, const struct operator_job *job)
{
    if (job != &control->learner.job) {
        return false;
    }
    control->learner.out = false;
    learner_wake(control);
    return true;
}
