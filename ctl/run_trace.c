/* `trace`: fetch the pages, then write them in the format asked for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/output.h"
#include "ctl/run_private.h"
#include "ctl/trace.h"

struct written {
    const struct trace *trace;
    const struct wire_trace_params *params;
};

/* One page: 0 and *RET_PAGE, which belongs to *RET_DOC; else the exit
 * status. */
static int
fetch_page(struct call *call, const union wire_params *params,
           struct wire_doc **ret_doc, struct wire_trace *ret_page)
{
    union wire_reply reply;
    struct wire_doc *doc = NULL;
    int status = wire_client_call(call->client, WIRE_TRACE, params,
                                  run_left_ms(call), &doc);

    if (status == 0 && wire_doc_kind(doc) == WIRE_IS_ERROR) {
        status = run_server_said_no(call->options, doc);
        wire_doc_free(doc);
        return status;
    }
    if (status == 0) {
        status = wire_reply_read(doc, WIRE_TRACE, &reply);
    }
    if (status != 0) {
        wire_doc_free(doc);
        return run_call_failed(status);
    }
    *ret_page = reply.trace;
    *ret_doc = doc;
    return 0;
}

/* All pages into TRACE, or with --json each on a line. */
static int
fetch(struct call *call, struct trace *trace)
{
    union wire_params params = call->options->params;
    int64_t left = params.trace.limit;
    struct wire_trace page = {0};

    do {
        struct wire_doc *doc = NULL;
        int status = fetch_page(call, &params, &doc, &page);
        if (status != 0) {
            return status;
        }
        if (call->options->json) {
            run_print_raw(doc);
            wire_doc_free(doc);
        } else if (trace_add(trace, doc, &page) != 0) {
            return run_call_failed(-ENOMEM);
        }
        left -= (int64_t)page.load_count;
        params.trace.after = (int64_t)page.next;
        params.trace.limit = left > 0 ? left : 0;
    } while (page.next > 0 &&
             (call->options->params.trace.limit == 0 || left > 0));
    return RUN_DONE;
}

static int
write_trace(FILE *stream, const void *arg)
{
    const struct written *written = arg;

    return trace_write(stream, written->trace, written->params->format,
                       written->params->by);
}

int
run_trace(struct call *call)
{
    const struct wire_trace_params *params = &call->options->params.trace;
    struct trace trace;
    const struct written written = {&trace, params};

    if (!trace_can(params->format, params->by)) {
        run_complain("'--by memory' is for the formats speedscope, folded and "
                     "svg; this one has time only");
        return RUN_USAGE;
    }
    trace_init(&trace);
    int status = fetch(call, &trace);
    if (status == RUN_DONE && !call->options->json) {
        status = trace_build(&trace, params->by);
        if (status != 0) {
            status = run_call_failed(status);
        } else if (params->output != NULL &&
                   strcmp(params->output, "-") != 0) {
            status = output_write(params->output, write_trace, &written);
        } else if (write_trace(stdout, &written) != 0) {
            status = run_call_failed(-ENOMEM);
        }
    }
    trace_done(&trace);
    return status;
}
