/* The registry: one writer, several readers. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lazycore/registry_listing.h"
#include "lazycore/registry_tree.h"
#include "tests/unit/registry_fixture.h"

enum { MODULES = 50, ROUNDS = 60, READERS = 3 };

struct shared {
    struct lz_registry *registry;
    atomic_int writing;
    atomic_int faults;
};

static void *
write_much(void *arg)
{
    struct shared *shared = arg;
    char name[32], text[32];

    for (int i = 0; i < MODULES * ROUNDS; i++) {
        (void)snprintf(name, sizeof(name), "m%d", i % MODULES);
        (void)snprintf(text, sizeof(text), "Error: %d", i);
        registry_proxy(shared->registry, name, "/f", NULL);
        load_fails(shared->registry, name, text);
        if (i % 7 == 0) {
            load(shared->registry, name, LZ_REASON_LAZY);
        }
    }
    atomic_store(&shared->writing, 0);
    return NULL;
}

/* Totals fit together, and a copied module is whole. */
static void
read_once(struct shared *shared)
{
    struct lz_query query = {.sort = LZ_SORT_TIME, .match = "m*"};
    struct lz_registry_stats stats = stats_of(shared->registry);
    struct lz_module *modules;
    size_t count, total;

    if (stats.proxy_total !=
        stats.modules[LZ_STATE_PROXY] + stats.modules[LZ_STATE_REAL]) {
        atomic_fetch_add(&shared->faults, 1);
    }
    if (registry_list(shared->registry, &query, &modules, &count, &total) !=
        0) {
        atomic_fetch_add(&shared->faults, 1);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const char *text = modules[i].last_error;
        if (modules[i].name[0] != 'm' ||
            (text != NULL && strncmp(text, "Error: ", 7) != 0)) {
            atomic_fetch_add(&shared->faults, 1);
        }
    }
    registry_modules_free(modules, count);
    if (registry_show(shared->registry, "m0", &modules) == 1) {
        registry_modules_free(modules, 1);
    }
    struct lz_chain chain;
    struct lz_context context;
    if (registry_chain(shared->registry, "m1", &chain) == 1) {
        registry_chain_done(&chain);
    }
    if (registry_context(shared->registry, "m1", 5, &context) == 1) {
        registry_context_done(&context);
    }
}

static void *
read_much(void *arg)
{
    struct shared *shared = arg;

    do {
        read_once(shared);
    } while (atomic_load(&shared->writing));
    return NULL;
}

static void
test_readers_beside_a_writer(void **state)
{
    struct shared shared = {.registry = *state, .writing = 1};
    pthread_t readers[READERS], writer;

    for (int i = 0; i < READERS; i++) {
        assert_int_equal(pthread_create(&readers[i], NULL, read_much, &shared),
                         0);
    }
    assert_int_equal(pthread_create(&writer, NULL, write_much, &shared), 0);
    assert_int_equal(pthread_join(writer, NULL), 0);
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(readers[i], NULL), 0);
    }
    assert_int_equal(atomic_load(&shared.faults), 0);
    assert_int_equal(stats_of(*state).modules[LZ_STATE_REAL], MODULES);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_readers_beside_a_writer, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
