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

static void
take_samples(const struct lz_module *modules, size_t count,
             struct wire_sample samples[KINDS])
{
    for (size_t i = 0; i < count; i++) {
        enum kind kind;
        int64_t bytes = size_of(modules[i].file, &kind);

        if (modules[i].sequence != 0 && bytes > 0) {
            samples[kind].modules++;
            samples[kind].file_bytes += (uint64_t)bytes;
            samples[kind].wall_ns += modules[i].wall_self_ns;
            samples[kind].bytes += modules[i].bytes_self;
        }
    }
}

static void
estimate(const struct wire_sample samples[KINDS],
         struct wire_unused_module *module)
{
    enum kind kind;

    module->estimated_bytes = module->estimated_ns = -1;
    module->file_bytes = size_of(module->file, &kind);
    if (module->file_bytes < 0 || samples[kind].modules < SAMPLE_MODULES) {
        return;
    }
    const struct wire_sample *sample = &samples[kind];
    double part = (double)module->file_bytes / (double)sample->file_bytes;
    double memory = sample->bytes > 0 ? (double)sample->bytes : 0;

    module->estimated_bytes = (int64_t)(memory * part);
    module->estimated_ns = (int64_t)((double)sample->wall_ns * part);
}

static int
by_estimate(const void *left, const void *right)
{
    const struct wire_unused_module *a = left;
    const struct wire_unused_module *b = right;

    if (a->estimated_bytes != b->estimated_bytes) {
        return a->estimated_bytes > b->estimated_bytes ? -1 : 1;
    }
    if (a->estimated_ns != b->estimated_ns) {
        return a->estimated_ns > b->estimated_ns ? -1 : 1;
    }
    return strcmp(a->name, b->name);
}

static void
add_up(struct wire_unused *unused)
{
    unused->estimated_bytes = unused->estimated_ns = -1;
    for (size_t i = 0; i < unused->module_count; i++) {
        const struct wire_unused_module *module = &unused->modules[i];

        if (module->estimated_bytes < 0) {
            continue;
        }
        if (unused->estimated++ == 0) {
            unused->estimated_bytes = unused->estimated_ns = 0;
        }
        unused->estimated_bytes += module->estimated_bytes;
        unused->estimated_ns += module->estimated_ns;
    }
}

static int
fill(const struct lz_module *modules, size_t count, struct arena *arena,
     const struct wire_sample samples[KINDS], struct wire_unused *ret)
{
    ret->modules = arena_alloc(arena, count + 1, sizeof(*ret->modules));
    if (ret->modules == NULL) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        struct wire_unused_module *row = &ret->modules[i];

        row->name = arena_strdup(arena, modules[i].name);
        row->file = arena_strdup(arena, modules[i].file);
        if (row->name == NULL) {
            return -1;
        }
        handler_copy_place(&modules[i].statement, arena, &row->statement);
        estimate(samples, row);
    }
    ret->module_count = count;
    ret->total = count;
    add_up(ret);
    qsort(ret->modules, count, sizeof(*ret->modules), by_estimate);
    return 0;
}

int
handle_unused(struct lz_core *core, const struct wire_unused_params *params,
              struct arena *arena, struct wire_unused *ret,
              struct wire_error *error)
{
    struct lz_query loaded = {.loaded = true};
    struct lz_query pending = {.states = 1u << LZ_STATE_PROXY,
                               .match = params->match};
    struct lz_module *modules = NULL;
    size_t count = 0;
    size_t total = 0;
    int rc = -1;

    ret->samples = arena_alloc(arena, KINDS, sizeof(*ret->samples));
    if (ret->samples == NULL ||
        registry_list(core->registry, &loaded, &modules, &count, &total) < 0) {
        return handler_no_memory(error);
    }
    for (unsigned i = 0; i < KINDS; i++) {
        ret->samples[i].kind = kind_names[i];
    }
    ret->sample_count = KINDS;
    take_samples(modules, count, ret->samples);
    registry_modules_free(modules, count);
    modules = NULL;
    if (registry_list(core->registry, &pending, &modules, &count, &total) ==
        0) {
        rc = fill(modules, count, arena, ret->samples, ret);
        registry_modules_free(modules, count);
    }
    if (rc < 0) {
        return handler_no_memory(error);
    }
    if (params->limit > 0 && ret->module_count > (size_t)params->limit) {
        ret->module_count = (size_t)params->limit;
    }
    return 0;
}
