/* `trace`: fetch the pages, then write them in the format asked for.
 *
 * A file that is asked for appears whole or not at all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/run_private.h"
#include "ctl/trace.h"

enum { TEXT_SIZE = 512 };

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
cannot_write(const char *path)
{
    char text[TEXT_SIZE];

    (void)snprintf(text, sizeof text, "cannot write '%.300s': %s", path,
                   strerror(errno));
    run_complain(text);
    return RUN_REFUSED;
}

/* Write to STREAM, which it closes, and say what went wrong with PATH. */
static int
write_stream(FILE *stream, const struct trace *trace,
             const struct wire_trace_params *params)
{
    int status = trace_write(stream, trace, params->format, params->by);
    bool failed = ferror(stream) != 0;

    if ((fclose(stream) != 0 || failed) && status == 0) {
        return cannot_write(params->output);
    }
    return status != 0 ? run_call_failed(status) : RUN_DONE;
}

/* Into a file beside the one asked for, which takes its place. */
static int
replace_file(const struct trace *trace, const struct wire_trace_params *params)
{
    char *beside = NULL;
    mode_t mask = umask(0);
    int status;

    (void)umask(mask);
    if (asprintf(&beside, "%s.XXXXXX", params->output) < 0) {
        return run_call_failed(-ENOMEM);
    }
    int fd = mkstemp(beside);
    FILE *stream = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (stream == NULL) {
        status = cannot_write(params->output);
        if (fd >= 0) {
            (void)close(fd);
        }
    } else {
        (void)fchmod(fd, 0666 & ~mask);
        status = write_stream(stream, trace, params);
        if (status == RUN_DONE && rename(beside, params->output) != 0) {
            status = cannot_write(params->output);
        }
    }
    if (fd >= 0 && status != RUN_DONE) {
        (void)unlink(beside);
    }
    free(beside);
    return status;
}

/* What is there and no plain file (a terminal, a pipe, /dev/null) is written
 * to; so is a link, to what it points at. */
static int
write_file(const struct trace *trace, const struct wire_trace_params *params)
{
    struct stat there;

    if (lstat(params->output, &there) != 0 || S_ISREG(there.st_mode)) {
        return replace_file(trace, params);
    }
    FILE *stream = fopen(params->output, "we");
    return stream == NULL ? cannot_write(params->output)
                          : write_stream(stream, trace, params);
}

int
run_trace(struct call *call)
{
    const struct wire_trace_params *params = &call->options->params.trace;
    struct trace trace;

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
            status = write_file(&trace, params);
        } else if (trace_write(stdout, &trace, params->format, params->by) !=
                   0) {
            status = run_call_failed(-ENOMEM);
        }
    }
    trace_done(&trace);
    return status;
}
