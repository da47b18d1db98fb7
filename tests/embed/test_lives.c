/* An interpreter that starts, imports lazily and ends, many times over. */
#include <Python.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/embed/scene.h"

enum { LIVES = 20 };

/* What Python left behind is read without Python. */
static int
check_loads(struct lz_core *core)
{
    struct lz_registry_stats stats;
    registry_stats(core->registry, &stats);
    return stats.loads > 0 && stats.names_resolved > 0 &&
                   stats.loads_failed > 0
               ? 0
               : -1;
}

static int
check_pending(struct lz_core *core)
{
    struct lz_registry_stats stats;
    registry_stats(core->registry, &stats);
    return stats.modules[LZ_STATE_PROXY] > 0 ? 0 : -1;
}

static void
test_defer_use_fail_reload(void **state)
{
    (void)state;
    const struct scene scene = {
        .script = "cycle.py", .lives = LIVES, .after = check_loads};
    scene_run(&scene);
}

static void
test_end_with_names_pending(void **state)
{
    (void)state;
    const struct scene scene = {
        .script = "pending.py", .lives = LIVES, .after = check_pending};
    scene_run(&scene);
}

/* One life a child: a thread that Python left behind must not see a second
 * interpreter, which is CPython's own limit. */
static void
test_end_in_the_middle_of_a_load(void **state)
{
    (void)state;
    const struct scene scene = {.script = "stuck.py", .lives = 1};
    for (int i = 0; i < LIVES; i++)
        scene_run(&scene);
}

static void
test_exit_hooks(void **state)
{
    (void)state;
    const struct scene scene = {
        .script = "hooks.py", .lives = LIVES, .leaves = "atexit-ran"};
    scene_run(&scene);
}

static const char in_subinterpreter[] =
    "try:\n"
    "    import lazycore\n"
    "except ImportError as error:\n"
    "    text = str(error)\n"
    "    assert text == 'lazycore works in the main interpreter only', text\n"
    "else:\n"
    "    raise AssertionError('a subinterpreter got lazycore')\n"
    "import json\n"
    "assert type(json).__name__ == 'module', type(json)\n"
    "assert json.dumps([1]) == '[1]'\n"
    "import sys\n"
    "assert 'json' in sys.modules\n";

static int
visit_subinterpreter(struct lz_core *core)
{
    (void)core;
    PyThreadState *main = PyThreadState_Get();
    PyThreadState *other = Py_NewInterpreter();
    int rc = other == NULL ? -1 : PyRun_SimpleString(in_subinterpreter);
    if (other != NULL)
        Py_EndInterpreter(other);
    (void)PyThreadState_Swap(main);
    return rc;
}

/* The main interpreter goes on importing lazily after it. */
static void
test_refuses_subinterpreters(void **state)
{
    (void)state;
    const struct scene scene = {.script = "cycle.py",
                                .lives = 5,
                                .begin = visit_subinterpreter,
                                .after = check_loads};
    scene_run(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defer_use_fail_reload),
        cmocka_unit_test(test_end_with_names_pending),
        cmocka_unit_test(test_end_in_the_middle_of_a_load),
        cmocka_unit_test(test_exit_hooks),
        cmocka_unit_test(test_refuses_subinterpreters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
