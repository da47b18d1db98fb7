/* See directory.h. */
#include "lazycore/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    DIRECTORIES_MAX = 4096,
    /* Bytes; where more entries are no regular files, stat() is asked. */
    ODD_MAX = 4096,
    /* To read a directory takes as long as so many stat(), and one more for
     * so many entries: at worst twice of what not reading takes is spent. */
    ASKED_MIN = 4,
    ENTRIES_A_STAT = 16,
    /* Seconds: a later change has another time of modification by then,
     * however coarse the file system's clock. */
    SETTLED_AFTER = 3
};

struct lz_directory {
    struct lz_node node; /* in the engine's table, by the bytes of .path */
    PyObject *path;
    double mtime;     /* by importlib's measure */
    struct stat info; /* once read: which it was, and when it had changed last,
                         which nobody can set as they can .mtime; */
    char *odd;        /* NULL before: names of entries that may be no regular
                         files, each with its zero, and an empty one; */
    uint64_t endings; /* and a bit for each ending of an entry */
    Py_ssize_t asked; /* stat(), until it is read */
    bool unreadable;  /* stat() is the better way */
};

/* An entry that is read can only be looked up where the path may be searched.
 */
static bool
is_same(const struct stat *then, const struct stat *now, const char *path)
{
    return then->st_dev == now->st_dev && then->st_ino == now->st_ino &&
           memcmp(&then->st_ctim, &now->st_ctim, sizeof(now->st_ctim)) == 0 &&
           faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

static bool
is_of(const struct stat *info, double mtime)
{
    double now =
        (double)info->st_mtim.tv_sec + 1e-9 * (double)info->st_mtim.tv_nsec;
    return !(now < mtime) && !(now > mtime);
}

static void
forget(struct lz_directory *directory)
{
    free(directory->odd);
    directory->odd = NULL;
    directory->asked = 0;
    directory->unreadable = false;
}

void
directories_free(struct lz_engine *engine)
{
    struct lz_node *node;
    while ((node = table_first(&engine->directories)) != NULL) {
        struct lz_directory *directory = (struct lz_directory *)node;
        table_remove(&engine->directories, node);
        forget(directory);
        Py_DECREF(directory->path);
        free(directory);
    }
}

/* PATH, which is absolute, as bytes; or NULL. */
static const char *
absolute_text(PyObject *path, size_t *ret_length)
{
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(path, &length);
    if (text == NULL)
        lz_forgive();
    *ret_length = text == NULL ? 0 : (size_t)length;
    return text == NULL || text[0] != '/' ? NULL : text;
}

static struct lz_directory *
find(struct lz_engine *engine, const char *text, size_t length)
{
    return (struct lz_directory *)table_find(&engine->directories, text,
                                             length);
}

bool
directory_is_of(struct lz_engine *engine, PyObject *path, double mtime)
{
    struct stat info;
    size_t length;
    const char *text = absolute_text(path, &length);
    if (text == NULL || stat(text, &info) < 0 || !is_of(&info, mtime))
        return false;
    struct lz_directory *directory = find(engine, text, length);
    if (directory != NULL && directory->odd != NULL &&
        !is_same(&directory->info, &info, text))
        forget(directory);
    return true;
}

static struct lz_directory *
add(struct lz_engine *engine, PyObject *path, const char *text, size_t length)
{
    if (table_count(&engine->directories) >= DIRECTORIES_MAX)
        directories_free(engine);
    struct lz_directory *directory = calloc(1, sizeof(*directory));
    if (directory == NULL ||
        table_add(&engine->directories, directory, text, length) < 0) {
        free(directory);
        return NULL;
    }
    directory->path = Py_NewRef(path);
    return directory;
}

struct lz_directory *
directory_get(struct lz_engine *engine, PyObject *path, double mtime)
{
    size_t length;
    const char *text = absolute_text(path, &length);
    if (text == NULL)
        return NULL;
    struct lz_directory *directory = find(engine, text, length);
    if (directory == NULL)
        directory = add(engine, path, text, length);
    if (directory != NULL &&
        (directory->mtime < mtime || directory->mtime > mtime)) {
        directory->mtime = mtime;
        forget(directory);
    }
    return directory;
}

/* A bit for the last two characters of TEXT; 0: it is shorter. */
static uint64_t
ending_bit(const char *text, size_t length)
{
    if (length < 2)
        return 0;
    unsigned last = (unsigned char)text[length - 1];
    unsigned before = (unsigned char)text[length - 2];
    return UINT64_C(1) << (before * 31 + last) % 64;
}

/* Reads STREAM into DIRECTORY and ODD. The bytes that are used there, or 0:
 * not all was read, or its time of modification was another. */
static size_t
read_entries(struct lz_directory *directory, DIR *stream, char odd[ODD_MAX])
{
    const struct dirent *entry;
    size_t used = 0;
    errno = 0;
    while ((entry = readdir(stream)) != NULL) {
        size_t length = strlen(entry->d_name);
        directory->endings |= ending_bit(entry->d_name, length);
        if (entry->d_type != DT_REG && strchr(entry->d_name, '.') != NULL) {
            if (used + length + 2 > ODD_MAX)
                return 0;
            memcpy(odd + used, entry->d_name, length + 1);
            used += length + 1;
        }
        errno = 0;
    }
    odd[used] = '\0';
    return errno == 0 && fstat(dirfd(stream), &directory->info) == 0 &&
                   is_of(&directory->info, directory->mtime)
               ? used + 1
               : 0;
}

static void
read_directory(struct lz_directory *directory)
{
    struct timespec now;
    size_t length, used = 0;
    const char *text = absolute_text(directory->path, &length);
    directory->unreadable = true;
    directory->endings = 0;
    if (text == NULL || clock_gettime(CLOCK_REALTIME, &now) < 0 ||
        (double)now.tv_sec - directory->mtime < SETTLED_AFTER ||
        faccessat(AT_FDCWD, text, X_OK, AT_EACCESS) < 0)
        return;
    DIR *stream = opendir(text);
    char *odd = stream == NULL ? NULL : malloc(ODD_MAX);
    if (odd != NULL)
        used = read_entries(directory, stream, odd);
    char *kept = used > 0 ? realloc(odd, used) : NULL;
    if (kept == NULL)
        free(odd);
    directory->odd = kept;
    if (stream != NULL)
        (void)closedir(stream);
    directory->unreadable = kept == NULL;
}

/* NAME as the bytes of an entry; NULL: that depends on their encoding. */
static const char *
entry_text(PyObject *name, size_t *ret_length)
{
    if (!PyUnicode_IS_COMPACT_ASCII(name))
        return NULL;
    *ret_length = (size_t)PyUnicode_GET_LENGTH(name);
    return PyUnicode_DATA(name);
}

bool
directory_may_have(const struct lz_directory *directory, PyObject *suffix)
{
    size_t length;
    if (directory == NULL || directory->odd == NULL)
        return true;
    const char *text = entry_text(suffix, &length);
    uint64_t ending = text == NULL ? 0 : ending_bit(text, length);
    return ending == 0 || (directory->endings & ending) != 0;
}

bool
directory_has_file(struct lz_directory *directory, PyObject *file,
                   Py_ssize_t entries)
{
    size_t length;
    if (directory == NULL || directory->unreadable)
        return false;
    if (directory->odd == NULL) {
        if (++directory->asked <= ASKED_MIN + entries / ENTRIES_A_STAT)
            return false;
        read_directory(directory);
    }
    const char *text = entry_text(file, &length);
    if (directory->odd == NULL || text == NULL || strchr(text, '.') == NULL)
        return false;
    for (const char *odd = directory->odd; *odd != '\0';
         odd += strlen(odd) + 1) {
        if (strcmp(odd, text) == 0)
            return false;
    }
    return true;
}
