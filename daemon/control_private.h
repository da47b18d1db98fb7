/* Inside the control server: the loop's state, its clients, their calls.
 *
 * All of it belongs to the loop's thread, but for what says otherwise.
 */
#ifndef DAEMON_CONTROL_PRIVATE_H
#define DAEMON_CONTROL_PRIVATE_H

#include <stdatomic.h>
#include <semaphore.h>
#include <uv.h>

#include "ctl/wire/frame.h"
#include "ctl/wire/limit.h"
#include "ctl/wire/reply.h"
#include "daemon/arena.h"
#include "daemon/control.h"
#include "daemon/descriptors.h"
#include "daemon/event.h"
#include "daemon/memory.h"
#include "daemon/notice.h"
#include "daemon/operator.h"
#include "daemon/publish.h"
#include "lazycore/annotations.h"

enum {
    LZ_ACCEPTS = 8, /* connections taken in a turn */
    LZ_RETRY_MS = 100,
    LZ_READ_BYTES = 64 * 1024,      /* taken from a client at one time */
    LZ_EVENT_BACKLOG = 1024 * 1024, /* unread output that stops events */
    LZ_NUDGE_MS = 20,
    LZ_LEARN_MS = 250, /* after a load, before files are looked at */
    LZ_NUDGES = 20,    /* so fast; after that seldom */
    LZ_NUDGE_SLOW_MS = 500,
    LZ_QUEUE_BYTES = 1024 * 1024, /* lines of queued requests, but one */
    LZ_COMPLAIN_NS = 1000000000,
    LZ_DESCRIPTORS = 510 /* that libuv knows from the start: 4 KiB */
};

struct client;
struct confirm;

/* Once modules have loaded, what their sources are is noted on the disk's
 * thread: handlers_drift.c. */
struct learner {
    struct operator_job job;
    struct lz_sources *sources;
    uv_timer_t wait;    /* for more loads */
    atomic_bool loaded; /* any thread */
    bool out;
};

struct control {
    uv_loop_t loop;
    uv_async_t wake;    /* any thread may send */
    uv_idle_t work;     /* runs while a client has requests to answer */
    uv_poll_t listener; /* of listen_fd; never libuv's own accept: it goes
                           round and round where that goes on failing */
    int listen_fd;
    uv_timer_t retry; /* runs while nobody can be taken in */
    uv_timer_t hard_end;
    uv_timer_t nudge; /* until the service has been interrupted */
    unsigned nudges;
    uv_timer_t sample_wait; /* runs while a client is parked */
    struct control_setup setup;
    struct publication publication;
    struct operator_thread *op;
    struct operator_thread *disk;   /* for what waits for a disk */
    struct operator_thread *reader; /* for what takes its time: read.c */
    struct event_queue events;      /* locked by itself */
    struct memory memory;           /* locked by itself */
    struct notice_queue notices;    /* locked by itself */
    struct learner learner;
    struct confirm *confirms; /* confirm.c */
    struct client *clients;
    unsigned client_count;
    size_t held;         /* bytes kept for all clients: pressure.c */
    uv_timer_t pressure; /* runs while that is over the limit */
    pid_t pid;
    struct event_item *event; /* taken and not given out: the first */
    unsigned round;           /* of turns: each client has one in it */
    bool more;                /* there is to be a round after this one */
    uint64_t requests, dropped, refused;
    /* Written by the operator. */
    atomic_ullong rehearsals, last_pause_ns, longest_pause_ns;
    uint64_t started_ns;
    uint64_t complained_ns; /* when a line about a client was last logged */
    uint64_t complaints;    /* not logged since */
    sem_t bell; /* posted by any thread; the bell's thread sends WAKE */
    pthread_t bell_thread;
    sem_t begun, finished; /* posted by the loop's thread, for the main */
    int begin_status;      /* 0 or negative errno, once begun */
    atomic_bool ring;      /* the bell's thread is wanted */
    atomic_bool ready;     /* the service has said so, not yet passed on */
    atomic_bool unpublish; /* main thread says: take the paths away */
    atomic_bool finish;    /* main thread says: end */
    bool reading;          /* the reader has a request with a long answer */
    bool starved;          /* the last accept failed */
    bool stopping;         /* the service was asked to end */
    bool closing;          /* the loop is being closed */
    bool abandoned;        /* main thread: the operator may still look at us */
    bool running;          /* main thread: the loop's thread is there */
    bool ended;            /* main thread: the loop has been closed */
    bool apart;            /* the loop's thread: its descriptors are its own */
    bool dark;             /* they were not, and are gone: shared.c */
    struct descriptor guard; /* in the loop's epoll, for nothing else */
    struct descriptor listener_mark; /* of listen_fd */
    uv_timer_t guard_timer;
    uv_poll_t room; /* of watch_room */
    uv_pipe_t first_stream;
    pthread_t thread;
    char buffer[LZ_READ_BYTES];
};

struct queued_request {
    struct queued_request *next;
    size_t bytes; /* of its line */
    struct wire_request *request;
};

struct client {
    struct client *next;
    struct control *control;
    uv_pipe_t pipe;
    struct descriptor mark; /* of its connection */
    uv_timer_t first_request;
    struct wire_frame frame;
    struct queued_request *first, *last;
    unsigned queued;
    size_t queued_bytes;
    struct wire_request *parked; /* waits for a memory sample, or NULL */
    struct call *call; /* the request that Python works at, or NULL */
    uid_t uid;
    gid_t gid;
    pid_t pid;
    unsigned round;  /* in which it last had its turn */
    unsigned events; /* bits it subscribed to */
    uint64_t since;  /* sequence number of the last event before that */
    uint64_t lost;   /* events it did not get */
    char *pending;   /* output behind what is being written */
    size_t pending_length, pending_size;
    unsigned writing;             /* how much output libuv has of it */
    unsigned handles;             /* not yet closed */
    size_t held;                  /* bytes kept for it */
    uint64_t sent, answered;      /* bytes for it; requests of it: ever */
    uint64_t moved, moved_before; /* grows while the peer does its part */
    unsigned stalled_ticks;       /* how long it has not, under pressure */
    bool may_change;
    bool reading;
    bool hungry;  /* no whole line is left in its frame */
    bool eof;     /* no more requests: close when all are answered */
    bool closing; /* uv_close was called */
};

/* A request on its way through one of the operator threads. */
struct call {
    struct operator_job job;
    struct operator_thread *op; /* which */
    bool reads;                 /* control->reading is for it */
    struct wire_line line;      /* the answer, where a thread made it */
    uv_timer_t deadline;
    struct control *control;
    struct client *client; /* NULL: gone, or answered */
    struct wire_request *request;
    struct arena arena;
    union wire_reply reply;
    struct wire_error error;
    char *text; /* what is saved, or NULL */
    uid_t uid;  /* the client's, also when it has gone */
    pid_t pid;
    int status;            /* 0: reply, -1: error, or not run */
    atomic_bool cancelled; /* nobody waits any more; the loop says so */
    unsigned holders;      /* the timer's handle, and the job */
};

/* --- admit.c ------------------------------------------------------------ */

/* Somebody connects: a client, or told why not. */
void client_on_connection(uv_poll_t *listener, int status,
                          int events) LZ_LOOP_ONLY;

/* Begin to listen, or go on with it. 0 or negative errno. */
int client_listen(struct control *control);
/* The connection has ended. A peer that has closed it, and not only its own
 * side, waits for no answer: a dry run for it is given up. */
void client_note_end(const struct client *client) LZ_LOOP_ONLY;

/* --- output.c ----------------------------------------------------------- */

/* The line of an answer: ERROR where its code is not 0, else REPLY. Any
 * thread. 0 or negative errno. */
int client_line(const struct wire_request *request,
                const union wire_reply *reply, const struct wire_error *error,
                struct wire_line *ret_line);
/* Make it and send it. */
void client_answer(struct client *client, const struct wire_request *request,
                   const union wire_reply *reply,
                   const struct wire_error *error) LZ_LOOP_ONLY;
/* Bytes for the client that the kernel has not taken yet. */
size_t client_unread(const struct client *client) LZ_LOOP_ONLY;
/* A line to a client, whose memory it takes. */
void client_send(struct client *client, struct wire_line *line) LZ_LOOP_ONLY;
void client_deliver(struct client *client,
                    const struct wire_event *event) LZ_LOOP_ONLY;

/* --- client.c ----------------------------------------------------------- */

void client_close(struct client *client) LZ_LOOP_ONLY;
/* Answer all that waits with ERROR, in order, and close it. */
void client_end(struct client *client,
                const struct wire_error *error) LZ_LOOP_ONLY;
/* Log what is wrong with a client: a line a second at most, whatever peers
 * do. */
void client_complain(struct client *client, const char *what,
                     const char *why) LZ_LOOP_ONLY;
/* Close it for what it did; counted and logged. */
void client_drop(struct client *client, const char *why) LZ_LOOP_ONLY;
/* Tell those who listen what became of it. */
void client_post(struct client *client, const char *action) LZ_LOOP_ONLY;
/* Lines of its frame into requests, until COUNT are queued. */
void client_fill(struct client *client, unsigned count) LZ_LOOP_ONLY;
/* The first of its queue, the caller's, or NULL. */
struct wire_request *client_dequeue(struct client *client) LZ_LOOP_ONLY;
/* Answer REQUEST, or hand it on; takes it. */
void client_answer_one(struct client *client,
                       struct wire_request *request) LZ_LOOP_ONLY;
/* The sample is there, or was not worth waiting for. */
void client_unpark(struct control *control) LZ_LOOP_ONLY;
void client_log_change(const struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* --- turn.c ------------------------------------------------------------- */

/* Something became answerable. */
void client_schedule(struct control *control) LZ_LOOP_ONLY;
void client_set_reading(struct client *client, bool reading) LZ_LOOP_ONLY;
/* Whether the answer to REQUEST is short, and soon made. */
bool turn_is_short(const struct wire_request *request);

/* --- pressure.c --------------------------------------------------------- */

/* What is kept for CLIENT has changed. */
void pressure_note(struct client *client) LZ_LOOP_ONLY;
/* More is kept for all clients together than is meant to be. */
bool pressure_is_on(const struct control *control) LZ_LOOP_ONLY;
/* Whether nothing more may be read from CLIENT for now. */
bool pressure_stops_reading(const struct client *client) LZ_LOOP_ONLY;
/* Bytes to take from CLIENT at one time. */
size_t pressure_portion(const struct client *client) LZ_LOOP_ONLY;
/* Whether the answer to REQUEST may be long, and has to wait. */
bool pressure_defers(const struct client *client,
                     const struct wire_request *request) LZ_LOOP_ONLY;

/* --- shared.c ----------------------------------------------------------- */

/* What is needed to know the loop's descriptors again. 0 or negative errno. */
int shared_init(struct control *control);
void shared_done(struct control *control);
/* Whether uv_backend_fd is still the loop's. Any thread. */
bool shared_has_loop(struct control *control);
/* Whether the loop's wake-up may be written to. Any thread. */
bool shared_may_ring(struct control *control);
/* The loop, where the service's threads can close its descriptors, until it is
 * closed or they do. */
void shared_run(struct control *control) LZ_LOOP_ONLY;

/* --- watch.c ------------------------------------------------------------ */

/* Make LOOP, for which libuv ends the process where it lacks the descriptors
 * of its signal pipe. 0 or negative errno. */
int watch_begin(uv_loop_t *loop);
/* Before the loop comes to watching FD, each time. 0 or negative errno. */
int watch_reserve(struct control *control, int fd);
/* The same for a client's connection. */
int watch_client(struct client *client) LZ_LOOP_ONLY;
/* The same for the loop's own, once it has been made. */
int watch_loop(struct control *control);
/* Make libuv's table large enough for all clients, and let it open what it
 * keeps for itself. 0 or negative errno. */
int watch_room(struct control *control);

/* --- read.c ------------------------------------------------------------- */

/* Whether the reader answers REQUEST. */
bool read_is_for(const struct wire_request *request);
/* In the reader's thread: work at a call, and make its line. */
void read_run(struct operator_job *job);
/* Make the line of a call that has been worked at, in the same thread. */
void read_answer(struct call *call);
/* CALL goes to its operator; it is back, or given up. */
void read_begin(struct call *call) LZ_LOOP_ONLY;
void read_end(struct call *call) LZ_LOOP_ONLY;

/* --- call.c ------------------------------------------------------------- */

/* Whether REQUEST is not for the loop's thread. */
bool call_is_for(const struct wire_request *request);
/* Hand REQUEST, which it takes, to its operator. 0, or -1 with ERROR and
 * REQUEST still the caller's. */
int call_start(struct client *client, struct wire_request *request,
               struct wire_error *error) LZ_LOOP_ONLY;
/* JOB has come back. */
void call_done(struct operator_job *job) LZ_LOOP_ONLY;
/* The client goes: what has not begun is not run. */
void call_forget(struct call *call) LZ_LOOP_ONLY;

/* --- handlers.c, operate.c ---------------------------------------------- */

/* Run a request that needs no Python. 0 and *RET_REPLY, whose strings live
 * as long as ARENA and REQUEST; or -1 and ERROR. */
int handle(struct client *client, const struct wire_request *request,
           struct arena *arena, union wire_reply *ret_reply,
           struct wire_error *error) LZ_LOOP_ONLY;
/* The same with the GIL, in the operator thread. */
void operate(struct operator_job *job) LZ_NEEDS_GIL;

/* --- control.c, control_thread.c ---------------------------------------- */

/* End every client and close every handle. */
void control_close_all(struct control *control) LZ_LOOP_ONLY;
/* A job that has come back from one of the operators, or NULL. */
struct operator_job *control_take_done(struct control *control);
/* The socket's path goes now. */
void control_take_socket(struct control *control);
/* That and the pidfile. */
void control_take_paths(struct control *control);
/* End the bell's thread. */
void control_stop_bell(struct control *control) LZ_LOOP_ONLY;
void control_begin_stop(struct control *control,
                        uint64_t timeout_ms) LZ_LOOP_ONLY;
/* JOB has come back from one of the operators. */
void control_job_done(struct control *control,
                      struct operator_job *job) LZ_LOOP_ONLY;
/* Post from the loop. */
void control_post(struct control *control,
                  const struct wire_event *event) LZ_LOOP_ONLY;
/* Give out events until UNTIL_NS. Whether some are left. */
bool control_deliver(struct control *control, uint64_t until_ns) LZ_LOOP_ONLY;
/* Which kinds of events any client listens to has changed. */
void control_recount(struct control *control) LZ_LOOP_ONLY;

#endif
