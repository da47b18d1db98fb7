/* The program lazyd: one call, so that tests can link the whole daemon. */
#include "daemon/daemon.h"

int
main(int argc, char **argv)
{
    return daemon_main(argc, argv);
}
