/* lazyctl: look into a running lazyd and steer it. */
#include "ctl/run.h"

int
main(int argc, char **argv)
{
    return run(argc, argv);
}
