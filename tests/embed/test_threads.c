/* Threads of Python and threads of C at once: what TSan looks at.
 *
 * The script has threads that load, fail, reload, fork and edit; beside them
 * run threads without the GIL, as lazyd's control thread is one, that read
 * the registry and edit the sets.
 */
#include <Python.h>

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/embed/scene.h"

static pthread_t threads[2];
static struct lz_core *running; /* by the thread that forks */
static atomic_bool stop;
static atomic_int answers;

static void
list_modules(struct lz_registry *registry)
{
    const struct lz_query query = {.match = "m*", .sort = LZ_SORT_TIME};
    struct lz_module *modules = NULL;
    size_t count = 0, total = 0;
    if (registry_list(registry, &query, &modules, &count, &total) == 0)
        registry_modules_free(modules, count);
}

static void *
read_registry(void *arg)
{
    struct lz_core *core = arg;
    for (unsigned i = 0; !atomic_load(&stop); i++) {
        struct lz_registry_stats stats;
        struct lz_module *module = NULL;
        char name[16];
        registry_stats(core->registry, &stats);
        list_modules(core->registry);
        (void)snprintf(name, sizeof(name), "m%u", i % 20);
        if (registry_show(core->registry, name, &module) == 1) {
            (void)atomic_fetch_add(&answers, 1);
            registry_modules_free(module, 1);
        }
        (void)sched_yield();
    }
    return NULL;
}

static void *
edit_sets(void *arg)
{
    struct lz_core *core = arg;
    for (unsigned i = 0; !atomic_load(&stop); i++) {
        struct lz_ignore_rule *rules = NULL;
        struct lz_level_entry *levels = NULL;
        size_t count = 0;
        char name[16];
        (void)snprintf(name, sizeof(name), "n%u", i % 20);
        (void)ignore_add(core->ignore, LZ_IGNORE_NAME, name, NULL);
        (void)levels_set(core->levels, "pk",
                         i % 2 ? LZ_LEVEL_FULL : LZ_LEVEL_OUTER, NULL);
        if (ignore_list(core->ignore, &rules, &count) == 0)
            ignore_rules_free(rules, count);
        if (levels_list(core->levels, &levels, &count) == 0)
            level_entries_free(levels, count);
        (void)ignore_remove(core->ignore, LZ_IGNORE_NAME, name);
        (void)sched_yield();
    }
    return NULL;
}

/* A host whose threads edit without the GIL owes the child whole sets. */
static void
before_fork(void)
{
    if (running != NULL)
        core_before_fork(running);
}

static void
after_fork_parent(void)
{
    if (running != NULL)
        core_after_fork_parent(running);
}

static void
after_fork_child(void)
{
    if (running != NULL)
        core_after_fork(running);
}

static int
begin_threads(struct lz_core *core)
{
    atomic_store(&stop, false);
    atomic_store(&answers, 0);
    running = core;
    return pthread_create(&threads[0], NULL, read_registry, core) == 0 &&
                   pthread_create(&threads[1], NULL, edit_sets, core) == 0
               ? 0
               : -1;
}

/* Joined with the GIL held: neither thread may want it. */
static int
end_threads(struct lz_core *core)
{
    (void)core;
    atomic_store(&stop, true);
    (void)pthread_join(threads[0], NULL);
    (void)pthread_join(threads[1], NULL);
    running = NULL;
    return atomic_load(&answers) > 0 ? 0 : -1;
}

static int
check_loads(struct lz_core *core)
{
    struct lz_registry_stats stats;
    registry_stats(core->registry, &stats);
    return stats.loads > 100 && stats.loads_failed > 0 ? 0 : -1;
}

static void
test_threads(void **state)
{
    (void)state;
    const struct scene scene = {.script = "crowd.py",
                                .lives = 2,
                                .begin = begin_threads,
                                .end = end_threads,
                                .after = check_loads,
                                .leaves = "crowd-ended"};
    assert_int_equal(
        pthread_atfork(before_fork, after_fork_parent, after_fork_child), 0);
    scene_run(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
