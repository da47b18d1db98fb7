/* The parameters of every command, a table each.
 *
 * From these rows come the reader of requests, the JSON Schemas of
 * `commands` and lazyctl's options.
 */
#include "ctl/wire/table.h"

static const char *const states[] = {"proxy",    "real", "eager", "ignored",
                                     "existing", "lost", "used",  NULL};
static const char *const state_aliases[] = {
    "proxies", "reals", "eager", "ignored", "existing", "lost", "used", NULL};
static const char *const sorts[] = {"name", "time", "memory", "order", NULL};
/* In the order of enum wire_trace_format and enum wire_trace_by. */
static const char *const trace_formats[] = {
    "importtime", "chrome", "speedscope", "folded", "svg", NULL};
static const char *const trace_by[] = {"time", "memory", NULL};
static const char *const kinds[] = {"name", "package", "path", NULL};
static const char *const levels[] = {"eager", "outer", "full", NULL};

const char *const wire_event_choices[] = {
#define WIRE_EVENT(id, string) (string),
    WIRE_EVENT_TABLE(WIRE_EVENT)
#undef WIRE_EVENT
        NULL};

enum { ARGUMENT = WIRE_REQUIRED | WIRE_POSITIONAL, OPTION = WIRE_OPTIONAL };

const struct wire_fields wire_none_params = {NULL, 0,
                                             sizeof(struct wire_nothing)};

static const struct wire_field list_rows[] = {
    CHOICE(wire_list_params, state, .flags = OPTION, .choices = states,
           .aliases = state_aliases, .metavar = "STATE",
           .help = "only modules in this state"),
    STR(wire_list_params, match, .flags = OPTION, .letter = 'm',
        .metavar = "GLOB", .help = "only modules whose name matches"),
    WIRE_FIELD(wire_list_params, sort, WIRE_INDEX, int, .flags = OPTION,
               .choices = sorts, .metavar = "KEY",
               .help = "order by name, time or memory (its own, largest "
                       "first) or order of loading"),
    I64(wire_list_params, limit, .flags = OPTION, .min = 0, .max = 1000000,
        .letter = 'l', .metavar = "N", .help = "at most N modules; 0: all"),
    BOOL(wire_list_params, failed, .flags = OPTION, .letter = 'f',
         .help = "only modules whose last load failed"),
};
WIRE_TABLE(, wire_list_params, wire_list_params, list_rows);

static const struct wire_field show_rows[] = {
    STR(wire_show_params, name, .flags = ARGUMENT, .metavar = "NAME",
        .help = "dotted name of the module"),
};
WIRE_TABLE(, wire_show_params, wire_show_params, show_rows);

static const struct wire_field why_rows[] = {
    STR(wire_why_params, name, .flags = ARGUMENT, .metavar = "NAME",
        .help = "dotted name of the module"),
};
WIRE_TABLE(, wire_why_params, wire_why_params, why_rows);

static const struct wire_field unused_rows[] = {
    STR(wire_unused_params, match, .flags = WIRE_POSITIONAL | WIRE_OPTIONAL,
        .metavar = "GLOB", .help = "only modules whose name matches"),
    I64(wire_unused_params, limit, .flags = OPTION, .min = 0, .max = 1000000,
        .letter = 'l', .metavar = "N", .help = "at most N modules; 0: all"),
};
WIRE_TABLE(, wire_unused_params, wire_unused_params, unused_rows);

static const struct wire_field trace_rows[] = {
    WIRE_FIELD(wire_trace_params, format, WIRE_INDEX, int,
               .flags = OPTION | WIRE_CLIENT, .choices = trace_formats,
               .letter = 'f', .metavar = "FORMAT",
               .help = "what to write; importtime unless given"),
    WIRE_FIELD(wire_trace_params, by, WIRE_INDEX, int,
               .flags = OPTION | WIRE_CLIENT, .choices = trace_by,
               .metavar = "WHAT",
               .help = "time, or memory (speedscope, folded and svg)"),
    STR(wire_trace_params, output, .flags = OPTION | WIRE_CLIENT,
        .letter = 'o', .metavar = "FILE",
        .help = "write to this file, not to the standard output"),
    I64(wire_trace_params, after, .flags = OPTION, .min = 0, .max = 1e15,
        .metavar = "N", .help = "only loads after the first N"),
    I64(wire_trace_params, limit, .flags = OPTION, .min = 0, .max = 1000000,
        .letter = 'l', .metavar = "N", .help = "at most N loads; 0: all"),
};
WIRE_TABLE(, wire_trace_params, wire_trace_params, trace_rows);

static const struct wire_field report_rows[] = {
    BOOL(wire_report_params, verbose, .flags = OPTION, .letter = 'v',
         .help = "name the modules, and the dearest loads"),
};
WIRE_TABLE(, wire_report_params, wire_report_params, report_rows);

static const struct wire_field load_rows[] = {
    STRS(wire_load_params, names, name_count, .flags = ARGUMENT,
         .metavar = "NAME", .help = "dotted names, or globs over proxies"),
    BOOL(wire_load_params, recursive, .flags = OPTION, .letter = 'r',
         .help = "load what is below each name too"),
    BOOL(wire_load_params, inject, .flags = OPTION, .letter = 'i',
         .help = "replace proxies that leaked, by a walk over the heap"),
    I64(wire_load_params, budget_ms, .flags = OPTION, .min = 0, .max = 30000,
        .metavar = "MS",
        .help = "begin no other name after MS milliseconds; 0: all"),
    BOOL(wire_load_params, dry_run, .flags = OPTION,
         .help = "load them in a forked copy of the service, and say what "
                 "came of it"),
    NUMBER(wire_load_params, deadline, .flags = OPTION, .min = 0.1, .max = 300,
           .preset = 20, .metavar = "S",
           .help = "end a dry run after S seconds (default 20)"),
    I64(wire_load_params, memory, .flags = OPTION, .min = 0, .max = 1048576,
        .preset = 1024, .metavar = "MIB",
        .help = "memory that a dry run may take (default 1024); 0: any"),
};
WIRE_TABLE(, wire_load_params, wire_load_params, load_rows);

static const struct wire_field warm_rows[] = {
    STR(wire_warm_params, match, .flags = WIRE_POSITIONAL | WIRE_OPTIONAL,
        .metavar = "GLOB", .help = "pending modules whose name matches"),
    STR(wire_warm_params, file, .flags = OPTION, .letter = 'f',
        .metavar = "FILE", .help = "the names in FILE, as 'record' writes it"),
    BOOL(wire_warm_params, all, .flags = OPTION, .letter = 'a',
         .help = "all that is pending"),
    NUMBER(wire_warm_params, rate, .flags = OPTION, .min = 0, .max = 100000,
           .letter = 'r', .metavar = "N",
           .help = "at most N modules a second; 0: no limit"),
    I64(wire_warm_params, budget_ms, .flags = OPTION, .min = 1, .max = 10000,
        .preset = 10, .metavar = "MS",
        .help = "let others go on after MS milliseconds (default 10)"),
};
WIRE_TABLE(, wire_warm_params, wire_warm_params, warm_rows);

static const struct wire_field record_rows[] = {
    STR(wire_record_params, output, .flags = OPTION, .letter = 'o',
        .metavar = "FILE", .help = "write to FILE (default: to stdout)"),
};
WIRE_TABLE(, wire_record_params, wire_record_params, record_rows);

static const struct wire_field verify_rows[] = {
    STR(wire_verify_params, match, .flags = WIRE_POSITIONAL | WIRE_OPTIONAL,
        .metavar = "GLOB", .help = "only modules whose name matches"),
    I64(wire_verify_params, limit, .flags = OPTION, .min = 0, .max = 1000000,
        .letter = 'l', .metavar = "N", .help = "at most N modules; 0: all"),
    BOOL(wire_verify_params, all, .flags = OPTION, .letter = 'a',
         .help = "list the modules that are as they should be, too"),
};
WIRE_TABLE(, wire_verify_params, wire_verify_params, verify_rows);

static const struct wire_field reload_rows[] = {
    STR(wire_reload_params, name, .flags = ARGUMENT, .metavar = "NAME",
        .help = "dotted name of the module"),
    BOOL(wire_reload_params, force, .flags = OPTION, .letter = 'f',
         .help = "run the source even where it has not changed"),
    BOOL(wire_reload_params, strict, .flags = OPTION, .letter = 's',
         .help = "refuse where a class or function becomes another"),
    BOOL(wire_reload_params, dependents, .flags = OPTION, .letter = 'd',
         .help = "also what imported it, all in one step or none"),
    BOOL(wire_reload_params, dry_run, .flags = OPTION, .letter = 'n',
         .help = "run it in a copy of the service, and tell"),
    BOOL(wire_reload_params, forget, .flags = OPTION,
         .help = "keep nothing to roll back to"),
    NUMBER(wire_reload_params, confirm, .flags = OPTION, .min = 0.001,
           .max = 86400, .preset = -1, .letter = 'c', .metavar = "SECONDS",
           .help = "roll back by itself unless 'lazyctl confirm' comes"),
};
WIRE_TABLE(, wire_reload_params, wire_reload_params, reload_rows);

static const struct wire_field name_rows[] = {
    STR(wire_name_params, name, .flags = ARGUMENT, .metavar = "NAME",
        .help = "dotted name of the module"),
};
WIRE_TABLE(, wire_rollback_params, wire_name_params, name_rows);
WIRE_TABLE(, wire_confirm_params, wire_name_params, name_rows);

static const struct wire_field drift_rows[] = {
    STR(wire_drift_params, match, .flags = WIRE_POSITIONAL | WIRE_OPTIONAL,
        .metavar = "GLOB", .help = "only modules whose name matches"),
    BOOL(wire_drift_params, all, .flags = OPTION, .letter = 'a',
         .help = "list the modules that are as on disk, too"),
};
WIRE_TABLE(, wire_drift_params, wire_drift_params, drift_rows);

#define KIND_AND_VALUES                                                       \
    CHOICE(wire_ignore_params, kind, .flags = ARGUMENT, .choices = kinds,     \
           .metavar = "KIND", .help = "which set: name, package or path"),    \
        STRS(wire_ignore_params, values, value_count, .flags = ARGUMENT,      \
             .metavar = "VALUE",                                              \
             .help = "dotted names, or parts of file paths")

static const struct wire_field ignore_add_rows[] = {
    KIND_AND_VALUES,
    BOOL(wire_ignore_params, load, .flags = OPTION, .letter = 'l',
         .help = "load the pending modules that match, at once"),
    BOOL(wire_ignore_params, dry_run, .flags = OPTION,
         .help = "change nothing, say what would match"),
};
WIRE_TABLE(, wire_ignore_add_params, wire_ignore_params, ignore_add_rows);

static const struct wire_field ignore_remove_rows[] = {KIND_AND_VALUES};
WIRE_TABLE(, wire_ignore_remove_params, wire_ignore_params,
           ignore_remove_rows);

static const struct wire_field ignore_save_rows[] = {
    WIRE_FIELD(wire_ignore_save_params, path, WIRE_PATH, const char *,
               .flags = ARGUMENT, .metavar = "PATH",
               .help = "absolute path of the file to write"),
};
WIRE_TABLE(, wire_ignore_save_params, wire_ignore_save_params,
           ignore_save_rows);

static const struct wire_field level_set_rows[] = {
    STR(wire_level_set_params, package, .flags = ARGUMENT,
        .metavar = "PACKAGE", .help = "name of a top-level package"),
    CHOICE(wire_level_set_params, level, .flags = ARGUMENT, .choices = levels,
           .metavar = "LEVEL", .help = "how lazy it is inside itself"),
};
WIRE_TABLE(, wire_level_set_params, wire_level_set_params, level_set_rows);

static const struct wire_field subscribe_rows[] = {
    WIRE_FIELD(wire_subscribe_params, events, WIRE_FLAGS, unsigned,
               .flags = WIRE_POSITIONAL | WIRE_OPTIONAL,
               .choices = wire_event_choices, .metavar = "EVENT",
               .preset = (1u << WIRE_EVENTS) - 1u,
               .help = "which events; none: all"),
};
WIRE_TABLE(, wire_subscribe_params, wire_subscribe_params, subscribe_rows);

static const struct wire_field stop_rows[] = {
    NUMBER(wire_stop_params, timeout, .flags = OPTION, .min = 0, .max = 86400,
           .preset = -1, .metavar = "S",
           .help = "seconds until it is ended hard"),
};
WIRE_TABLE(, wire_stop_params, wire_stop_params, stop_rows);

static const struct wire_field help_rows[] = {
    STRS(wire_help_params, command, word_count, .flags = WIRE_POSITIONAL,
         .metavar = "COMMAND", .help = "the command to explain"),
    BOOL(wire_help_params, words, .flags = OPTION,
         .help = "commands, options and choices, for the shell's completion"),
};
WIRE_TABLE(, wire_help_params, wire_help_params, help_rows);
