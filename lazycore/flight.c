/* See flight.h: a doubly linked list, oldest first. */
#include "lazycore/flight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "lazycore/annotations.h"

struct lz_flight_entry {
    struct lz_flight flight;
    pthread_t self; /* the same after a fork */
    char thread[64];
    struct lz_flight_entry *prev, *next;
};

struct lz_flights {
    struct lz_mutex mutex;
    struct lz_flight_entry *first LZ_GUARDED;
    size_t count LZ_GUARDED;
};

/* Of this thread; 0: not asked yet. */
static _Thread_local long own_tid;

struct lz_flights *
flights_new(void)
{
    struct lz_flights *flights = calloc(1, sizeof(*flights));

    if (flights != NULL) {
        lz_mutex_init(&flights->mutex);
    }
    return flights;
}

void LZ_UNCHECKED
flights_free(struct lz_flights *flights)
{
    if (flights == NULL) {
        return;
    }
    while (flights->first != NULL) {
        struct lz_flight_entry *next = flights->first->next;

        free(flights->first);
        flights->first = next;
    }
    lz_mutex_done(&flights->mutex);
    free(flights);
}

struct lz_flight_entry *
flight_begin(struct lz_flights *flights, const struct lz_flight *flight)
{
    struct lz_flight_entry *entry = calloc(1, sizeof(*entry));
    struct timespec now;

    if (entry == NULL) {
        return NULL;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    entry->flight = *flight;
    memccpy(entry->thread, flight->thread, '\0', sizeof(entry->thread) - 1);
    entry->flight.thread = entry->thread;
    if (own_tid == 0) {
        own_tid = gettid();
    }
    entry->flight.tid = own_tid;
    entry->self = pthread_self();
    entry->flight.since_ns =
        (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
    lz_mutex_lock(&flights->mutex);
    if (flights->count == LZ_FLIGHTS_MAX) {
        lz_mutex_unlock(&flights->mutex);
        free(entry);
        return NULL;
    }
    flights->count++;
    DL_APPEND(flights->first, entry);
    lz_mutex_unlock(&flights->mutex);
    return entry;
}

static void unlink_entry(struct lz_flights *flights,
                         struct lz_flight_entry *entry)
    LZ_REQUIRES(flights->mutex);

static void
unlink_entry(struct lz_flights *flights, struct lz_flight_entry *entry)
{
    /* ENTRY is in it: there is a first. */
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    DL_DELETE(flights->first, entry);
    flights->count--;
}

void
flight_end(struct lz_flights *flights, struct lz_flight_entry *entry)
{
    if (entry == NULL) {
        return;
    }
    lz_mutex_lock(&flights->mutex);
    unlink_entry(flights, entry);
    lz_mutex_unlock(&flights->mutex);
    free(entry);
}

/* --- reading -------------------------------------------------------------
 */

static const char *
copy(const char *text)
{
    return text == NULL ? NULL : strdup(text);
}

/* Who has FLIGHT's module under way, on another thread; or NULL. */
static const struct lz_flight *holder_of(const struct lz_flights *flights,
                                         const struct lz_flight *flight)
    LZ_REQUIRES(flights->mutex);

static const struct lz_flight *
holder_of(const struct lz_flights *flights, const struct lz_flight *flight)
{
    for (const struct lz_flight_entry *e = flights->first; e != NULL;
         e = e->next) {
        if (e->flight.kind == LZ_FLIGHT_LOAD && e->flight.tid != flight->tid &&
            strcmp(e->flight.module, flight->module) == 0) {
            return &e->flight;
        }
    }
    return NULL;
}

/* Whether FLIGHT is to be seen, copied to *RET. */
static bool copy_flight(const struct lz_flights *flights,
                        const struct lz_flight *flight, struct lz_flight *ret)
    LZ_REQUIRES(flights->mutex);

static bool
copy_flight(const struct lz_flights *flights, const struct lz_flight *flight,
            struct lz_flight *ret)
{
    const struct lz_flight *holder =
        flight->kind == LZ_FLIGHT_LOCK ? holder_of(flights, flight) : NULL;

    if (flight->kind == LZ_FLIGHT_LOCK && holder == NULL) {
        return false;
    }
    *ret = *flight;
    ret->module = copy(flight->module);
    ret->thread = copy(flight->thread);
    ret->file = copy(flight->file);
    ret->function = copy(flight->function);
    if (holder != NULL) {
        ret->holder = holder->tid;
        ret->holder_thread = copy(holder->thread);
        ret->holder_since_ns = holder->since_ns;
    }
    return true;
}

static int
compare(const void *a, const void *b)
{
    const struct lz_flight *x = a;
    const struct lz_flight *y = b;

    if (x->tid != y->tid) {
        return x->tid < y->tid ? -1 : 1;
    }
    return (x->since_ns > y->since_ns) - (x->since_ns < y->since_ns);
}

int
flights_list(struct lz_flights *flights, struct lz_flight **ret_list,
             size_t *ret_count)
{
    struct lz_flight *list;
    size_t count = 0;

    lz_mutex_lock(&flights->mutex);
    list = calloc(flights->count + 1, sizeof(*list));
    for (const struct lz_flight_entry *e = flights->first;
         list != NULL && e != NULL; e = e->next) {
        count += copy_flight(flights, &e->flight, &list[count]);
    }
    lz_mutex_unlock(&flights->mutex);
    if (list == NULL) {
        return -ENOMEM;
    }
    qsort(list, count, sizeof(*list), compare);
    *ret_list = list;
    *ret_count = count;
    return 0;
}

static void
free_text(const char *text)
{
    free((char *)(uintptr_t)text);
}

void
flights_list_free(struct lz_flight *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free_text(list[i].module);
        free_text(list[i].thread);
        free_text(list[i].file);
        free_text(list[i].function);
        free_text(list[i].holder_thread);
    }
    free(list);
}

/* --- fork ----------------------------------------------------------------
 */

void LZ_UNCHECKED
flights_before_fork(struct lz_flights *flights)
{
    lz_mutex_lock(&flights->mutex);
}

void LZ_UNCHECKED
flights_after_fork_parent(struct lz_flights *flights)
{
    lz_mutex_unlock(&flights->mutex);
}

/* Threads other than ours are not here. Their entries go, unfreed: the heap
 * may have been cut off in the middle of something; ours get our new id. */
void LZ_UNCHECKED
flights_after_fork(struct lz_flights *flights)
{
    struct lz_flight_entry *next;

    own_tid = gettid();
    lz_mutex_init(&flights->mutex);
    for (struct lz_flight_entry *e = flights->first; e != NULL; e = next) {
        next = e->next;
        if (pthread_equal(e->self, pthread_self())) {
            e->flight.tid = own_tid;
        } else {
            unlink_entry(flights, e);
        }
    }
}
