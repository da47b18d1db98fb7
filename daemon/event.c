/* A locked list of events, each with the strings it needs. */
#include "daemon/event.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/arena.h"

struct event_item {
    struct event_item *next;
    struct wire_event event;
    struct arena arena;
};

void
event_queue_init(struct event_queue *queue)
{
    memset(queue, 0, sizeof(*queue));
    lz_mutex_init(&queue->lock);
    atomic_init(&queue->wanted, 0u);
}

void
event_queue_done(struct event_queue *queue)
{
    while (queue->first != NULL) {
        struct event_item *next = queue->first->next;

        event_free(queue->first);
        queue->first = next;
    }
    lz_mutex_done(&queue->lock);
}

static struct event_item *
copy_event(const struct wire_event *event)
{
    struct event_item *item = calloc(1, sizeof(*item));
    struct wire_event *copy;
    const char **strings[11];
    struct timespec now;

    if (item == NULL) {
        return NULL;
    }
    copy = &item->event;
    *copy = *event;
    strings[0] = &copy->name;
    strings[1] = &copy->parent;
    strings[2] = &copy->thread;
    strings[3] = &copy->reason;
    strings[4] = &copy->trigger.file;
    strings[5] = &copy->trigger.function;
    strings[6] = &copy->error;
    strings[7] = &copy->verdict;
    strings[8] = &copy->action;
    strings[9] = &copy->kind;
    strings[10] = &copy->value;
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        *strings[i] = arena_strdup(&item->arena, *strings[i]);
    }
    (void)clock_gettime(CLOCK_REALTIME, &now);
    copy->time_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    return item;
}

bool
event_wanted(struct event_queue *queue, enum wire_event_kind kind)
{
    return (atomic_load(&queue->wanted) & (1u << kind)) != 0;
}

bool
event_post(struct event_queue *queue, const struct wire_event *event)
{
    struct event_item *item;
    bool wake = false;

    if (!event_wanted(queue, (enum wire_event_kind)event->event)) {
        return false;
    }
    item = copy_event(event);
    lz_mutex_lock(&queue->lock);
    queue->sequence++;
    if (item == NULL || queue->count >= LZ_EVENT_QUEUE) {
        queue->lost[event->event]++;
    } else {
        item->event.sequence = queue->sequence;
        wake = queue->first == NULL;
        if (wake) {
            queue->first = item;
        } else {
            queue->last->next = item;
        }
        queue->last = item;
        queue->count++;
        item = NULL;
    }
    lz_mutex_unlock(&queue->lock);
    event_free(item);
    return wake;
}

uint64_t
event_sequence(struct event_queue *queue)
{
    uint64_t sequence;

    lz_mutex_lock(&queue->lock);
    sequence = queue->sequence;
    lz_mutex_unlock(&queue->lock);
    return sequence;
}

struct event_item *
event_take(struct event_queue *queue, uint64_t ret_lost[WIRE_EVENTS])
{
    struct event_item *first;

    lz_mutex_lock(&queue->lock);
    first = queue->first;
    queue->first = queue->last = NULL;
    queue->count = 0;
    memcpy(ret_lost, queue->lost, sizeof(queue->lost));
    memset(queue->lost, 0, sizeof(queue->lost));
    lz_mutex_unlock(&queue->lock);
    return first;
}

struct event_item *
event_next(const struct event_item *item)
{
    return item->next;
}

struct wire_event *
event_of(struct event_item *item)
{
    return &item->event;
}

void
event_free(struct event_item *item)
{
    if (item != NULL) {
        arena_done(&item->arena);
        free(item);
    }
}
