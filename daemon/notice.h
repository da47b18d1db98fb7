/* Lines for the log on their way from the service's threads, which have not
 * lazyd's descriptors, to the control loop, which has. Bounded; what does not
 * fit is counted.
 */
#ifndef DAEMON_NOTICE_H
#define DAEMON_NOTICE_H

#include <stdarg.h>
#include <stdint.h>

#include "lazycore/annotations.h"

enum { LZ_NOTICES = 256, LZ_NOTICE_BYTES = 2048 };

struct notice_queue {
    struct lz_mutex lock;
    char *lines[LZ_NOTICES];
    unsigned count;
    uint64_t lost;
};

void notice_queue_init(struct notice_queue *queue);
void notice_queue_done(struct notice_queue *queue);
/* Any thread; never blocks on anybody. The loop must be woken. */
void notice_post(struct notice_queue *queue, const char *format,
                 va_list arguments) __attribute__((format(printf, 2, 0)));
/* Log what has come. The loop's thread. */
void notice_log(struct notice_queue *queue);

#endif
