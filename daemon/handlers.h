/* The handlers of single methods, and what they share. */
#ifndef DAEMON_HANDLERS_H
#define DAEMON_HANDLERS_H

#include "daemon/control_private.h"
#include "lazycore/registry_listing.h"

/* Both return -1. handler_error releases FROM. */
int handler_no_memory(struct wire_error *error);
int handler_error(struct wire_error *error, struct lz_error *from,
                  struct arena *arena);

/* --- handlers_module.c -------------------------------------------------- */

int handle_list(struct control *control, const struct wire_list_params *params,
                struct arena *arena, struct wire_list *ret,
                struct wire_error *error);
int handle_report(struct control *control,
                  const struct wire_report_params *params, struct arena *arena,
                  struct wire_report *ret, struct wire_error *error);

/* What is closed with ARENA. 0, or -1 with ERROR. */
int handler_listing(struct lz_registry *registry, const struct lz_query *query,
                    struct arena *arena, struct lz_listing **ret_listing,
                    struct wire_error *error);
/* With FROM's strings, for the others. */
void handler_show_place(const struct lz_place *from, struct wire_place *ret);
void handler_show_module(const struct lz_module *from,
                         struct wire_module *ret);
/* The same with copies in ARENA. */
void handler_copy_place(const struct lz_place *from, struct arena *arena,
                        struct wire_place *ret);
void handler_copy_module(const struct lz_module *from, struct arena *arena,
                         struct wire_module *ret);

/* --- handlers_explain.c ------------------------------------------------- */

int handle_show(struct control *control, const struct wire_show_params *params,
                struct arena *arena, struct wire_module *ret,
                struct wire_error *error);
int handle_why(struct control *control, const struct wire_why_params *params,
               struct arena *arena, struct wire_why *ret,
               struct wire_error *error);
int handle_trace(struct control *control,
                 const struct wire_trace_params *params, struct arena *arena,
                 struct wire_trace *ret, struct wire_error *error);

/* --- handlers_unused.c -------------------------------------------------- */

/* Looks at files: not for the loop's thread. */
int handle_unused(struct lz_core *core,
                  const struct wire_unused_params *params, struct arena *arena,
                  struct wire_unused *ret, struct wire_error *error);

/* --- handlers_threads.c -------------------------------------------------- */

int handle_threads(struct control *control, struct arena *arena,
                   struct wire_threads *ret, struct wire_error *error);

/* --- operate_rehearse.c -------------------------------------------------- */

/* `load` with dry_run. */
int operate_rehearse(struct call *call) LZ_NEEDS_GIL;
/* For `stats`. */
struct lz_rehearsal_outcome;
void count_rehearsal(struct control *control,
                     const struct lz_rehearsal_outcome *outcome);

/* --- handlers_drift.c --------------------------------------------------- */

/* Reads files: not for the loop's thread. */
int handle_drift(struct lz_core *core, const struct wire_drift_params *params,
                 struct arena *arena, struct wire_drift *ret,
                 struct wire_error *error);
/* Modules may have loaded. */
void learner_wake(struct control *control) LZ_LOOP_ONLY;
/* Whether JOB, done, was the learner's. */
bool learner_take(struct control *control,
                  const struct operator_job *job) LZ_LOOP_ONLY;

/* --- operate_reload.c --------------------------------------------------- */

int operate_reload(struct call *call) LZ_NEEDS_GIL;
int operate_rollback(struct call *call) LZ_NEEDS_GIL;

/* --- handlers_ignore.c -------------------------------------------------- */

int handle_ignore_list(struct control *control, struct arena *arena,
                       struct wire_ignore_list *ret, struct wire_error *error);
/* What is to be saved, malloc'd, and the reply to give when it was; the disk's
 * thread writes it: call.c. */
int ignore_save_begin(struct control *control,
                      const struct wire_ignore_save_params *params,
                      char **ret_text, struct wire_ignore_save *ret,
                      struct wire_error *error) LZ_LOOP_ONLY;
/* The edit itself, without log and event; any thread. */
int ignore_edit(struct lz_core *core, const struct wire_request *request,
                struct arena *arena, struct wire_ignore_edit *ret,
                struct wire_error *error);
/* Log and announce an edit that was made. */
void ignore_announce(const struct client *client,
                     const struct wire_request *request,
                     const struct wire_ignore_edit *edit) LZ_LOOP_ONLY;

#endif
