/* The fork, and the parent that waits for its outcome.
 *
 * Whether a service serves cannot be known from outside without its help, so
 * the parent looks at the daemon's main thread: once that sleeps, the body
 * of __main__ has come to where it waits for work. No threads here.
 */
#include "daemon/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/descriptors.h"

enum message { MESSAGE_BEGUN = 'b', MESSAGE_READY = 'r', MESSAGE_ERROR = 'e' };

enum outcome { OUTCOME_WAIT, OUTCOME_UP, OUTCOME_DOWN };

static volatile sig_atomic_t interrupted;

void
detach_init(struct detach *detach)
{
    atomic_init(&detach->fd, -1);
    detach->wait_fd = -1;
    detach->child = -1;
}

pid_t
detach_fork(struct detach *detach)
{
    int pair[2];

    /* Packets: a message is read whole. */
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        return -errno;
    }
    detach->child = fork();
    if (detach->child < 0) {
        int saved = errno;

        (void)close(pair[0]);
        (void)close(pair[1]);
        return -saved;
    }
    if (detach->child == 0) {
        (void)close(pair[0]);
        atomic_store(&detach->fd, pair[1]);
        (void)setsid();
        return 0;
    }
    (void)close(pair[1]);
    detach->wait_fd = pair[0];
    return detach->child;
}

/* --- the parent --------------------------------------------------------- */

static uint64_t
now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static void
on_signal(int number)
{
    interrupted = number;
}

/* Whether the main thread of PID sleeps, waiting for something to happen. */
static bool
is_asleep(pid_t pid)
{
    char path[64];
    char stat[512];
    const char *state;
    ssize_t n;
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/%ld/task/%ld/stat", (long)pid,
                   (long)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    n = read(fd, stat, sizeof(stat) - 1);
    (void)close(fd);
    if (n <= 0) {
        return false;
    }
    stat[n] = '\0';
    /* "pid (name) S ...", where the name may hold anything. */
    state = strrchr(stat, ')');
    return state != NULL && strlen(state) > 2 && state[2] == 'S';
}

struct watch {
    const struct detach_wait *wait;
    uint64_t begun_ms; /* 0: not yet */
    uint64_t asleep_ms;
    bool ended; /* the daemon, with STATUS */
    int status;
    char text[1024]; /* of an error that the daemon sent */
};

static enum outcome
take_message(struct detach *detach, struct watch *watch)
{
    char message[1024];
    ssize_t n = recv(detach->wait_fd, message, sizeof(message) - 1, 0);

    if (n < 0 && errno == EINTR) {
        return OUTCOME_WAIT;
    }
    if (n <= 0) {
        return OUTCOME_DOWN;
    }
    message[n] = '\0';
    if (message[0] == MESSAGE_READY) {
        return OUTCOME_UP;
    }
    if (message[0] == MESSAGE_BEGUN) {
        watch->begun_ms = now_ms();
        watch->asleep_ms = watch->begun_ms;
    } else {
        (void)snprintf(watch->text, sizeof(watch->text), "%s", message + 1);
    }
    return OUTCOME_WAIT;
}

static enum outcome
look(struct detach *detach, struct watch *watch)
{
    uint64_t now = now_ms();

    if (watch->begun_ms == 0 || watch->wait->for_ready) {
        return OUTCOME_WAIT;
    }
    if (!is_asleep(detach->child)) {
        watch->asleep_ms = now;
    }
    return now - watch->asleep_ms >= LZ_SETTLE_MS ||
                   now - watch->begun_ms >= LZ_SETTLE_MAX_MS
               ? OUTCOME_UP
               : OUTCOME_WAIT;
}

static void
catch_signals(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal};

    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        (void)sigaction(signals[i], &action, NULL);
    }
}

/* Whether the daemon ends within PATIENCE_MS. */
static bool
has_ended(struct detach *detach, struct watch *watch, uint64_t patience_ms)
{
    uint64_t until = now_ms() + patience_ms;

    while (!watch->ended) {
        pid_t pid = waitpid(detach->child, &watch->status, WNOHANG);

        watch->ended = pid == detach->child || (pid < 0 && errno != EINTR);
        if (!watch->ended) {
            if (now_ms() >= until) {
                break;
            }
            (void)poll(NULL, 0, LZ_END_LOOK_MS);
        }
    }
    return watch->ended;
}

/* End a daemon that did not start in time; it may stop in good order. */
static void
give_up(struct detach *detach, struct watch *watch)
{
    (void)kill(detach->child, SIGTERM);
    if (!has_ended(detach, watch, watch->wait->stop_timeout_ms + 1000)) {
        (void)kill(detach->child, SIGKILL);
        (void)has_ended(detach, watch, UINT32_MAX);
    }
}

static int
report_down(struct detach *detach, struct watch *watch)
{
    int status;

    /* It cannot be heard any more; that may be the service's doing, where the
     * kernel keeps its descriptors and lazyd's in one table. */
    if (!has_ended(detach, watch, LZ_END_MS)) {
        give_up(detach, watch);
        if (watch->text[0] == '\0') {
            (void)snprintf(watch->text, sizeof(watch->text),
                           "the service closed descriptors of lazyd's before "
                           "it was up; it was ended");
        }
    }
    status = watch->status;
    logger_dump(watch->wait->logger, detach->child, STDERR_FILENO);
    if (watch->text[0] != '\0') {
        (void)fprintf(stderr, "lazyd: %s\n", watch->text);
    } else if (WIFSIGNALED(status)) {
        (void)fprintf(stderr,
                      "lazyd: the service was ended by signal %d (%s) before "
                      "it was up; its output is in '%s'\n",
                      WTERMSIG(status), strsignal(WTERMSIG(status)),
                      watch->wait->log);
    } else if (WEXITSTATUS(status) == 0 && watch->begun_ms != 0 &&
               !watch->wait->for_ready) {
        (void)fprintf(stderr,
                      "lazyd: the service has ended already, with status 0; "
                      "its output is in '%s'\n",
                      watch->wait->log);
        return 0;
    } else {
        (void)fprintf(stderr,
                      "lazyd: the service ended with status %d before it was "
                      "%s; its output is in '%s'\n",
                      WEXITSTATUS(status),
                      watch->wait->for_ready ? "ready" : "up",
                      watch->wait->log);
    }
    return 1;
}

int
detach_wait(struct detach *detach, const struct detach_wait *wait)
{
    struct watch watch = {.wait = wait};
    uint64_t until = now_ms() + wait->start_timeout_ms;
    enum outcome outcome = OUTCOME_WAIT;

    catch_signals();
    while (outcome == OUTCOME_WAIT) {
        struct pollfd news = {.fd = detach->wait_fd, .events = POLLIN};

        if (poll(&news, 1, LZ_LOOK_MS) > 0) {
            outcome = take_message(detach, &watch);
        } else if (interrupted != 0) {
            give_up(detach, &watch);
            (void)snprintf(watch.text, sizeof(watch.text),
                           "interrupted by signal %d; the service was ended",
                           (int)interrupted);
            outcome = OUTCOME_DOWN;
        } else if (now_ms() >= until) {
            give_up(detach, &watch);
            (void)snprintf(watch.text, sizeof(watch.text),
                           "the service was not %s within %.1f s "
                           "(--start-timeout); it was ended",
                           wait->for_ready ? "ready" : "up",
                           (double)wait->start_timeout_ms / 1e3);
            outcome = OUTCOME_DOWN;
        } else {
            outcome = look(detach, &watch);
        }
    }
    if (outcome == OUTCOME_UP) {
        logger_started(wait->logger);
        return 0;
    }
    return report_down(detach, &watch);
}

/* --- the daemon --------------------------------------------------------- */

void
detach_begun(struct detach *detach)
{
    char message = (char)MESSAGE_BEGUN;
    int fd = atomic_load(&detach->fd);

    if (descriptors_are_ours(fd)) {
        (void)send(fd, &message, 1, MSG_NOSIGNAL);
    }
}

void
detach_ready(struct detach *detach)
{
    char message = (char)MESSAGE_READY;
    int fd = atomic_exchange(&detach->fd, -1);

    if (descriptors_are_ours(fd)) {
        (void)send(fd, &message, 1, MSG_NOSIGNAL);
        descriptors_close(&fd);
    }
}

void
detach_failed(struct detach *detach, const struct lz_error *error)
{
    char message[1024];
    int fd = atomic_load(&detach->fd);
    int n;

    message[0] = (char)MESSAGE_ERROR;
    n = snprintf(message + 1, sizeof(message) - 1, "%s", error->text);
    if (descriptors_are_ours(fd) && n > 0) {
        (void)send(fd, message, strlen(message), MSG_NOSIGNAL);
    }
}

void
detach_close(struct detach *detach)
{
    int fd = atomic_exchange(&detach->fd, -1);

    descriptors_close(&fd);
}
