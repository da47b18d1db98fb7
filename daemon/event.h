/* Events on their way from where they happen to the control loop.
 *
 * event_post is called by whoever holds the GIL, or by the loop itself:
 * copies, appends to a bounded queue, wakes the loop, never blocks on
 * anybody. While nobody listens to a kind nothing is built. Delivery is
 * client.c's.
 */
#ifndef DAEMON_EVENT_H
#define DAEMON_EVENT_H

#include <stdatomic.h>
#include <stdint.h>

#include "ctl/wire/message.h"
#include "lazycore/annotations.h"

enum { LZ_EVENT_QUEUE = 4096 }; /* events not yet delivered */

struct event_item;

struct event_queue {
    struct lz_mutex lock;
    struct event_item *first, *last;
    unsigned count;
    uint64_t sequence;          /* of the last one, lost ones too */
    uint64_t lost[WIRE_EVENTS]; /* by kind, since the last take */
    atomic_uint wanted;         /* bits 1u << kind that anybody listens to */
};

void event_queue_init(struct event_queue *queue);
void event_queue_done(struct event_queue *queue);
/* Whether anybody listens. Any thread. */
bool event_wanted(struct event_queue *queue, enum wire_event_kind kind);
/* Append a deep copy of EVENT, giving it its sequence number and time.
 * Whether the loop has to be woken. Any thread. */
bool event_post(struct event_queue *queue, const struct wire_event *event);
uint64_t event_sequence(struct event_queue *queue);

/* What was posted since, oldest first, and what was lost of each kind. Free
 * each item with event_free. */
struct event_item *event_take(struct event_queue *queue,
                              uint64_t ret_lost[WIRE_EVENTS]);
struct event_item *event_next(const struct event_item *item);
struct wire_event *event_of(struct event_item *item);
void event_free(struct event_item *item);

#endif
