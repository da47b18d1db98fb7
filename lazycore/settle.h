/* Hot namespaces: where names stay pending, and code runs all the time.
 *
 * A pending name keeps the dict of its namespace out of the form for which the
 * interpreter specialises look-ups: all names in there cost more. That is
 * nothing in a module that runs seldom, and up to half of a tight loop's time.
 * So it is watched in which namespaces the threads spend their time, and what
 * is pending in those few is loaded, where that is known to be free of effects
 * and so may run at any time and in any thread: modules of the standard
 * library, those that the record of effects has, and those whose bytecode
 * shows it (body.h).
 */
#ifndef LAZYCORE_SETTLE_H
#define LAZYCORE_SETTLE_H

#include "lazycore/engine.h"
#include "lazycore/settle_pace.h"

enum { LZ_SETTLE_THREADS = 256 }; /* watched; others are not seen */

/* Of the thread that looks, which its successor goes on with. */
struct lz_watch_pace {
    struct lz_settle_pace pace;
    uint64_t next_ns; /* when it is asked, by usage_wall_ns() */
};

/* What a series of looks has found; part of the engine. */
struct lz_settle {
    uint64_t total_ns; /* CPU time of all threads, old time halved */
    uint64_t look;     /* number of the look under way */
    size_t at;         /* after the thread that was found last */
    Py_ssize_t users;  /* references to sys.modules that are always there */
    Py_ssize_t walked_users; /* as many were there when somebody went through
                                it; or 0 */
    struct {
        unsigned long id; /* of the kernel's */
        uint64_t cpu_ns;  /* at its last look */
        uint64_t look;    /* its number */
    } threads[LZ_SETTLE_THREADS];
    PyObject *get_interval;    /* sys.getswitchinterval, as it came, */
    PyObject *set_interval;    /* and its like */
    unsigned long interval_us; /* the service's own when last seen, or 0 */
    unsigned long turn_us;     /* for which we changed it, while */
    int awaiting;              /* so many wait for their moment, or load, */
    bool busy;                 /* one with a hot namespace */
    PyObject *target;          /* borrowed: the name of what is being loaded,
                                  file and line of its statement; or NULL */
    unsigned long loader;      /* the ident of the thread that loads it */
    int waits_left;            /* for walks through sys.modules, of 1 ms */
    bool over;                 /* nothing is to be loaded any more, */
    unsigned stops;            /* nor while threads wait for a watch to end */
    bool collects;             /* garbage is, but not while that is loaded, */
    PyObject *get_threshold;   /* gc's, or NULL, */
    PyObject *set_threshold;   /* and its like */
    long threshold;            /* by gc.get_threshold()[0] before; or 0 */
    struct lz_watch *watch;    /* settle_watch.h, or NULL */
    struct lz_watch_pace pace; /* where the next watch goes on */
    bool watched;              /* there was one before a fork, */
    bool wanted;               /* and is to be one again in the child */
    unsigned long main_thread; /* the ident of the one that ends Python */
};

/* Before sys.modules grows by a module. Where that is for a hot namespace, on
 * its thread: waits a while for those who go through it. Leaves no exception.
 */
void settle_before_body(struct lz_engine *engine);
/* Nothing is to be looked for or loaded now. */
bool settle_stopped(const struct lz_engine *engine);
/* Where the statement stands whose module is being loaded on this thread for
 * a hot namespace: borrowed file and its line; else NULL. */
PyObject *settle_place(struct lz_engine *engine, int *ret_line);
/* Installed. 0, or -1 with an exception. */
int settle_begin(struct lz_engine *engine);
/* The interpreter is about to end, and with it every thread but this one, at
 * any place: nothing is loaded any more, and what is being loaded is waited
 * for. Leaves no exception. */
void settle_end(struct lz_engine *engine);
void settle_garbage_done(struct lz_settle *settle);
/* No garbage is collected until settle_collect(), which may be called at any
 * time; again where the service may have set thresholds. Its own word on it
 * holds. Leave no exception. */
void settle_collect_not(struct lz_engine *engine);
void settle_collect(struct lz_engine *engine);
/* In a forked child: nobody waits for a moment any more. */
void settle_after_fork(struct lz_engine *engine);
/* Frees what settle_begin made. */
void settle_done(struct lz_engine *engine);
/* Look at what the threads run now, so many times within some ms, and load
 * what is pending in the hottest namespace if that is free of effects; the
 * core's listener is told; the caller frees .name. After 0 looks it is the
 * next hottest. To be called over and over, as settle_pace.h says, by a thread
 * that runs nothing else. Leaves no exception. */
void settle_burst(unsigned looks, struct lz_settled *ret_settled) LZ_NEEDS_GIL;
/* lazycore.settle() */
PyObject *settle_python(PyObject *module, PyObject *unused);

#endif
