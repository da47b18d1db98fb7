/* The field tables of message_explain.h.
 *
 * The order of rows is the order of keys on the wire.
 */
#include "ctl/wire/table.h"

static const struct wire_field place_rows[] = {
    STR(wire_place, file),
    INT(wire_place, line),
    STR(wire_place, function),
    STR(wire_place, module, .flags = WIRE_OPTIONAL),
};
WIRE_TABLE(, wire_place_fields, wire_place, place_rows);

/* What a row of `list` has; `show` adds the rest. */
#define MODULE_SHORT                                                          \
    STR(wire_module, name), STR(wire_module, state),                          \
        STR(wire_module, reason), STR(wire_module, file),                     \
        BOOL(wire_module, builtin), U64(wire_module, sequence),               \
        U64(wire_module, wall_ns), U64(wire_module, wall_self_ns),            \
        I64(wire_module, bytes), I64(wire_module, bytes_self),                \
        U64(wire_module, loads), U64(wire_module, failures),                  \
        U64(wire_module, names_pending),                                      \
        STR(wire_module, last_error, .flags = WIRE_OPTIONAL)

static const struct wire_field module_rows[] = {MODULE_SHORT};
WIRE_TABLE(, wire_module_fields, wire_module, module_rows);

static const struct wire_field child_rows[] = {
    STR(wire_child, name),
    STR(wire_child, reason),
    U64(wire_child, wall_ns),
    I64(wire_child, bytes),
};
WIRE_TABLE(static, child, wire_child, child_rows);

static const struct wire_field show_rows[] = {
    MODULE_SHORT,
    U64(wire_module, blocked, .flags = WIRE_OPTIONAL),
    STR(wire_module, reason_text),
    OBJ(wire_module, statement, wire_place, wire_place_fields,
        .flags = WIRE_NULLABLE),
    OBJ(wire_module, trigger, wire_place, wire_place_fields,
        .flags = WIRE_NULLABLE),
    STR(wire_module, rule),
    STR(wire_module, parent),
    STR(wire_module, thread),
    U64(wire_module, met_ns),
    U64(wire_module, started_ns),
    U64(wire_module, loaded_ns),
    U64(wire_module, first_use_ns),
    U64(wire_module, cpu_ns),
    U64(wire_module, cpu_self_ns),
    I64(wire_module, blocks),
    I64(wire_module, blocks_self),
    STR(wire_module, level),
    STR(wire_module, level_source),
    STR(wire_module, level_why),
    OBJS(wire_module, children, child_count, wire_child, child),
    U64(wire_module, child_total),
    U64(wire_module, pulled),
    U64(wire_module, waiting),
    U64(wire_module, generations),
    BOOL(wire_module, unconfirmed),
};
WIRE_TABLE(, wire_show_reply, wire_module, show_rows);

static const struct wire_field list_rows[] = {
    OBJS(wire_list, modules, module_count, wire_module, wire_module_fields,
         FROM(wire_list)),
    U64(wire_list, total),
};
WIRE_TABLE(, wire_list_reply, wire_list, list_rows);

static const struct wire_field step_rows[] = {
    STR(wire_step, name),
    STR(wire_step, state),
    STR(wire_step, reason),
    STR(wire_step, reason_text),
    STR(wire_step, rule),
    STR(wire_step, link),
    STR(wire_step, file),
    OBJ(wire_step, statement, wire_place, wire_place_fields,
        .flags = WIRE_NULLABLE),
    OBJ(wire_step, trigger, wire_place, wire_place_fields,
        .flags = WIRE_NULLABLE),
    STR(wire_step, parent),
    STR(wire_step, thread),
    U64(wire_step, sequence),
    U64(wire_step, met_ns),
    U64(wire_step, loaded_ns),
    U64(wire_step, wall_ns),
    U64(wire_step, first_use_ns),
    U64(wire_step, failures),
    STR(wire_step, last_error, .flags = WIRE_OPTIONAL),
};
WIRE_TABLE(static, step, wire_step, step_rows);

static const struct wire_field why_rows[] = {
    STR(wire_why, name),
    STR(wire_why, app),
    OBJS(wire_why, steps, step_count, wire_step, step),
    BOOL(wire_why, cut),
};
WIRE_TABLE(, wire_why_reply, wire_why, why_rows);

#define ESTIMATE(s, m) I64(s, m, .flags = WIRE_NULLABLE)
static const struct wire_field unused_module_rows[] = {
    STR(wire_unused_module, name),
    STR(wire_unused_module, file),
    OBJ(wire_unused_module, statement, wire_place, wire_place_fields,
        .flags = WIRE_NULLABLE),
    ESTIMATE(wire_unused_module, file_bytes),
    ESTIMATE(wire_unused_module, estimated_bytes),
    ESTIMATE(wire_unused_module, estimated_ns),
};
WIRE_TABLE(static, unused_module, wire_unused_module, unused_module_rows);

static const struct wire_field sample_rows[] = {
    STR(wire_sample, kind),       U64(wire_sample, modules),
    U64(wire_sample, file_bytes), U64(wire_sample, wall_ns),
    I64(wire_sample, bytes),
};
WIRE_TABLE(static, sample, wire_sample, sample_rows);

static const struct wire_field unused_rows[] = {
    U64(wire_unused, total),
    U64(wire_unused, estimated),
    ESTIMATE(wire_unused, estimated_bytes),
    ESTIMATE(wire_unused, estimated_ns),
    OBJS(wire_unused, samples, sample_count, wire_sample, sample),
    OBJS(wire_unused, modules, module_count, wire_unused_module, unused_module,
         FROM(wire_unused)),
};
WIRE_TABLE(, wire_unused_reply, wire_unused, unused_rows);

static const struct wire_field trace_load_rows[] = {
    STR(wire_trace_load, name),
    STR(wire_trace_load, parent),
    STR(wire_trace_load, thread),
    STR(wire_trace_load, reason),
    STR(wire_trace_load, file),
    OBJ(wire_trace_load, trigger, wire_place, wire_place_fields,
        .flags = WIRE_NULLABLE),
    U64(wire_trace_load, sequence),
    U64(wire_trace_load, started_ns),
    U64(wire_trace_load, wall_ns),
    U64(wire_trace_load, wall_self_ns),
    U64(wire_trace_load, cpu_ns),
    U64(wire_trace_load, cpu_self_ns),
    I64(wire_trace_load, bytes),
    I64(wire_trace_load, bytes_self),
    I64(wire_trace_load, blocks),
    I64(wire_trace_load, blocks_self),
};
WIRE_TABLE(static, trace_load, wire_trace_load, trace_load_rows);

static const struct wire_field trace_rows[] = {
    I64(wire_trace, pid),
    STR(wire_trace, app),
    U64(wire_trace, total),
    OBJS(wire_trace, loads, load_count, wire_trace_load, trace_load,
         FROM(wire_trace)),
    U64(wire_trace, next),
};
WIRE_TABLE(, wire_trace_reply, wire_trace, trace_rows);
