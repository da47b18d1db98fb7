/* The ignore sets over the socket: list, edit, save.
 *
 * An edit checks all its values before it changes anything, and says which
 * pending modules the rules match: those stay proxies unless they are loaded.
 */
#include "daemon/handlers.h"

#include <stdlib.h>
#include <string.h>

int
handle_ignore_list(struct control *control, struct arena *arena,
                   struct wire_ignore_list *ret, struct wire_error *error)
{
    struct lz_ignore_rule *rules = NULL;
    size_t count = 0;

    if (ignore_list(control->setup.core->ignore, &rules, &count) < 0) {
        return handler_no_memory(error);
    }
    ret->rules = arena_alloc(arena, count + 1, sizeof(*ret->rules));
    for (size_t i = 0; ret->rules != NULL && i < count; i++) {
        ret->rules[i] = (struct wire_rule){
            .kind = lz_ignore_kind_string(rules[i].kind),
            .value = arena_strdup(arena, rules[i].value),
            .hits = rules[i].hits,
            .builtin = rules[i].builtin != 0,
        };
    }
    ignore_rules_free(rules, count);
    if (ret->rules == NULL) {
        return handler_no_memory(error);
    }
    ret->rule_count = count;
    return 0;
}

static bool
covered(const struct wire_ignore_params *params, enum lz_ignore_kind kind,
        const struct lz_module *module)
{
    for (size_t i = 0; i < params->value_count; i++) {
        if (ignore_rule_covers(kind, params->values[i], module->name,
                               module->file)) {
            return true;
        }
    }
    return false;
}

/* Modules that are still proxies and that the values match. 0, or -1 with
 * ERROR. */
static int
find_pending(struct lz_core *core, const struct wire_ignore_params *params,
             enum lz_ignore_kind kind, struct arena *arena,
             struct wire_ignore_edit *ret, struct wire_error *error)
{
    struct lz_query query = {.states = 1u << LZ_STATE_PROXY};
    struct lz_listing *listing;
    size_t count;

    if (handler_listing(core->registry, &query, arena, &listing, error) < 0) {
        return -1;
    }
    count = registry_listing_count(listing);
    ret->pending = arena_alloc(arena, count + 1, sizeof(*ret->pending));
    for (size_t i = 0; ret->pending != NULL && i < count; i++) {
        struct lz_module module;

        if (registry_listing_at(listing, i, &module) &&
            covered(params, kind, &module)) {
            ret->pending[ret->pending_count++] =
                registry_listing_name(listing, i);
        }
    }
    return ret->pending == NULL ? handler_no_memory(error) : 0;
}

static int
check_values(const struct wire_ignore_params *params, enum lz_ignore_kind kind,
             struct arena *arena, struct wire_error *error)
{
    struct lz_error failure = {0};

    for (size_t i = 0; i < params->value_count; i++) {
        if (ignore_check(kind, params->values[i], &failure) < 0) {
            return handler_error(error, &failure, arena);
        }
    }
    return 0;
}

/* 1 changed, 0 not, -1 and FAILURE. */
static int
edit_one(struct lz_ignore *ignore, enum lz_ignore_kind kind, bool add,
         bool dry_run, const char *value, struct lz_error *failure)
{
    if (dry_run) {
        return ignore_contains(ignore, kind, value) != add;
    }
    return add ? ignore_add(ignore, kind, value, failure)
               : ignore_remove(ignore, kind, value);
}

static int
edit_values(struct lz_ignore *ignore, enum lz_ignore_kind kind, bool add,
            const struct wire_ignore_params *params,
            struct wire_ignore_edit *ret, struct lz_error *failure)
{
    for (size_t i = 0; i < params->value_count; i++) {
        const char *value = params->values[i];
        int changed =
            edit_one(ignore, kind, add, params->dry_run, value, failure);

        if (changed < 0) {
            return -1;
        }
        if (changed) {
            ret->changed[ret->changed_count++] = value;
        } else {
            ret->unchanged[ret->unchanged_count++] = value;
        }
    }
    return 0;
}

int
ignore_edit(struct lz_core *core, const struct wire_request *request,
            struct arena *arena, struct wire_ignore_edit *ret,
            struct wire_error *error)
{
    const struct wire_ignore_params *params = &request->params.ignore_add;
    bool add = request->command->id == WIRE_IGNORE_ADD;
    struct lz_error failure = {0};
    enum lz_ignore_kind kind;

    if (!lz_ignore_kind_from_string(params->kind, &kind)) {
        return wire_error_set(error, WIRE_ERROR_INVALID,
                              "'%s' is no kind: name, package or path",
                              params->kind);
    }
    if (add && check_values(params, kind, arena, error) < 0) {
        return -1;
    }
    ret->kind = lz_ignore_kind_string(kind);
    ret->dry_run = params->dry_run;
    ret->changed = arena_alloc(arena, params->value_count + 1, sizeof(char *));
    ret->unchanged =
        arena_alloc(arena, params->value_count + 1, sizeof(char *));
    if (ret->changed == NULL || ret->unchanged == NULL) {
        return handler_no_memory(error);
    }
    if (add && find_pending(core, params, kind, arena, ret, error) < 0) {
        return -1;
    }
    if (edit_values(core->ignore, kind, add, params, ret, &failure) < 0) {
        return handler_error(error, &failure, arena);
    }
    if (!add && ret->changed_count == 0) {
        return wire_error_set(error, WIRE_ERROR_NO_SUCH_RULE,
                              "no %s rule '%s': see 'lazyctl ignore list'",
                              ret->kind, params->values[0]);
    }
    return 0;
}

void
ignore_announce(const struct client *client,
                const struct wire_request *request,
                const struct wire_ignore_edit *edit)
{
    struct wire_event event = {
        .event = WIRE_EVENT_IGNORE,
        .action = request->command->id == WIRE_IGNORE_ADD ? "add" : "remove",
        .kind = edit->kind,
        .pid = client->pid,
        .uid = (int64_t)client->uid};

    for (size_t i = 0; !edit->dry_run && i < edit->changed_count; i++) {
        client_log_change(client, "%s %s %s", request->command->method,
                          edit->kind, edit->changed[i]);
        event.value = edit->changed[i];
        control_post(client->control, &event);
    }
}

int
ignore_save_begin(struct control *control,
                  const struct wire_ignore_save_params *params,
                  char **ret_text, struct wire_ignore_save *ret,
                  struct wire_error *error)
{
    struct lz_ignore *ignore = control->setup.core->ignore;
    struct lz_ignore_rule *rules = NULL;
    size_t count = 0;

    if (params->path[0] != '/') {
        return wire_error_set(error, WIRE_ERROR_INVALID,
                              "path '%s' is not absolute", params->path);
    }
    if (ignore_list(ignore, &rules, &count) < 0) {
        return handler_no_memory(error);
    }
    ignore_rules_free(rules, count);
    if (ignore_text(ignore, ret_text) < 0) {
        return handler_no_memory(error);
    }
    ret->path = params->path;
    ret->rules = count;
    return 0;
}
