/* See rehearse_report.h. An item is its size and its values; a string its
 * size with the NUL, and its bytes. Numbers are the machine's own: both ends
 * are one program. */
#include "lazycore/rehearse_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t
inode_of(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) ? status.st_ino
                                                               : 0;
}

void
report_open(struct lz_report *report, int fd)
{
    *report = (struct lz_report){.fd = fd, .inode = inode_of(fd)};
}

static void
put_bytes(struct lz_report *report, const void *bytes, size_t size)
{
    if (report->failed || size > LZ_REPORT_ITEM_MAX - report->size) {
        report->failed = true;
        return;
    }
    if (report->capacity - report->size < size) {
        size_t capacity = 2 * report->capacity + size + 256;
        unsigned char *grown = realloc(report->data, capacity);

        if (grown == NULL) {
            report->failed = true;
            return;
        }
        report->data = grown;
        report->capacity = capacity;
    }
    memcpy(report->data + report->size, bytes, size);
    report->size += size;
}

void
report_put(struct lz_report *report, uint64_t number)
{
    put_bytes(report, &number, sizeof(number));
}

void
report_put_string(struct lz_report *report, const char *string)
{
    size_t length = string == NULL ? 0 : strnlen(string, LZ_REPORT_STRING_MAX);

    report_put(report, string == NULL ? 0 : length + 1);
    if (string != NULL) {
        put_bytes(report, string, length);
        put_bytes(report, "", 1);
    }
}

static int
write_all(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t n = write(fd, at, size);

        if (n < 0 && errno != EINTR) {
            return -1;
        }
        at += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int
report_end_item(struct lz_report *report)
{
    uint64_t size = report->size;
    int rc = -1;

    if (!report->failed && report->inode != 0 &&
        inode_of(report->fd) == report->inode) {
        rc = write_all(report->fd, &size, sizeof(size));
        if (rc == 0) {
            rc = write_all(report->fd, report->data, report->size);
        }
    }
    report->size = 0;
    report->failed = false;
    return rc;
}

void
report_done(struct lz_report *report)
{
    free(report->data);
    report->data = NULL;
}

void
report_read(struct lz_report_reader *reader, const void *data, size_t size)
{
    *reader = (struct lz_report_reader){.item = data};
    reader->end = size == 0 ? data : reader->item + size;
}

bool
report_next_item(struct lz_report_reader *reader)
{
    uint64_t size;

    reader->at = reader->item_end = NULL;
    reader->bad = false;
    if ((size_t)(reader->end - reader->item) < sizeof(size)) {
        return false;
    }
    memcpy(&size, reader->item, sizeof(size));
    if (size > (size_t)(reader->end - reader->item) - sizeof(size)) {
        return false;
    }
    reader->at = reader->item + sizeof(size);
    reader->item_end = reader->at + size;
    reader->item = reader->item_end;
    return true;
}

uint64_t
report_get(struct lz_report_reader *reader)
{
    uint64_t number;

    if (reader->bad ||
        (size_t)(reader->item_end - reader->at) < sizeof(number)) {
        reader->bad = true;
        return 0;
    }
    memcpy(&number, reader->at, sizeof(number));
    reader->at += sizeof(number);
    return number;
}

const char *
report_get_string(struct lz_report_reader *reader)
{
    uint64_t size = report_get(reader);
    const char *string = (const char *)reader->at;

    if (reader->bad || size == 0) {
        return NULL;
    }
    if (size > (size_t)(reader->item_end - reader->at) ||
        string[size - 1] != '\0') {
        reader->bad = true;
        return NULL;
    }
    reader->at += size;
    return string;
}
