/* The fields of the replies of `reload`, `rollback`, `confirm`, `drift`. */
#include "ctl/wire/table.h"

static const struct wire_field other_rows[] = {
    STR(wire_reload_other, name),
    STR(wire_reload_other, verdict),
    STR(wire_reload_other, text),
    HEX(wire_reload_other, old_hash),
    HEX(wire_reload_other, new_hash),
    STRS(wire_reload_other, unrepaired, unrepaired_count),
    STRS(wire_reload_other, replaced, replaced_count),
    STRS(wire_reload_other, again, again_count),
};
WIRE_TABLE(static, other, wire_reload_other, other_rows);

static const struct wire_field reload_rows[] = {
    STR(wire_reload, name),
    STR(wire_reload, verdict),
    BOOL(wire_reload, dry_run),
    STR(wire_reload, text),
    STR(wire_reload, file),
    INT(wire_reload, line),
    INT(wire_reload, column),
    STR(wire_reload, traceback),
    U64(wire_reload, wall_ns),
    U64(wire_reload, pause_ns),
    HEX(wire_reload, old_hash),
    HEX(wire_reload, new_hash),
    U64(wire_reload, functions_kept),
    U64(wire_reload, classes_kept),
    U64(wire_reload, names_rebound),
    STRS(wire_reload, unrepaired, unrepaired_count),
    STRS(wire_reload, replaced, replaced_count),
    STRS(wire_reload, again, again_count),
    U64(wire_reload, generation),
    U64(wire_reload, generations),
    NUMBER(wire_reload, confirm),
    OBJS(wire_reload, others, other_count, wire_reload_other, other),
};
WIRE_TABLE(, wire_reload_reply, wire_reload, reload_rows);

static const struct wire_field confirm_rows[] = {
    STR(wire_confirm, name),
    NUMBER(wire_confirm, left),
};
WIRE_TABLE(, wire_confirm_reply, wire_confirm, confirm_rows);

static const struct wire_field drift_row_rows[] = {
    STR(wire_drift_row, name),     STR(wire_drift_row, file),
    STR(wire_drift_row, drift),    I64(wire_drift_row, since_ns),
    HEX(wire_drift_row, old_hash), HEX(wire_drift_row, new_hash),
};
WIRE_TABLE(static, drift_row, wire_drift_row, drift_row_rows);

static const struct wire_field drift_rows[] = {
    OBJS(wire_drift, modules, module_count, wire_drift_row, drift_row),
    U64(wire_drift, total),
    U64(wire_drift, drifted),
    U64(wire_drift, unknown),
};
WIRE_TABLE(, wire_drift_reply, wire_drift, drift_rows);
