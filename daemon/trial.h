/* One run of the user's program in a child process, to see what comes of it.
 *
 * Starts the child in a process group of its own with no input, keeps what it
 * writes, waits for its end or, for a service, until it is ready and a probe
 * has had its answer, and ends all of it. What is run and what the outcome
 * means is check_levels.c's. Main thread, before there is any other.
 */
#ifndef DAEMON_TRIAL_H
#define DAEMON_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lazycore/core.h"

enum trial_outcome {
    TRIAL_ENDED,       /* by itself, with status */
    TRIAL_TIMED_OUT,   /* a program that did not end */
    TRIAL_NOT_READY,   /* a service that did not get ready in time */
    TRIAL_ENDED_EARLY, /* a service that ended by itself, with status */
    TRIAL_PROBE_FAILED,
    TRIAL_PROBED /* the probe succeeded, and the service lives on */
};

struct trial_setup {
    /* In the child: the whole run. Its exit status. */
    int (*run)(void *arg);
    void *arg;
    struct lz_core *core; /* whose modules the child reports */
    const char *probe;    /* a shell's command; NULL: a program */
    bool has_ready_after;
    uint64_t ready_after_ms;  /* ready then, whatever it says */
    uint64_t run_timeout_ms;  /* for the run, getting ready, the probe */
    uint64_t stop_timeout_ms; /* from SIGTERM to SIGKILL */
};

struct trial {
    enum trial_outcome outcome;
    int status;                   /* as wait() has it */
    int out_fd, err_fd, names_fd; /* what was written; -1 */
};

/* From now on SIGINT, SIGTERM and SIGHUP, where they are not ignored, end the
 * run under way with all its processes, and trial_run fails; until
 * trial_signals_restore. */
void trial_signals_catch(void);
void trial_signals_restore(void);

/* 0 with *RET_TRIAL, or -1 with ERROR. */
int trial_run(const struct trial_setup *setup, struct trial *ret_trial,
              struct lz_error *error);
void trial_done(struct trial *trial);

/* Whether both wrote the same to standard output. */
bool trial_same_output(const struct trial *a, const struct trial *b);
/* The names of the modules it met after the start, the standard
 * library's left out, one a line; malloc'd, ""
 * where it did not come to its end in order. NULL on lack of memory. */
char *trial_names(const struct trial *trial);
/* The end of what it wrote to standard error; malloc'd or NULL. */
char *trial_complaint(const struct trial *trial);
/* "exit status 1", for messages. */
void trial_describe(const struct trial *trial, char *text, size_t size);

/* In the child: the service is ready. Nothing anywhere else; any thread. */
void trial_ready(void);

#endif
