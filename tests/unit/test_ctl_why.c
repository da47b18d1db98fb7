/* `why` and `unused` as people read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/render.h"

static char *buffer;
static size_t buffer_size;

static FILE *
begin(void)
{
    free(buffer);
    buffer = NULL;
    FILE *stream = open_memstream(&buffer, &buffer_size);
    assert_non_null(stream);
    return stream;
}

static void
has(const char *part)
{
    if (strstr(buffer, part) == NULL) {
        fail_msg("%s\nlacks '%s'", buffer, part);
    }
}

static void
test_why(void **state)
{
    (void)state;
    struct wire_step steps[] = {
        {.name = "__main__",
         .state = "existing",
         .reason = "none",
         .link = "none",
         .file = "/srv/main.py"},
        {.name = "app",
         .state = "real",
         .reason = "lazy",
         .link = "use",
         .statement = {.file = "/srv/main.py", .line = 3},
         .trigger = {.file = "/srv/main.py",
                     .line = 9,
                     .function = "handle\x1b"},
         .thread = "worker",
         .sequence = 4,
         .wall_ns = 2000000,
         .first_use_ns = 3000000},
        {.name = "app.x",
         .state = "ignored",
         .reason = "ignore_package",
         .reason_text = "its package is in the ignore set",
         .rule = "package app",
         .link = "load",
         .statement = {.file = "/srv/app.py", .line = 1},
         .trigger = {.file = "/srv/app.py", .line = 1, .function = "<module>"},
         .parent = "app",
         .thread = "worker",
         .sequence = 3,
         .failures = 2,
         .last_error = "ValueError: \x1b"},
        {.name = "late",
         .state = "proxy",
         .reason = "lazy",
         .link = "statement",
         .statement = {.file = "/srv/app/x.py", .line = 7}},
    };
    struct wire_why why = {
        .name = "late", .app = "main.py", .steps = steps, .step_count = 4};
    FILE *stream = begin();
    render_why(stream, &why);
    (void)fclose(stream);
    has("late in main.py:\n");
    has("     1   __main__: the service's own code\n");
    has("file         /srv/main.py\n");
    has("     2   app: loaded through a proxy\n");
    has("imported at  /srv/main.py:3\n");
    has("loaded by    /srv/main.py:9, in handle\\x1b, thread worker\n");
    has("number 4, took 2.00 ms; its first use waited 3.00 ms\n");
    has("     3   app.x: loaded at its statement\n");
    has("while the body of app ran\n");
    has("its package is in the ignore set (package app)\n");
    has("failed       2 times, the last: ValueError: \\x1b\n");
    has("     4   late: pending: nothing has used it\n");
    has("imported at  /srv/app/x.py:7\n");
    /* Of an eager one the statement is the trigger: once is enough. */
    assert_null(strstr(buffer, "imported at  /srv/app.py:1"));
    why.cut = true;
    stream = begin();
    render_why(stream, &why);
    (void)fclose(stream);
    has("late in main.py, the last steps:\n");
}

static void
test_unused(void **state)
{
    (void)state;
    struct wire_unused_module modules[] = {
        {.name = "big",
         .statement = {.file = "/srv/main.py", .line = 2},
         .file_bytes = 10240,
         .estimated_bytes = 3 * 1024 * 1024,
         .estimated_ns = 4000000},
        {.name = "builtin",
         .file_bytes = -1,
         .estimated_bytes = -1,
         .estimated_ns = -1}};
    struct wire_sample samples[] = {{.kind = "source",
                                     .modules = 40,
                                     .file_bytes = 2048,
                                     .wall_ns = 5000000,
                                     .bytes = 4096},
                                    {.kind = "extension"}};
    struct wire_unused unused = {.modules = modules,
                                 .module_count = 2,
                                 .total = 9,
                                 .estimated = 8,
                                 .estimated_bytes = 5 * 1024 * 1024,
                                 .estimated_ns = 6000000,
                                 .samples = samples,
                                 .sample_count = 2};
    FILE *stream = begin();
    assert_int_equal(render_unused(stream, &unused), 0);
    (void)fclose(stream);
    has("NAME     FILE SIZE  ~MEMORY    ~TIME  IMPORTED AT\n");
    has("big       10.0 KiB  3.0 MiB  4.00 ms  /srv/main.py:2\n");
    has("builtin          -        -        -  -\n");
    has("(2 of 9 modules)\n");
    has("9 modules have never been used; estimate of what that saved: "
        "5.0 MiB and 6.00 ms of loading, for 8 of them\n");
    has("from 40 source files loaded: 2.0 KiB of file took 4.0 KiB and "
        "5.00 ms\n");
    assert_null(strstr(buffer, "extension"));
    unused.estimated = 0;
    stream = begin();
    assert_int_equal(render_unused(stream, &unused), 0);
    (void)fclose(stream);
    has("too little was loaded to estimate what that saved\n");
}

static void
test_show_children(void **state)
{
    (void)state;
    struct wire_child children[] = {
        {.name = "a", .reason = "lazy", .wall_ns = 1000000, .bytes = 2048},
        {.name = "b\a", .reason = "guarded"}};
    struct wire_module module = {
        .name = "m",
        .state = "ignored",
        .reason = "ignore_name",
        .reason_text = "text",
        .rule = "name m",
        .statement = {.file = "x.py", .line = 3, .module = "pkg.x"},
        .sequence = 1,
        .first_use_ns = 7000000,
        .children = children,
        .child_count = 2,
        .child_total = 5,
        .pulled = 12,
        .waiting = 3};
    FILE *stream = begin();
    render_show(stream, &module, 0);
    (void)fclose(stream);
    has("rule         name m\n");
    has("imported at  x.py:3, of pkg.x\n");
    has("first use    waited 7.00 ms for it\n");
    has("pulled in    12 modules, 5 of them itself:\n");
    has("  a, 1.00 ms, 2.0 KiB (lazy)\n");
    has("  b\\x07, 0.00 ms, 0 B (guarded)\n");
    has("and 3 more\n");
    has("left pending 3 modules");
}

static int
release(void **state)
{
    (void)state;
    free(buffer);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_why),
        cmocka_unit_test(test_unused),
        cmocka_unit_test(test_show_children),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
