/* What a forked child tells: written, read, and read where it is nonsense. */
#include "lazycore/rehearse_report.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct pipe_pair {
    int in, out;
};

static struct pipe_pair
open_pair(void)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    return (struct pipe_pair){fds[0], fds[1]};
}

static size_t
read_all(struct pipe_pair pair, unsigned char *data, size_t size)
{
    ssize_t n = read(pair.in, data, size);
    (void)close(pair.in);
    (void)close(pair.out);
    return n > 0 ? (size_t)n : 0;
}

static size_t
write_sample(unsigned char *data, size_t size)
{
    struct pipe_pair pair = open_pair();
    struct lz_report report;
    report_open(&report, pair.out);
    report_put(&report, UINT64_MAX);
    report_put_string(&report, "text");
    report_put_string(&report, NULL);
    report_put_string(&report, "");
    assert_int_equal(report_end_item(&report), 0);
    report_put(&report, 7);
    assert_int_equal(report_end_item(&report), 0);
    report_done(&report);
    return read_all(pair, data, size);
}

static void
test_round_trip(void **state)
{
    unsigned char data[4096];
    struct lz_report_reader reader;
    (void)state;
    report_read(&reader, data, write_sample(data, sizeof data));
    assert_true(report_next_item(&reader));
    assert_true(report_get(&reader) == UINT64_MAX);
    assert_string_equal(report_get_string(&reader), "text");
    assert_null(report_get_string(&reader));
    assert_string_equal(report_get_string(&reader), "");
    assert_false(reader.bad);
    assert_true(report_get(&reader) == 0);
    assert_true(reader.bad);
    assert_null(report_get_string(&reader));
    assert_true(report_next_item(&reader));
    assert_false(reader.bad);
    assert_int_equal(report_get(&reader), 7);
    assert_false(report_next_item(&reader));
    report_read(&reader, NULL, 0);
    assert_false(report_next_item(&reader));
}

/* Cut anywhere, and with any byte changed: whole items or none, and no read
 * past the end. */
static void
test_nonsense(void **state)
{
    unsigned char data[4096];
    size_t size = write_sample(data, sizeof data);
    (void)state;
    for (size_t cut = 0; cut <= size; cut++) {
        for (size_t at = 0; at < cut; at++) {
            unsigned char *copy = malloc(cut);
            struct lz_report_reader reader;
            assert_non_null(copy);
            memcpy(copy, data, cut);
            copy[at] ^= 0xff;
            report_read(&reader, copy, cut);
            while (report_next_item(&reader)) {
                (void)report_get(&reader);
                for (int i = 0; i < 4; i++) {
                    const char *text = report_get_string(&reader);
                    assert_true(text == NULL || strlen(text) < cut);
                }
            }
            free(copy);
        }
    }
}

static void
test_long_strings_are_cut(void **state)
{
    struct pipe_pair pair = open_pair();
    struct lz_report report;
    struct lz_report_reader reader;
    size_t size = LZ_REPORT_STRING_MAX + 100;
    char *text = malloc(size + 1);
    unsigned char *data = malloc(2 * size);
    (void)state;
    assert_non_null(text);
    assert_non_null(data);
    memset(text, 'x', size);
    text[size] = '\0';
    (void)fcntl(pair.out, F_SETPIPE_SZ, 1 << 20);
    report_open(&report, pair.out);
    report_put_string(&report, text);
    assert_int_equal(report_end_item(&report), 0);
    report_done(&report);
    report_read(&reader, data, read_all(pair, data, 2 * size));
    assert_true(report_next_item(&reader));
    assert_int_equal(strlen(report_get_string(&reader)), LZ_REPORT_STRING_MAX);
    free(text);
    free(data);
}

/* The descriptor is another file by now: nothing is written to that. */
static void
test_another_file(void **state)
{
    struct pipe_pair pair = open_pair();
    struct pipe_pair other = open_pair();
    struct lz_report report;
    char byte;
    (void)state;
    report_open(&report, pair.out);
    assert_int_equal(dup2(other.out, pair.out), pair.out);
    report_put(&report, 1);
    assert_int_equal(report_end_item(&report), -1);
    assert_int_equal(read(other.in, &byte, 1), -1);
    report_done(&report);
    (void)close(other.in);
    (void)close(other.out);
    (void)close(pair.in);
    (void)close(pair.out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_long_strings_are_cut),
        cmocka_unit_test(test_another_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
