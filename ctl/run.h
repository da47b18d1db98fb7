/* One call of lazyctl from its command line to its exit status. */
#ifndef CTL_RUN_H
#define CTL_RUN_H

enum {
    RUN_DONE = 0,
    RUN_REFUSED = 1, /* the server said no */
    RUN_USAGE = 2,
    RUN_NO_SERVER = 3,
    RUN_TIMED_OUT = 4,
    RUN_INCONCLUSIVE = 15 /* a dry run, or a reload */
};

int run(int argc, char **argv);

/* The exit status of a reload's verdict; RUN_REFUSED for one not known. */
int run_verdict_status(const char *verdict);

#endif
