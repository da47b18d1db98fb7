/* Who has a say when the service forks: lazyd alone, no library of its. */
#ifndef DAEMON_ATFORK_H
#define DAEMON_ATFORK_H

/* As pthread_atfork, which does nothing in the programs that this is linked
 * into: their linker wraps it. 0 or an errno. */
int atfork_install(void (*prepare)(void), void (*parent)(void),
                   void (*child)(void));

#endif
