/* The start of lazyd as a list of steps, and its end.
 *
 * Each step says what went wrong in one lz_error; only this file prints it.
 * What is told to the person at the terminal is checked before the fork as
 * far as it can be. Main thread.
 */
#include "daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/check_levels.h"
#include "daemon/control.h"
#include "daemon/crash.h"
#include "daemon/descriptors.h"
#include "daemon/detach.h"
#include "daemon/folder.h"
#include "daemon/launch.h"
#include "daemon/log.h"
#include "daemon/logger.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/pidfile.h"
#include "daemon/process.h"
#include "daemon/pyhost.h"
#include "daemon/settings.h"
#include "daemon/signals.h"
#include "daemon/tell.h"
#include "daemon/trial.h"

struct daemon {
    char **words; /* argv, before it was parsed */
    int word_count;
    struct options options;
    struct app app;
    struct launch launch;
    struct paths paths;
    struct lz_core *core;
    struct log_file log;
    struct logger logger;
    struct detach detach;
    struct pidfile *pidfile;
    struct control *control;
    gid_t group;
    struct wire_names warm; /* modules to load before it is ready */
    struct tell tell;
};

/* --- callbacks ---------------------------------------------------------- */

/* The service is ready; in the control thread, whose descriptors these are. */
static void
on_told_ready(void *arg)
{
    struct daemon *daemon = arg;

    logger_started(&daemon->logger);
    detach_ready(&daemon->detach);
    trial_ready();
    if (daemon->options.foreground && daemon->options.wait_ready) {
        notify_manager("READY=1");
    }
}

static void
on_unpublished(void *arg)
{
    const struct daemon *daemon = arg;

    logger_ended(&daemon->logger);
}

static void
on_reopen_log(void *arg)
{
    struct daemon *daemon = arg;

    log_reopen();
    logger_reopen(&daemon->logger);
}

static void
on_end_hard(void *arg, const char *why)
{
    (void)arg;
    process_end_hard(why);
}

/* --- steps -------------------------------------------------------------- */

static int
step_settings(struct daemon *daemon, struct lz_error *error)
{
    const struct options *options = &daemon->options;

    if (options->chdir != NULL && chdir(options->chdir) < 0) {
        return lz_error_set_errno(error, errno, "cannot go to folder '%s'",
                                  options->chdir);
    }
    if (app_resolve(options->app, &daemon->app, error) < 0 ||
        launch_init(&daemon->launch, options, &daemon->app, error) < 0) {
        return -1;
    }
    daemon->core = core_new();
    if (daemon->core == NULL) {
        return lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
    }
    if (settings_foresight(options, daemon->core, &daemon->warm, error) < 0) {
        return -1;
    }
    return settings_apply(options, daemon->core, error);
}

static int
step_paths(struct daemon *daemon, struct lz_error *error)
{
    const char *group_name = daemon->options.socket_group;
    const struct group *group;

    daemon->group = (gid_t)-1;
    if (group_name != NULL) {
        group = getgrnam(group_name);
        if (group == NULL) {
            return lz_error_set(error, LZ_ERROR_INVALID,
                                "there is no group '%s': see getent group",
                                group_name);
        }
        daemon->group = group->gr_gid;
    }
    return settings_paths(&daemon->options, daemon->app.stem, &daemon->paths,
                          error);
}

/* Where lines go, and the lock on the name: still in the caller's sight. */
static int
step_files(struct daemon *daemon, struct lz_error *error)
{
    const struct paths *paths = &daemon->paths;

    if (paths->log != NULL && daemon->options.foreground) {
        if (log_file_open(&daemon->log, paths->log, error) < 0) {
            return -1;
        }
        daemon->log.notice_fd = STDERR_FILENO;
        log_to_file(&daemon->log);
    }
    if (paths->pidfile != NULL &&
        pidfile_open(paths->pidfile, &daemon->pidfile, error) < 0) {
        return -1;
    }
    if (!daemon->options.foreground) {
        return logger_start(&daemon->logger, paths->log, error);
    }
    return 0;
}

/* 1 in the parent with *RET_STATUS, 0 in the daemon, -1 with ERROR. */
static int
step_background(struct daemon *daemon, int *ret_status, struct lz_error *error)
{
    pid_t pid = detach_fork(&daemon->detach);
    int line_fd = -1;
    int rc;

    if (pid < 0) {
        return lz_error_set_errno(error, -pid, "cannot fork");
    }
    if (pid > 0) {
        struct detach_wait wait = {
            .for_ready = daemon->options.wait_ready,
            .start_timeout_ms = daemon->options.start_timeout_ms,
            .stop_timeout_ms = daemon->options.stop_timeout_ms,
            .log = daemon->paths.log,
            .logger = &daemon->logger};

        /* The child's now; a logger that heard nothing ends with it. */
        pidfile_forget(daemon->pidfile);
        logger_release(&daemon->logger);
        *ret_status = detach_wait(&daemon->detach, &wait);
        return 1;
    }
    rc = logger_attach(&daemon->logger, &line_fd);
    if (rc < 0) {
        return lz_error_set_errno(error, -rc,
                                  "cannot give the service its output");
    }
    log_to_fd(line_fd);
    return 0;
}

/* All that the service finds in place: pidfile, socket, hooks. */
static int
step_publish(struct daemon *daemon, struct lz_error *error)
{
    struct control_setup setup = {.core = daemon->core,
                                  .app = daemon->options.app,
                                  .socket_path = daemon->paths.socket,
                                  .group = daemon->group,
                                  .stop_timeout_ms =
                                      daemon->options.stop_timeout_ms,
                                  .keep_connections = true,
                                  .pidfile = daemon->pidfile,
                                  .unpublished = on_unpublished,
                                  .ready = on_told_ready,
                                  .forked = process_after_fork,
                                  .reopen_log = on_reopen_log,
                                  .end_hard = on_end_hard,
                                  .arg = daemon};
    struct process process;
    int rc;

    if (daemon->pidfile != NULL && pidfile_write(daemon->pidfile, error) < 0) {
        return -1;
    }
    if (control_open(&setup, &daemon->control, error) < 0) {
        return -1;
    }
    daemon->tell = (struct tell){.control = daemon->control,
                                 .settled = !daemon->options.no_socket,
                                 .warm_count = daemon->warm.count};
    tell_listen(&daemon->tell, &daemon->core->listener);
    process = (struct process){.core = daemon->core,
                               .control = daemon->control,
                               .pidfile = daemon->pidfile,
                               .detach = &daemon->detach,
                               .logger = &daemon->logger};
    rc = process_install(&process);
    if (daemon->options.foreground && daemon->paths.log == NULL) {
        log_to_stderr();
    }
    descriptors_collect();
    return rc < 0 ? lz_error_set_errno(error, -rc, "cannot set up the process")
                  : 0;
}

static int
start_python(struct daemon *daemon, struct lz_error *error)
{
    struct pyhost_setup setup = {.argv = daemon->launch.argv,
                                 .argc = daemon->launch.argc,
                                 .words = daemon->words,
                                 .word_count = daemon->word_count,
                                 .lazy = daemon->options.lazy,
                                 .core = daemon->core,
                                 .finished = process_finish};

    daemon->core->settles = setup.lazy && daemon->options.settle;
    return pyhost_start(&setup, error);
}

static int
step_start(struct daemon *daemon, struct lz_error *error)
{
    int rc;

    if (start_python(daemon, error) < 0) {
        return -1;
    }
    rc = signals_install(control_notify, daemon->control,
                         daemon->paths.log != NULL);
    if (rc < 0) {
        (void)lz_error_set_errno(error, -rc, "cannot handle signals");
    }
    if (rc < 0 || control_start(daemon->control, error) < 0) {
        pyhost_abandon();
        return -1;
    }
    if (daemon->paths.log != NULL) { /* else who started it is told */
        crash_install(control_notify, daemon->control);
    }
    logger_parted(&daemon->logger, descriptors_are_parted());
    if (!daemon->options.foreground) {
        log_line("started: '%s', version " LAZYD_VERSION, daemon->options.app);
    }
    detach_begun(&daemon->detach);
    if (daemon->options.foreground && !daemon->options.wait_ready) {
        notify_manager("READY=1");
    }
    descriptors_release();
    return 0;
}

static int
step_check(struct daemon *daemon, struct lz_error *error)
{
    const struct app *app = &daemon->app;
    int rc;

    daemon->options.lazy = false;
    if (start_python(daemon, error) < 0) {
        return -1;
    }
    rc = pyhost_check(app->path, app->module, app->kind == APP_MODULE, error);
    pyhost_abandon();
    return rc;
}

/* --- the whole ---------------------------------------------------------- */

static void
done(struct daemon *daemon)
{
    crash_alone();
    control_free(daemon->control);
    pidfile_free(daemon->pidfile);
    logger_close(&daemon->logger);
    log_file_done(&daemon->log);
    core_free(daemon->core);
    wire_names_done(&daemon->warm);
    paths_done(&daemon->paths);
    launch_done(&daemon->launch);
    app_done(&daemon->app);
    options_done(&daemon->options);
}

/* The daemon proper, in whichever process: its exit status. */
static int
run(struct daemon *daemon, struct lz_error *error)
{
    if (step_publish(daemon, error) < 0 || step_start(daemon, error) < 0) {
        process_finish();
        (void)pidfile_remove(daemon->pidfile);
        return -1;
    }
    return pyhost_run();
}

static int
fail(struct daemon *daemon, struct lz_error *error, int status)
{
    if (atomic_load(&daemon->detach.fd) >= 0) {
        detach_failed(&daemon->detach, error);
    }
    logger_ended(&daemon->logger);
    log_error(NULL, error);
    lz_error_done(error);
    return status;
}

/* In a child of --check-levels: as with -F --no-socket. */
static int
run_trial(void *arg, bool lazy)
{
    struct daemon *daemon = arg;
    struct lz_error error = {0};
    int status = -1;

    daemon->options.lazy = lazy;
    descriptors_begin();
    if (step_paths(daemon, &error) == 0) {
        status = run(daemon, &error);
    }
    return status < 0 ? fail(daemon, &error, 1) : status;
}

static int
step_check_levels(struct daemon *daemon, struct lz_error *error)
{
    struct options *options = &daemon->options;
    struct check_levels setup = {.options = options,
                                 .core = daemon->core,
                                 .run = run_trial,
                                 .arg = daemon};

    options->foreground = true;
    options->no_socket = true;
    options->socket_path = NULL;
    options->socket_group = NULL;
    options->pidfile = NULL;
    options->log = NULL;
    return check_levels(&setup, error);
}

static int
start(struct daemon *daemon, struct lz_error *error)
{
    int status = 0;
    int rc;

    if (step_settings(daemon, error) < 0) {
        return fail(daemon, error, 1);
    }
    if (daemon->options.check) {
        return step_check(daemon, error) < 0 ? fail(daemon, error, 1) : 0;
    }
    if (daemon->options.check_levels) {
        return step_check_levels(daemon, error) < 0 ? fail(daemon, error, 1)
                                                    : 0;
    }
    if (step_paths(daemon, error) < 0 || step_files(daemon, error) < 0) {
        (void)pidfile_remove(daemon->pidfile);
        return fail(daemon, error, 1);
    }
    if (!daemon->options.foreground) {
        rc = step_background(daemon, &status, error);
        if (rc != 0) {
            return rc > 0 ? status : fail(daemon, error, 1);
        }
    }
    status = run(daemon, error);
    return status < 0 ? fail(daemon, error, 1) : status;
}

/* Parsing brings them into another order. */
static int
keep_words(struct daemon *daemon, int argc, char **argv,
           struct lz_error *error)
{
    daemon->words = calloc((size_t)argc + 1, sizeof(*argv));
    if (daemon->words == NULL) {
        return lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
    }
    memcpy(daemon->words, argv, (size_t)argc * sizeof(*argv));
    daemon->word_count = argc;
    return 0;
}

int
daemon_main(int argc, char **argv)
{
    static struct daemon daemon; /* the exit functions may come after main */
    struct lz_error error = {0};
    int status;

    descriptors_fill();
    descriptors_begin();
    /* What lazyd's threads would look up in an environment that the service
     * changes. */
    tzset();
    notify_init();
    daemon.log.fd = -1;
    logger_init(&daemon.logger);
    detach_init(&daemon.detach);
    if (keep_words(&daemon, argc, argv, &error) < 0) {
        return fail(&daemon, &error, 1);
    }
    if (options_parse(&daemon.options, argc, argv, 0, &error) < 0) {
        return fail(&daemon, &error, 2);
    }
    status = start(&daemon, &error);
    if (!process_is_child()) {
        done(&daemon);
    }
    return status;
}
