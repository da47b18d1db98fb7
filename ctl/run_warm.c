/* `warm`: load what is pending a slice at a time, and `record`, which says
 * what is worth it.
 *
 * The pace is kept here: a slice is a request, and between two the server
 * does what others ask for. So who goes, or is interrupted, loads no more.
 */
#include <errno.h>
#include <search.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/run_private.h"
#include "ctl/text.h"
#include "ctl/wire/field.h"
#include "ctl/wire/limit.h"
#include "ctl/wire/names_file.h"

enum {
    WAIT_MS = 5000,
    SLICE_NAMES = 200, /* of one request, at most */
    BAR_CELLS = 30,
    INTERRUPTED = 130
};

struct warm {
    struct call *call;
    const struct wire_warm_params *params;
    struct wire_names names; /* to load, in order */
    void *seen;              /* tree of their strings */
    size_t done;             /* of names */
    size_t loaded, already, failed;
    uint64_t begun_ns;
    bool bar; /* stderr is a terminal */
};

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* The first Ctrl-C ends it after the slice under way, a second one at once. */
static void
catch_interrupt(void)
{
    struct sigaction action = {.sa_handler = on_interrupt,
                               .sa_flags = (int)SA_RESETHAND};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
}

static uint64_t
now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- what to load --------------------------------------------------------
 */

static int
compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void
keep(void *unused)
{
    (void)unused;
}

static int
add_new(struct warm *warm, const char *name)
{
    if (tfind(name, &warm->seen, compare) != NULL) {
        return 0;
    }
    int status = wire_names_add(&warm->names, name);
    if (status == 0 && tsearch(warm->names.items[warm->names.count - 1],
                               &warm->seen, compare) == NULL) {
        status = -ENOMEM;
    }
    return status;
}

static int
timeout_ms(const struct warm *warm)
{
    double given = warm->call->options->timeout;
    return given >= 0 ? (int)(given * 1000) : WIRE_LIMIT_PYTHON + WAIT_MS;
}

/* A call and its reply: 0, else the exit status. */
static int
call_server(struct warm *warm, enum wire_command_id command,
            const union wire_params *params, union wire_reply *ret_reply,
            struct wire_doc **ret_doc)
{
    struct wire_doc *doc = NULL;
    int status = wire_client_call(warm->call->client, command, params,
                                  timeout_ms(warm), &doc);
    if (status == 0 && wire_doc_kind(doc) == WIRE_IS_ERROR) {
        status = run_server_said_no(warm->call->options, doc);
        wire_doc_free(doc);
        return status;
    }
    if (status == 0) {
        status = wire_reply_read(doc, command, ret_reply);
    }
    if (status != 0) {
        wire_doc_free(doc);
        return run_call_failed(status);
    }
    *ret_doc = doc;
    return 0;
}

/* Add what is pending now and was not tried. */
static int
add_pending(struct warm *warm)
{
    union wire_params params = {
        .list = {.state = "proxy", .match = warm->params->match}};
    union wire_reply reply = {0};
    struct wire_doc *doc = NULL;
    int status = call_server(warm, WIRE_LIST, &params, &reply, &doc);
    if (status != 0) {
        return status;
    }
    for (size_t i = 0; status == 0 && i < reply.list.module_count; i++) {
        status = add_new(warm, reply.list.modules[i].name);
    }
    wire_doc_free(doc);
    return status == 0 ? 0 : run_call_failed(status);
}

/* --- what is seen of it ---------------------------------------------------
 */

static void
clear_bar(const struct warm *warm)
{
    if (warm->bar) {
        (void)fputs("\r\033[K", stderr);
    }
}

static void
put_bar(const struct warm *warm)
{
    size_t total = warm->names.count > 0 ? warm->names.count : 1;
    size_t cells = warm->done * BAR_CELLS / total;
    if (!warm->bar) {
        return;
    }
    (void)fputs("\r[", stderr);
    for (size_t i = 0; i < BAR_CELLS; i++) {
        (void)fputc(i < cells ? '#' : '.', stderr);
    }
    (void)fprintf(stderr, "] %zu of %zu\033[K", warm->done, warm->names.count);
    (void)fflush(stderr);
}

static void
put_result(struct warm *warm, const struct wire_load_result *result)
{
    char took[TEXT_UNIT_SIZE];
    bool failed = result->error.kind != NULL;
    warm->failed += failed;
    warm->already += !failed && result->already;
    warm->loaded += !failed && !result->already;
    if (warm->call->options->json) {
        return;
    }
    text_put(stdout, result->name);
    if (failed) {
        (void)fputs(": failed: ", stdout);
        text_put(stdout, result->error.text);
        (void)fputc('\n', stdout);
    } else if (result->already) {
        (void)fputs(": was loaded already\n", stdout);
    } else {
        (void)printf(": loaded in %s\n", text_time(result->wall_ns, took));
    }
}

static void
put_summary(const struct warm *warm)
{
    char took[TEXT_UNIT_SIZE];
    size_t left = warm->names.count - warm->done;
    if (warm->call->options->json) {
        (void)printf("{\"loaded\":%zu,\"already\":%zu,\"failed\":%zu,"
                     "\"left\":%zu}\n",
                     warm->loaded, warm->already, warm->failed, left);
        return;
    }
    (void)printf("%zu loaded, %zu were loaded already, %zu failed",
                 warm->loaded, warm->already, warm->failed);
    if (left > 0) {
        (void)printf(", %zu not tried", left);
    }
    (void)printf(", in %s\n", text_time(now_ns() - warm->begun_ns, took));
}

/* --- slices ---------------------------------------------------------------
 */

/* Names that may be loaded now; where that is none, wait for the time. */
static size_t
wait_for_turn(const struct warm *warm)
{
    size_t left = warm->names.count - warm->done;
    size_t count = left < SLICE_NAMES ? left : SLICE_NAMES;
    if (warm->params->rate <= 0) {
        return count;
    }
    double due_s = (double)warm->done / warm->params->rate;
    double since_s = (double)(now_ns() - warm->begun_ns) / 1e9;
    if (since_s < due_s) {
        double wait_s = due_s - since_s;
        struct timespec wait = {
            .tv_sec = (time_t)wait_s,
            .tv_nsec = (long)((wait_s - (double)(time_t)wait_s) * 1e9)};
        (void)nanosleep(&wait, NULL); /* a signal ends it, too */
    }
    return 1;
}

/* Load the next names: 0, else the exit status. */
static int
load_slice(struct warm *warm, size_t count)
{
    const char *names[SLICE_NAMES];
    union wire_reply reply = {0};
    union wire_params params;
    struct wire_doc *doc = NULL;
    wire_fields_preset(wire_command(WIRE_LOAD)->params, &params);
    params.load.names = names;
    params.load.name_count = count;
    params.load.budget_ms = warm->params->budget_ms;
    for (size_t i = 0; i < count; i++) {
        names[i] = warm->names.items[warm->done + i];
    }
    int status = call_server(warm, WIRE_LOAD, &params, &reply, &doc);
    if (status != 0) {
        return status;
    }
    clear_bar(warm);
    if (warm->call->options->json) {
        run_print_raw(doc);
    }
    for (size_t i = 0; i < reply.load.result_count; i++) {
        put_result(warm, &reply.load.results[i]);
    }
    (void)fflush(stdout);
    warm->done +=
        reply.load.result_count < count ? reply.load.result_count : count;
    wire_doc_free(doc);
    put_bar(warm);
    return 0;
}

static int
load_all(struct warm *warm)
{
    int status = 0;
    while (status == 0 && !interrupted) {
        if (warm->done == warm->names.count) {
            /* What loaded may have imported more that is pending now. */
            status = warm->params->file == NULL ? add_pending(warm) : 0;
            if (status != 0 || warm->done == warm->names.count) {
                break;
            }
        }
        size_t count = wait_for_turn(warm);
        if (!interrupted) {
            status = load_slice(warm, count);
        }
    }
    return status;
}

static int
warm_up(struct warm *warm)
{
    catch_interrupt();
    warm->begun_ns = now_ns();
    warm->bar = isatty(STDERR_FILENO) != 0 && !warm->call->options->json;
    int status = load_all(warm);
    clear_bar(warm);
    if (status == 0) {
        put_summary(warm);
        status = interrupted        ? INTERRUPTED
                 : warm->failed > 0 ? RUN_REFUSED
                                    : RUN_DONE;
    }
    return status;
}

int
run_warm(struct call *call)
{
    const struct wire_warm_params *params = &call->options->params.warm;
    struct warm warm = {.call = call, .params = params};
    char text[512];
    int ways = (params->match != NULL) + (params->file != NULL) + params->all;
    if (ways != 1) {
        run_complain("say what to load: GLOB, or '--file FILE', or '--all'");
        return RUN_USAGE;
    }
    if (params->file != NULL &&
        wire_names_read(params->file, &warm.names, text) != 0) {
        run_complain(text);
        return RUN_USAGE;
    }
    int status = warm_up(&warm);
    tdestroy(warm.seen, keep);
    wire_names_done(&warm.names);
    return status;
}
