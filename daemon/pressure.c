/* What all clients together make lazyd keep, and who has to go for it.
 *
 * Kept for a client are its unread output, its queued requests and its
 * unfinished line. Over the limit nothing is added for those who hold much
 * already, answers that may be long are not begun, and a client that holds
 * much and does not move for LZ_STALL_TICKS goes. Those who hold little notice
 * none of it. The loop's thread.
 */
#include "daemon/control_private.h"

enum {
    LZ_TICK_MS = 100,
    LZ_STALL_TICKS = 5,       /* half a second without moving */
    LZ_HELD_FREE = 16 * 1024, /* what a client may hold in any case */
    LZ_READ_LITTLE = 4 * 1024
};

bool
pressure_is_on(const struct control *control)
{
    return control->held > WIRE_LIMIT_HELD;
}

bool
pressure_stops_reading(const struct client *client)
{
    return pressure_is_on(client->control) && client->held > LZ_HELD_FREE;
}

size_t
pressure_portion(const struct client *client)
{
    return pressure_is_on(client->control) ? LZ_READ_LITTLE : LZ_READ_BYTES;
}

static void
count(struct client *client) LZ_LOOP_ONLY
{
    struct control *control = client->control;
    size_t unread = client_unread(client);
    size_t held = client->closing ? 0
                                  : unread + client->queued_bytes +
                                        wire_frame_size(&client->frame);

    /* What the peer has taken, and what it got an answer to. */
    client->moved = client->sent - unread + client->answered;
    control->held = control->held - client->held + held;
    client->held = held;
}

/* The client that has not moved for longest, and for long enough. */
static struct client *
find_stalled(const struct control *control) LZ_LOOP_ONLY
{
    struct client *found = NULL;

    for (struct client *c = control->clients; c != NULL; c = c->next) {
        if (!c->closing && c->held > LZ_HELD_FREE &&
            c->stalled_ticks >= LZ_STALL_TICKS &&
            (found == NULL || c->stalled_ticks > found->stalled_ticks)) {
            found = c;
        }
    }
    return found;
}

static void
on_tick(uv_timer_t *timer) LZ_LOOP_ONLY
{
    struct control *control = timer->data;
    struct client *stalled;

    for (struct client *c = control->clients; c != NULL; c = c->next) {
        count(c);
        c->stalled_ticks = c->moved != c->moved_before ? 0
                           : c->held > LZ_HELD_FREE    ? c->stalled_ticks + 1
                                                       : 0;
        c->moved_before = c->moved;
    }
    while (pressure_is_on(control) &&
           (stalled = find_stalled(control)) != NULL) {
        client_drop(stalled, "it does not read its output or end its "
                             "request, and memory for clients is short");
    }
    client_schedule(control);
}

static void
hold(struct control *control, bool held) LZ_LOOP_ONLY
{
    operator_hold(control->op, held);
    operator_hold(control->disk, held);
    operator_hold(control->reader, held);
}

void
pressure_note(struct client *client)
{
    struct control *control = client->control;

    count(client);
    if (pressure_is_on(control)) {
        if (!uv_is_active((const uv_handle_t *)&control->pressure)) {
            (void)uv_timer_start(&control->pressure, on_tick, LZ_TICK_MS,
                                 LZ_TICK_MS);
            hold(control, true);
        }
    } else if (uv_is_active((const uv_handle_t *)&control->pressure)) {
        (void)uv_timer_stop(&control->pressure);
        hold(control, false);
        client_schedule(control);
    }
}
