/* See run.h. Connects, asks, renders; every exit status comes from here. */
#include "ctl/run.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ctl/help.h"
#include "ctl/options.h"
#include "ctl/render.h"
#include "ctl/run_private.h"
#include "ctl/text.h"
#include "ctl/wire/client.h"
#include "ctl/wire/limit.h"
#include "ctl/wire/paths.h"

enum { TEXT_SIZE = 512, WAIT_MS = 5000 };

static uint64_t
now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static long long
now_ms(void)
{
    return (long long)(now_ns() / 1000000u);
}

int
run_left_ms(const struct call *call)
{
    long long left = call->deadline_ms - now_ms();
    return left > 0 ? (int)left : 0;
}

void
run_complain(const char *text)
{
    (void)fputs("lazyctl: ", stderr);
    /* Lists of sockets have a line each. */
    const char *line = text;
    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        char *part = strndup(line, (size_t)(end - line));
        text_put(stderr, part);
        (void)fputc('\n', stderr);
        free(part);
    }
    text_put(stderr, line);
    (void)fputc('\n', stderr);
}

/* What the server is given, unless --timeout says otherwise. */
static int
default_timeout_ms(const struct options *options)
{
    bool loads = options->command->id == WIRE_IGNORE_ADD &&
                 options->params.ignore_add.load;
    if (options->command->id == WIRE_LOAD && options->params.load.dry_run) {
        return WIRE_LIMIT_PYTHON + WAIT_MS +
               (int)(options->params.load.deadline * 1000);
    }
    if ((options->command->flags & WIRE_PYTHON) != 0 || loads) {
        return WIRE_LIMIT_PYTHON + WAIT_MS;
    }
    return WAIT_MS;
}

int
run_call_failed(int status)
{
    switch (status) {
    case -ETIMEDOUT:
        run_complain("no answer in time; '--timeout S' waits longer");
        return RUN_TIMED_OUT;
    case -EPIPE:
        run_complain("the server closed the connection");
        return RUN_NO_SERVER;
    case -EMSGSIZE:
        run_complain("the request is over the limit of a line");
        return RUN_USAGE;
    case -EPROTO:
    case -EBADMSG:
        run_complain("the server's answer cannot be read");
        return RUN_REFUSED;
    default:
        run_complain(strerror(-status));
        return RUN_REFUSED;
    }
}

int
run_server_said_no(const struct options *options, struct wire_doc *doc)
{
    struct wire_error error;
    if (wire_error_read(doc, &error) != 0) {
        return run_call_failed(-EPROTO);
    }
    if (options->json) {
        size_t length;
        const char *raw = wire_doc_raw(doc, &length);
        (void)fputs("{\"error\":", stdout);
        text_put_json(stdout, raw, length);
        (void)fputs("}\n", stdout);
    }
    run_complain(error.text);
    if (error.traceback != NULL && !options->json) {
        text_put_lines(stderr, "  ", error.traceback);
    }
    return RUN_REFUSED;
}

int
run_verdict_status(const char *verdict)
{
    static const struct {
        const char *verdict;
        int status;
    } table[] = {
        {"applied", RUN_DONE}, {"unchanged", 11}, {"not_loaded", 12},
        {"refused", 13},       {"failed", 14},    {"inconclusive", 15},
    };
    for (size_t i = 0; verdict != NULL && i < sizeof table / sizeof *table;
         i++) {
        if (strcmp(table[i].verdict, verdict) == 0) {
            return table[i].status;
        }
    }
    return RUN_REFUSED;
}

static bool
any_failed(const struct wire_load_result *results, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (results[i].error.kind != NULL) {
            return true;
        }
    }
    return false;
}

static int
status_of(enum wire_command_id id, const union wire_reply *reply)
{
    if (id == WIRE_LOAD && reply->load.dry_run) {
        return reply->load.failed > 0         ? RUN_REFUSED
               : reply->load.inconclusive > 0 ? RUN_INCONCLUSIVE
                                              : RUN_DONE;
    }
    if (id == WIRE_LOAD) {
        return any_failed(reply->load.results, reply->load.result_count)
                   ? RUN_REFUSED
                   : RUN_DONE;
    }
    if (id == WIRE_IGNORE_ADD) {
        return any_failed(reply->ignore_edit.results,
                          reply->ignore_edit.result_count)
                   ? RUN_REFUSED
                   : RUN_DONE;
    }
    if (id == WIRE_VERIFY) {
        return reply->verify.failed > 0 ? RUN_REFUSED : RUN_DONE;
    }
    if (id == WIRE_DRIFT && reply->drift.drifted > 0) {
        return RUN_REFUSED;
    }
    if (id == WIRE_RELOAD || id == WIRE_ROLLBACK) {
        return run_verdict_status(reply->reload.verdict);
    }
    return RUN_DONE;
}

void
run_print_raw(const struct wire_doc *doc)
{
    size_t length;
    const char *raw = wire_doc_raw(doc, &length);
    text_put_json(stdout, raw, length);
    (void)fputc('\n', stdout);
    (void)fflush(stdout);
}

/* Events until the server ends. */
static int
follow(struct call *call)
{
    (void)fflush(stdout);
    for (;;) {
        struct wire_doc *doc = NULL;
        int status = wire_client_next(call->client, -1, &doc);
        if (status == -EPIPE) {
            run_complain("the server ended");
            return RUN_NO_SERVER;
        }
        if (status != 0) {
            return run_call_failed(status);
        }
        struct wire_event event;
        if (wire_doc_kind(doc) == WIRE_IS_EVENT) {
            if (call->options->json) {
                run_print_raw(doc);
            } else if (wire_event_read(doc, &event) == 0) {
                render_event(stdout, &event);
            }
        }
        wire_doc_free(doc);
        if (fflush(stdout) != 0 || ferror(stdout)) {
            return RUN_REFUSED;
        }
    }
}

/* The process of the server, to be watched; -1 where it cannot be. */
static int
watch_process(const struct call *call)
{
    long pid = wire_client_peer_pid(call->client);
    /* Whoever called listen() is what the kernel names; only the server
     * itself is worth waiting for. */
    if (pid <= 0 || pid != wire_client_hello(call->client)->pid) {
        return -1;
    }
    return (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
}

/* Until the server is gone: its end of the connection, then the process. */
static int
await_end(struct call *call, int process)
{
    int status = 0;
    while (status == 0) {
        struct wire_doc *doc = NULL;
        status = wire_client_next(call->client, run_left_ms(call), &doc);
        wire_doc_free(doc);
    }
    if (status == -EPIPE && process >= 0) {
        struct pollfd entry = {.fd = process, .events = POLLIN};
        int ready;
        do {
            ready = poll(&entry, 1, run_left_ms(call));
        } while (ready < 0 && errno == EINTR);
        if (ready == 0) {
            status = -ETIMEDOUT;
        }
    }
    return status;
}

static int
stop(struct call *call, const struct wire_stop *reply, int process)
{
    if (call->options->timeout < 0) {
        call->deadline_ms =
            now_ms() + (long long)(reply->timeout * 1000) + WAIT_MS;
    }
    int status = await_end(call, process);
    if (status == -ETIMEDOUT) {
        run_complain("the server has not ended in time");
        return RUN_TIMED_OUT;
    }
    if (status != -EPIPE) {
        return run_call_failed(status);
    }
    if (!call->options->json) {
        (void)printf("stopped pid %lld\n", (long long)reply->pid);
    }
    return RUN_DONE;
}

static int
answer(struct call *call, struct wire_doc *doc, int process)
{
    const struct options *options = call->options;
    union wire_reply reply;
    if (wire_doc_kind(doc) == WIRE_IS_ERROR) {
        return run_server_said_no(options, doc);
    }
    if (options->json) {
        run_print_raw(doc);
    }
    int status = wire_reply_read(doc, options->command->id, &reply);
    if (status == 0 && !options->json) {
        status = render_reply(stdout, options->command->id, &options->params,
                              &reply);
    }
    if (status != 0) {
        return run_call_failed(status);
    }
    if (options->command->id == WIRE_SUBSCRIBE) {
        return follow(call);
    }
    if (options->command->id == WIRE_STOP) {
        return stop(call, &reply.stop, process);
    }
    return status_of(options->command->id, &reply);
}

static int
ask(struct call *call)
{
    switch (call->options->command->id) {
    case WIRE_TRACE:
        return run_trace(call);
    case WIRE_WARM:
        return run_warm(call);
    case WIRE_RECORD:
        return run_record(call);
    default:
        break;
    }
    struct wire_doc *doc = NULL;
    int process =
        call->options->command->id == WIRE_STOP ? watch_process(call) : -1;
    int status =
        wire_client_call(call->client, call->options->command->id,
                         &call->options->params, run_left_ms(call), &doc);
    status =
        status == 0 ? answer(call, doc, process) : run_call_failed(status);
    wire_doc_free(doc);
    if (process >= 0) {
        (void)close(process);
    }
    return status;
}

static void
check_protocol(const struct wire_client *client)
{
    char text[TEXT_SIZE];
    int protocol = wire_client_hello(client)->protocol;
    if (protocol != WIRE_PROTOCOL) {
        (void)snprintf(text, sizeof text,
                       "the server speaks protocol %d, this lazyctl %d: some "
                       "of what it says may be missing here",
                       protocol, WIRE_PROTOCOL);
        run_complain(text);
    }
}

static int
remote(const struct options *options)
{
    char text[TEXT_SIZE];
    char *path = NULL;
    struct call call = {.options = options};
    int status = wire_paths_find(options->socket, options->name, &path, text);
    if (status != 0) {
        run_complain(text);
        return status == -EINVAL || status == -ENAMETOOLONG ? RUN_USAGE
                                                            : RUN_NO_SERVER;
    }
    call.deadline_ms = now_ms() + (options->timeout >= 0
                                       ? (long long)(options->timeout * 1000)
                                       : default_timeout_ms(options));
    status = wire_client_open(path, run_left_ms(&call), &call.client, text);
    free(path);
    if (status != 0) {
        run_complain(text);
        return status == -ETIMEDOUT      ? RUN_TIMED_OUT
               : status == -ECONNABORTED ? RUN_REFUSED
                                         : RUN_NO_SERVER;
    }
    check_protocol(call.client);
    status = ask(&call);
    wire_client_close(call.client);
    return status;
}

static int
usage(const char *text)
{
    run_complain(text);
    return RUN_USAGE;
}

static int
help(const struct options *options)
{
    if (options->command == NULL && options->group == NULL) {
        help_all(stdout);
        return RUN_DONE;
    }
    if (options->command == NULL) {
        return help_command(stdout, &options->group, 1) == 0 ? RUN_DONE
                                                             : RUN_USAGE;
    }
    if (options->command->id != WIRE_HELP) {
        (void)help_command(stdout, &options->command->words, 1);
        return RUN_DONE;
    }
    const struct wire_help_params *params = &options->params.help;
    if (params->words) {
        help_words(stdout);
    } else if (params->word_count == 0) {
        help_all(stdout);
    } else if (help_command(stdout, params->command, params->word_count) !=
               0) {
        return usage("no such command; 'lazyctl help' lists them");
    }
    return RUN_DONE;
}

int
run(int argc, char **argv)
{
    struct options options;
    char text[OPTIONS_TEXT_SIZE];
    int status = options_parse(argc, argv, &options, text);
    if (status != 0) {
        status = usage(text);
    } else if (options.version) {
        (void)printf("lazyctl %s\n", LAZYD_VERSION);
    } else if (options.help || options.command->id == WIRE_HELP) {
        status = help(&options);
    } else {
        status = remote(&options);
    }
    options_done(&options);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        run_complain("cannot write the output");
        return status != 0 ? status : RUN_REFUSED;
    }
    return status;
}
