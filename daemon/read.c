/* Requests that take as long as there are modules or rules, and need no
 * Python: a thread of their own works at them, and makes the line too.
 *
 * One with a long answer at a time: the next begins when this one's line has
 * been given to its client, so that what is kept for those who do not read is
 * counted before more is made, and whose turn it is is turn.c's to say. What
 * waits for a disk or for Python waits in its operator's queue instead, where
 * there is a deadline.
 */
#include <errno.h>

#include "daemon/handlers.h"

bool
read_is_for(const struct wire_request *request)
{
    switch (request->command->id) {
    case WIRE_LIST:
    case WIRE_SHOW:
    case WIRE_WHY:
    case WIRE_TRACE:
    case WIRE_REPORT:
    case WIRE_IGNORE_LIST:
    case WIRE_IGNORE_ADD:
    case WIRE_IGNORE_REMOVE:
        return true;
    default:
        return false;
    }
}

static int
look(struct call *call)
{
    const union wire_params *params = &call->request->params;
    union wire_reply *reply = &call->reply;
    struct control *control = call->control;

    switch (call->request->command->id) {
    case WIRE_LIST:
        return handle_list(control, &params->list, &call->arena, &reply->list,
                           &call->error);
    case WIRE_SHOW:
        return handle_show(control, &params->show, &call->arena, &reply->show,
                           &call->error);
    case WIRE_WHY:
        return handle_why(control, &params->why, &call->arena, &reply->why,
                          &call->error);
    case WIRE_TRACE:
        return handle_trace(control, &params->trace, &call->arena,
                            &reply->trace, &call->error);
    case WIRE_REPORT:
        return handle_report(control, &params->report, &call->arena,
                             &reply->report, &call->error);
    case WIRE_IGNORE_LIST:
        return handle_ignore_list(control, &call->arena, &reply->ignore_list,
                                  &call->error);
    default:
        return ignore_edit(control->setup.core, call->request, &call->arena,
                           &reply->ignore_edit, &call->error);
    }
}

void
read_run(struct operator_job *job)
{
    struct call *call = (struct call *)(void *)job;

    call->status = look(call);
    read_answer(call);
}

void
read_answer(struct call *call)
{
    if (client_line(call->request, &call->reply, &call->error, &call->line) <
        0) {
        call->status = handler_no_memory(&call->error);
    }
    if ((call->request->command->flags & WIRE_MUTATES) == 0) {
        arena_done(&call->arena); /* here, not where others wait */
    }
}

void
read_begin(struct call *call)
{
    if (call->op == call->control->reader && !turn_is_short(call->request)) {
        call->reads = true;
        call->control->reading = true;
    }
}

void
read_end(struct call *call)
{
    if (call->reads) {
        call->reads = false;
        call->control->reading = false;
        if (!call->control->closing) {
            client_schedule(call->control);
        }
    }
}
