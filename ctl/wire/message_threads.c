/* The field tables of message_threads.h.
 *
 * The order of rows is the order of keys on the wire.
 */
#include "ctl/wire/table.h"

static const struct wire_field load_rows[] = {
    STR(wire_thread_load, module),
    U64(wire_thread_load, for_ns),
    OBJ(wire_thread_load, trigger, wire_place, wire_place_fields,
        .flags = WIRE_NULLABLE),
};
WIRE_TABLE(static, load, wire_thread_load, load_rows);

static const struct wire_field wait_rows[] = {
    STR(wire_thread_wait, module),        U64(wire_thread_wait, for_ns),
    STR(wire_thread_wait, holder),        I64(wire_thread_wait, holder_tid),
    U64(wire_thread_wait, holder_for_ns),
};
WIRE_TABLE(static, wait, wire_thread_wait, wait_rows);

static const struct wire_field thread_rows[] = {
    STR(wire_thread, name),
    I64(wire_thread, tid),
    OBJS(wire_thread, loads, load_count, wire_thread_load, load),
    OBJ(wire_thread, waits, wire_thread_wait, wait, .flags = WIRE_NULLABLE),
};
WIRE_TABLE(static, thread, wire_thread, thread_rows);

static const struct wire_field threads_rows[] = {
    OBJS(wire_threads, threads, thread_count, wire_thread, thread),
    STRS(wire_threads, no_load, no_load_count),
    U64(wire_threads, blocked),
};
WIRE_TABLE(, wire_threads_reply, wire_threads, threads_rows);
