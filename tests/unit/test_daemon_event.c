/* The queue of events: nothing is built for nobody, losses are counted. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/event.h"

static void
post(struct event_queue *queue, enum wire_event_kind kind)
{
    struct wire_event event = {.event = (int)kind, .name = "a.module"};

    (void)event_post(queue, &event);
}

static void
test_nothing_is_built_for_nobody(void **state)
{
    struct event_queue queue;
    uint64_t lost[WIRE_EVENTS];

    (void)state;
    event_queue_init(&queue);
    size_t before = mallinfo2().uordblks;
    post(&queue, WIRE_EVENT_LOAD);
    assert_int_equal(mallinfo2().uordblks, before);
    assert_int_equal(event_sequence(&queue), 0);
    assert_false(event_wanted(&queue, WIRE_EVENT_LOAD));

    atomic_store(&queue.wanted, 1u << WIRE_EVENT_FAIL);
    post(&queue, WIRE_EVENT_LOAD);
    assert_int_equal(event_sequence(&queue), 0);
    post(&queue, WIRE_EVENT_FAIL);
    assert_int_equal(event_sequence(&queue), 1);
    if (before > 0) { /* a sanitizer's allocator counts nothing here */
        assert_true(mallinfo2().uordblks > before);
    }
    struct event_item *item = event_take(&queue, lost);
    assert_string_equal(event_of(item)->name, "a.module");
    assert_int_equal(event_of(item)->sequence, 1);
    assert_null(event_next(item));
    event_free(item);
    event_queue_done(&queue);
}

static void
test_what_does_not_fit_is_counted(void **state)
{
    struct event_queue queue;
    uint64_t lost[WIRE_EVENTS];
    unsigned count = 0;

    (void)state;
    event_queue_init(&queue);
    atomic_store(&queue.wanted, ~0u);
    for (int i = 0; i < LZ_EVENT_QUEUE + 7; i++) {
        post(&queue, WIRE_EVENT_LOAD);
    }
    struct event_item *item = event_take(&queue, lost);
    while (item != NULL) {
        struct event_item *next = event_next(item);
        assert_int_equal(event_of(item)->sequence, ++count);
        event_free(item);
        item = next;
    }
    assert_int_equal(count, LZ_EVENT_QUEUE);
    assert_int_equal(lost[WIRE_EVENT_LOAD], 7);
    assert_int_equal(lost[WIRE_EVENT_FAIL], 0);
    /* The lost ones have their numbers, so that a gap shows. */
    post(&queue, WIRE_EVENT_LOAD);
    item = event_take(&queue, lost);
    assert_int_equal(event_of(item)->sequence, LZ_EVENT_QUEUE + 8);
    assert_int_equal(lost[WIRE_EVENT_LOAD], 0);
    event_free(item);
    event_queue_done(&queue);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_built_for_nobody),
        cmocka_unit_test(test_what_does_not_fit_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
