/* See ledger.h: an array, sorted once. */
#include "lazycore/ledger.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lazycore/names.h"

struct lz_ledger {
    struct lz_ledger_row *rows;
    unsigned count, room;
};

struct lz_ledger *
ledger_new(void)
{
    return calloc(1, sizeof(struct lz_ledger));
}

static void
row_done(struct lz_ledger_row *row)
{
    for (unsigned i = 0; i < row->count; i++) {
        free(row->names[i]);
    }
    free(row->names);
    free(row->imports);
    free(row->name);
    *row = (struct lz_ledger_row){0};
}

void
ledger_clear(struct lz_ledger *ledger)
{
    for (unsigned i = 0; i < ledger->count; i++) {
        row_done(&ledger->rows[i]);
    }
    free(ledger->rows);
    *ledger = (struct lz_ledger){0};
}

void
ledger_free(struct lz_ledger *ledger)
{
    if (ledger != NULL) {
        ledger_clear(ledger);
    }
    free(ledger);
}

/* --- one line ----------------------------------------------------------- */

static int
no_memory(struct lz_error *error)
{
    return lz_error_set(error, LZ_ERROR_NO_MEMORY, "out of memory");
}

static int
invalid(struct lz_error *error, const char *text)
{
    return lz_error_set(error, LZ_ERROR_INVALID, "%s", text);
}

static bool
is_module_name(const char *text)
{
    return strnlen(text, LZ_LEDGER_NAME_MAX + 1) <= LZ_LEDGER_NAME_MAX &&
           names_is_dotted(text);
}

/* TEXT, all of it digits of BASE. */
static bool
read_number(const char *text, int base, uint64_t *ret_number)
{
    char *end = NULL;

    for (const char *at = text; *at != '\0'; at++) {
        if (base == 16 ? !isxdigit((unsigned char)*at)
                       : !isdigit((unsigned char)*at)) {
            return false;
        }
    }
    errno = 0;
    *ret_number = strtoull(text, &end, base);
    return *text != '\0' && *end == '\0' && errno == 0;
}

static bool
read_word(const char *text, const char *yes, const char *no, bool *ret_answer)
{
    *ret_answer = strcmp(text, yes) == 0;
    return *ret_answer || strcmp(text, no) == 0;
}

static int
read_imports(char *text, struct lz_ledger_row *row, struct lz_error *error)
{
    char *rest = NULL;
    size_t most = 1;

    for (const char *at = text; *at != '\0'; at++) {
        most += *at == ',';
    }
    if (most > LZ_LEDGER_IMPORTS_MAX) {
        return invalid(error, "imports too many modules");
    }
    if (strcmp(text, "-") == 0) {
        return 0;
    }
    row->names = calloc(most, sizeof(*row->names));
    row->imports = calloc(most, sizeof(*row->imports));
    if (row->names == NULL || row->imports == NULL) {
        return no_memory(error);
    }
    for (char *name = strtok_r(text, ",", &rest); name != NULL;
         name = strtok_r(NULL, ",", &rest)) {
        if (!is_module_name(name)) {
            return invalid(error, "has an import that is no module's name");
        }
        row->names[row->count] = strdup(name);
        if (row->names[row->count] == NULL) {
            return no_memory(error);
        }
        row->count++;
    }
    return row->count > 0 ? 0 : invalid(error, "has no imports, and no '-'");
}

enum { NAME, STATE, KIND, HASH, BYTES, IMPORTS, FIELDS };

static int
read_row(char *fields[FIELDS], struct lz_ledger_row *row,
         struct lz_error *error)
{
    if (!is_module_name(fields[NAME])) {
        return invalid(error, "does not begin with a module's name");
    }
    if (!read_word(fields[STATE], "free", "effects", &row->free)) {
        return invalid(error, "is neither 'free' nor 'effects'");
    }
    if (!read_word(fields[KIND], "package", "file", &row->package)) {
        return invalid(error, "is neither 'package' nor 'file'");
    }
    if (strlen(fields[HASH]) != 16 ||
        !read_number(fields[HASH], 16, &row->hash) || row->hash == 0) {
        return invalid(error, "has no hash of 16 digits");
    }
    if (!read_number(fields[BYTES], 10, &row->bytes)) {
        return invalid(error, "has no size in bytes");
    }
    row->name = strdup(fields[NAME]);
    return row->name == NULL ? no_memory(error)
                             : read_imports(fields[IMPORTS], row, error);
}

static int
grow(struct lz_ledger *ledger, struct lz_error *error)
{
    unsigned room = ledger->room == 0 ? 64 : ledger->room * 2;
    struct lz_ledger_row *rows;

    if (ledger->count < ledger->room) {
        return 0;
    }
    if (ledger->count >= LZ_LEDGER_ROWS_MAX) {
        return lz_error_set(error, LZ_ERROR_LIMIT,
                            "is one of more than %d modules",
                            LZ_LEDGER_ROWS_MAX);
    }
    rows = realloc(ledger->rows, room * sizeof(*rows));
    if (rows == NULL) {
        return no_memory(error);
    }
    ledger->rows = rows;
    ledger->room = room;
    return 0;
}

int
ledger_add(struct lz_ledger *ledger, char *text, int number,
           struct lz_error *error)
{
    struct lz_ledger_row row = {.line = number};
    char *fields[FIELDS];
    char *rest = NULL;
    int count = 0;

    for (char *field = strtok_r(text, " \t", &rest); field != NULL;
         field = strtok_r(NULL, " \t", &rest)) {
        if (count == FIELDS) {
            return invalid(error, "has more than six fields");
        }
        fields[count++] = field;
    }
    if (count < FIELDS) {
        return invalid(error, "has fewer than six fields");
    }
    if (grow(ledger, error) < 0 || read_row(fields, &row, error) < 0) {
        row_done(&row);
        return -1;
    }
    ledger->rows[ledger->count++] = row;
    return 0;
}

/* --- the whole ---------------------------------------------------------- */

static int
compare_rows(const void *left, const void *right)
{
    return strcmp(((const struct lz_ledger_row *)left)->name,
                  ((const struct lz_ledger_row *)right)->name);
}

static int
compare_name(const void *name, const void *row)
{
    return strcmp(name, ((const struct lz_ledger_row *)row)->name);
}

int
ledger_find(const struct lz_ledger *ledger, const char *name)
{
    const struct lz_ledger_row *row =
        ledger->count == 0 ? NULL
                           : bsearch(name, ledger->rows, ledger->count,
                                     sizeof(*row), compare_name);

    return row == NULL ? -1 : (int)(row - ledger->rows);
}

static int
close_row(struct lz_ledger *ledger, unsigned index, struct lz_error *error)
{
    struct lz_ledger_row *row = &ledger->rows[index];

    if (index > 0 && strcmp(row[-1].name, row->name) == 0) {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "is the second one of '%s'", row->name);
    }
    for (unsigned i = 0; i < row->count; i++) {
        int found = ledger_find(ledger, row->names[i]);

        if (found < 0) {
            return lz_error_set(error, LZ_ERROR_INVALID,
                                "imports '%s', which has no line",
                                row->names[i]);
        }
        row->imports[i] = (unsigned)found;
    }
    return 0;
}

int
ledger_close(struct lz_ledger *ledger, int *ret_number, struct lz_error *error)
{
    int rc = 0;

    if (ledger->count > 1) {
        qsort(ledger->rows, ledger->count, sizeof(*ledger->rows),
              compare_rows);
    }
    for (unsigned i = 0; rc == 0 && i < ledger->count; i++) {
        rc = close_row(ledger, i, error);
        *ret_number = ledger->rows[i].line;
    }
    if (rc < 0) {
        ledger_clear(ledger);
    }
    return rc;
}

unsigned
ledger_count(const struct lz_ledger *ledger)
{
    return ledger->count;
}

const struct lz_ledger_row *
ledger_row(const struct lz_ledger *ledger, unsigned index)
{
    return &ledger->rows[index];
}
