/* See check_levels.h. */
#include "daemon/check_levels.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/check_bodies.h"
#include "daemon/log.h"
#include "daemon/minimise.h"
#include "daemon/packages.h"
#include "daemon/trial.h"

enum { ROUNDS = 8 }; /* in which new packages may come up */

struct check {
    const struct check_levels *setup;
    struct trial_setup trial;
    struct trial eager; /* what is to come out */
    bool same_output;   /* it is the same each time */
    bool lazy;          /* of the run under way */
    struct packages packages;
    unsigned runs;
    struct lz_error *error;
};

static int
no_memory(struct check *check)
{
    return lz_error_set(check->error, LZ_ERROR_NO_MEMORY, "out of memory");
}

/* --- runs --------------------------------------------------------------- */

/* In the child. */
static int
run_child(void *arg)
{
    struct check *check = arg;
    const struct check_levels *setup = check->setup;
    struct lz_error error = {0};

    for (size_t i = 0; i < check->packages.count; i++) {
        if (levels_set(setup->core->levels, check->packages.items[i].name,
                       check->packages.items[i].level, &error) < 0) {
            log_error(NULL, &error);
            return 1;
        }
    }
    return setup->run(setup->arg, check->lazy);
}

static bool
is_same(const struct check *check, const struct trial *trial)
{
    const struct trial *eager = &check->eager;

    if (trial->outcome != eager->outcome) {
        return false;
    }
    return trial->outcome == TRIAL_PROBED ||
           (trial->status == eager->status &&
            (!check->same_output || trial_same_output(trial, eager)));
}

static void
tell_run(const struct check *check, const struct trial *trial, bool same)
{
    char text[128];
    const char *but = "";

    trial_describe(trial, text, sizeof(text));
    if (!same && trial->outcome == TRIAL_ENDED &&
        trial->status == check->eager.status) {
        but = ", its output differs";
    }
    log_line("run %u: %zu full, %zu outer, %zu eager: %s (%s%s)", check->runs,
             packages_count(&check->packages, LZ_LEVEL_FULL),
             packages_count(&check->packages, LZ_LEVEL_OUTER),
             packages_count(&check->packages, LZ_LEVEL_EAGER),
             same ? "as eager" : "differs", text, but);
}

/* Run with the levels as they are: 1 it comes out as the eager run, 0 not,
 * -1 with the check's error. *RET_NAMES: what it met, if asked for. */
static int
try_levels(struct check *check, char **ret_names)
{
    struct trial trial;
    bool same;

    check->lazy = true;
    check->runs++;
    if (trial_run(&check->trial, &trial, check->error) < 0) {
        return -1;
    }
    same = is_same(check, &trial);
    tell_run(check, &trial, same);
    if (ret_names != NULL) {
        *ret_names = trial_names(&trial);
    }
    trial_done(&trial);
    if (ret_names != NULL && *ret_names == NULL) {
        return no_memory(check);
    }
    return same;
}

/* --- the eager run ------------------------------------------------------ */

static bool
is_good(const struct trial *trial)
{
    return trial->outcome == TRIAL_PROBED ||
           (trial->outcome == TRIAL_ENDED && trial->status == 0);
}

static int
fails_eagerly(struct check *check)
{
    char text[128];
    char *complaint = trial_complaint(&check->eager);
    const char *hint =
        check->eager.outcome == TRIAL_TIMED_OUT
            ? "; a service needs --probe, a slow program --run-timeout"
        : check->eager.outcome == TRIAL_NOT_READY
            ? "; --ready-after says when to ask it"
            : "";

    trial_describe(&check->eager, text, sizeof(text));
    (void)lz_error_set(check->error, LZ_ERROR_INVALID,
                       "without lazy imports too '%s' fails: %s%s",
                       check->setup->options->app, text, hint);
    if (check->error->traceback == NULL) {
        check->error->traceback = complaint;
        complaint = NULL;
    }
    free(complaint);
    return -1;
}

/* What is to come out, from two runs without lazy imports. */
static int
run_eagerly(struct check *check)
{
    struct trial again;

    check->lazy = false;
    if (trial_run(&check->trial, &check->eager, check->error) < 0) {
        return -1;
    }
    if (!is_good(&check->eager)) {
        return fails_eagerly(check);
    }
    if (check->eager.outcome == TRIAL_PROBED) {
        log_line("eager run: the probe succeeded");
        return 0;
    }
    if (trial_run(&check->trial, &again, check->error) < 0) {
        return -1;
    }
    check->same_output = trial_same_output(&check->eager, &again);
    log_line("eager run: ended with status 0%s",
             check->same_output ? ""
                                : "; its output differs from run to run: only "
                                  "the status is compared");
    trial_done(&again);
    return 0;
}

/* --- the search --------------------------------------------------------- */

/* Run with all packages at LEVEL (but those at eager) until no new one is
 * met: one that comes out otherwise may not come by all of them. As
 * try_levels. */
static int
run_at(struct check *check, enum lz_level level)
{
    int same = 0;
    int added = 1;

    for (int round = 0; round < ROUNDS && same >= 0 && added > 0; round++) {
        char *names = NULL;

        packages_set(&check->packages, level);
        same = try_levels(check, &names);
        if (same >= 0 && check->runs == 1 && names[0] == '\0') {
            free(names);
            return lz_error_set(check->error, LZ_ERROR_INVALID,
                                "a lazy run did not come to its end in order: "
                                "which packages it has is not known");
        }
        added = same < 0 ? 0
                         : packages_add(&check->packages,
                                        check->setup->core->levels, names);
        free(names);
    }
    return added < 0 ? no_memory(check) : same;
}

/* Those among which a set is looked for, and what becomes of them. */
struct choice {
    struct check *check;
    size_t *indices;
    size_t count;
    enum lz_level chosen, other;
};

static int
holds(void *arg, const bool *chosen, size_t count)
{
    struct choice *choice = arg;
    int rc;

    for (size_t i = 0; i < count; i++) {
        choice->check->packages.items[choice->indices[i]].level =
            chosen[i] ? choice->chosen : choice->other;
    }
    rc = try_levels(choice->check, NULL);
    return rc < 0 ? -ECANCELED : rc;
}

static int
choice_init(struct choice *choice, struct check *check, enum lz_level chosen,
            enum lz_level other)
{
    *choice =
        (struct choice){.check = check, .chosen = chosen, .other = other};
    choice->indices =
        calloc(check->packages.count + 1, sizeof(*choice->indices));
    if (choice->indices == NULL) {
        return no_memory(check);
    }
    for (size_t i = 0; i < check->packages.count; i++) {
        const struct package *package = &check->packages.items[i];
        bool candidate = chosen == LZ_LEVEL_EAGER ||
                         (package->wide && package->level != LZ_LEVEL_EAGER);

        if (candidate) {
            choice->indices[choice->count++] = i;
        }
    }
    return 0;
}

/* Leave at CHOSEN as few packages as can be, the others at OTHER. What all
 * at CHOSEN comes to, and all at OTHER, is known: as eager, and not. */
static int
reduce(struct check *check, enum lz_level chosen, enum lz_level other)
{
    struct choice choice;
    bool *needed = calloc(check->packages.count + 1, sizeof(*needed));
    int rc = -ENOMEM;

    if (choice_init(&choice, check, chosen, other) == 0 && needed != NULL) {
        rc = minimise(choice.count, holds, &choice, needed);
    }
    for (size_t i = 0; rc == 0 && i < choice.count; i++) {
        check->packages.items[choice.indices[i]].level =
            needed[i] ? chosen : other;
    }
    free(choice.indices);
    free(needed);
    return rc == 0 ? 0 : no_memory(check); /* the first cause wins */
}

/* `outer` is not enough: which must be eager, with the others at outer. */
static int
search_eager(struct check *check)
{
    int same;

    same = run_at(check, LZ_LEVEL_EAGER);
    if (same < 0) {
        return -1;
    }
    if (same == 0) {
        return lz_error_set(check->error, LZ_ERROR_INVALID,
                            "it differs with every package eager, too: no "
                            "level helps; see 'lazyd(8)', ignore sets");
    }
    return reduce(check, LZ_LEVEL_EAGER, LZ_LEVEL_OUTER);
}

/* All at full differs from eager: find the levels that do not. */
static int
search(struct check *check)
{
    int same;

    same = run_at(check, LZ_LEVEL_OUTER);
    if (same < 0) {
        return -1;
    }
    if (same == 0) {
        if (search_eager(check) < 0) {
            return -1;
        }
        same = run_at(check, LZ_LEVEL_FULL);
        if (same != 0) {
            return same < 0 ? -1 : 0;
        }
    }
    return reduce(check, LZ_LEVEL_OUTER, LZ_LEVEL_FULL);
}

/* --- the file ----------------------------------------------------------- */

/* A file beside PATH that takes its place at the end, opened before the long
 * work. */
static FILE *
open_beside(const char *path, char **ret_name, struct lz_error *error)
{
    FILE *file = NULL;
    int fd = -1;

    if (asprintf(ret_name, "%s.XXXXXX", path) < 0) {
        *ret_name = NULL;
        (void)lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
        return NULL;
    }
    fd = mkostemp(*ret_name, O_CLOEXEC);
    if (fd >= 0 && fchmod(fd, 0644) == 0) {
        file = fdopen(fd, "w");
    }
    if (file == NULL) {
        (void)lz_error_set_errno(error, errno, "cannot write level file '%s'",
                                 path);
        if (fd >= 0) {
            (void)close(fd);
            (void)unlink(*ret_name);
        }
    }
    return file;
}

static int
save(const struct check *check, FILE *file, const char *name)
{
    const char *path = check->setup->options->level_file_out;
    int rc;

    (void)fprintf(file, "# Levels of '%s', by lazyd --check-levels.\n",
                  check->setup->options->app);
    packages_write(&check->packages, file);
    check_bodies_write(check->setup->core->ledger, file);
    rc = fflush(file) != 0 || ferror(file) ? -1 : 0;
    if (rc == 0 && name != NULL) {
        rc = rename(name, path);
    }
    return rc == 0 ? 0
                   : lz_error_set_errno(check->error, errno,
                                        "cannot write level file '%s'",
                                        path != NULL ? path : "(output)");
}

static void
tell_levels(const struct check *check)
{
    const struct packages *packages = &check->packages;

    for (size_t i = 0; i < packages->count; i++) {
        if (packages->items[i].level != LZ_LEVEL_FULL) {
            log_line("'%s' must be %s", packages->items[i].name,
                     lz_level_string(packages->items[i].level));
        }
    }
    log_line("%zu of %zu packages may be full",
             packages_count(packages, LZ_LEVEL_FULL), packages->count);
}

/* --- the bodies --------------------------------------------------------- */

/* With the levels found: which modules within packages at `outer` may wait.
 * 0, also where nothing is known of any, or -1 with the check's error. */
static int
find_bodies(struct check *check)
{
    struct lz_core *core = check->setup->core;
    int count;
    int same;

    if (!check_bodies_wanted(&check->packages)) {
        return 0;
    }
    if (check_bodies_begin(core, check->error) < 0) {
        return -1;
    }
    same = try_levels(check, NULL);
    count = check_bodies_read(core, &check->packages, check->error);
    if (same < 0 || count < 0) {
        return -1;
    }
    if (same > 0 && count > 0) {
        same = try_levels(check, NULL);
    }
    if (same <= 0 || count == 0) {
        ledger_clear(core->ledger);
    }
    if (same > 0 && count > 0) {
        log_line("%d modules of packages at outer are free of effects", count);
    } else if (same == 0) {
        log_line("it differs where modules that seem free of effects wait: "
                 "nothing is written of them");
    }
    return same < 0 ? -1 : 0;
}

/* --- the whole ---------------------------------------------------------- */

static int
find_levels(struct check *check)
{
    int same;

    if (run_eagerly(check) < 0) {
        return -1;
    }
    same = run_at(check, LZ_LEVEL_FULL);
    if (same != 0) {
        return same < 0 ? -1 : 0;
    }
    if (check->packages.count == 0) {
        return lz_error_set(check->error, LZ_ERROR_INVALID,
                            "it differs, and has no package whose level "
                            "could be changed; see 'lazyd(8)', ignore sets");
    }
    if (search(check) < 0) {
        return -1;
    }
    same = try_levels(check, NULL);
    if (same == 0) {
        return lz_error_set(check->error, LZ_ERROR_INVALID,
                            "runs with the same levels differ from time to "
                            "time: nothing can be told");
    }
    return same < 0 ? -1 : 0;
}

int
check_levels(const struct check_levels *setup, struct lz_error *error)
{
    const struct options *options = setup->options;
    struct check check = {
        .setup = setup,
        .error = error,
        .eager = {.out_fd = -1, .err_fd = -1, .names_fd = -1},
        .trial = {.run = run_child,
                  .core = setup->core,
                  .probe = options->probe,
                  .has_ready_after = options->has_ready_after,
                  .ready_after_ms = options->ready_after_ms,
                  .run_timeout_ms = options->run_timeout_ms,
                  .stop_timeout_ms = options->stop_timeout_ms}};
    char *name = NULL;
    FILE *file = stdout;
    int rc = -1;

    check.trial.arg = &check;
    if (options->level_file_out != NULL) {
        file = open_beside(options->level_file_out, &name, error);
    }
    if (file != NULL) {
        trial_signals_catch();
        rc = find_levels(&check);
        if (rc == 0) {
            rc = find_bodies(&check);
        }
        trial_signals_restore();
    }
    if (rc == 0) {
        tell_levels(&check);
        rc = save(&check, file, name);
    }
    if (file != NULL && name != NULL) {
        (void)fclose(file);
        if (rc < 0) {
            (void)unlink(name);
        }
    }
    free(name);
    packages_done(&check.packages);
    trial_done(&check.eager);
    return rc;
}
