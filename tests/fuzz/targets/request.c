/* The request reader, the dispatch and all handlers that need no Python.
 *
 * One connection of a real control server: the input is what a client sends
 * before it ends its side. The server runs in this thread, what it would give
 * to Python is done at once by the unit tests' stand-in, and what it would
 * write to a disk is dropped. Every request that wants a reply must get one,
 * each a line of JSON, and the server must be there for the next client.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/wire/doc.h"
#include "daemon/control_private.h"
#include "daemon/log.h"
#include "daemon/signals.h"
#include "lazycore/rehearse.h"
#include "tests/fuzz/targets/target.h"
#include "tests/unit/daemon_fake_pyhost.h"

/* --- what stands in for other parts ------------------------------------- */

struct operator_thread {
    struct operator_job *done;
    void (*notify)(void *arg);
    void *arg;
};

struct operator_thread *
operator_new(void (*notify)(void *arg), void *arg)
{
    struct operator_thread *op = calloc(1, sizeof(*op));

    target_check(op != NULL);
    op->notify = notify;
    op->arg = arg;
    return op;
}

struct operator_thread *
operator_new_plain(const char *name, void (*notify)(void *arg), void *arg)
{
    (void)name;
    return operator_new(notify, arg);
}

int
operator_start(struct operator_thread *op)
{
    (void)op;
    return 0;
}

void
operator_await(struct operator_thread *op)
{
    (void)op;
}

/* Samples of memory are not taken: they cost more than all the rest. */
int
operator_submit(struct operator_thread *op, struct operator_job *job)
{
    if (strcmp(job->what, "sampling memory") == 0) {
        return -EAGAIN;
    }
    job->state = JOB_RUNNING;
    job->abandoned = false;
    job->ran = true;
    job->run(job);
    job->state = JOB_DONE;
    job->next = op->done;
    op->done = job;
    op->notify(op->arg);
    return 0;
}

void
operator_hold(struct operator_thread *op, bool hold)
{
    (void)op;
    (void)hold;
}

struct operator_job *
operator_take(struct operator_thread *op)
{
    struct operator_job *job = op->done;

    op->done = job != NULL ? job->next : NULL;
    return job;
}

bool
operator_abandon(struct operator_thread *op, struct operator_job *job,
                 char *why, size_t why_size)
{
    (void)op;
    (void)snprintf(why, why_size, "done");
    job->abandoned = true;
    return false;
}

bool
operator_ran(struct operator_thread *op, const struct operator_job *job)
{
    (void)op;
    return job->ran;
}

bool
operator_is_self(const struct operator_thread *op)
{
    (void)op;
    return false;
}

void
operator_describe(struct operator_thread *op, struct operator_job *job,
                  const char *format, ...)
{
    (void)op;
    (void)job;
    (void)format;
}

bool
operator_stop(struct operator_thread *op)
{
    (void)op;
    return true;
}

void
operator_free(struct operator_thread *op)
{
    free(op);
}

unsigned
signals_take(void)
{
    return 0;
}

void
signals_send_stop(void)
{
}

void
signals_nudge(void)
{
}

/* The linker puts it in the place of ignore_write: no path is written. */
int __wrap_ignore_write(const char *text, const char *path,
                        struct lz_error *error);

int
__wrap_ignore_write(const char *text, const char *path, struct lz_error *error)
{
    target_check(text != NULL && path[0] == '/');
    return strlen(path) % 2 == 0
               ? 0
               : lz_error_set(error, LZ_ERROR_IO, "cannot write '%s'", path);
}

/* Nor is a child forked, which only a process with Python in it can do. */
int __wrap_lazycore_rehearse(const struct lz_rehearsal *rehearsal,
                             struct lz_rehearsal_outcome *ret_outcome,
                             struct lz_error *error);

int
__wrap_lazycore_rehearse(const struct lz_rehearsal *rehearsal,
                         struct lz_rehearsal_outcome *ret_outcome,
                         struct lz_error *error)
{
    (void)ret_outcome;
    target_check(rehearsal->apart);
    return lz_error_set(error, LZ_ERROR_REFUSED, "no Python to fork");
}

/* --- the server --------------------------------------------------------- */

static void
no_reopen(void *arg)
{
    (void)arg;
}

static void
no_hard_end(void *arg, const char *why)
{
    (void)arg;
    (void)why;
}

static struct lz_core *
make_core(void)
{
    static const struct lz_place place = {"/srv/app.py", "main", 3};
    struct lz_core *core = core_new();
    struct lz_load load = {.name = "pkg.real",
                           .thread = "MainThread",
                           .trigger = place,
                           .reason = LZ_REASON_LAZY,
                           .wall_ns = 1000};

    target_check(core != NULL);
    registry_existing(core->registry, "sys", NULL);
    registry_proxy(core->registry, "pkg", "/srv/pkg/__init__.py", &place);
    registry_proxy(core->registry, "pkg.real", "/srv/pkg/real.py", &place);
    registry_loaded(core->registry, &load, "/srv/pkg/real.py");
    load.name = "bad";
    load.error = "ValueError: \"\x01\xc3\xa9\"";
    registry_loaded(core->registry, &load, "/srv/bad.py");
    registry_proxy(core->registry, "na\"me\n\x1b[2J", NULL, &place);
    return core;
}

static char folder[] = "/tmp/lazyd-fuzz-XXXXXX";
static char path[64];

static void
remove_socket(void)
{
    (void)unlink(path);
    (void)rmdir(folder);
}

static struct control *
make_control(void)
{
    struct lz_error error = {0};
    struct control *control = NULL;
    struct control_setup setup = {.app = "app.py",
                                  .socket_path = path,
                                  .group = (gid_t)-1,
                                  .stop_timeout_ms = 1000000,
                                  .reopen_log = no_reopen,
                                  .end_hard = no_hard_end};

    target_check(mkdtemp(folder) != NULL && atexit(remove_socket) == 0);
    (void)snprintf(path, sizeof(path), "%s/s", folder);
    log_to_fd(-1);
    target_check(control_open(&setup, &control, &error) == 0);
    return control;
}

static int
dial(const struct control *control)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s",
                   control->setup.socket_path);
    target_check(fd >= 0 && connect(fd, (const struct sockaddr *)&address,
                                    sizeof(address)) == 0);
    return fd;
}

/* --- the client --------------------------------------------------------- */

static bool
is_edit(const struct wire_command *command)
{
    return command != NULL && (command->id == WIRE_IGNORE_ADD ||
                               command->id == WIRE_IGNORE_REMOVE ||
                               command->id == WIRE_LEVEL_SET);
}

/* Replies that the lines of DATA ask for; half a line is answered too.
 * Whether any of them may edit what the core holds. */
static unsigned
count_wanted(const uint8_t *data, size_t size, bool *ret_changes)
{
    struct wire_frame frame;
    char *line = NULL;
    size_t length = 0;
    unsigned wanted = 0;
    int status;

    wire_frame_init(&frame, WIRE_LIMIT_FRAME);
    target_check(wire_frame_push(&frame, data, size) == 0);
    while ((status = wire_frame_next(&frame, &line, &length)) != 0) {
        struct wire_request *request = NULL;
        status = status > 0 ? wire_request_read(line, length, &request)
                            : wire_request_refused(status, &request);
        target_check(status == 0);
        target_check(request->error.code != 0 || request->command != NULL);
        wanted += request->wants_reply;
        *ret_changes = *ret_changes || is_edit(request->command);
        wire_request_free(request);
    }
    wanted += wire_frame_pending(&frame) > 0;
    wire_frame_done(&frame);
    return wanted;
}

/* Whether LINE is a reply, not a notification. */
static bool
is_reply(const char *line, size_t length)
{
    struct wire_doc *doc = wire_doc_new(line, length);

    target_check(doc != NULL);
    target_check(
        wire_scan(doc->text, doc->length, WIRE_LIMIT_DEPTH, &doc->scan) == 0);
    bool reply = wire_scan_find(&doc->scan, "id") != NULL;
    target_check(reply == (wire_scan_find(&doc->scan, "method") == NULL));
    wire_doc_free(doc);
    return reply;
}

/* Read what has come; false once the server has ended the connection. */
static bool
take_output(int fd, struct wire_frame *frame, unsigned *replies)
{
    static char buffer[256 * 1024];
    char *line = NULL;
    size_t length = 0;
    ssize_t n = read(fd, buffer, sizeof(buffer));
    int status;

    if (n < 0) {
        target_check(errno == EAGAIN || errno == ECONNRESET);
        return errno == EAGAIN;
    }
    target_check(wire_frame_push(frame, buffer, (size_t)n) == 0);
    while ((status = wire_frame_next(frame, &line, &length)) != 0) {
        target_check(status == 1);
        *replies += is_reply(line, length);
    }
    return n > 0;
}

/* Send DATA and end; the replies that came. */
static unsigned
converse(struct control *control, const uint8_t *data, size_t size)
{
    struct wire_frame frame;
    unsigned replies = 0;
    int fd = dial(control);
    bool there = true;

    wire_frame_init(&frame, WIRE_LIMIT_REPLY);
    while (there) {
        ssize_t n = size == 0 ? 0 : send(fd, data, size, MSG_NOSIGNAL);
        if (n > 0) {
            data += n;
            size -= (size_t)n;
            target_check(size > 0 || shutdown(fd, SHUT_WR) == 0);
        }
        while (sem_trywait(&control->bell) == 0) { /* nobody else does */
            (void)uv_async_send(&control->wake);
        }
        (void)uv_run(&control->loop, UV_RUN_NOWAIT);
        there = take_output(fd, &frame, &replies);
    }
    target_check(size == 0 && wire_frame_pending(&frame) == 0);
    wire_frame_done(&frame);
    (void)close(fd);
    return replies;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct control *control;
    bool changes = false;

    if (size == 0 || size > WIRE_LIMIT_FRAME) {
        return 0;
    }
    if (control == NULL) {
        control = make_control();
    }
    if (control->setup.core == NULL) {
        control->setup.core = make_core();
    }
    unsigned wanted = count_wanted(data, size, &changes);
    target_check(converse(control, data, size) == wanted);
    while (control->clients != NULL) {
        (void)uv_run(&control->loop, UV_RUN_NOWAIT);
    }
    target_check(control->client_count == 0);
    control->stopping = false;
    (void)uv_timer_stop(&control->nudge);
    (void)uv_timer_stop(&control->hard_end);
    if (changes) { /* the next input finds all as this one did */
        core_free(control->setup.core);
        control->setup.core = NULL;
    }
    return 0;
}
