/* See rehearse_load.h: the child's half loads and writes, the parent's half
 * reads. An item that begins a name, and one with its outcome. */
#include "lazycore/rehearse_load.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lazycore/api.h"

enum { ITEM_BEGIN = 1, ITEM_RESULT = 2 };

struct names {
    char **items;
    size_t count;
    uint64_t total; /* those that were not kept, too */
};

struct request {
    const char *const *names;
    size_t count;
    bool recursive;
    struct lz_core *core;
    struct lz_report *report;
    struct names modules, threads; /* of the load under way */
};

const char *
lz_rehearsed_string(enum lz_rehearsed_verdict verdict)
{
    static const char *const strings[] = {
#define LZ_REHEARSED(id, string) (string),
        LZ_REHEARSED_TABLE(LZ_REHEARSED)
#undef LZ_REHEARSED
    };
    return strings[verdict];
}

/* --- the child ------------------------------------------------------------
 */

static void
names_add(struct names *names, const char *name)
{
    names->total++;
    if (names->items == NULL)
        names->items = calloc(LZ_REHEARSED_NAMES, sizeof(*names->items));
    if (names->items == NULL || names->count == LZ_REHEARSED_NAMES)
        return;
    names->items[names->count] = strdup(name);
    names->count += names->items[names->count] != NULL;
}

static void
names_cut(struct names *names, uint64_t total)
{
    while (names->count > total)
        free(names->items[--names->count]);
    names->total = total;
}

static void
put_names(struct lz_report *report, const struct names *names)
{
    report_put(report, names->total);
    report_put(report, names->count);
    for (size_t i = 0; i < names->count; i++)
        report_put_string(report, names->items[i]);
}

static void
on_event(void *arg, enum lz_event event, const char *name,
         const struct lz_load *load, long pid)
{
    struct request *request = arg;
    (void)pid;
    (void)load;
    if (event == LZ_EVENT_LOAD)
        names_add(&request->modules, name);
}

static void
on_thread(void *arg, const char *name)
{
    struct request *request = arg;
    names_add(&request->threads, name);
}

static size_t
count_threads(void)
{
    size_t count = 0;
    DIR *tasks = opendir("/proc/self/task");
    const struct dirent *entry;
    while (tasks != NULL && (entry = readdir(tasks)) != NULL)
        count += entry->d_name[0] != '.';
    if (tasks != NULL)
        (void)closedir(tasks);
    return count;
}

static enum lz_rehearsed_verdict
verdict_of(const struct lz_load_result *result)
{
    if (result->error.kind == LZ_ERROR_NONE)
        return result->already ? LZ_REHEARSED_ALREADY : LZ_REHEARSED_LOADS;
    /* Of the copy's own limit, most likely. */
    if (strncmp(result->error.text, "MemoryError", 11) == 0)
        return LZ_REHEARSED_INCONCLUSIVE;
    return LZ_REHEARSED_FAILS;
}

static void
put_result(struct request *request, const char *name,
           const struct lz_load_result *result)
{
    struct lz_report *report = request->report;
    report_put(report, ITEM_RESULT);
    report_put_string(report, name);
    report_put(report, verdict_of(result));
    report_put(report, result->wall_ns);
    report_put(report, result->cpu_ns);
    report_put(report, (uint64_t)result->bytes);
    put_names(report, &request->modules);
    put_names(report, &request->threads);
    report_put(report, result->error.kind);
    report_put_string(report, result->error.text);
    report_put_string(report, result->error.traceback);
    report_put_string(report, result->file);
    report_put(report, (uint64_t)result->line);
    (void)report_end_item(report);
}

static void LZ_NEEDS_GIL
rehearse_one(struct request *request, const char *name)
{
    struct lz_load_result result;
    report_put(request->report, ITEM_BEGIN);
    report_put_string(request->report, name);
    (void)report_end_item(request->report);
    names_cut(&request->modules, 0);
    names_cut(&request->threads, 0);
    size_t threads = count_threads();
    if (lazycore_load(name, 0, &result) < 0)
        return;
    size_t more = count_threads();
    more = more > threads ? more - threads : 0;
    for (size_t i = request->threads.count; i < more; i++)
        names_add(&request->threads, "(native)");
    /* What came after it was for the traceback. */
    names_cut(&request->modules, result.modules);
    put_result(request, name, &result);
    lazycore_load_result_done(&result);
}

/* What is pending below NAME and has not failed, until nothing new comes. */
static void LZ_NEEDS_GIL
rehearse_below(struct request *request, const char *name)
{
    char *pattern = NULL;
    size_t before, count, total;
    if (asprintf(&pattern, "%s.*", name) < 0)
        return;
    do {
        struct lz_query query = {.states = 1u << LZ_STATE_PROXY,
                                 .match = pattern};
        struct lz_module *modules = NULL;
        before = count = 0;
        if (registry_list(request->core->registry, &query, &modules, &count,
                          &total) < 0)
            break;
        for (size_t i = 0; i < count; i++) {
            if (modules[i].failures == 0) {
                before++;
                rehearse_one(request, modules[i].name);
            }
        }
        registry_modules_free(modules, count);
    } while (before > 0);
    free(pattern);
}

static void LZ_UNCHECKED
child_body(struct lz_report *report, void *arg)
{
    struct request *request = arg;
    request->report = report;
    request->core->listener =
        (struct lz_listener){.event = on_event, .arg = request};
    rehearse_watch_threads(on_thread, request);
    for (size_t i = 0; i < request->count; i++) {
        rehearse_one(request, request->names[i]);
        if (request->recursive)
            rehearse_below(request, request->names[i]);
    }
}

/* --- the parent -----------------------------------------------------------
 */

static struct lz_rehearsed *
list_add(struct lz_rehearsed_list *list)
{
    struct lz_rehearsed *grown =
        realloc(list->items, (list->count + 1) * sizeof(*grown));
    if (grown == NULL)
        return NULL;
    list->items = grown;
    grown[list->count] = (struct lz_rehearsed){0};
    return &grown[list->count++];
}

static const char **
get_names(struct lz_report_reader *reader, size_t *ret_count,
          uint64_t *ret_total)
{
    uint64_t total = report_get(reader), count = report_get(reader);
    const char **names = NULL;
    *ret_count = 0;
    if (ret_total != NULL)
        *ret_total = total;
    if (!reader->bad && count > 0 && count <= LZ_REHEARSED_NAMES)
        names = calloc(count, sizeof(*names));
    for (uint64_t i = 0; names != NULL && i < count; i++) {
        const char *name = report_get_string(reader);
        names[i] = name == NULL ? "?" : name;
        (*ret_count)++;
    }
    return names;
}

static void
get_result(struct lz_report_reader *reader, struct lz_rehearsed *ret)
{
    uint64_t kind, verdict = report_get(reader);
    ret->wall_ns = report_get(reader);
    ret->cpu_ns = report_get(reader);
    ret->bytes = (int64_t)report_get(reader);
    ret->modules = get_names(reader, &ret->module_count, &ret->modules_total);
    ret->threads = get_names(reader, &ret->thread_count, NULL);
    kind = report_get(reader);
    ret->error = report_get_string(reader);
    ret->traceback = report_get_string(reader);
    ret->file = report_get_string(reader);
    ret->line = (int)report_get(reader);
    if (reader->bad || verdict > LZ_REHEARSED_INCONCLUSIVE ||
        kind >= LZ_ERROR_COUNT) {
        ret->verdict = LZ_REHEARSED_INCONCLUSIVE;
        ret->kind = LZ_ERROR_INTERNAL;
        ret->error = "what it said of itself cannot be read";
        ret->traceback = ret->file = NULL;
        return;
    }
    ret->verdict = (enum lz_rehearsed_verdict)verdict;
    ret->kind = (enum lz_error_kind)kind;
}

/* Every item, then those that were not come to. */
static int
read_report(struct lz_rehearsed_list *list)
{
    struct lz_report_reader reader;
    const char *begun = NULL;
    report_read(&reader, list->outcome.report, list->outcome.size);
    while (report_next_item(&reader)) {
        uint64_t what = report_get(&reader);
        const char *name = report_get_string(&reader);
        if (name == NULL || what == ITEM_BEGIN) {
            begun = name;
            continue;
        }
        struct lz_rehearsed *item = list_add(list);
        if (item == NULL)
            return -1;
        item->name = name;
        get_result(&reader, item);
        begun = NULL;
    }
    if (begun == NULL)
        return 0;
    struct lz_rehearsed *item = list_add(list);
    if (item == NULL)
        return -1;
    item->name = begun;
    item->error = list->outcome.text;
    bool left = list->outcome.end == LZ_REHEARSAL_EXITED;
    item->verdict = left ? LZ_REHEARSED_FAILS : LZ_REHEARSED_INCONCLUSIVE;
    item->kind = left ? LZ_ERROR_LOAD_FAILED : LZ_ERROR_BUSY;
    item->wall_ns = list->outcome.wall_ns;
    return 0;
}

static bool
is_listed(const struct lz_rehearsed_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].name, name) == 0)
            return true;
    }
    return false;
}

static int
add_missing(const struct request *request, struct lz_rehearsed_list *list)
{
    for (size_t i = 0; i < request->count; i++) {
        if (is_listed(list, request->names[i]))
            continue;
        struct lz_rehearsed *item = list_add(list);
        if (item == NULL)
            return -1;
        item->name = request->names[i];
        item->verdict = LZ_REHEARSED_INCONCLUSIVE;
        item->kind = LZ_ERROR_BUSY;
        item->error = list->count == 1 && list->outcome.text[0] != '\0'
                          ? list->outcome.text
                          : "not come to";
    }
    return 0;
}

int
lazycore_rehearse_load(const struct lz_rehearsal *setup,
                       const char *const *names, size_t count, bool recursive,
                       struct lz_rehearsed_list *ret_list,
                       struct lz_error *error)
{
    struct request request = {.names = names,
                              .count = count,
                              .recursive = recursive,
                              .core = setup->core};
    struct lz_rehearsal rehearsal = *setup;
    rehearsal.body = child_body;
    rehearsal.arg = &request;
    *ret_list = (struct lz_rehearsed_list){0};
    if (lazycore_rehearse(&rehearsal, &ret_list->outcome, error) < 0)
        return -1;
    if (read_report(ret_list) < 0 || add_missing(&request, ret_list) < 0) {
        lz_rehearsed_list_done(ret_list);
        return lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
    }
    return 0;
}

void
lz_rehearsed_list_done(struct lz_rehearsed_list *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].modules);
        free(list->items[i].threads);
    }
    free(list->items);
    list->items = NULL;
    list->count = 0;
    lz_rehearsal_outcome_done(&list->outcome);
}
