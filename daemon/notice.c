/* See notice.h. */
#include "daemon/notice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"

void
notice_queue_init(struct notice_queue *queue)
{
    *queue = (struct notice_queue){0};
    lz_mutex_init(&queue->lock);
}

void
notice_queue_done(struct notice_queue *queue)
{
    while (queue->count > 0) {
        free(queue->lines[--queue->count]);
    }
    lz_mutex_done(&queue->lock);
}

void
notice_post(struct notice_queue *queue, const char *format, va_list arguments)
{
    char text[LZ_NOTICE_BYTES];
    char *line;

    (void)vsnprintf(text, sizeof(text), format, arguments);
    for (char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            *c = '?'; /* one line, whatever a module is called */
        }
    }
    line = strdup(text);
    lz_mutex_lock(&queue->lock);
    if (line != NULL && queue->count < LZ_NOTICES) {
        queue->lines[queue->count++] = line;
        line = NULL;
    } else {
        queue->lost++;
    }
    lz_mutex_unlock(&queue->lock);
    free(line);
}

void
notice_log(struct notice_queue *queue)
{
    char *lines[LZ_NOTICES];
    unsigned count;
    uint64_t lost;

    lz_mutex_lock(&queue->lock);
    count = queue->count;
    lost = queue->lost;
    memcpy(lines, queue->lines, count * sizeof(*lines));
    queue->count = 0;
    queue->lost = 0;
    lz_mutex_unlock(&queue->lock);
    for (unsigned i = 0; i < count; i++) {
        log_line("%s", lines[i]);
        free(lines[i]);
    }
    if (lost > 0) {
        log_line("%llu lines more, which came too fast",
                 (unsigned long long)lost);
    }
}
