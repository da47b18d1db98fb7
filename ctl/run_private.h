/* What run.c shares with the commands that have a file of their own. */
#ifndef CTL_RUN_PRIVATE_H
#define CTL_RUN_PRIVATE_H

#include "ctl/options.h"
#include "ctl/run.h"
#include "ctl/wire/client.h"

struct call {
    const struct options *options;
    struct wire_client *client;
    long long deadline_ms; /* on CLOCK_MONOTONIC */
};

int run_left_ms(const struct call *call);
/* Say TEXT on stderr. */
void run_complain(const char *text);
/* Say what a negative errno of a call means, or an error of the server's; the
 * exit status. */
int run_call_failed(int status);
int run_server_said_no(const struct options *options, struct wire_doc *doc);
/* The server's own JSON, as a line on stdout. */
void run_print_raw(const struct wire_doc *doc);

/* Each with a file of its own; the exit status. */
int run_trace(struct call *call);
int run_warm(struct call *call);
int run_record(struct call *call);

#endif
