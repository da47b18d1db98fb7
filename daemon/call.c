/* Requests that the loop cannot wait for: out to an operator thread and back.
 *
 * A call is held by its deadline's handle and by its job; whoever goes last
 * frees it. The loop's thread, but for operate() and save().
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/audit.h"
#include "daemon/confirm.h"
#include "daemon/handlers.h"
#include "daemon/log.h"

enum { LOADS_FEW = 8 }; /* names of a short answer */

static void
release(struct call *call)
{
    if (--call->holders > 0) {
        return;
    }
    arena_done(&call->arena);
    wire_line_free(&call->line);
    free(call->text);
    wire_request_free(call->request);
    free(call);
}

static void
on_deadline_closed(uv_handle_t *handle) LZ_LOOP_ONLY
{
    release(handle->data);
}

/* CALL's client has its answer, or is gone: go on with its queue. */
static void
detach_client(struct call *call) LZ_LOOP_ONLY
{
    if (call->client != NULL) {
        call->client->call = NULL;
        client_schedule(call->control);
        call->client = NULL;
    }
    if (!uv_is_closing((uv_handle_t *)&call->deadline)) {
        uv_close((uv_handle_t *)&call->deadline, on_deadline_closed);
    }
}

/* Until the client is told that it waits in vain. */
static uint64_t
deadline_ms(const struct call *call)
{
    const struct wire_request *request = call->request;
    bool rehearses =
        request->command->id == WIRE_LOAD && request->params.load.dry_run;

    return call->control->setup.python_deadline_ms +
           (rehearses ? (uint64_t)(request->params.load.deadline * 1e3) : 0);
}

static void
on_deadline(uv_timer_t *timer) LZ_LOOP_ONLY
{
    struct call *call = timer->data;
    struct wire_error error = {0};
    char why[256];
    bool back = operator_abandon(call->op, &call->job, why, sizeof(why));

    atomic_store(&call->cancelled, true);
    (void)wire_error_set(&error, WIRE_ERROR_BUSY, "not done within %.1f s: %s",
                         (double)deadline_ms(call) / 1e3, why);
    client_answer(call->client, call->request, NULL, &error);
    detach_client(call);
    if (back) {
        read_end(call);
        release(call);
    }
}

/* In the disk's thread. */
static void
save(struct operator_job *job)
{
    struct call *call = (struct call *)(void *)job;
    struct lz_error failure = {0};

    call->status =
        ignore_write(call->text, call->request->params.ignore_save.path,
                     &failure) < 0
            ? handler_error(&call->error, &failure, &call->arena)
            : 0;
}

/* In the disk's thread. */
static void
look_at_files(struct operator_job *job)
{
    struct call *call = (struct call *)(void *)job;

    if (call->request->command->id == WIRE_DRIFT) {
        call->status = handle_drift(call->control->setup.core,
                                    &call->request->params.drift, &call->arena,
                                    &call->reply.drift, &call->error);
    } else {
        call->status = handle_unused(
            call->control->setup.core, &call->request->params.unused,
            &call->arena, &call->reply.unused, &call->error);
    }
    read_answer(call);
}

static bool
needs_disk(const struct wire_request *request)
{
    return request->command->id == WIRE_IGNORE_SAVE ||
           request->command->id == WIRE_UNUSED ||
           request->command->id == WIRE_DRIFT;
}

bool
call_is_for(const struct wire_request *request)
{
    return wire_request_needs_python(request) || needs_disk(request) ||
           read_is_for(request);
}

static bool
loads_few(const struct wire_load_params *params)
{
    bool few = params->name_count <= LOADS_FEW && !params->recursive;

    for (size_t i = 0; few && i < params->name_count; i++) {
        few = strpbrk(params->names[i], "*?[") == NULL;
    }
    return few;
}

/* Whether the answer may be as long as there are modules, or names in the
 * request. */
static bool
has_long_answer(const struct wire_request *request)
{
    switch (request->command->id) {
    case WIRE_LOAD:
        return !loads_few(&request->params.load);
    case WIRE_RELOAD:
    case WIRE_ROLLBACK:
    case WIRE_IGNORE_SAVE:
        return false;
    default:
        return !turn_is_short(request);
    }
}

/* Which thread works at REQUEST. */
static struct operator_thread *
operator_for(struct control *control, const struct wire_request *request)
{
    return wire_request_needs_python(request) ? control->op
           : needs_disk(request)              ? control->disk
                                              : control->reader;
}

static struct call *
call_new(struct client *client, struct wire_request *request)
{
    struct call *call = calloc(1, sizeof(*call));
    struct control *control = client->control;

    if (call != NULL) {
        call->op = operator_for(control, request);
        call->job.run = call->op == control->op       ? operate
                        : call->op == control->reader ? read_run
                        : request->command->id == WIRE_IGNORE_SAVE
                            ? save
                            : look_at_files;
        (void)snprintf(call->job.what, sizeof(call->job.what), "%s",
                       request->command->method);
        call->job.is_long = has_long_answer(request);
        call->control = control;
        call->client = client;
        call->uid = client->uid;
        call->pid = client->pid;
        call->request = request;
        call->status = -1;
    }
    return call;
}

int
call_start(struct client *client, struct wire_request *request,
           struct wire_error *error)
{
    struct control *control = client->control;
    struct call *call = call_new(client, request);
    int rc = call == NULL ? -ENOMEM : 0;

    if (rc == 0 && request->command->id == WIRE_IGNORE_SAVE &&
        ignore_save_begin(control, &request->params.ignore_save, &call->text,
                          &call->reply.ignore_save, error) < 0) {
        free(call);
        return -1;
    }
    if (rc == 0) {
        rc = operator_submit(call->op, &call->job);
    }
    if (rc < 0) {
        if (call != NULL) {
            free(call->text);
        }
        free(call);
        return rc == -EAGAIN
                   ? wire_error_set(error, WIRE_ERROR_BUSY,
                                    "%d requests like it wait already",
                                    (int)LZ_OPERATOR_JOBS)
               : rc == -ESHUTDOWN ? wire_error_set(error, WIRE_ERROR_STOPPING,
                                                   "the service is ending")
                                  : wire_error_set(error, WIRE_ERROR_NO_MEMORY,
                                                   "out of memory");
    }
    call->holders = 2;
    (void)uv_timer_init(&control->loop, &call->deadline);
    call->deadline.data = call;
    (void)uv_timer_start(&call->deadline, on_deadline, deadline_ms(call), 0);
    client->call = call;
    read_begin(call);
    return 0;
}

/* What was changed, for the log. */
static void
log_call(const struct call *call) LZ_LOOP_ONLY
{
    const union wire_params *params = &call->request->params;

    if ((call->request->command->flags & WIRE_MUTATES) == 0) {
        return;
    }
    switch (call->request->command->id) {
    case WIRE_LOAD:
        client_log_change(
            call->client, "load%s %s%s: %llu loaded, %llu failed",
            params->load.dry_run ? " --dry-run" : "", params->load.names[0],
            params->load.name_count > 1 ? " and others" : "",
            (unsigned long long)call->reply.load.loaded,
            (unsigned long long)call->reply.load.failed);
        break;
    case WIRE_IGNORE_SAVE:
        client_log_change(call->client, "ignore.save %s",
                          params->ignore_save.path);
        break;
    case WIRE_RELOAD:
    case WIRE_ROLLBACK:
        break;
    default:
        ignore_announce(call->client, call->request, &call->reply.ignore_edit);
        break;
    }
}

static void
post_reload(const struct call *call, const char *name, const char *verdict,
            uint64_t wall_ns) LZ_LOOP_ONLY
{
    struct wire_event event = {
        .event = WIRE_EVENT_RELOAD,
        .action =
            call->request->command->id == WIRE_ROLLBACK ? "rollback" : NULL,
        .name = name,
        .verdict = verdict,
        .wall_ns = wall_ns,
        .pid = call->pid,
        .uid = (int64_t)call->uid};

    control_post(call->control, &event);
}

/* A reload or rollback has a verdict, whether or not its client still waits
 * for it: it is logged, posted, and, where it is to be confirmed, watched. */
static void
finish_reload(const struct call *call) LZ_LOOP_ONLY
{
    const struct wire_reload *reload = &call->reply.reload;
    bool back = call->request->command->id == WIRE_ROLLBACK;

    /* None where it was given up before it began. */
    if (reload->verdict == NULL || reload->dry_run) {
        return;
    }
    post_reload(call, reload->name, reload->verdict, reload->wall_ns);
    for (size_t i = 0; i < reload->other_count; i++) {
        post_reload(call, reload->others[i].name, reload->others[i].verdict,
                    0);
    }
    audit_reload(call->uid, call->pid, back ? "rollback" : "reload", reload,
                 call->client == NULL ? ", after it was given up" : "");
    if (reload->confirm > 0) {
        confirm_begin(call->control, reload, call->uid, call->pid);
    }
    if (back) {
        confirm_settle(call->control);
    }
}

static bool
is_reload(const struct call *call)
{
    return call->request->command->id == WIRE_RELOAD ||
           call->request->command->id == WIRE_ROLLBACK;
}

void
call_done(struct operator_job *job)
{
    struct call *call = (struct call *)(void *)job;

    if (call->status == 0 && is_reload(call)) {
        finish_reload(call);
    }
    if (call->client != NULL) {
        if (call->status == 0) {
            log_call(call);
        }
        if (call->line.data != NULL) {
            client_send(call->client, &call->line);
        } else {
            client_answer(call->client, call->request, &call->reply,
                          &call->error);
        }
        detach_client(call);
    } else if (call->status == 0 && !is_reload(call) &&
               (call->request->command->flags & WIRE_MUTATES) != 0) {
        log_line("control: uid %ld pid %ld: %s, done after it was given up",
                 (long)call->uid, (long)call->pid,
                 call->request->command->method);
    }
    read_end(call);
    release(call);
}

void
call_forget(struct call *call)
{
    char why[256];

    if (call == NULL) {
        return;
    }
    atomic_store(&call->cancelled, true);
    if (operator_abandon(call->op, &call->job, why, sizeof(why))) {
        detach_client(call);
        read_end(call);
        release(call);
    } else {
        detach_client(call);
    }
}
