/* What bootstrap.c and takeover.c agree on. */
#ifndef DAEMON_TAKEOVER_H
#define DAEMON_TAKEOVER_H

/* The host's shared object: beside the program; from the program's folder
 * once installed; and where neither is known. */
#define TAKEOVER_FILE "lazyd-host.so"
#define TAKEOVER_FROM_PROGRAM LAZYD_HOST_FOLDER_FROM_PROGRAM "/" TAKEOVER_FILE
#define TAKEOVER_INSTALLED LAZYD_HOST_FOLDER "/" TAKEOVER_FILE

/* The dynamic linker's list, with the host in front, which the host takes
 * away again: children of the service do not get it. */
#define TAKEOVER_VARIABLE "LD_PRELOAD"
/* How a file is named by a descriptor, which is the host's to close. */
#define TAKEOVER_BY_DESCRIPTOR "/proc/self/fd/"

#endif
