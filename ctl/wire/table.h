/* The field tables of all messages, one for each struct of message.h.
 *
 * Private to ctl/wire; defined in params.c and message.c. Any thread.
 */
#ifndef WIRE_TABLE_H
#define WIRE_TABLE_H

#include "ctl/wire/field.h"
#include "ctl/wire/message.h"

/* The offset of a member; a member of another type does not compile. A type
 * cannot stand in parentheses there. */
/* NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define WIRE_TYPED(value, type) sizeof(char[_Generic((value), type : 1)])
#define WIRE_AT(s, m, t)                                                      \
    offsetof(struct s, m) + 0 * WIRE_TYPED(((struct s *)0)->m, t)

#define WIRE_FIELD(s, m, kind, t, ...)                                        \
    {                                                                         \
        .name = #m, .type = (kind), .offset = WIRE_AT(s, m, t), __VA_ARGS__   \
    }
#define WIRE_LIST_FIELD(s, m, n, kind, t, ...)                                \
    {                                                                         \
        .name = #m, .type = (kind), .offset = WIRE_AT(s, m, t),               \
        .count_offset = WIRE_AT(s, n, size_t), __VA_ARGS__                    \
    }
#define STR(s, m, ...) WIRE_FIELD(s, m, WIRE_STRING, const char *, __VA_ARGS__)
#define BOOL(s, m, ...) WIRE_FIELD(s, m, WIRE_BOOL, bool, __VA_ARGS__)
#define INT(s, m, ...) WIRE_FIELD(s, m, WIRE_INT, int, __VA_ARGS__)
#define I64(s, m, ...) WIRE_FIELD(s, m, WIRE_I64, int64_t, __VA_ARGS__)
#define U64(s, m, ...) WIRE_FIELD(s, m, WIRE_U64, uint64_t, __VA_ARGS__)
#define HEX(s, m, ...) WIRE_FIELD(s, m, WIRE_HEX, uint64_t, __VA_ARGS__)
#define NUMBER(s, m, ...) WIRE_FIELD(s, m, WIRE_NUMBER, double, __VA_ARGS__)
#define CHOICE(s, m, ...)                                                     \
    WIRE_FIELD(s, m, WIRE_CHOICE, const char *, __VA_ARGS__)
#define STRS(s, m, n, ...)                                                    \
    WIRE_LIST_FIELD(s, m, n, WIRE_STRINGS, const char **, __VA_ARGS__)
#define OBJ(s, m, t, table, ...)                                              \
    WIRE_FIELD(s, m, WIRE_OBJECT, struct t, .sub = &(table), __VA_ARGS__)
#define OBJS(s, m, n, t, table, ...)                                          \
    WIRE_LIST_FIELD(s, m, n, WIRE_OBJECTS, struct t *, .sub = &(table),       \
                    __VA_ARGS__)

/* Of a writer's that makes the items one at a time. */
#define FROM(s) .source = WIRE_AT(s, source, struct wire_source) + 1

#define WIRE_TABLE(linkage, name, s, row_array)                               \
    linkage const struct wire_fields name = {                                 \
        (row_array), sizeof(row_array) / sizeof((row_array)[0]),              \
        sizeof(struct s)}

/* By the names in commands.def. */
extern const struct wire_fields wire_none_params, wire_list_params,
    wire_show_params, wire_why_params, wire_unused_params, wire_trace_params,
    wire_report_params, wire_load_params, wire_verify_params,
    wire_reload_params, wire_rollback_params, wire_confirm_params,
    wire_drift_params, wire_ignore_add_params, wire_ignore_remove_params,
    wire_ignore_save_params, wire_level_set_params, wire_subscribe_params,
    wire_stop_params, wire_help_params;

extern const struct wire_fields wire_warm_params, wire_record_params,
    wire_threads_reply;

extern const struct wire_fields wire_none_reply, wire_commands_reply,
    wire_ping_reply, wire_version_reply, wire_stats_reply, wire_list_reply,
    wire_show_reply, wire_why_reply, wire_unused_reply, wire_trace_reply,
    wire_report_reply, wire_load_reply, wire_verify_reply, wire_reload_reply,
    wire_confirm_reply, wire_drift_reply, wire_ignore_list_reply,
    wire_ignore_edit_reply, wire_ignore_save_reply, wire_level_list_reply,
    wire_level_set_reply, wire_subscribe_reply, wire_stop_reply;

extern const struct wire_fields wire_hello_fields, wire_event_fields,
    wire_place_fields, wire_module_fields;
extern const char *const wire_event_choices[];

#endif
