/* lazyd as a whole: from its arguments to its exit status. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

/* The exit status: 2 for wrong options, 1 for a start that failed; in the
 * foreground the service's own, in the background 0 once it is up. */
int daemon_main(int argc, char **argv);

#endif
