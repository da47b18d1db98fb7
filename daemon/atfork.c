/* pthread_atfork for lazyd itself, and for nobody else in the program.
 *
 * libuv asks for its descriptors to be closed and made anew in a forked child.
 * There those numbers are the service's, and no loop runs. Shared libraries
 * have a pthread_atfork of their own.
 */
#include "daemon/atfork.h"

int __real_pthread_atfork(void (*prepare)(void), void (*parent)(void),
                          void (*child)(void));
int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void),
                          void (*child)(void));

int
__wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void),
                      void (*child)(void))
{
    (void)prepare;
    (void)parent;
    (void)child;
    return 0;
}

int
atfork_install(void (*prepare)(void), void (*parent)(void),
               void (*child)(void))
{
    return __real_pthread_atfork(prepare, parent, child);
}
