/* Writing lines that may be lost but never hurt.
 *
 * A line is written with one write() of at most LINE_BYTES, so that lines of
 * several threads and of the service do not mix on a pipe. Any thread.
 */
#include "daemon/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ctl/wire/utf8.h"
#include "daemon/descriptors.h"

enum { LINE_BYTES = 4096 }; /* PIPE_BUF: written whole or not at all */

static struct {
    pthread_mutex_t lock; /* one line at a time into the file */
    struct log_file *file;
    int fd;
    struct descriptor mark; /* of FD */
    bool is_socket;         /* FD */
    bool stamped;
    atomic_uint lost; /* lines that FD did not take */
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = STDERR_FILENO};

/* Waits for nobody: neither for who reads a pipe nor for a line's carrier.
 * Later writes may wait. The descriptor or negative errno, -ENXIO for a pipe
 * that nobody reads. */
static int
open_append(const char *path)
{
    int fd =
        open(path,
             O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
             0640);

    if (fd < 0) {
        return -errno;
    }
    (void)fcntl(fd, F_SETFL, O_APPEND);
    return fd;
}

int
log_file_open(struct log_file *file, const char *path, struct lz_error *error)
{
    *file = (struct log_file){.fd = -1, .notice_fd = -1};
    file->fd = open_append(path);
    if (file->fd == -ENXIO) {
        return lz_error_set(error, LZ_ERROR_IO,
                            "nobody reads log '%s': start its reader first, "
                            "or choose another with --log",
                            path);
    }
    if (file->fd < 0) {
        return lz_error_set_errno(error, -file->fd,
                                  "cannot open log '%s' (choose another with "
                                  "--log)",
                                  path);
    }
    file->mark = descriptor_of(file->fd);
    file->path = strdup(path);
    if (file->path == NULL) {
        log_file_done(file);
        return lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
    }
    return 0;
}

void
log_file_done(struct log_file *file)
{
    if (file == NULL) {
        return;
    }
    if (descriptor_holds(&file->mark)) {
        descriptors_close(&file->fd);
    }
    free(file->path);
    *file = (struct log_file){.fd = -1, .notice_fd = -1};
}

int
log_file_reopen(struct log_file *file)
{
    int fd = open_append(file->path);

    if (fd < 0) {
        return fd;
    }
    if (descriptor_holds(&file->mark)) {
        (void)close(file->fd);
    }
    file->fd = fd;
    file->mark = descriptor_of(fd);
    return 0;
}

static ssize_t
write_all(int fd, const char *data, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = write(fd, data + done, size - done);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static void
say_failing(struct log_file *file)
{
    char text[512];
    int length = snprintf(text, sizeof(text),
                          "lazyd: cannot write log '%.300s': %s; output is "
                          "lost until it can be written\n",
                          file->path, strerrordesc_np(file->failed_errno));

    if (file->notice_fd >= 0 && length > 0) {
        (void)!write(file->notice_fd, text, strlen(text));
    }
}

/* The file can be written again: leave a line about the gap in it. */
static bool
say_recovered(struct log_file *file)
{
    char text[256];
    int length = snprintf(text, sizeof(text),
                          "lazyd: %llu bytes of output were lost while the "
                          "log could not be written: %s\n",
                          (unsigned long long)file->lost_bytes,
                          strerrordesc_np(file->failed_errno));

    return write_all(file->fd, text, (size_t)length) == length;
}

void
log_file_write(struct log_file *file, const char *data, size_t size)
{
    size_t done = 0;

    if (!file->failing || say_recovered(file)) {
        errno = 0;
        done = (size_t)write_all(file->fd, data, size);
        if (done == size) {
            file->failing = false;
            file->lost_bytes = 0;
            return;
        }
    }
    if (!file->failing) {
        file->failing = true;
        file->failed_errno = errno != 0 ? errno : ENOSPC;
        file->lost_bytes = 0;
        say_failing(file);
    }
    file->lost_bytes += size - done;
}

/* A log that is a pipe or a terminal may be full. */
static void
never_wait(const struct log_file *file)
{
    (void)fcntl(file->fd, F_SETFL, O_APPEND | O_NONBLOCK);
}

void
log_to_file(struct log_file *file)
{
    never_wait(file);
    sink.file = file;
    sink.stamped = true;
}

void
log_reopen(void)
{
    int rc;

    if (sink.file == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&sink.lock);
    rc = log_file_reopen(sink.file);
    never_wait(sink.file);
    (void)pthread_mutex_unlock(&sink.lock);
    if (rc < 0) {
        log_line("cannot reopen log '%s': %s", sink.file->path,
                 strerrordesc_np(-rc));
    } else {
        log_line("log reopened");
    }
}

void
log_to_fd(int fd)
{
    sink.fd = fd;
    sink.mark = descriptor_of(fd);
    sink.stamped = true;
}

/* Flags belong to what was opened, which others have too: so it is opened
 * once more, where that can be done. */
void
log_to_stderr(void)
{
    struct stat st;
    int fd;

    if (fstat(STDERR_FILENO, &st) < 0) {
        return;
    }
    sink.is_socket = S_ISSOCK(st.st_mode);
    if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
        fd = open("/proc/self/fd/2",
                  O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (fd >= 0) {
            sink.fd = fd;
            sink.mark = descriptor_of(fd);
        }
    }
}

/* Whether what lines go to is to be had in this thread. */
static bool
has_sink(void)
{
    if (!descriptors_are_here() || descriptors_are_parted()) {
        return descriptors_are_here();
    }
    return sink.file != NULL
               ? descriptor_holds(&sink.file->mark)
               : sink.fd == STDERR_FILENO || descriptor_holds(&sink.mark);
}

int
log_descriptor(void)
{
    return !has_sink()         ? STDERR_FILENO
           : sink.file != NULL ? sink.file->fd
                               : sink.fd;
}

static size_t
begin_line(char *line, size_t size)
{
    struct timespec now;
    struct tm parts;
    size_t length;
    int n;

    if (!sink.stamped) {
        (void)snprintf(line, size, "lazyd: ");
        return strlen(line);
    }
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &parts);
    length = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &parts);
    n = snprintf(line + length, size - length,
                 ".%03ldZ lazyd[%ld]: ", now.tv_nsec / 1000000,
                 (long)getpid());
    return length + (size_t)n;
}

static ssize_t
put(const char *text, size_t length)
{
    return sink.is_socket
               ? send(sink.fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL)
               : write(sink.fd, text, length);
}

/* A line to a descriptor that may be full; a gap is told when it is not. */
static void
write_line(const char *line, size_t length)
{
    unsigned lost;
    char text[64];

    if (put(line, length) != (ssize_t)length) {
        (void)atomic_fetch_add(&sink.lost, 1u);
        return;
    }
    lost = atomic_exchange(&sink.lost, 0u);
    if (lost > 0) {
        (void)snprintf(text, sizeof(text), "lazyd: %u lines were lost\n",
                       lost);
        (void)put(text, strlen(text));
    }
}

/* Bytes at TEXT that end a line, steer a terminal, turn the reading direction
 * or are no text; 0: none. What names say must not pass for lines of ours. */
static size_t
harmful(const char *text)
{
    size_t size = wire_utf8_size(text);

    if (size == 0) {
        return 1;
    }
    return wire_utf8_is_unsafe(wire_utf8_decode(text, size)) ? size : 0;
}

static void
disarm(char *text)
{
    while (*text != '\0') {
        size_t size = harmful(text);

        memset(text, '?', size);
        text += size > 0 ? size : 1;
    }
}

void
log_line(const char *format, ...)
{
    char line[LINE_BYTES];
    size_t length = begin_line(line, sizeof(line));
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(line + length, sizeof(line) - length - 1, format, arguments);
    va_end(arguments);
    if (n < 0) {
        return;
    }
    disarm(line + length);
    length = strlen(line);
    line[length++] = '\n';
    if (sink.file != NULL) {
        (void)pthread_mutex_lock(&sink.lock);
    }
    if (!has_sink()) {
        (void)!write(STDERR_FILENO, line, length);
    } else if (sink.file != NULL) {
        log_file_write(sink.file, line, length);
    } else {
        write_line(line, length);
    }
    if (sink.file != NULL) {
        (void)pthread_mutex_unlock(&sink.lock);
    }
}

void
log_error(const char *what, const struct lz_error *error)
{
    const char *line = error->traceback;

    log_line("%s%s%s", what != NULL ? what : "", what != NULL ? ": " : "",
             error->text);
    while (line != NULL && *line != '\0') {
        size_t length = strcspn(line, "\n");

        log_line("  %.*s", (int)length, line);
        line += length + (line[length] == '\n');
    }
}
