/* See output.h. */
#include "ctl/output.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/run_private.h"

enum { TEXT_SIZE = 512 };

struct output {
    const char *path;
    int (*write)(FILE *stream, const void *arg);
    const void *arg;
};

static int
cannot_write(const char *path)
{
    char text[TEXT_SIZE];

    (void)snprintf(text, sizeof text, "cannot write '%.300s': %s", path,
                   strerror(errno));
    run_complain(text);
    return RUN_REFUSED;
}

/* Write to STREAM, which it closes, and say what went wrong. */
static int
write_stream(const struct output *output, FILE *stream)
{
    int status = output->write(stream, output->arg);
    bool failed = ferror(stream) != 0;

    if ((fclose(stream) != 0 || failed) && status == 0) {
        return cannot_write(output->path);
    }
    return status != 0 ? run_call_failed(status) : RUN_DONE;
}

/* Into a file beside the one asked for, which takes its place. */
static int
replace_file(const struct output *output)
{
    char *beside = NULL;
    mode_t mask = umask(0);
    int status;

    (void)umask(mask);
    if (asprintf(&beside, "%s.XXXXXX", output->path) < 0) {
        return run_call_failed(-ENOMEM);
    }
    int fd = mkstemp(beside);
    FILE *stream = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (stream == NULL) {
        status = cannot_write(output->path);
        if (fd >= 0) {
            (void)close(fd);
        }
    } else {
        (void)fchmod(fd, 0666 & ~mask);
        status = write_stream(output, stream);
        if (status == RUN_DONE && rename(beside, output->path) != 0) {
            status = cannot_write(output->path);
        }
    }
    if (fd >= 0 && status != RUN_DONE) {
        (void)unlink(beside);
    }
    free(beside);
    return status;
}

int
output_write(const char *path, int (*write)(FILE *stream, const void *arg),
             const void *arg)
{
    const struct output output = {path, write, arg};
    struct stat there;

    if (lstat(path, &there) != 0 || S_ISREG(there.st_mode)) {
        return replace_file(&output);
    }
    FILE *stream = fopen(path, "we");
    return stream == NULL ? cannot_write(path) : write_stream(&output, stream);
}
