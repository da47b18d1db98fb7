/* What has never been used, and what that saved: an estimate.
 *
 * A module that has not run costs nothing to measure. What this process has
 * loaded says what a byte of a file comes to, in time and in memory, each
 * module without those it loaded in turn; sources and extensions apart. That
 * times the size of the file is the estimate. Looks at files: the thread
 * that may wait for a disk.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/handlers.h"

enum kind { SOURCE, EXTENSION, KINDS };

/* Fewer say nothing about others. */
enum { SAMPLE_MODULES = 5 };

static const char *const kind_names[KINDS] = {
    [SOURCE] = "source", [EXTENSION] = "extension"};

static bool
ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t size = strlen(end);

    return length >= size && strcmp(text + length - size, end) == 0;
}

/* Bytes of FILE and its kind, or -1: a module without one, or in an
 * archive. */
static int64_t
size_of(const char *file, enum kind *ret_kind)
{
    struct stat status;

    if (file == NULL || file[0] != '/' || stat(file, &status) != 0 ||
        !S_ISREG(status.st_mode)) {
        return -1;
    }
    *ret_kind = ends_with(file, ".so") ? EXTENSION : SOURCE;
    return status.st_size;
}

static int
take_samples(struct lz_registry *registry, struct arena *arena,
             struct wire_sample samples[KINDS], struct wire_error *error)
{
    struct lz_query loaded = {.loaded = true};
    struct lz_listing *listing;

    if (handler_listing(registry, &loaded, arena, &listing, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < registry_listing_count(listing); i++) {
        struct lz_module module;
        enum kind kind;
        int64_t bytes;

        if (!registry_listing_at(listing, i, &module)) {
            continue;
        }
        bytes = size_of(module.file, &kind);
        if (bytes > 0) {
            samples[kind].modules++;
            samples[kind].file_bytes += (uint64_t)bytes;
            samples[kind].wall_ns += module.wall_self_ns;
            samples[kind].bytes += module.bytes_self;
        }
    }
    return 0;
}

/* What is known of a module but for what the registry knows. */
struct row {
    size_t index; /* in the listing */
    const char *name;
    int64_t file_bytes, estimated_bytes, estimated_ns;
};

static void
estimate(const struct wire_sample samples[KINDS], const char *file,
         struct row *row)
{
    enum kind kind;

    row->estimated_bytes = row->estimated_ns = -1;
    row->file_bytes = size_of(file, &kind);
    if (row->file_bytes < 0 || samples[kind].modules < SAMPLE_MODULES) {
        return;
    }
    const struct wire_sample *sample = &samples[kind];
    double part = (double)row->file_bytes / (double)sample->file_bytes;
    double memory = sample->bytes > 0 ? (double)sample->bytes : 0;

    row->estimated_bytes = (int64_t)(memory * part);
    row->estimated_ns = (int64_t)((double)sample->wall_ns * part);
}

static int
by_estimate(const void *left, const void *right)
{
    const struct row *a = left;
    const struct row *b = right;

    if (a->estimated_bytes != b->estimated_bytes) {
        return a->estimated_bytes > b->estimated_bytes ? -1 : 1;
    }
    if (a->estimated_ns != b->estimated_ns) {
        return a->estimated_ns > b->estimated_ns ? -1 : 1;
    }
    return strcmp(a->name, b->name);
}

static void
add_up(const struct row *rows, size_t count, struct wire_unused *unused)
{
    unused->total = count;
    unused->estimated_bytes = unused->estimated_ns = -1;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].estimated_bytes < 0) {
            continue;
        }
        if (unused->estimated++ == 0) {
            unused->estimated_bytes = unused->estimated_ns = 0;
        }
        unused->estimated_bytes += rows[i].estimated_bytes;
        unused->estimated_ns += rows[i].estimated_ns;
    }
}

/* --- the rows, one at a time -------------------------------------------- */

struct row_list {
    struct lz_listing *listing;
    struct row *rows;
    size_t at, count;
    struct lz_module module;
    struct wire_unused_module shown;
};

static const void *
next_row(void *arg)
{
    struct row_list *list = arg;

    while (list->at < list->count) {
        const struct row *row = &list->rows[list->at++];

        /* Unless it has been used meanwhile. */
        if (registry_listing_at(list->listing, row->index, &list->module)) {
            list->shown = (struct wire_unused_module){
                .name = row->name,
                .file = list->module.file,
                .file_bytes = row->file_bytes,
                .estimated_bytes = row->estimated_bytes,
                .estimated_ns = row->estimated_ns};
            handler_show_place(&list->module.statement,
                               &list->shown.statement);
            return &list->shown;
        }
    }
    return NULL;
}

static int
fill_rows(struct row_list *list, const struct wire_sample samples[KINDS],
          struct arena *arena)
{
    size_t count = registry_listing_count(list->listing);

    list->rows = arena_alloc(arena, count + 1, sizeof(*list->rows));
    if (list->rows == NULL) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        if (registry_listing_at(list->listing, i, &list->module)) {
            struct row *row = &list->rows[list->count++];

            row->index = i;
            row->name = registry_listing_name(list->listing, i);
            estimate(samples, list->module.file, row);
        }
    }
    qsort(list->rows, list->count, sizeof(*list->rows), by_estimate);
    return 0;
}

int
handle_unused(struct lz_core *core, const struct wire_unused_params *params,
              struct arena *arena, struct wire_unused *ret,
              struct wire_error *error)
{
    struct lz_query pending = {.unused = true, .match = params->match};
    struct row_list *list = arena_alloc(arena, 1, sizeof(*list));

    ret->samples = arena_alloc(arena, KINDS, sizeof(*ret->samples));
    if (list == NULL || ret->samples == NULL) {
        return handler_no_memory(error);
    }
    for (unsigned i = 0; i < KINDS; i++) {
        ret->samples[i].kind = kind_names[i];
    }
    ret->sample_count = KINDS;
    if (take_samples(core->registry, arena, ret->samples, error) < 0 ||
        handler_listing(core->registry, &pending, arena, &list->listing,
                        error) < 0) {
        return -1;
    }
    if (fill_rows(list, ret->samples, arena) < 0) {
        return handler_no_memory(error);
    }
    add_up(list->rows, list->count, ret);
    if (params->limit > 0 && list->count > (size_t)params->limit) {
        list->count = (size_t)params->limit;
    }
    ret->source = (struct wire_source){next_row, list};
    return 0;
}
