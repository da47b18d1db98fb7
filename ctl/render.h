/* Replies as text for people.
 *
 * One function for each reply struct; everything from the server is escaped.
 * Leaves fetching to run.c. One thread.
 */
#ifndef CTL_RENDER_H
#define CTL_RENDER_H

#include <stdio.h>

#include "ctl/wire/command.h"
#include "ctl/wire/message.h"

void render_ping(FILE *stream, const struct wire_ping *reply);
void render_version(FILE *stream, const struct wire_version *reply);
int render_commands(FILE *stream, const struct wire_commands *reply);
void render_stats(FILE *stream, const struct wire_stats *reply);
int render_list(FILE *stream, const struct wire_list *reply);
/* NOW_NS on CLOCK_MONOTONIC, for ages. */
void render_show(FILE *stream, const struct wire_module *reply,
                 uint64_t now_ns);
void render_why(FILE *stream, const struct wire_why *reply);
/* 0 or -ENOMEM. */
int render_unused(FILE *stream, const struct wire_unused *reply);
int render_report(FILE *stream, const struct wire_report *reply);
void render_load(FILE *stream, const struct wire_load *reply);
void render_threads(FILE *stream, const struct wire_threads *reply);
/* `load` as a dry run. */
void render_rehearsal(FILE *stream, const struct wire_load *reply);
/* 0 or -ENOMEM. */
int render_verify(FILE *stream, const struct wire_verify *reply);
void render_reload(FILE *stream, const struct wire_reload *reply);
/* 0 or -ENOMEM. */
int render_confirm(FILE *stream, const struct wire_confirm *reply);
int render_drift(FILE *stream, const struct wire_drift *reply);
int render_ignore_list(FILE *stream, const struct wire_ignore_list *reply);
/* ADDED: for `ignore add`, else for `ignore remove`. */
void render_ignore_edit(FILE *stream, const struct wire_ignore_edit *reply,
                        bool added, bool loads);
void render_ignore_save(FILE *stream, const struct wire_ignore_save *reply);
int render_level_list(FILE *stream, const struct wire_level_list *reply);
void render_level_set(FILE *stream, const struct wire_level_set *reply);
void render_event(FILE *stream, const struct wire_event *event);

/* The reply of command ID, asked for with PARAMS; nothing for those that are
 * followed. 0 or negative errno. */
int render_reply(FILE *stream, enum wire_command_id id,
                 const union wire_params *params,
                 const union wire_reply *reply);

#endif
