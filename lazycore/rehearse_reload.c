/* See rehearse_reload.h: the child's half reloads and writes, the parent's
 * half reads. An item for the outcome, one for each further module. */
#include "lazycore/rehearse_reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEM_ERROR = 1, ITEM_RESULT = 2, LINES_MAX = 1000 };

struct request {
    const char *name;
    const struct lz_reload_options *options;
};

/* --- the child ---------------------------------------------------------- */

static void
put_lines(struct lz_report *report, char *const *lines, size_t count)
{
    report_put(report, count);
    for (size_t i = 0; i < count; i++) {
        report_put_string(report, lines[i]);
    }
}

static void
put_result(struct lz_report *report, const struct lz_reload_result *result)
{
    const uint64_t numbers[] = {
        (uint64_t)result->verdict, (uint64_t)result->line,
        (uint64_t)result->column,  result->wall_ns,
        result->pause_ns,          result->old_hash,
        result->new_hash,          result->functions_kept,
        result->classes_kept,      result->names_rebound,
    };

    report_put(report, ITEM_RESULT);
    report_put_string(report, result->name);
    report_put_string(report, result->text);
    report_put_string(report, result->file);
    report_put_string(report, result->traceback);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        report_put(report, numbers[i]);
    }
    put_lines(report, result->unrepaired, result->unrepaired_count);
    put_lines(report, result->replaced, result->replaced_count);
    put_lines(report, result->again, result->again_count);
    (void)report_end_item(report);
    for (size_t i = 0; i < result->other_count; i++) {
        put_result(report, &result->others[i]);
    }
}

static void LZ_UNCHECKED
child_body(struct lz_report *report, void *arg)
{
    const struct request *request = arg;
    struct lz_reload_result result;
    struct lz_error error = {0};

    if (lazycore_reload(request->name, request->options, &result, &error) ==
        0) {
        put_result(report, &result);
        return;
    }
    report_put(report, ITEM_ERROR);
    report_put(report, (uint64_t)error.kind);
    report_put_string(report, error.text);
    (void)report_end_item(report);
}

/* --- the parent --------------------------------------------------------- */

/* A malloc'd copy of the next string, or NULL. */
static char *
get_copy(struct lz_report_reader *reader)
{
    const char *text = report_get_string(reader);

    return text == NULL ? NULL : strdup(text);
}

static char **
get_lines(struct lz_report_reader *reader, size_t *ret_count)
{
    uint64_t count = report_get(reader);
    char **lines = reader->bad || count == 0 || count > LINES_MAX
                       ? NULL
                       : calloc((size_t)count, sizeof(*lines));

    *ret_count = 0;
    for (uint64_t i = 0; lines != NULL && i < count; i++) {
        lines[i] = get_copy(reader);
        if (lines[i] == NULL) {
            break;
        }
        (*ret_count)++;
    }
    return lines;
}

static void
get_result(struct lz_report_reader *reader, struct lz_reload_result *ret)
{
    ret->name = get_copy(reader);
    const char *text = report_get_string(reader);
    (void)snprintf(ret->text, sizeof(ret->text), "%s",
                   text == NULL ? "" : text);
    ret->file = get_copy(reader);
    ret->traceback = get_copy(reader);
    uint64_t verdict = report_get(reader);
    ret->line = (int)report_get(reader);
    ret->column = (int)report_get(reader);
    ret->wall_ns = report_get(reader);
    ret->pause_ns = report_get(reader);
    ret->old_hash = report_get(reader);
    ret->new_hash = report_get(reader);
    ret->functions_kept = report_get(reader);
    ret->classes_kept = report_get(reader);
    ret->names_rebound = report_get(reader);
    ret->unrepaired = get_lines(reader, &ret->unrepaired_count);
    ret->replaced = get_lines(reader, &ret->replaced_count);
    ret->again = get_lines(reader, &ret->again_count);
    ret->verdict = reader->bad || verdict >= LZ_VERDICTS
                       ? LZ_VERDICT_INCONCLUSIVE
                       : (enum lz_verdict)verdict;
    /* The copy's own limit, most likely. */
    if (ret->verdict == LZ_VERDICT_FAILED &&
        strncmp(ret->text, "MemoryError", 11) == 0) {
        ret->verdict = LZ_VERDICT_INCONCLUSIVE;
    }
}

/* The first item: 1, 0 where there is none, -1 with ERROR. */
static int
read_first(struct lz_report_reader *reader, struct lz_reload_result *ret,
           struct lz_error *error)
{
    if (!report_next_item(reader)) {
        return 0;
    }
    if (report_get(reader) == ITEM_RESULT) {
        get_result(reader, ret);
        return 1;
    }
    uint64_t kind = report_get(reader);
    const char *text = report_get_string(reader);
    return lz_error_set(error,
                        kind > 0 && kind < LZ_ERROR_COUNT
                            ? (enum lz_error_kind)kind
                            : LZ_ERROR_INTERNAL,
                        "%s", text == NULL ? "no memory" : text);
}

static int
read_others(struct lz_report_reader *reader, struct lz_reload_result *ret)
{
    while (report_next_item(reader) && report_get(reader) == ITEM_RESULT) {
        struct lz_reload_result *grown =
            realloc(ret->others, (ret->other_count + 1) * sizeof(*grown));
        if (grown == NULL) {
            return -1;
        }
        ret->others = grown;
        grown[ret->other_count] = (struct lz_reload_result){0};
        get_result(reader, &grown[ret->other_count++]);
    }
    return 0;
}

/* The copy has not said what came of it: why. */
static void
word_end(const struct lz_rehearsal_outcome *outcome, const char *name,
         struct lz_reload_result *ret)
{
    ret->name = strdup(name);
    ret->verdict = outcome->end == LZ_REHEARSAL_EXITED
                       ? LZ_VERDICT_FAILED
                       : LZ_VERDICT_INCONCLUSIVE;
    (void)snprintf(ret->text, sizeof(ret->text), "%s",
                   outcome->text[0] != '\0' ? outcome->text
                                            : "the copy said nothing");
}

int
lazycore_rehearse_reload(const struct lz_rehearsal *setup, const char *name,
                         const struct lz_reload_options *options,
                         struct lz_reload_result *ret_result,
                         struct lz_rehearsal_outcome *ret_outcome,
                         struct lz_error *error)
{
    struct request request = {.name = name, .options = options};
    struct lz_rehearsal rehearsal = *setup;
    struct lz_report_reader reader;

    *ret_result = (struct lz_reload_result){0};
    rehearsal.body = child_body;
    rehearsal.arg = &request;
    if (lazycore_rehearse(&rehearsal, ret_outcome, error) < 0) {
        return -1;
    }
    report_read(&reader, ret_outcome->report, ret_outcome->size);
    int status = read_first(&reader, ret_result, error);
    if (status == 1 && read_others(&reader, ret_result) < 0) {
        status = lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
    }
    if (status == 0) {
        word_end(ret_outcome, name, ret_result);
    }
    if (status < 0) {
        lazycore_reload_result_done(ret_result);
        lz_rehearsal_outcome_done(ret_outcome);
        return -1;
    }
    return 0;
}
