/* The logger process and its orders.
 *
 * One thread, one loop over two descriptors: output, and orders of one byte.
 * It is forked before there is Python or any thread.
 */
#include "daemon/logger.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "daemon/descriptors.h"
#include "daemon/ending.h"
#include "daemon/log.h"

enum order {
    ORDER_PID = 'p', /* the only one with more bytes: a pid_t */
    ORDER_STARTED = 's',
    ORDER_SHARED = 'h',
    ORDER_REOPEN = 'r',
    ORDER_ENDED = 'e'
};

enum { DUMP_WAIT_MS = 500, CHUNK_BYTES = 64 * 1024 };

struct loop {
    struct log_file file;
    int out_fd;
    int control_fd;
    int early_fd;
    pid_t daemon;
    int daemon_fd; /* of its process, see ending.h */
    size_t early_bytes;
    bool shared; /* who closes the orders may be the service */
    bool ended;  /* lazyd has come to its end in order */
    bool gone;   /* it has not, and is there no more: still to be said */
};

void
logger_init(struct logger *logger)
{
    *logger = (struct logger){
        .pid = -1, .out_fd = -1, .control_fd = -1, .early_fd = -1};
}

static void
take_output(struct loop *loop)
{
    static char chunk[CHUNK_BYTES];
    ssize_t n = read(loop->out_fd, chunk, sizeof(chunk));

    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    if (n <= 0) {
        descriptors_close(&loop->out_fd);
        return;
    }
    log_file_write(&loop->file, chunk, (size_t)n);
    if (loop->early_fd >= 0 && loop->early_bytes < LZ_EARLY_BYTES) {
        size_t room = LZ_EARLY_BYTES - loop->early_bytes;
        size_t size = (size_t)n < room ? (size_t)n : room;

        (void)!write(loop->early_fd, chunk, size);
        loop->early_bytes += size;
    }
}

/* A line of our own: lazyd cannot say it. */
static void __attribute__((format(printf, 2, 3)))
say(struct loop *loop, const char *format, ...)
{
    char line[512];
    time_t now = time(NULL);
    struct tm parts;
    va_list arguments;
    size_t length = 0;

    if (gmtime_r(&now, &parts) != NULL) {
        length =
            strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%SZ lazyd: ", &parts);
    }
    va_start(arguments, format);
    (void)vsnprintf(line + length, sizeof(line) - length - 1, format,
                    arguments);
    va_end(arguments);
    length = strlen(line);
    line[length++] = '\n';
    log_file_write(&loop->file, line, length);
}

static void
reopen(struct loop *loop)
{
    int rc = log_file_reopen(&loop->file);

    if (rc < 0) {
        say(loop, "cannot reopen log '%.300s': %s", loop->file.path,
            strerrordesc_np(-rc));
    } else {
        say(loop, "log reopened");
    }
}

static void
take_pid(struct loop *loop)
{
    if (recv(loop->control_fd, &loop->daemon, sizeof(loop->daemon),
             MSG_WAITALL) == (ssize_t)sizeof(loop->daemon)) {
        loop->daemon_fd = ending_open(loop->daemon);
    }
}

static void
take_order(struct loop *loop)
{
    char order;
    ssize_t n = read(loop->control_fd, &order, 1);

    if (n < 0 && errno == EINTR) {
        return;
    }
    if (n <= 0) {
        descriptors_close(&loop->control_fd);
        loop->gone = !loop->ended && !loop->shared;
    } else if (order == ORDER_PID) {
        take_pid(loop);
    } else if (order == ORDER_ENDED) {
        loop->ended = true;
    } else if (order == ORDER_SHARED) {
        loop->shared = true;
    } else if (order == ORDER_REOPEN) {
        reopen(loop);
    } else if (order == ORDER_STARTED) {
        descriptors_close(&loop->early_fd);
        descriptors_close(&loop->file.notice_fd);
    }
}

/* The pipe has ended first: what lazyd still had to say. */
static bool
has_ended(struct loop *loop)
{
    while (loop->control_fd >= 0) {
        take_order(loop);
    }
    return loop->ended;
}

/* Who was killed cannot say so. */
static void
say_gone(struct loop *loop)
{
    const char *what = loop->shared
                           ? ", or the service had closed lazyd's descriptors"
                           : ": by a signal, a crash or os._exit()";
    char how[64];

    loop->gone = false;
    bool known =
        ending_tell(&loop->daemon_fd, loop->daemon, how, sizeof(how)) == 0;
    say(loop, "ended out of order%s%s%s", known && !loop->shared ? "" : what,
        known ? ", " : "", known ? how : "");
}

static void
run(struct loop *loop)
{
    while (loop->out_fd >= 0) {
        struct pollfd fds[2] = {{.fd = loop->out_fd, .events = POLLIN},
                                {.fd = loop->control_fd, .events = POLLIN}};
        int n = poll(fds, 2, loop->gone ? 0 : -1);

        if (n == 0) { /* its last output has come */
            say_gone(loop);
        }
        if (n <= 0) {
            continue;
        }
        if (loop->control_fd >= 0 && fds[1].revents != 0) {
            take_order(loop);
        }
        if (fds[0].revents != 0) {
            take_output(loop);
        }
    }
    if (loop->gone || (loop->control_fd >= 0 && !has_ended(loop)) ||
        (loop->shared && !loop->ended)) {
        say_gone(loop);
    }
}

/* Away from the terminal and deaf to what is meant for the service. */
static void
become_logger(void)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGPIPE};

    (void)setsid();
    (void)prctl(PR_SET_NAME, "lazyd-log");
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
        (void)signal(ignored[i], SIG_IGN);
    }
}

/* Everything but stderr and what LOOP needs: a lock or a pipe of somebody
 * who waits for its end may be among what was inherited. */
static void
close_others(const struct loop *loop)
{
    int keep[] = {loop->out_fd, loop->control_fd, loop->early_fd,
                  loop->file.fd, STDERR_FILENO};
    int highest = 0;

    for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++) {
        highest = keep[i] > highest ? keep[i] : highest;
    }
    for (int fd = 0; fd < highest; fd++) {
        bool kept = false;

        for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++) {
            kept = kept || keep[i] == fd;
        }
        if (!kept) {
            (void)close(fd);
        }
    }
    (void)close_range((unsigned)highest + 1, ~0u, 0);
}

static int
make_channels(struct loop *loop, struct logger *logger)
{
    int out[2];
    int control[2];

    if (pipe2(out, O_CLOEXEC) < 0) {
        return -errno;
    }
    loop->out_fd = out[0];
    logger->out_fd = out[1];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) < 0) {
        return -errno;
    }
    loop->control_fd = control[0];
    logger->control_fd = control[1];
    loop->early_fd = memfd_create("lazyd-early-output", MFD_CLOEXEC);
    if (loop->early_fd < 0) {
        return -errno;
    }
    logger->early_fd = fcntl(loop->early_fd, F_DUPFD_CLOEXEC, 3);
    return logger->early_fd < 0 ? -errno : 0;
}

int
logger_start(struct logger *logger, const char *path, struct lz_error *error)
{
    struct loop loop = {.file = {.fd = -1, .notice_fd = -1},
                        .out_fd = -1,
                        .control_fd = -1,
                        .early_fd = -1,
                        .daemon_fd = -1};
    int rc;

    logger_init(logger);
    if (log_file_open(&loop.file, path, error) < 0) {
        return -1;
    }
    rc = make_channels(&loop, logger);
    if (rc == 0) {
        logger->pid = fork();
        rc = logger->pid < 0 ? -errno : 0;
    }
    if (rc == 0 && logger->pid == 0) {
        become_logger();
        close_others(&loop);
        loop.file.notice_fd = STDERR_FILENO;
        run(&loop);
        _exit(0);
    }
    log_file_done(&loop.file);
    descriptors_close(&loop.out_fd);
    descriptors_close(&loop.control_fd);
    descriptors_close(&loop.early_fd);
    if (rc < 0) {
        logger_close(logger);
        return lz_error_set_errno(error, -rc, "cannot start the log process");
    }
    return 0;
}

static void
send_pid(const struct logger *logger)
{
    char bytes[1 + sizeof(pid_t)] = {ORDER_PID};
    pid_t pid = getpid();

    memcpy(bytes + 1, &pid, sizeof(pid));
    (void)send(logger->control_fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
}

int
logger_attach(struct logger *logger, int *ret_line_fd)
{
    char path[64];
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int line_fd;

    if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 ||
        dup2(logger->out_fd, STDOUT_FILENO) < 0 ||
        dup2(logger->out_fd, STDERR_FILENO) < 0) {
        return -errno;
    }
    if (null_fd > STDERR_FILENO) {
        (void)close(null_fd);
    }
    /* The same pipe with flags of its own: not to block is for lazyd's lines
     * only. */
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", logger->out_fd);
    line_fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    descriptors_close(&logger->out_fd);
    descriptors_close(&logger->early_fd);
    if (line_fd < 0) {
        return -errno;
    }
    *ret_line_fd = line_fd;
    send_pid(logger);
    return 0;
}

static void
send_order(const struct logger *logger, enum order order)
{
    char byte = (char)order;

    if (descriptors_are_ours(logger->control_fd)) {
        (void)send(logger->control_fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

void
logger_started(struct logger *logger)
{
    send_order(logger, ORDER_STARTED);
}

void
logger_parted(const struct logger *logger, bool parted)
{
    if (!parted) {
        send_order(logger, ORDER_SHARED);
    }
}

void
logger_ended(const struct logger *logger)
{
    send_order(logger, ORDER_ENDED);
}

void
logger_reopen(struct logger *logger)
{
    send_order(logger, ORDER_REOPEN);
}

/* Wait until the logger has ended, or DUMP_WAIT_MS: a process of the service
 * that outlived it may still hold the pipe. */
static void
await_end(const struct logger *logger)
{
    struct pollfd ended = {.events = POLLIN};

    ended.fd = (int)syscall(SYS_pidfd_open, logger->pid, 0);
    if (ended.fd >= 0) {
        (void)poll(&ended, 1, DUMP_WAIT_MS);
        (void)close(ended.fd);
    }
}

void
logger_dump(struct logger *logger, pid_t daemon, int fd)
{
    FILE *early;
    char mark[64];
    char *line = NULL;
    size_t size = 0;

    /* It ends with the last who could give it orders. */
    descriptors_close(&logger->control_fd);
    await_end(logger);
    early = fdopen(logger->early_fd, "r");
    if (early == NULL) {
        return;
    }
    logger->early_fd = -1;
    rewind(early);
    (void)snprintf(mark, sizeof(mark), "Z lazyd[%ld]: ", (long)daemon);
    while (getline(&line, &size, early) >= 0) {
        if (strstr(line, mark) == NULL) {
            (void)dprintf(fd, "%s", line);
        }
    }
    free(line);
    (void)fclose(early);
}

void
logger_release(struct logger *logger)
{
    descriptors_close(&logger->out_fd);
}

void
logger_close(struct logger *logger)
{
    descriptors_close(&logger->out_fd);
    descriptors_close(&logger->control_fd);
    descriptors_close(&logger->early_fd);
}
