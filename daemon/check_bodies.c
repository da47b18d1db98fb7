/* See check_bodies.h. */
#include "daemon/check_bodies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

bool
check_bodies_wanted(const struct packages *packages)
{
    for (size_t i = 0; i < packages->count; i++) {
        if (packages->items[i].wide &&
            packages->items[i].level == LZ_LEVEL_OUTER) {
            return true;
        }
    }
    return false;
}

int
check_bodies_begin(struct lz_core *core, struct lz_error *error)
{
    core->ledger_fd = memfd_create("lazyd-bodies", MFD_CLOEXEC);
    if (core->ledger_fd < 0) {
        core->ledger_fd = 0;
        return lz_error_set_errno(error, errno, "cannot make a file");
    }
    return 0;
}

/* Whether LINE, "module NAME ...", is of a package at `outer`. */
static bool
is_wanted(const struct packages *packages, const char *line)
{
    const struct package *package;
    char name[LZ_LEDGER_NAME_MAX + 1];

    if (sscanf(line, "module %1000[^. ]", name) != 1) {
        return false;
    }
    package = packages_find(packages, name);
    return package != NULL && package->wide &&
           package->level == LZ_LEVEL_OUTER;
}

static int
read_lines(FILE *file, struct lz_ledger *ledger,
           const struct packages *packages, struct lz_error *error)
{
    char *line = NULL;
    size_t size = 0;
    int number = 0;
    int rc = 0;

    while (rc == 0 && getline(&line, &size, file) >= 0) {
        number++;
        line[strcspn(line, "\n")] = '\0';
        if (is_wanted(packages, line)) {
            rc = ledger_add(ledger, line + 7, number, error);
        }
    }
    free(line);
    return rc < 0 ? -1 : ledger_close(ledger, &number, error);
}

int
check_bodies_read(struct lz_core *core, const struct packages *packages,
                  struct lz_error *error)
{
    FILE *file = NULL;
    int fd = core->ledger_fd;
    int count = 0;

    core->ledger_fd = 0;
    ledger_clear(core->ledger);
    if (lseek(fd, 0, SEEK_SET) == 0) {
        file = fdopen(fd, "r");
    }
    if (file == NULL) {
        (void)close(fd);
        return lz_error_set_errno(error, errno, "cannot read a file");
    }
    if (read_lines(file, core->ledger, packages, error) < 0) {
        count = -1;
        ledger_clear(core->ledger);
    }
    (void)fclose(file);
    for (unsigned i = 0; count >= 0 && i < ledger_count(core->ledger); i++) {
        const struct lz_ledger_row *row = ledger_row(core->ledger, i);

        /* Others import the package itself, which is lazy at any rate. */
        count += row->free && strchr(row->name, '.') != NULL;
    }
    return count;
}

void
check_bodies_write(const struct lz_ledger *ledger, FILE *file)
{
    if (ledger_count(ledger) > 0) {
        (void)fprintf(file,
                      "# module NAME free|effects package|file HASH BYTES "
                      "IMPORTS\n# Whether the module's body changes anything "
                      "outside its own namespace, and what it\n# imports of "
                      "its package. It holds for the source of that size and "
                      "hash alone.\n");
    }
    for (unsigned i = 0; i < ledger_count(ledger); i++) {
        const struct lz_ledger_row *row = ledger_row(ledger, i);

        (void)fprintf(
            file, "module %s %s %s %016llx %llu ", row->name,
            row->free ? "free" : "effects", row->package ? "package" : "file",
            (unsigned long long)row->hash, (unsigned long long)row->bytes);
        for (unsigned n = 0; n < row->count; n++) {
            (void)fprintf(file, "%s%s", n > 0 ? "," : "", row->names[n]);
        }
        (void)fprintf(file, "%s\n", row->count == 0 ? "-" : "");
    }
}
