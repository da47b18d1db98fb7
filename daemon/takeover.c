/* lazyd in python3's place: the entry of lazyd-host.so.
 *
 * python3's start file calls the C library's __libc_start_main with python3's
 * main. The dynamic linker finds ours first, which passes on lazyd's main
 * instead. _exit() is ours too, so that the log says who ended the service by
 * it. Nothing else of this object is seen by the program or its modules.
 */
#include "daemon/takeover.h"

#include <dlfcn.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/crash.h"
#include "daemon/daemon.h"

typedef int main_function(int argc, char **argv, char **env);
typedef int start_function(main_function *run, int argc, char **argv,
                           void (*init)(void), void (*fini)(void),
                           void (*rtld_fini)(void), void *stack_end);

start_function __libc_start_main;

/* libuv's archive is compiled for programs and reaches these of the C library
 * directly, which a shared object cannot: it gets its own. lazyd does not call
 * what uses `environ`, uv_spawn and uv_os_environ. */
const struct in6_addr in6addr_any = IN6ADDR_ANY_INIT;
char **environ;
FILE *stderr;

_Noreturn void
_exit(int status)
{
    crash_exit(status);
    for (;;) {
        (void)syscall(SYS_exit_group, status);
    }
}

_Noreturn void
_Exit(int status)
{
    _exit(status);
}

static void *
next_symbol(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (found == NULL) {
        (void)dprintf(STDERR_FILENO,
                      "lazyd: this C library is not known: %s\n", dlerror());
        _exit(1);
    }
    return found;
}

/* Only the host's name is taken from the list. */
static void
leave_no_trace(void)
{
    static const char by_descriptor[] = TAKEOVER_BY_DESCRIPTOR;
    char *list = getenv(TAKEOVER_VARIABLE);
    const char *others;

    if (list == NULL) {
        return;
    }
    if (strncmp(list, by_descriptor, sizeof(by_descriptor) - 1) == 0) {
        (void)close((int)strtol(list + sizeof(by_descriptor) - 1, NULL, 10));
    }
    others = strchr(list, ':');
    if (others == NULL) {
        (void)unsetenv(TAKEOVER_VARIABLE);
    } else {
        (void)setenv(TAKEOVER_VARIABLE, others + 1, 1);
    }
}

static int
run_lazyd(int argc, char **argv, char **env)
{
    environ = env;
    leave_no_trace();
    (void)prctl(PR_SET_NAME, "lazyd");
    return daemon_main(argc, argv);
}

int
__libc_start_main(main_function *run, int argc, char **argv,
                  void (*init)(void), void (*fini)(void),
                  void (*rtld_fini)(void), void *stack_end)
{
    start_function *next;

    (void)run;
    stderr = *(FILE **)next_symbol("stderr");
    *(void **)&next = next_symbol("__libc_start_main");
    return next(run_lazyd, argc, argv, init, fini, rtld_fini, stack_end);
}
