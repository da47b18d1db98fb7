/* What the fuzz targets share.
 *
 * A target is LLVMFuzzerTestOneInput over one kind of untrusted input. It is
 * built twice: with libFuzzer (preset fuzz), and with replay.c, which feeds it
 * the files of the corpus. Memory errors are the sanitizers' to find; what a
 * target itself knows to hold it says with target_check.
 */
#ifndef TESTS_FUZZ_TARGET_H
#define TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define target_check(condition)                                               \
    ((condition) ? (void)0 : target_fail(#condition, __FILE__, __LINE__))

static inline void __attribute__((noreturn))
target_fail(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

/* The input from its front; zeros where it has ended. */
struct target_input {
    const uint8_t *data;
    size_t size;
};

static inline unsigned
target_byte(struct target_input *input)
{
    unsigned byte = input->size > 0 ? input->data[0] : 0;

    if (input->size > 0) {
        input->data++;
        input->size--;
    }
    return byte;
}

static inline unsigned
target_u16(struct target_input *input)
{
    unsigned low = target_byte(input);

    return low | target_byte(input) << 8;
}

/* TEXT as a file; its path lives until the next call. */
static inline const char *
target_file(const void *text, size_t size)
{
    static int fd = -1;
    static char path[64];

    if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    target_check(ftruncate(fd, 0) == 0);
    target_check(pwrite(fd, text, size, 0) == (ssize_t)size);
    return path;
}

#endif
