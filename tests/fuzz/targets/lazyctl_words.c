/* See lazyctl_words.h. */
#include "tests/fuzz/targets/lazyctl_words.h"

#include <errno.h>
#include <string.h>

#include "ctl/options.h"
#include "ctl/wire/request.h"
#include "tests/fuzz/targets/target.h"

static void
send_and_read(const struct options *options)
{
    struct wire_request *request = NULL;
    struct wire_line line = {0};
    int status =
        wire_request_write(options->command->id, 1, &options->params, &line);

    if (status == -EMSGSIZE) {
        return;
    }
    target_check(status == 0 && line.length > 0 &&
                 line.data[line.length - 1] == '\n');
    line.data[line.length - 1] = '\0';
    target_check(wire_request_read(line.data, line.length - 1, &request) == 0);
    /* A value may still be refused, by name. */
    target_check(request->command == options->command);
    target_check(request->error.code == 0 || request->error.text[0] != '\0');
    wire_request_free(request);
    wire_line_free(&line);
}

void
lazyctl_words(int argc, char **argv)
{
    struct options options;
    char text[OPTIONS_TEXT_SIZE] = "";
    int status = options_parse(argc, argv, &options, text);

    if (status < 0) {
        target_check(text[0] != '\0');
        target_check(memchr(text, '\0', sizeof(text)) != NULL);
    } else if (options.command != NULL &&
               (options.command->flags & WIRE_LOCAL) == 0 && !options.help) {
        send_and_read(&options);
    }
    options_done(&options);
}
