/* What explains one module, or all loads: show, why and trace.
 *
 * Read from the registry alone. Replies have a bound: a trace comes in pages.
 */
#include "daemon/handlers.h"

#include <stdlib.h>
#include <string.h>

#include "lazycore/names.h"
#include "lazycore/registry_tree.h"

/* Bytes of a trace reply, about; names and paths may be long. */
enum { PAGE_BYTES = WIRE_LIMIT_FRAME, LOAD_BYTES = 400 };

/* --- show --------------------------------------------------------------- */

static int
copy_children(const struct lz_context *context, struct arena *arena,
              struct wire_module *ret)
{
    ret->children =
        arena_alloc(arena, context->child_count + 1, sizeof(*ret->children));
    if (ret->children == NULL) {
        return -1;
    }
    for (size_t i = 0; i < context->child_count; i++) {
        const struct lz_module *child = &context->children[i];
        ret->children[i] =
            (struct wire_child){.name = arena_strdup(arena, child->name),
                                .reason = lz_reason_string(child->reason),
                                .wall_ns = child->wall_ns,
                                .bytes = child->bytes};
    }
    ret->child_count = context->child_count;
    ret->child_total = context->child_total;
    ret->pulled = context->pulled;
    ret->waiting = context->waiting;
    return 0;
}

/* What the record of NAME alone does not say. 0, or -1 on lack of memory. */
static int
add_context(struct lz_registry *registry, const char *name,
            struct arena *arena, struct wire_module *ret)
{
    struct lz_context context;

    if (registry_context(registry, name, WIRE_LIMIT_CHILDREN, &context) < 0) {
        return -1;
    }
    ret->statement.module = arena_strdup(arena, context.statement_module);
    ret->trigger.module = arena_strdup(arena, context.trigger_module);
    int rc = copy_children(&context, arena, ret);
    registry_context_done(&context);
    return rc;
}

int
handle_show(struct control *control, const struct wire_show_params *params,
            struct arena *arena, struct wire_module *ret,
            struct wire_error *error)
{
    struct lz_core *core = control->setup.core;
    struct lz_level_info level = levels_explain(core->levels, params->name);
    struct lz_module *module;
    int rc = registry_show(core->registry, params->name, &module);

    if (rc < 0) {
        return handler_no_memory(error);
    }
    if (rc == 0 && level.source != LZ_LEVEL_DEFAULT &&
        names_is_top_level(params->name)) {
        *ret = (struct wire_module){.name = params->name, .state = "absent"};
    } else if (rc == 0) {
        return wire_error_set(error, WIRE_ERROR_NO_SUCH_MODULE,
                              "nothing has imported '%s': see 'lazyctl list'",
                              params->name);
    }
    if (rc > 0) {
        handler_copy_module(module, arena, ret);
        registry_modules_free(module, 1);
        if (add_context(core->registry, params->name, arena, ret) < 0) {
            return handler_no_memory(error);
        }
    }
    ret->generations = sources_generations(core->sources, params->name);
    ret->unconfirmed = sources_held(core->sources, params->name) != 0;
    ret->level = lz_level_string(level.level);
    ret->level_source = lz_level_source_string(level.source);
    ret->level_why = level.why;
    return 0;
}

/* --- why ---------------------------------------------------------------- */

static void
copy_step(const struct lz_module *from, enum lz_link link, struct arena *arena,
          struct wire_step *ret)
{
    *ret = (struct wire_step){
        .name = arena_strdup(arena, from->name),
        .state = lz_state_string(from->state),
        .reason = lz_reason_string(from->reason),
        .reason_text = lz_reason_text(from->reason),
        .rule = arena_strdup(arena, from->rule),
        .link = lz_link_string(link),
        .file = arena_strdup(arena, from->file),
        .parent = arena_strdup(arena, from->parent),
        .thread = arena_strdup(arena, from->thread),
        .sequence = from->sequence,
        .met_ns = from->met_ns,
        .loaded_ns = from->loaded_ns,
        .wall_ns = from->wall_ns,
        .first_use_ns = from->first_use_ns,
        .failures = from->failures,
        .last_error = arena_strdup(arena, from->last_error),
    };
    handler_copy_place(&from->statement, arena, &ret->statement);
    handler_copy_place(&from->trigger, arena, &ret->trigger);
}

int
handle_why(struct control *control, const struct wire_why_params *params,
           struct arena *arena, struct wire_why *ret, struct wire_error *error)
{
    struct lz_chain chain;
    int rc =
        registry_chain(control->setup.core->registry, params->name, &chain);

    if (rc < 0) {
        return handler_no_memory(error);
    }
    if (rc == 0) {
        return wire_error_set(error, WIRE_ERROR_NO_SUCH_MODULE,
                              "nothing has imported '%s': see 'lazyctl list'",
                              params->name);
    }
    ret->name = params->name;
    ret->app = control->setup.app;
    ret->cut = chain.cut;
    ret->steps = arena_alloc(arena, chain.count + 1, sizeof(*ret->steps));
    for (size_t i = 0; ret->steps != NULL && i < chain.count; i++) {
        copy_step(&chain.modules[i], chain.links[i], arena, &ret->steps[i]);
    }
    ret->step_count = chain.count;
    registry_chain_done(&chain);
    return ret->steps == NULL ? handler_no_memory(error) : 0;
}

/* --- trace -------------------------------------------------------------- */

static size_t
length_of(const char *text)
{
    return text == NULL ? 0 : strlen(text);
}

/* Bytes of its JSON, about. */
static size_t
show_load(const struct lz_module *from, struct wire_trace_load *ret)
{
    *ret = (struct wire_trace_load){
        .name = from->name,
        .parent = from->parent,
        .thread = from->thread,
        .reason = lz_reason_string(from->reason),
        .file = from->file,
        .sequence = from->sequence,
        .started_ns = from->started_ns,
        .wall_ns = from->wall_ns,
        .wall_self_ns = from->wall_self_ns,
        .cpu_ns = from->cpu_ns,
        .cpu_self_ns = from->cpu_self_ns,
        .bytes = from->bytes,
        .bytes_self = from->bytes_self,
        .blocks = from->blocks,
        .blocks_self = from->blocks_self,
    };
    handler_show_place(&from->trigger, &ret->trigger);
    return LOAD_BYTES + length_of(ret->name) + length_of(ret->parent) +
           length_of(ret->thread) + length_of(ret->file) +
           length_of(ret->trigger.file) + length_of(ret->trigger.function);
}

/* As many loads as a reply may hold. */
struct page {
    struct lz_listing *listing;
    size_t at, left, bytes;
    uint64_t last;  /* sequence number of the last one given */
    uint64_t *next; /* of the reply */
    struct lz_module module;
    struct wire_trace_load shown;
};

static const void *
next_load(void *arg)
{
    struct page *page = arg;

    while (page->at < registry_listing_count(page->listing)) {
        if (page->left == 0 || page->bytes >= PAGE_BYTES) {
            *page->next = page->last;
            return NULL;
        }
        if (registry_listing_at(page->listing, page->at++, &page->module)) {
            page->left--;
            page->bytes += show_load(&page->module, &page->shown);
            page->last = page->shown.sequence;
            return &page->shown;
        }
    }
    return NULL;
}

int
handle_trace(struct control *control, const struct wire_trace_params *params,
             struct arena *arena, struct wire_trace *ret,
             struct wire_error *error)
{
    struct lz_query query = {.loaded = true,
                             .after = (uint64_t)params->after,
                             .sort = LZ_SORT_ORDER};
    struct page *page = arena_alloc(arena, 1, sizeof(*page));

    if (page == NULL) {
        return handler_no_memory(error);
    }
    if (handler_listing(control->setup.core->registry, &query, arena,
                        &page->listing, error) < 0) {
        return -1;
    }
    page->left = params->limit > 0 && params->limit < WIRE_LIMIT_TRACE_PAGE
                     ? (size_t)params->limit
                     : WIRE_LIMIT_TRACE_PAGE;
    page->next = &ret->next;
    ret->pid = getpid();
    ret->app = control->setup.app;
    ret->total = registry_listing_count(page->listing);
    ret->source = (struct wire_source){next_load, page};
    return 0;
}
