/* What the process's memory is: read at once, or sampled off the loop.
 *
 * pss and private_dirty make the kernel walk page tables, python_blocks needs
 * the GIL: one of lazyd's own threads samples the first, so that its file in
 * /proc is in no table of the service's, the operator the second, at most
 * once a second, and only when somebody asks. memory_fill never blocks.
 */
#ifndef DAEMON_MEMORY_H
#define DAEMON_MEMORY_H

#include <stdint.h>

#include "ctl/wire/message.h"
#include "daemon/operator.h"
#include "lazycore/annotations.h"

enum {
    LZ_SAMPLE_NS = 1000000000,
    LZ_SAMPLE_WAIT_MS =
        5 /* that somebody may wait for a sample's first part */
};

struct memory {
    struct operator_job pages, blocks_of_python;
    struct lz_mutex lock;
    int64_t peak;                       /* of resident memory */
    int64_t pss, private_dirty, blocks; /* negative: not known */
    uint64_t smaps_ns, blocks_ns;       /* when they were taken */
    uint64_t asked_ns;                  /* loop only */
    bool pages_out, blocks_out;         /* loop only: the jobs */
    void (*sampled)(void *arg);         /* pss and private_dirty are there */
    void *arg;
};

/* SAMPLED is called in the thread that samples the first. */
void memory_init(struct memory *memory, void (*sampled)(void *arg), void *arg);
void memory_done(struct memory *memory);
/* What is known now; rss and the peak are read. Any thread. */
void memory_fill(struct memory *memory, struct wire_stats_memory *ret);
/* Have a sample taken unless one was within LZ_SAMPLE_NS: by PLAIN, and by
 * OP, which has the GIL. */
void memory_ask(struct memory *memory, struct operator_thread *plain,
                struct operator_thread *op) LZ_LOOP_ONLY;
/* Whether a sample that was just asked for is about to come: worth waiting
 * for, but not longer than LZ_SAMPLE_WAIT_MS. */
bool memory_is_coming(struct memory *memory) LZ_LOOP_ONLY;
/* Whether JOB, done, was a sample of ours. */
bool memory_take(struct memory *memory,
                 const struct operator_job *job) LZ_LOOP_ONLY;
/* Bytes resident now, or -1. */
int64_t memory_rss(void);

#endif
