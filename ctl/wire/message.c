/* The replies and notifications, a table for each struct of message.h.
 *
 * The order of rows is the order of keys on the wire.
 */
#include "ctl/wire/message.h"

#include "ctl/wire/table.h"

const char *
wire_event_string(enum wire_event_kind kind)
{
    return wire_event_choices[kind];
}

static const struct {
    const char *key, *text;
} groups[] = {
#define WIRE_GROUP(id, key, text) {(key), (text)},
    WIRE_GROUP_TABLE(WIRE_GROUP)
#undef WIRE_GROUP
};

const char *
wire_group_key(enum wire_group_id id)
{
    return groups[id].key;
}

const char *
wire_group_text(enum wire_group_id id)
{
    return groups[id].text;
}

static const struct wire_field hello_rows[] = {
    STR(wire_hello, server),
    STR(wire_hello, version),
    INT(wire_hello, protocol),
    STRS(wire_hello, capabilities, capability_count),
    I64(wire_hello, pid),
    STR(wire_hello, app),
};
WIRE_TABLE(, wire_hello_fields, wire_hello, hello_rows);

static const struct wire_field event_rows[] = {
    WIRE_FIELD(wire_event, event, WIRE_INDEX, int,
               .choices = wire_event_choices),
    U64(wire_event, sequence),
    U64(wire_event, dropped),
    U64(wire_event, time_ns),
    STR(wire_event, name, .flags = WIRE_OPTIONAL),
    STR(wire_event, parent, .flags = WIRE_OPTIONAL),
    STR(wire_event, thread, .flags = WIRE_OPTIONAL),
    STR(wire_event, reason, .flags = WIRE_OPTIONAL),
    OBJ(wire_event, trigger, wire_place, wire_place_fields,
        .flags = WIRE_OPTIONAL),
    U64(wire_event, wall_ns, .flags = WIRE_OPTIONAL),
    U64(wire_event, wall_self_ns, .flags = WIRE_OPTIONAL),
    I64(wire_event, bytes, .flags = WIRE_OPTIONAL),
    STR(wire_event, error, .flags = WIRE_OPTIONAL),
    STR(wire_event, verdict, .flags = WIRE_OPTIONAL),
    STR(wire_event, action, .flags = WIRE_OPTIONAL),
    STR(wire_event, kind, .flags = WIRE_OPTIONAL),
    STR(wire_event, value, .flags = WIRE_OPTIONAL),
    I64(wire_event, pid, .flags = WIRE_OPTIONAL),
    I64(wire_event, uid, .flags = WIRE_OPTIONAL, .preset = -1),
};
WIRE_TABLE(, wire_event_fields, wire_event, event_rows);

const struct wire_fields wire_none_reply = {NULL, 0,
                                            sizeof(struct wire_nothing)};

static const struct wire_field command_info_rows[] = {
    STR(wire_command_info, method),    STR(wire_command_info, words),
    STR(wire_command_info, arguments), STR(wire_command_info, help),
    BOOL(wire_command_info, python),   BOOL(wire_command_info, stream),
    BOOL(wire_command_info, mutates),
};
WIRE_TABLE(static, command_info, wire_command_info, command_info_rows);

/* Written by reply.c, which adds the schemas. */
static const struct wire_field commands_rows[] = {
    OBJS(wire_commands, commands, command_count, wire_command_info,
         command_info),
};
WIRE_TABLE(, wire_commands_reply, wire_commands, commands_rows);

static const struct wire_field ping_rows[] = {
    BOOL(wire_ping, pong),
    I64(wire_ping, pid),
};
WIRE_TABLE(, wire_ping_reply, wire_ping, ping_rows);

static const struct wire_field version_rows[] = {
    STR(wire_version, server),
    STR(wire_version, version),
    INT(wire_version, protocol),
    STR(wire_version, python),
};
WIRE_TABLE(, wire_version_reply, wire_version, version_rows);

static const struct wire_field stats_modules_rows[] = {
    U64(wire_stats_modules, proxies),     U64(wire_stats_modules, proxy_peak),
    U64(wire_stats_modules, proxy_total), U64(wire_stats_modules, reals),
    U64(wire_stats_modules, eager),       U64(wire_stats_modules, ignored),
    U64(wire_stats_modules, existing),    U64(wire_stats_modules, lost),
    U64(wire_stats_modules, failed),
};
WIRE_TABLE(static, stats_modules, wire_stats_modules, stats_modules_rows);

static const struct wire_field stats_names_rows[] = {
    U64(wire_stats_names, pending),
    U64(wire_stats_names, resolved),
};
WIRE_TABLE(static, stats_names, wire_stats_names, stats_names_rows);

static const struct wire_field stats_builtins_rows[] = {
    U64(wire_stats_builtins, proxied),
    U64(wire_stats_builtins, imported),
    U64(wire_stats_builtins, absent),
};
WIRE_TABLE(static, stats_builtins, wire_stats_builtins, stats_builtins_rows);

static const struct wire_field stats_loads_rows[] = {
    U64(wire_stats_loads, count),
    U64(wire_stats_loads, failed),
    U64(wire_stats_loads, wall_ns),
    U64(wire_stats_loads, blocked),
};
WIRE_TABLE(static, stats_loads, wire_stats_loads, stats_loads_rows);

static const struct wire_field stats_settled_rows[] = {
    U64(wire_stats_settled, looks),
    U64(wire_stats_settled, namespaces),
    U64(wire_stats_settled, modules),
};
WIRE_TABLE(static, stats_settled, wire_stats_settled, stats_settled_rows);

#define MEMORY(m) I64(wire_stats_memory, m, .flags = WIRE_NULLABLE)
static const struct wire_field stats_memory_rows[] = {
    MEMORY(rss),
    MEMORY(pss),
    MEMORY(private_dirty),
    MEMORY(peak_rss),
    MEMORY(python_blocks),
    MEMORY(pss_age_ns),
    MEMORY(private_dirty_age_ns),
    MEMORY(python_blocks_age_ns),
};
WIRE_TABLE(static, stats_memory, wire_stats_memory, stats_memory_rows);

static const struct wire_field stats_rehearsals_rows[] = {
    U64(wire_stats_rehearsals, count),
    U64(wire_stats_rehearsals, last_pause_ns),
    U64(wire_stats_rehearsals, longest_pause_ns),
};
WIRE_TABLE(static, stats_rehearsals, wire_stats_rehearsals,
           stats_rehearsals_rows);

static const struct wire_field stats_control_rows[] = {
    U64(wire_stats_control, clients),
    U64(wire_stats_control, requests),
    U64(wire_stats_control, dropped),
    U64(wire_stats_control, refused),
};
WIRE_TABLE(static, stats_control, wire_stats_control, stats_control_rows);

static const struct wire_field stats_rows[] = {
    OBJ(wire_stats, modules, wire_stats_modules, stats_modules),
    OBJ(wire_stats, names, wire_stats_names, stats_names),
    OBJ(wire_stats, builtins, wire_stats_builtins, stats_builtins),
    OBJ(wire_stats, loads, wire_stats_loads, stats_loads),
    OBJ(wire_stats, settled, wire_stats_settled, stats_settled),
    OBJ(wire_stats, memory, wire_stats_memory, stats_memory),
    OBJ(wire_stats, rehearsals, wire_stats_rehearsals, stats_rehearsals),
    OBJ(wire_stats, control, wire_stats_control, stats_control),
    I64(wire_stats, pid),
    U64(wire_stats, uptime_ns),
    STR(wire_stats, python),
    STR(wire_stats, version),
    STR(wire_stats, app),
    STR(wire_stats, socket),
    {.name = "limits", .type = WIRE_LIMITS},
};
WIRE_TABLE(, wire_stats_reply, wire_stats, stats_rows);

static const struct wire_field group_rows[] = {
    STR(wire_group, key),
    STR(wire_group, text),
    U64(wire_group, count),
    STRS(wire_group, names, name_count, .flags = WIRE_OPTIONAL),
};
WIRE_TABLE(static, group, wire_group, group_rows);

static const struct wire_field report_rows[] = {
    BOOL(wire_report, verbose),
    I64(wire_report, rss, .flags = WIRE_NULLABLE),
    U64(wire_report, proxy_peak),
    U64(wire_report, proxy_total),
    OBJS(wire_report, groups, group_count, wire_group, group),
    OBJS(wire_report, costly, costly_count, wire_module, wire_module_fields,
         .flags = WIRE_OPTIONAL),
};
WIRE_TABLE(, wire_report_reply, wire_report, report_rows);

static const struct wire_field failure_rows[] = {
    STR(wire_failure, kind),
    STR(wire_failure, text),
    STR(wire_failure, traceback),
};
WIRE_TABLE(static, failure, wire_failure, failure_rows);

static const struct wire_field load_result_rows[] = {
    STR(wire_load_result, name),
    BOOL(wire_load_result, loaded),
    BOOL(wire_load_result, already),
    U64(wire_load_result, wall_ns),
    U64(wire_load_result, modules),
    OBJ(wire_load_result, error, wire_failure, failure,
        .flags = WIRE_NULLABLE),
    STR(wire_load_result, verdict, .flags = WIRE_OPTIONAL),
    U64(wire_load_result, cpu_ns, .flags = WIRE_OPTIONAL),
    I64(wire_load_result, bytes, .flags = WIRE_OPTIONAL),
    STRS(wire_load_result, bodies, body_count, .flags = WIRE_OPTIONAL),
    STRS(wire_load_result, threads, thread_count, .flags = WIRE_OPTIONAL),
    STR(wire_load_result, file, .flags = WIRE_OPTIONAL),
    INT(wire_load_result, line, .flags = WIRE_OPTIONAL),
};
WIRE_TABLE(static, load_result, wire_load_result, load_result_rows);

static const struct wire_field load_rows[] = {
    OBJS(wire_load, results, result_count, wire_load_result, load_result),
    U64(wire_load, loaded),
    U64(wire_load, failed),
    BOOL(wire_load, dry_run, .flags = WIRE_OPTIONAL),
    U64(wire_load, left, .flags = WIRE_OPTIONAL),
    U64(wire_load, inconclusive, .flags = WIRE_OPTIONAL),
    U64(wire_load, pause_ns, .flags = WIRE_OPTIONAL),
};
WIRE_TABLE(, wire_load_reply, wire_load, load_rows);

static const struct wire_field verify_result_rows[] = {
    STR(wire_verify_result, name),     STR(wire_verify_result, status),
    STR(wire_verify_result, text),     STR(wire_verify_result, file),
    INT(wire_verify_result, line),     INT(wire_verify_result, column),
    BOOL(wire_verify_result, changed),
};
WIRE_TABLE(static, verify_result, wire_verify_result, verify_result_rows);

static const struct wire_field verify_rows[] = {
    OBJS(wire_verify, results, result_count, wire_verify_result,
         verify_result),
    U64(wire_verify, total),
    U64(wire_verify, ok),
    U64(wire_verify, failed),
    U64(wire_verify, changed),
};
WIRE_TABLE(, wire_verify_reply, wire_verify, verify_rows);

static const struct wire_field rule_rows[] = {
    STR(wire_rule, kind),
    STR(wire_rule, value),
    U64(wire_rule, hits),
    BOOL(wire_rule, builtin),
};
WIRE_TABLE(static, rule, wire_rule, rule_rows);

static const struct wire_field ignore_list_rows[] = {
    OBJS(wire_ignore_list, rules, rule_count, wire_rule, rule),
};
WIRE_TABLE(, wire_ignore_list_reply, wire_ignore_list, ignore_list_rows);

static const struct wire_field ignore_edit_rows[] = {
    STR(wire_ignore_edit, kind),
    BOOL(wire_ignore_edit, dry_run),
    STRS(wire_ignore_edit, changed, changed_count),
    STRS(wire_ignore_edit, unchanged, unchanged_count),
    STRS(wire_ignore_edit, pending, pending_count),
    OBJS(wire_ignore_edit, results, result_count, wire_load_result,
         load_result),
};
WIRE_TABLE(, wire_ignore_edit_reply, wire_ignore_edit, ignore_edit_rows);

static const struct wire_field ignore_save_rows[] = {
    STR(wire_ignore_save, path),
    U64(wire_ignore_save, rules),
};
WIRE_TABLE(, wire_ignore_save_reply, wire_ignore_save, ignore_save_rows);

static const struct wire_field level_rows[] = {
    STR(wire_level, package),
    STR(wire_level, level),
    STR(wire_level, source),
};
WIRE_TABLE(static, level, wire_level, level_rows);

static const struct wire_field level_list_rows[] = {
    STR(wire_level_list, fallback),
    OBJS(wire_level_list, levels, level_count, wire_level, level),
};
WIRE_TABLE(, wire_level_list_reply, wire_level_list, level_list_rows);

static const struct wire_field level_set_rows[] = {
    STR(wire_level_set, package),
    STR(wire_level_set, level),
    STR(wire_level_set, previous),
};
WIRE_TABLE(, wire_level_set_reply, wire_level_set, level_set_rows);

static const struct wire_field subscribe_rows[] = {
    WIRE_FIELD(wire_subscribe, events, WIRE_FLAGS, unsigned,
               .choices = wire_event_choices),
    U64(wire_subscribe, sequence),
};
WIRE_TABLE(, wire_subscribe_reply, wire_subscribe, subscribe_rows);

static const struct wire_field stop_rows[] = {
    BOOL(wire_stop, stopping),
    I64(wire_stop, pid),
    NUMBER(wire_stop, timeout),
};
WIRE_TABLE(, wire_stop_reply, wire_stop, stop_rows);
