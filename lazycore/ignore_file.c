/* The ignore sets as a text file: one "KIND VALUE" a line.
 *
 * Responsible for reading all or nothing, and for a saved file that is whole
 * at every moment. A saved file holds what differs from the entries that the
 * sets start with, so that a later version may start with others. Blocks on
 * the disk: not on a loop's thread. No lock is held while it does.
 */
#include "lazycore/ignore_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = LZ_IGNORE_VALUE_MAX + 64, EDITS_MAX = 60000 };

/* One line of the file. */
struct edit {
    enum lz_ignore_kind kind;
    int remove;
    int done; /* it changed a set */
    char *value;
};

struct edits {
    struct edit *items;
    size_t count;
    size_t room;
};

static void
edits_done(struct edits *edits)
{
    for (size_t i = 0; i < edits->count; i++) {
        free(edits->items[i].value);
    }
    free(edits->items);
}

/* Takes EDIT's value over, even where it fails. */
static int
edits_push(struct edits *edits, struct edit edit)
{
    if (edits->count == edits->room) {
        size_t room = edits->room == 0 ? 64 : edits->room * 2;
        struct edit *items =
            realloc(edits->items, room * sizeof(*edits->items));
        if (items == NULL) {
            free(edit.value);
            return -ENOMEM;
        }
        edits->items = items;
        edits->room = room;
    }
    edits->items[edits->count++] = edit;
    return 0;
}

/* --- reading
 * ----------------------------------------------------------------- */

/* Split LINE in place. 1 and *ret_edit (its value points into LINE), 0 for a
 * blank line or comment, -1 and ERROR. */
static int
parse_line(char *line, struct edit *ret_edit, struct lz_error *error)
{
    char *word = line + strspn(line, " \t");

    if (word[0] == '\0' || word[0] == '#') {
        return 0;
    }
    int remove = word[0] == '-';
    word += remove;
    size_t length = strcspn(word, " \t");
    char *value = word + length;
    if (*value != '\0') {
        *value++ = '\0';
    }
    if (!lz_ignore_kind_from_string(word, &ret_edit->kind)) {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "'%.40s' is none of name, package, path", word);
    }
    if (ret_edit->kind != LZ_IGNORE_PATH) {
        /* A path may begin or end with a blank, a name may not. */
        value += strspn(value, " \t");
        size_t end = strlen(value);
        while (end > 0 && (value[end - 1] == ' ' || value[end - 1] == '\t')) {
            value[--end] = '\0';
        }
    }
    ret_edit->remove = remove;
    ret_edit->done = 0;
    ret_edit->value = value;
    return ignore_check(ret_edit->kind, value, error) == 0 ? 1 : -1;
}

/* The next line into LINE without its end. 1, 0 at the end of the file, -1
 * and ERROR where it is too long or has a NUL. */
static int
read_line(FILE *file, char *line, size_t size, struct lz_error *error)
{
    size_t length = 0;
    int byte;

    while ((byte = getc(file)) != EOF && byte != '\n') {
        if (byte == '\0' || length + 1 >= size) {
            return lz_error_set(error, LZ_ERROR_INVALID,
                                byte == '\0' ? "the line has a NUL byte"
                                             : "the line is too long");
        }
        line[length++] = (char)byte;
    }
    if (byte == EOF && length == 0) {
        return 0;
    }
    if (length > 0 && line[length - 1] == '\r') {
        length--;
    }
    line[length] = '\0';
    return 1;
}

static int
read_edits(FILE *file, const char *path, struct edits *edits,
           struct lz_error *error)
{
    char line[LINE_MAX_BYTES];
    struct lz_error cause = {0};
    unsigned long number = 0;
    int status;

    for (;;) {
        struct edit edit;
        number++;
        status = read_line(file, line, sizeof(line), &cause);
        if (status <= 0) {
            break;
        }
        status = parse_line(line, &edit, &cause);
        if (status < 0) {
            break;
        }
        if (status == 0) {
            continue;
        }
        if (edits->count >= EDITS_MAX) {
            status = lz_error_set(&cause, LZ_ERROR_LIMIT, "more than %d rules",
                                  (int)EDITS_MAX);
            break;
        }
        edit.value = strdup(edit.value);
        if (edit.value == NULL || edits_push(edits, edit) != 0) {
            status = lz_error_set(&cause, LZ_ERROR_NO_MEMORY, "no memory");
            break;
        }
    }
    if (status == 0 && ferror(file)) {
        return lz_error_set_errno(error, errno, "cannot read '%s'", path);
    }
    if (status < 0) {
        (void)lz_error_set(error, cause.kind, "'%s' line %lu: %s", path,
                           number, cause.text);
    }
    return status;
}

static void undo_locked(struct lz_ignore *ignore, struct edits *edits)
    LZ_REQUIRES(ignore->mutex);

static void
undo_locked(struct lz_ignore *ignore, struct edits *edits)
{
    for (size_t i = edits->count; i-- > 0;) {
        struct edit *edit = &edits->items[i];
        if (!edit->done) {
            continue;
        }
        if (edit->remove) {
            /* Its place has just become free; what can still fail here is
             * memory, and then the entry is lost with it. */
            (void)ignore_add_locked(ignore, edit->kind, edit->value);
        } else {
            (void)ignore_remove_locked(ignore, edit->kind, edit->value);
        }
    }
}

static int
apply_edits(struct lz_ignore *ignore, struct edits *edits)
{
    int status = 0;

    lz_mutex_lock(&ignore->mutex);
    for (size_t i = 0; i < edits->count && status >= 0; i++) {
        struct edit *edit = &edits->items[i];
        status = edit->remove
                     ? ignore_remove_locked(ignore, edit->kind, edit->value)
                     : ignore_add_locked(ignore, edit->kind, edit->value);
        edit->done = status == 1;
    }
    if (status < 0) {
        undo_locked(ignore, edits);
    }
    lz_mutex_unlock(&ignore->mutex);
    return status < 0 ? status : 0;
}

int
ignore_load(struct lz_ignore *ignore, const char *path, struct lz_error *error)
{
    struct edits edits = {0};
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        return lz_error_set_errno(error, errno, "cannot open '%s'", path);
    }
    int status = read_edits(file, path, &edits, error);
    (void)fclose(file); /* nothing was written */
    if (status == 0) {
        status = apply_edits(ignore, &edits);
        if (status == -ENOSPC) {
            (void)lz_error_set(error, LZ_ERROR_LIMIT,
                               "'%s' would fill a set beyond %d entries", path,
                               LZ_IGNORE_MAX);
        } else if (status < 0) {
            (void)lz_error_set(error, LZ_ERROR_NO_MEMORY,
                               "no memory for the rules of '%s'", path);
        }
    }
    edits_done(&edits);
    return status < 0 ? -1 : 0;
}

/* --- writing
 * ----------------------------------------------------------------- */

static int
write_rules(struct lz_ignore *ignore, FILE *file)
{
    struct lz_ignore_rule *rules;
    size_t count;

    if (ignore_list(ignore, &rules, &count) != 0) {
        return -ENOMEM;
    }
    (void)fputs("# lazyd ignore sets: KIND VALUE a line; kinds are name, "
                "package, path.\n# A minus takes an entry away that the sets "
                "start with.\n",
                file);
    for (size_t i = 0; i < count; i++) {
        if (!rules[i].builtin) {
            (void)fprintf(file, "%s %s\n",
                          lz_ignore_kind_string(rules[i].kind),
                          rules[i].value);
        }
    }
    ignore_rules_free(rules, count);

    enum lz_ignore_kind kind;
    const char *value;
    for (size_t i = 0; ignore_default(i, &kind, &value); i++) {
        if (!ignore_contains(ignore, kind, value)) {
            (void)fprintf(file, "-%s %s\n", lz_ignore_kind_string(kind),
                          value);
        }
    }
    return 0;
}

int
ignore_text(struct lz_ignore *ignore, char **ret_text)
{
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    int status = file == NULL ? -ENOMEM : write_rules(ignore, file);

    if (file != NULL && ferror(file)) {
        status = -ENOMEM;
    }
    if (file != NULL && fclose(file) != 0) {
        status = -ENOMEM;
    }
    if (status < 0) {
        free(text);
        return status;
    }
    *ret_text = text;
    return 0;
}

/* Fill and sync the file behind DESCRIPTOR, and close it. */
static int
write_whole(const char *text, int descriptor)
{
    FILE *file = fdopen(descriptor, "w");
    int status = 0;

    if (file == NULL) {
        int failure = -errno;
        (void)close(descriptor);
        return failure;
    }
    errno = 0;
    if (fputs(text, file) == EOF || fflush(file) != 0) {
        status = errno != 0 ? -errno : -EIO;
    }
    if (status == 0 && fsync(descriptor) != 0) {
        status = -errno;
    }
    if (fclose(file) != 0 && status == 0) {
        status = -errno;
    }
    return status;
}

/* Make the rename last: sync the folder that PATH is in. */
static void
sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);
    char *folder = slash == NULL ? strdup(".")
                   : length == 0 ? strdup("/")
                                 : strndup(path, length);

    if (folder == NULL) {
        return;
    }
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        /* Some file systems refuse it; the file itself is synced. */
        (void)fsync(descriptor);
        (void)close(descriptor);
    }
    free(folder);
}

/* A rename replaces whatever stands at PATH: only a regular file may. */
/* A file of something else than rules is not written over: who may save may
 * not know what lies there. */
static int
check_replaced(const char *path, struct lz_error *error)
{
    struct edits edits = {0};
    struct lz_error cause = {0};
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        return lz_error_set_errno(error, errno, "cannot read '%s'", path);
    }
    int status = read_edits(file, path, &edits, &cause);
    (void)fclose(file); /* nothing was written */
    edits_done(&edits);
    return status == 0
               ? 0
               : lz_error_set(error, LZ_ERROR_INVALID,
                              "'%s' holds something else than rules: name "
                              "another file, or remove it",
                              path);
}

static int
check_target(const char *path, mode_t *ret_mode, struct lz_error *error)
{
    struct stat old;

    *ret_mode = 0644;
    if (lstat(path, &old) != 0) {
        return errno == ENOENT
                   ? 0
                   : lz_error_set_errno(error, errno, "cannot look at '%s'",
                                        path);
    }
    if (!S_ISREG(old.st_mode)) {
        return lz_error_set(error, LZ_ERROR_INVALID,
                            "'%s' is no regular file: name another", path);
    }
    *ret_mode = old.st_mode & 0777;
    return check_replaced(path, error);
}

int
ignore_write(const char *text, const char *path, struct lz_error *error)
{
    mode_t mode;
    char *temporary;

    if (check_target(path, &mode, error) < 0) {
        return -1;
    }
    if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
        return lz_error_set(error, LZ_ERROR_NO_MEMORY, "no memory");
    }
    int descriptor = mkostemp(temporary, O_CLOEXEC);
    if (descriptor < 0) {
        int failure = errno;
        free(temporary);
        return lz_error_set_errno(error, failure, "cannot write beside '%s'",
                                  path);
    }
    int status = fchmod(descriptor, mode) == 0 ? 0 : -errno;
    if (status == 0) {
        status = write_whole(text, descriptor);
    } else {
        (void)close(descriptor);
    }
    if (status == 0 && rename(temporary, path) != 0) {
        status = -errno;
    }
    if (status != 0) {
        (void)unlink(temporary);
        (void)lz_error_set_errno(error, status, "cannot write '%s'", path);
    } else {
        sync_folder(path);
    }
    free(temporary);
    return status == 0 ? 0 : -1;
}

int
ignore_save(struct lz_ignore *ignore, const char *path, struct lz_error *error)
{
    char *text;

    if (ignore_text(ignore, &text) < 0) {
        return lz_error_set(error, LZ_ERROR_NO_MEMORY, "no memory");
    }
    int status = ignore_write(text, path, error);
    free(text);
    return status;
}
