/* `record`: the modules that were loaded through a proxy, by the service or by
 * a process that it forked, as a file that `warm` and lazyd read.
 */
#include <stdlib.h>

#include "ctl/output.h"
#include "ctl/run_private.h"
#include "ctl/text.h"
#include "ctl/wire/names_file.h"

struct recorded {
    const struct call *call;
    const struct wire_list *list;
};

static int
write_names(FILE *file, const void *arg)
{
    const struct recorded *recorded = arg;
    const struct wire_list *list = recorded->list;
    (void)fputs("# Modules that ", file);
    text_put(file, wire_client_hello(recorded->call->client)->app);
    (void)fputs(" has used, in the order of their loading:\n"
                "# for 'lazyd --warm' and 'lazyctl warm --file'.\n",
                file);
    for (size_t i = 0; i < list->module_count; i++) {
        if (wire_name_is_valid(list->modules[i].name)) {
            (void)fprintf(file, "%s\n", list->modules[i].name);
        }
    }
    return 0;
}

static size_t
count_names(const struct wire_list *list)
{
    size_t count = 0;
    for (size_t i = 0; i < list->module_count; i++) {
        count += wire_name_is_valid(list->modules[i].name);
    }
    return count;
}

static int
write_file(const char *path, const struct recorded *recorded)
{
    int status = output_write(path, write_names, recorded);
    if (status == RUN_DONE && !recorded->call->options->json) {
        (void)printf("%zu modules written to ", count_names(recorded->list));
        text_put(stdout, path);
        (void)fputc('\n', stdout);
    }
    return status;
}

static int
answer(struct call *call, struct wire_doc *doc)
{
    union wire_reply reply;
    const struct recorded recorded = {call, &reply.list};
    const char *path = call->options->params.record.output;
    if (wire_doc_kind(doc) == WIRE_IS_ERROR) {
        return run_server_said_no(call->options, doc);
    }
    int status = wire_reply_read(doc, WIRE_LIST, &reply);
    if (status != 0) {
        return run_call_failed(status);
    }
    if (call->options->json) {
        run_print_raw(doc);
    }
    if (path != NULL) {
        return write_file(path, &recorded);
    }
    if (!call->options->json) {
        (void)write_names(stdout, &recorded);
    }
    return RUN_DONE;
}

int
run_record(struct call *call)
{
    union wire_params params = {
        .list = {.state = "used", .sort = WIRE_SORT_ORDER}};
    struct wire_doc *doc = NULL;
    int status = wire_client_call(call->client, WIRE_LIST, &params,
                                  run_left_ms(call), &doc);
    status = status == 0 ? answer(call, doc) : run_call_failed(status);
    wire_doc_free(doc);
    return status;
}
