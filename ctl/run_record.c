/* `record`: the modules that were loaded through a proxy, as a file that
 * `warm` and lazyd read.
 *
 * A file that is asked for appears whole or not at all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/run_private.h"
#include "ctl/text.h"
#include "ctl/wire/names_file.h"

enum { TEXT_SIZE = 512 };

static size_t
write_names(FILE *file, const struct call *call, const struct wire_list *list)
{
    size_t count = 0;
    (void)fputs("# Modules that ", file);
    text_put(file, wire_client_hello(call->client)->app);
    (void)fputs(" has used, in the order of their loading:\n"
                "# for 'lazyd --warm' and 'lazyctl warm --file'.\n",
                file);
    for (size_t i = 0; i < list->module_count; i++) {
        if (wire_name_is_valid(list->modules[i].name)) {
            (void)fprintf(file, "%s\n", list->modules[i].name);
            count++;
        }
    }
    return count;
}

static int
cannot_write(const char *path)
{
    char text[TEXT_SIZE];
    (void)snprintf(text, sizeof text, "cannot write '%.300s': %s", path,
                   strerror(errno));
    run_complain(text);
    return RUN_REFUSED;
}

static int
write_file(const char *path, const struct call *call,
           const struct wire_list *list)
{
    char *new_path = NULL;
    if (asprintf(&new_path, "%s.%ld.tmp", path, (long)getpid()) < 0) {
        return run_call_failed(-ENOMEM);
    }
    FILE *file = fopen(new_path, "wxe");
    int status = file == NULL ? cannot_write(path) : RUN_DONE;
    if (file != NULL) {
        size_t count = write_names(file, call, list);
        int failed = ferror(file);
        if (fclose(file) != 0 || failed || rename(new_path, path) != 0) {
            status = cannot_write(path);
            (void)unlink(new_path);
        } else if (!call->options->json) {
            (void)printf("%zu modules written to ", count);
            text_put(stdout, path);
            (void)fputc('\n', stdout);
        }
    }
    free(new_path);
    return status;
}

static int
answer(struct call *call, struct wire_doc *doc)
{
    union wire_reply reply;
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
        return write_file(path, call, &reply.list);
    }
    if (!call->options->json) {
        (void)write_names(stdout, call, &reply.list);
    }
    return RUN_DONE;
}

int
run_record(struct call *call)
{
    union wire_params params = {
        .list = {.state = "real", .sort = WIRE_SORT_ORDER}};
    struct wire_doc *doc = NULL;
    int status = wire_client_call(call->client, WIRE_LIST, &params,
                                  run_left_ms(call), &doc);
    status = status == 0 ? answer(call, doc) : run_call_failed(status);
    wire_doc_free(doc);
    return status;
}
