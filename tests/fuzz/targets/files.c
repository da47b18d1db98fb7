/* The files that lazyd reads at its start: ignore sets and levels.
 *
 * A refused file changes nothing and names its line; ignore sets that were
 * read are written and read again as they were. Input: the kind, 'i' or 'l',
 * and the file's text.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/check_bodies.h"
#include "daemon/settings.h"
#include "tests/fuzz/targets/target.h"

static char *
text_of(struct lz_ignore *ignore)
{
    char *text = NULL;

    target_check(ignore_text(ignore, &text) == 0);
    return text;
}

static int
apply(struct lz_core *core, const char *ignore_file, const char *level_file)
{
    const struct options options = {.ignore_file = ignore_file,
                                    .level_file = level_file};
    struct lz_error error = {0};
    int status = settings_apply(&options, core, &error);

    target_check((status == 0) == (error.kind == LZ_ERROR_NONE));
    target_check(status == 0 || strstr(error.text, "/proc/self/fd") != NULL ||
                 level_file != NULL);
    lz_error_done(&error);
    return status;
}

static void
read_ignores(const void *text, size_t size)
{
    struct lz_core core = {.ignore = ignore_new()};
    struct lz_core again = {.ignore = ignore_new()};

    target_check(core.ignore != NULL && again.ignore != NULL);
    char *before = text_of(core.ignore);
    int status = apply(&core, target_file(text, size), NULL);
    char *after = text_of(core.ignore);
    if (status < 0) {
        target_check(strcmp(before, after) == 0);
    } else {
        target_check(apply(&again, target_file(after, strlen(after)), NULL) ==
                     0);
        char *saved = text_of(again.ignore);
        target_check(strcmp(after, saved) == 0);
        free(saved);
    }
    free(before);
    free(after);
    ignore_free(core.ignore);
    ignore_free(again.ignore);
}

/* In order, complete, and written as it was read. */
static void
check_ledger(struct lz_ledger *ledger)
{
    char *written = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&written, &size);

    target_check(file != NULL);
    for (unsigned i = 0; i < ledger_count(ledger); i++) {
        const struct lz_ledger_row *row = ledger_row(ledger, i);

        target_check(ledger_find(ledger, row->name) == (int)i);
        target_check(row->hash != 0 && row->count <= LZ_LEDGER_IMPORTS_MAX);
        target_check(strlen(row->name) <= LZ_LEDGER_NAME_MAX);
        for (unsigned n = 0; n < row->count; n++) {
            target_check(row->imports[n] < ledger_count(ledger));
            target_check(strcmp(ledger_row(ledger, row->imports[n])->name,
                                row->names[n]) == 0);
        }
    }
    check_bodies_write(ledger, file);
    (void)fclose(file);
    struct lz_core again = {.levels = levels_new(), .ledger = ledger_new()};
    if (ledger_count(ledger) > 0) {
        target_check(apply(&again, NULL, target_file(written, size)) == 0);
        target_check(ledger_count(again.ledger) == ledger_count(ledger));
    }
    levels_free(again.levels);
    ledger_free(again.ledger);
    free(written);
}

static void
read_levels(const void *text, size_t size)
{
    struct lz_core core = {.levels = levels_new(), .ledger = ledger_new()};
    struct lz_level_entry *entries = NULL;
    size_t count = 0;

    target_check(core.levels != NULL && core.ledger != NULL);
    int status = apply(&core, NULL, target_file(text, size));
    target_check(status == 0 || ledger_count(core.ledger) == 0);
    check_ledger(core.ledger);
    target_check(levels_list(core.levels, &entries, &count) == 0);
    for (size_t i = 0; i < count; i++) {
        target_check((unsigned)entries[i].level < LZ_LEVELS);
        target_check(strlen(entries[i].package) <= LZ_LEVELS_NAME_MAX);
        target_check(strchr(entries[i].package, '\n') == NULL);
    }
    level_entries_free(entries, count);
    levels_free(core.levels);
    ledger_free(core.ledger);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 'i') {
        read_ignores(data + 1, size - 1);
    } else if (size > 0) {
        read_levels(data + 1, size - 1);
    }
    return 0;
}
