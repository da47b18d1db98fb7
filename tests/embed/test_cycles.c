/* Init, install, run, finalize: the engine over the life of interpreters.
 *
 * Responsible for what only an embedding program meets: a core that outlives
 * Python, Python started again in the same process, an end with names still
 * pending, and a fork between. What the engine does is tests/ext's.
 */
#include <Python.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lazycore/lazycore.h"

enum { CYCLES = 5 };

static int
start(void **state)
{
    struct lz_core *core = core_new();

    *state = core;
    return core == NULL ? -1 : 0;
}

static int
end(void **state)
{
    core_free(*state);
    return 0;
}

static void
python_begin(struct lz_core *core)
{
    PyConfig config;
    PyStatus status;

    lazycore_attach(core);
    PyConfig_InitPythonConfig(&config);
    status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    assert_false(PyStatus_Exception(status));
}

/* Who began Python holds the GIL, which the analysis cannot know. */
static void
install(void) LZ_UNCHECKED
{
    struct lz_error error = {0};

    lz_called_by_python();
    if (lazycore_install(&error) < 0) {
        print_error("%s\n", error.text);
    }
    assert_int_equal(error.kind, LZ_ERROR_NONE);
}

/* Module-level statements are what the engine defers, so the text is run as
 * the module __main__. */
static void
run(const char *text)
{
    assert_int_equal(PyRun_SimpleString(text), 0);
}

static struct lz_registry_stats
stats(const struct lz_core *core)
{
    struct lz_registry_stats result;

    registry_stats(core->registry, &result);
    return result;
}

static void
test_one_cycle(void **state)
{
    struct lz_core *core = *state;

    python_begin(core);
    install();
    run("import sys, fractions\n"
        "def f():\n"
        "    return fractions.Fraction(1, 2)\n"
        "assert 'fractions' not in sys.modules\n");
    assert_true(stats(core).names_pending > 0);
    run("assert str(f()) == '1/2' and 'fractions' in sys.modules\n");
    assert_true(stats(core).loads > 0);
    assert_int_equal(Py_FinalizeEx(), 0);
    /* The core is readable when Python is gone. */
    assert_true(stats(core).loads > 0);
}

static void
test_end_with_names_pending(void **state)
{
    python_begin(*state);
    install();
    run("import csv, json, xml.dom.minidom\n"
        "from email.message import Message\n"
        "class Last:\n"
        "    def __del__(self):\n"
        "        globals().get('csv')\n"
        "last = Last()\n"
        "def use():\n"
        "    return csv, json, xml, Message\n");
    assert_int_equal(Py_FinalizeEx(), 0);
}

static void
test_atexit_may_use_what_is_pending(void **state)
{
    python_begin(*state);
    install();
    run("import atexit, textwrap\n"
        "def last():\n"
        "    assert textwrap.fill('x') == 'x'\n"
        "atexit.register(last)\n");
    assert_int_equal(Py_FinalizeEx(), 0);
}

static void
test_install_and_uninstall(void **state) LZ_UNCHECKED
{
    struct lz_error error = {0};

    python_begin(*state);
    lz_called_by_python();
    for (int i = 0; i < CYCLES; i++) {
        install();
        install();
        run("import sys\n"
            "sys.modules.pop('calendar', None)\n"
            "import calendar\n"
            "def f():\n"
            "    return calendar.MONDAY\n");
        assert_int_equal(lazycore_uninstall(&error), 0);
        assert_int_equal(lazycore_uninstall(&error), 0);
        run("assert f() == 0\n"
            "import builtins\n"
            "assert 'lazycore' not in repr(builtins.__import__)\n");
    }
    assert_int_equal(error.kind, LZ_ERROR_NONE);
    assert_int_equal(Py_FinalizeEx(), 0);
}

static void
test_cycles(void **state)
{
    struct lz_core *core = *state;
    uint64_t before = 0;

    for (int i = 0; i < CYCLES; i++) {
        python_begin(core);
        install();
        run("import colorsys, json\n"
            "def f():\n"
            "    return colorsys.rgb_to_hsv(0, 0, 0), json.dumps([1])\n"
            "assert f()[1] == '[1]'\n");
        assert_int_equal(Py_FinalizeEx(), 0);
        assert_true(stats(core).loads > before);
        before = stats(core).loads;
    }
}

static void
test_cycles_with_a_core_each(void **state)
{
    (void)state;
    for (int i = 0; i < CYCLES; i++) {
        struct lz_core *core = core_new();

        assert_non_null(core);
        python_begin(core);
        install();
        run("import quopri\n"
            "def f():\n"
            "    return quopri.ESCAPE\n"
            "f()\n");
        assert_int_equal(Py_FinalizeEx(), 0);
        core_free(core);
    }
}

static void
test_without_install_nothing_is_lazy(void **state)
{
    struct lz_core *core = *state;

    python_begin(core);
    run("import sys, chunk\n"
        "assert 'chunk' in sys.modules\n");
    assert_int_equal(stats(core).names_pending, 0);
    assert_int_equal(Py_FinalizeEx(), 0);
}

/* A program that forks before it starts Python, and once more in it. */
static void
test_fork_before_python(void **state) LZ_UNCHECKED
{
    pid_t child = fork();
    int status = -1;

    assert_true(child >= 0);
    if (child == 0) {
        python_begin(*state);
        if (lazycore_install(NULL) < 0 ||
            PyRun_SimpleString("import os, sched\n"
                               "pid = os.fork()\n"
                               "if pid == 0:\n"
                               "    sched.scheduler()\n"
                               "    os._exit(0)\n"
                               "assert os.waitpid(pid, 0)[1] == 0\n") < 0) {
            _exit(1);
        }
        _exit(Py_FinalizeEx() == 0 ? 0 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void
test_subinterpreters_are_refused(void **state) LZ_UNCHECKED
{
    PyThreadState *main_state, *sub;
    struct lz_error error = {0};

    python_begin(*state);
    main_state = PyThreadState_Get();
    sub = Py_NewInterpreter();
    assert_non_null(sub);
    assert_int_equal(
        PyRun_SimpleString("try:\n"
                           "    import lazycore\n"
                           "    lazycore.install()\n"
                           "except (ImportError, RuntimeError) as error:\n"
                           "    assert 'interpreter' in str(error), error\n"
                           "else:\n"
                           "    raise AssertionError('it was not refused')\n"),
        0);
    Py_EndInterpreter(sub);
    (void)PyThreadState_Swap(main_state);
    assert_int_equal(lazycore_install(&error), 0);
    assert_int_equal(Py_FinalizeEx(), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_cycle, start, end),
        cmocka_unit_test_setup_teardown(test_end_with_names_pending, start,
                                        end),
        cmocka_unit_test_setup_teardown(test_atexit_may_use_what_is_pending,
                                        start, end),
        cmocka_unit_test_setup_teardown(test_install_and_uninstall, start,
                                        end),
        cmocka_unit_test_setup_teardown(test_cycles, start, end),
        cmocka_unit_test(test_cycles_with_a_core_each),
        cmocka_unit_test_setup_teardown(test_without_install_nothing_is_lazy,
                                        start, end),
        cmocka_unit_test_setup_teardown(test_fork_before_python, start, end),
        cmocka_unit_test_setup_teardown(test_subinterpreters_are_refused,
                                        start, end),
    };

    if (PyImport_AppendInittab("lazycore", PyInit_lazycore) < 0) {
        (void)fprintf(stderr, "no memory\n");
        return EXIT_FAILURE;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
