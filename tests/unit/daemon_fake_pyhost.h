/* pyhost's functions without Python, for tests of what stands around it.
 *
 * The "GIL" is a mutex that a test may hold, as a busy service would. Defining
 * these here keeps pyhost.c, and so Python, out of the program.
 */
#ifndef TESTS_UNIT_DAEMON_FAKE_PYHOST_H
#define TESTS_UNIT_DAEMON_FAKE_PYHOST_H

#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "ctl/wire/message.h"
#include "daemon/arena.h"
#include "daemon/pyhost.h"

static pthread_mutex_t fake_gil = PTHREAD_MUTEX_INITIALIZER;
static sem_t *fake_gil_wanted; /* posted whenever somebody wants it */

void
pyhost_thread_begin(void)
{
}

void
pyhost_gil_enter(void) LZ_UNCHECKED
{
    if (fake_gil_wanted != NULL) {
        (void)sem_post(fake_gil_wanted);
    }
    (void)pthread_mutex_lock(&fake_gil);
}

void
pyhost_gil_leave(void) LZ_UNCHECKED
{
    (void)pthread_mutex_unlock(&fake_gil);
}

void
pyhost_without_gil(void (*wait)(void *arg), void *arg)
{
    wait(arg);
}

void
pyhost_interrupt(void)
{
}

bool
pyhost_is_interrupted(void)
{
    return true;
}

const char *
pyhost_version(void)
{
    return "0.0.0";
}

int64_t
pyhost_blocks(void)
{
    return 42;
}

int
pyhost_may_load(const char *instead, struct lz_error *error)
{
    (void)instead;
    (void)error;
    return 0;
}

/* "bad" fails; everything else loads. */
int
pyhost_load(const char *name, bool inject, struct arena *arena,
            struct wire_load_result *ret_result)
{
    (void)inject;
    *ret_result = (struct wire_load_result){.name = arena_strdup(arena, name)};
    if (strcmp(name, "bad") == 0) {
        ret_result->error.kind = "load_failed";
        ret_result->error.text = "ValueError: bad";
    } else {
        ret_result->loaded = true;
        ret_result->modules = 1;
    }
    return 0;
}

/* "bad" does not compile; "loaded" is not pending. */
int
pyhost_verify(const char *name, struct arena *arena,
              struct wire_verify_result *ret_result)
{
    bool bad = strcmp(name, "bad") == 0;
    *ret_result =
        (struct wire_verify_result){.name = arena_strdup(arena, name),
                                    .status = bad ? "broken" : "ok",
                                    .text = bad ? "SyntaxError: bad" : ""};
    return strcmp(name, "loaded") != 0;
}

int
pyhost_rehearse_reload(const struct wire_reload_params *params,
                       const struct lz_rehearsal *setup, struct arena *arena,
                       struct lz_rehearsal_outcome *ret_outcome,
                       struct wire_reload *ret_reload, struct lz_error *error)
{
    (void)setup;
    (void)ret_outcome;
    (void)error;
    *ret_reload = (struct wire_reload){
        .name = arena_strdup(arena, params->name), .verdict = "inconclusive"};
    return 0;
}

int
pyhost_rollback(const char *name, uint64_t serial, struct arena *arena,
                struct wire_reload *ret_reload, struct lz_error *error)
{
    (void)serial;
    (void)error;
    *ret_reload = (struct wire_reload){.name = arena_strdup(arena, name),
                                       .verdict = "refused"};
    return 0;
}

int
pyhost_reload(const struct wire_reload_params *params, struct arena *arena,
              struct wire_reload *ret_reload, struct lz_error *error)
{
    (void)error;
    *ret_reload = (struct wire_reload){
        .name = arena_strdup(arena, params->name), .verdict = "unchanged"};
    return 0;
}

#endif
