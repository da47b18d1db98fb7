/* See room.h. A stack of its own is one more mapping, for as long as the load
 * takes, in the same thread: what belongs to a thread stays what it is. */
#include "lazycore/room.h"

#include "lazycore/compat.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

enum {
    ROOM_FRAMES = 1000,               /* sys.getrecursionlimit() of old */
    ROOM_GUARD = 64 * 1024,           /* bytes; any page size divides it */
    ROOM_STACK_MIN = 4 * 1024 * 1024, /* bytes */
    ROOM_STACK = 8 * 1024 * 1024      /* bytes, as a main thread mostly has */
};

struct room {
    PyObject *(*call)(void *arg);
    void *arg;
    PyObject *result;
    ucontext_t *back; /* from a stack of its own, or NULL */
};

/* The lowest address of the stack that this thread runs on; 0: not asked
 * yet; 1: not known. */
static _Thread_local uintptr_t stack_low;
static _Thread_local struct room *entered;
/* Before any fork: there the main thread is the first one. */
static pid_t first_pid;

void
room_init(void)
{
    first_pid = getpid();
}

/* That of the main thread ends below the program's name, which the kernel has
 * put at the top of it. pthread_getattr_np() would read all of the process's
 * mappings for that: 0.1 ms. 0: this is another thread, or it has no limit. */
static uintptr_t
main_stack_low(uintptr_t here)
{
    struct rlimit limit;
    uintptr_t top = getauxval(AT_EXECFN);
    if (gettid() != first_pid || getrlimit(RLIMIT_STACK, &limit) != 0 ||
        here >= top || limit.rlim_cur > top || top - here > limit.rlim_cur)
        return 0;
    return top - limit.rlim_cur;
}

static uintptr_t
find_stack_low(uintptr_t here)
{
    pthread_attr_t attr;
    void *low = NULL;
    size_t size;
    uintptr_t main_low = main_stack_low(here);
    if (main_low != 0)
        return main_low;
    if (pthread_getattr_np(pthread_self(), &attr) != 0)
        return 1;
    if (pthread_attr_getstack(&attr, &low, &size) != 0)
        low = NULL;
    (void)pthread_attr_destroy(&attr);
    return low == NULL ? 1 : (uintptr_t)low;
}

/* greenlet copies stacks away and takes all of a thread's to be one. */
static bool
stacks_are_copied(void)
{
    PyObject *modules = PyImport_GetModuleDict(); /* borrowed */
    return !PyDict_CheckExact(modules) ||
           PyDict_GetItemString(modules, "greenlet") != NULL;
}

static bool
needs_stack(void)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (stack_low == 0)
        stack_low = find_stack_low(here);
    return stack_low != 1 && here > stack_low &&
           here - stack_low < ROOM_STACK_MIN && !stacks_are_copied();
}

static void
run(struct room *room)
{
    room->result = room->call(room->arg);
}

/* The way back restores the mask of signals, which is the service's. */
static void
enter(void)
{
    struct room *room = entered;
    run(room);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &room->back->uc_sigmask);
}

/* Run ROOM on a new stack, or on this one for lack of memory. */
static void
run_apart(struct room *room)
{
    ucontext_t here, there;
    uintptr_t saved = stack_low;
    char *base =
        mmap(NULL, ROOM_GUARD + ROOM_STACK, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) {
        run(room);
        return;
    }
    if (mprotect(base, ROOM_GUARD, PROT_NONE) == 0 &&
        getcontext(&there) == 0) {
        there.uc_stack.ss_sp = base + ROOM_GUARD;
        there.uc_stack.ss_size = ROOM_STACK;
        there.uc_link = &here;
        makecontext(&there, enter, 0);
        room->back = &here;
        entered = room;
        stack_low = (uintptr_t)base + ROOM_GUARD;
        if (swapcontext(&here, &there) < 0)
            PyErr_SetFromErrno(PyExc_OSError);
        stack_low = saved;
        entered = NULL;
        room->back = NULL;
    } else {
        run(room);
    }
    if (!stacks_are_copied()) /* a greenlet may come back to it */
        (void)munmap(base, ROOM_GUARD + ROOM_STACK);
}

/* Let a counter that has *LEFT of LIMIT have more, and at least ROOM_FRAMES if
 * LIMIT does. How many. */
static int
lend(int *left, int limit)
{
    int wanted = limit < ROOM_FRAMES ? limit : ROOM_FRAMES;
    int lent = left != NULL && *left < wanted ? wanted - *left : 0;
    if (lent > 0)
        *left += lent;
    return lent;
}

/* Less than nothing is left where the limit was lowered meanwhile: Python 3.11
 * ends the process then when the next call fails. */
static void
take_back(int *left, int lent)
{
    if (lent > 0)
        *left = *left > lent ? *left - lent : 0;
}

PyObject *
room_call(PyObject *(*call)(void *arg), void *arg)
{
    struct room room = {call, arg, NULL, NULL};
    PyThreadState *state = PyThreadState_Get();
    int *frames = lz_recursion_left(state), *calls = lz_calls_left(state);
    int lent = lend(frames, lz_recursion_limit(state));
    int lent_calls = lend(calls, ROOM_FRAMES);
    if (needs_stack())
        run_apart(&room);
    else
        run(&room);
    take_back(frames, lent);
    take_back(calls, lent_calls);
    return room.result;
}
