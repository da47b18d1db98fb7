/* The replies that explain: `stats`, `show` and `report`.
 *
 * See render.h. The words for states complete what the server sends as
 * stable keys.
 */
#include <inttypes.h>
#include <string.h>

#include "ctl/render.h"
#include "ctl/text.h"

static void
put_label(FILE *stream, const char *label)
{
    (void)fprintf(stream, "  %-13s", label);
}

static void
put_field(FILE *stream, const char *label, const char *text)
{
    put_label(stream, label);
    text_put(stream, text);
    (void)fputc('\n', stream);
}

static void
put_count(FILE *stream, const char *label, uint64_t count, const char *what)
{
    (void)fprintf(stream, "  %-13s%8" PRIu64 "  %s\n", label, count, what);
}

/* When a figure was taken, and the end of its line; -1: not known. */
static void
put_age(FILE *stream, int64_t age_ns)
{
    char age[TEXT_UNIT_SIZE];
    if (age_ns >= 0) {
        (void)fprintf(stream, ", %s ago", text_time((uint64_t)age_ns, age));
    }
    (void)fputc('\n', stream);
}

static void
put_sampled(FILE *stream, const char *label, int64_t bytes, int64_t age_ns,
            const char *what)
{
    char size[TEXT_UNIT_SIZE];
    (void)fprintf(stream, "  %-13s%12s  %s", label,
                  text_known_bytes(bytes, size), what);
    put_age(stream, bytes >= 0 ? age_ns : -1);
}

static void
put_stats_modules(FILE *stream, const struct wire_stats_modules *modules)
{
    (void)fputs("modules\n", stream);
    put_count(stream, "proxies", modules->proxies,
              "imported lazily, not loaded");
    put_count(stream, "reals", modules->reals, "loaded through a proxy");
    put_count(stream, "eager", modules->eager,
              "loaded at their import statement, by a rule");
    put_count(stream, "ignored", modules->ignored,
              "loaded at once, by an ignore set");
    put_count(stream, "existing", modules->existing,
              "there before lazy imports");
    put_count(stream, "lost", modules->lost, "put there by someone else");
    put_count(stream, "failed", modules->failed, "failed to load, last time");
    (void)fprintf(stream,
                  "  %" PRIu64 " proxies ever made, at most %" PRIu64
                  " at one time\n",
                  modules->proxy_total, modules->proxy_peak);
}

static void
put_stats_rehearsals(FILE *stream,
                     const struct wire_stats_rehearsals *rehearsals)
{
    char last[TEXT_UNIT_SIZE], longest[TEXT_UNIT_SIZE];
    if (rehearsals->count == 0) {
        return;
    }
    (void)fputs("dry runs\n", stream);
    put_count(stream, "forks", rehearsals->count, "copies of the service");
    (void)fprintf(stream,
                  "  %-13s%12s  the service stood still for the last "
                  "fork, at most %s\n",
                  "pause", text_time(rehearsals->last_pause_ns, last),
                  text_time(rehearsals->longest_pause_ns, longest));
}

static void
put_stats_memory(FILE *stream, const struct wire_stats_memory *memory)
{
    (void)fputs("memory\n", stream);
    put_sampled(stream, "rss", memory->rss, -1, "resident");
    put_sampled(stream, "peak rss", memory->peak_rss, -1, "resident, at most");
    put_sampled(stream, "pss", memory->pss, memory->pss_age_ns,
                "its share of what is resident");
    put_sampled(stream, "private dirty", memory->private_dirty,
                memory->private_dirty_age_ns, "its own alone");
    if (memory->python_blocks >= 0) {
        (void)fprintf(stream, "  %-13s%8" PRId64 "  allocated by Python",
                      "python blocks", memory->python_blocks);
        put_age(stream, memory->python_blocks_age_ns);
    }
}

void
render_stats(FILE *stream, const struct wire_stats *reply)
{
    char time[TEXT_UNIT_SIZE];
    (void)fputs("lazyd ", stream);
    text_put(stream, reply->version);
    (void)fprintf(stream, ", pid %" PRId64 ", up %s, Python ", reply->pid,
                  text_time(reply->uptime_ns, time));
    text_put(stream, reply->python);
    (void)fputc('\n', stream);
    put_field(stream, "app", reply->app);
    put_field(stream, "socket", reply->socket);
    put_stats_modules(stream, &reply->modules);
    (void)fputs("names\n", stream);
    put_count(stream, "pending", reply->names.pending,
              "wait for their first use");
    put_count(stream, "resolved", reply->names.resolved, "got their value");
    (void)fputs("builtins\n", stream);
    put_count(stream, "proxied", reply->builtins.proxied,
              "built-in modules that are proxies");
    put_count(stream, "imported", reply->builtins.imported,
              "built-in modules that are loaded");
    put_count(stream, "absent", reply->builtins.absent,
              "built-in modules never imported");
    (void)fputs("loads\n", stream);
    put_count(stream, "count", reply->loads.count, "module bodies run");
    put_count(stream, "failed", reply->loads.failed, "of them raised");
    (void)fprintf(stream, "  %-13s%12s  spent in them\n", "time",
                  text_time(reply->loads.wall_ns, time));
    if (reply->loads.blocked > 0) {
        put_count(stream, "blocked", reply->loads.blocked,
                  "on threads that must not load");
    }
    (void)fputs("settled\n", stream);
    put_count(stream, "namespaces", reply->settled.namespaces,
              "were hot: what was pending there is loaded");
    put_count(stream, "modules", reply->settled.modules,
              "module bodies run for that");
    put_stats_memory(stream, &reply->memory);
    put_stats_rehearsals(stream, &reply->rehearsals);
    (void)fputs("control\n", stream);
    put_count(stream, "clients", reply->control.clients, "connected");
    put_count(stream, "requests", reply->control.requests, "received");
    put_count(stream, "dropped", reply->control.dropped,
              "clients dropped for a limit");
    put_count(stream, "refused", reply->control.refused,
              "connections and requests refused");
}

static const char *
state_text(const char *state)
{
    static const struct {
        const char *state, *text;
    } texts[] = {
        {"proxy", "imported lazily, not loaded"},
        {"real", "imported lazily, and loaded by its first use"},
        {"eager", "loaded at its import statement"},
        {"ignored", "loaded at once, by an ignore set or level"},
        {"existing", "was there before lazy imports began"},
        {"lost", "in sys.modules, put there by someone else"},
        {"absent", "nothing has imported it"},
    };
    for (size_t i = 0; state != NULL && i < sizeof texts / sizeof *texts;
         i++) {
        if (strcmp(texts[i].state, state) == 0) {
            return texts[i].text;
        }
    }
    return "a state that this lazyctl does not know";
}

static void
put_place(FILE *stream, const char *label, const struct wire_place *place)
{
    if (place->file == NULL) {
        return;
    }
    put_label(stream, label);
    text_put(stream, place->file);
    if (place->line > 0) {
        (void)fprintf(stream, ":%d", place->line);
    }
    if (place->function != NULL) {
        (void)fputs(", in ", stream);
        text_put(stream, place->function);
    }
    if (place->module != NULL) {
        (void)fputs(", of ", stream);
        text_put(stream, place->module);
    }
    (void)fputc('\n', stream);
}

static void
put_ago(FILE *stream, uint64_t then_ns, uint64_t now_ns)
{
    char age[TEXT_UNIT_SIZE];
    (void)fprintf(stream, "%s ago",
                  text_time(now_ns > then_ns ? now_ns - then_ns : 0, age));
}

static void
put_cost(FILE *stream, const struct wire_module *module)
{
    char all[TEXT_UNIT_SIZE], own[TEXT_UNIT_SIZE];
    put_label(stream, "time");
    (void)fprintf(stream, "%s, itself %s\n", text_time(module->wall_ns, all),
                  text_time(module->wall_self_ns, own));
    put_label(stream, "cpu");
    (void)fprintf(stream, "%s, itself %s\n", text_time(module->cpu_ns, all),
                  text_time(module->cpu_self_ns, own));
    put_label(stream, "memory");
    (void)fprintf(stream, "%s, itself %s, in about %" PRId64 " blocks\n",
                  text_bytes(module->bytes, all),
                  text_bytes(module->bytes_self, own), module->blocks);
}

static void
put_loading(FILE *stream, const struct wire_module *module, uint64_t now_ns)
{
    if (module->sequence == 0 && module->loads == 0) {
        if (module->failures > 0) {
            put_place(stream, "needed by", &module->trigger);
        }
        return;
    }
    put_label(stream, "loaded");
    if (module->loaded_ns > 0) {
        put_ago(stream, module->loaded_ns, now_ns);
    }
    if (module->sequence > 0) {
        (void)fprintf(stream, "%snumber %" PRIu64 " in order",
                      module->loaded_ns > 0 ? ", " : "", module->sequence);
    }
    if (module->thread != NULL) {
        (void)fputs(", by thread ", stream);
        text_put(stream, module->thread);
    }
    (void)fputc('\n', stream);
    put_place(stream, "needed by", &module->trigger);
    if (module->parent != NULL) {
        put_field(stream, "nested in", module->parent);
    }
    if (module->first_use_ns > 0) {
        char took[TEXT_UNIT_SIZE];
        put_label(stream, "first use");
        (void)fprintf(stream, "waited %s for it\n",
                      text_time(module->first_use_ns, took));
    }
    put_cost(stream, module);
    if (module->loads > 1) {
        put_label(stream, "ran");
        (void)fprintf(stream, "%" PRIu64 " times\n", module->loads);
    }
}

/* What its body brought, in order, and what its statements left pending. */
static void
put_brought(FILE *stream, const struct wire_module *module)
{
    if (module->child_total > 0) {
        put_label(stream, "pulled in");
        (void)fprintf(stream,
                      "%" PRIu64 " modules, %" PRIu64 " of them itself:\n",
                      module->pulled, module->child_total);
    }
    for (size_t i = 0; i < module->child_count; i++) {
        const struct wire_child *child = &module->children[i];
        char took[TEXT_UNIT_SIZE], memory[TEXT_UNIT_SIZE];
        put_label(stream, "");
        (void)fputs("  ", stream);
        text_put(stream, child->name);
        (void)fprintf(stream, ", %s, %s (", text_time(child->wall_ns, took),
                      text_bytes(child->bytes, memory));
        text_put(stream, child->reason);
        (void)fputs(")\n", stream);
    }
    if (module->child_count < module->child_total) {
        put_label(stream, "");
        (void)fprintf(stream, "  and %" PRIu64 " more\n",
                      module->child_total - module->child_count);
    }
    if (module->waiting > 0) {
        put_label(stream, "left pending");
        (void)fprintf(stream,
                      "%" PRIu64 " modules that it imports and "
                      "nothing has used\n",
                      module->waiting);
    }
}

void
render_show(FILE *stream, const struct wire_module *reply, uint64_t now_ns)
{
    text_put(stream, reply->name);
    (void)fputs(reply->builtin ? " (built in)\n" : "\n", stream);
    put_label(stream, "state");
    text_put(stream, reply->state);
    (void)fprintf(stream, ": %s\n", state_text(reply->state));
    if (reply->reason != NULL && strcmp(reply->reason, "none") != 0) {
        put_label(stream, "because");
        text_put(stream, reply->reason_text);
        (void)fputs(" (", stream);
        text_put(stream, reply->reason);
        (void)fputs(")\n", stream);
    }
    if (reply->rule != NULL) {
        put_field(stream, "rule", reply->rule);
    }
    if (reply->file != NULL) {
        put_field(stream, "file", reply->file);
    }
    put_place(stream, "imported at", &reply->statement);
    if (reply->met_ns > 0) {
        put_label(stream, "first met");
        put_ago(stream, reply->met_ns, now_ns);
        (void)fputc('\n', stream);
    }
    put_loading(stream, reply, now_ns);
    put_brought(stream, reply);
    if (reply->names_pending > 0) {
        put_label(stream, "names");
        (void)fprintf(stream, "%" PRIu64 " wait for it\n",
                      reply->names_pending);
    }
    if (reply->level != NULL) {
        put_label(stream, "level");
        text_put(stream, reply->level);
        (void)fputs(" (", stream);
        text_put(stream, reply->level_source);
        (void)fputc(')', stream);
        if (reply->level_why != NULL) {
            (void)fputs(": ", stream);
            text_put(stream, reply->level_why);
        }
        (void)fputc('\n', stream);
    }
    if (reply->blocked > 0) {
        put_label(stream, "blocked");
        (void)fprintf(stream,
                      "a thread that must not load, %" PRIu64 " time%s\n",
                      reply->blocked, reply->blocked == 1 ? "" : "s");
    }
    if (reply->generations > 0) {
        put_label(stream, "generations");
        (void)fprintf(stream,
                      "%" PRIu64 " kept, 'lazyctl rollback' goes back "
                      "one\n",
                      reply->generations);
    }
    if (reply->unconfirmed) {
        put_field(stream, "unconfirmed",
                  "its last reload will roll back "
                  "unless 'lazyctl confirm' comes");
    }
    if (reply->failures > 0) {
        put_label(stream, "failures");
        (void)fprintf(stream, "%" PRIu64 ", the last: ", reply->failures);
        text_put(stream, reply->last_error);
        (void)fputc('\n', stream);
    }
}

int
render_report(FILE *stream, const struct wire_report *reply)
{
    char size[TEXT_UNIT_SIZE];
    (void)fprintf(stream, "lazyd report (now using %s)\n",
                  text_known_bytes(reply->rss, size));
    for (size_t i = 0; i < reply->group_count; i++) {
        const struct wire_group *group = &reply->groups[i];
        text_put(stream, group->text);
        (void)fprintf(stream, " %" PRIu64 "\n", group->count);
        text_put_names(stream, 4, group->names, group->name_count);
        if (group->key != NULL &&
            strcmp(group->key, wire_group_key(WIRE_GROUP_PROXIES)) == 0) {
            text_put(stream, group->text);
            (void)fprintf(stream, " (maximum size reached) %" PRIu64 "\n",
                          reply->proxy_peak);
            text_put(stream, group->text);
            (void)fprintf(stream, " (ever made) %" PRIu64 "\n",
                          reply->proxy_total);
        }
    }
    if (reply->costly_count == 0) {
        return 0;
    }
    (void)fputs("dearest loads\n", stream);
    struct wire_list costly = {.modules = reply->costly,
                               .module_count = reply->costly_count,
                               .total = reply->costly_count};
    return render_list(stream, &costly);
}
