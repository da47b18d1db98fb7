/* See directory.h. */
#include "lazycore/directory.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    DIRECTORIES_MAX = 4096,
    ODD_MAX = 64, /* where that many are no regular files, stat() is asked */
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
    PyObject *listing; /* the FileFinder's own, compared as is */
    double mtime;
    struct timespec changed; /* its time of change when read: nobody can set
                                that, as they can the other */
    PyObject *odd;    /* once read: entries that may be no regular files */
    uint64_t endings; /* and a bit for each ending of an entry */
    Py_ssize_t asked; /* stat(), with this listing */
    bool unreadable;  /* stat() is the better way */
};

static bool
is_of(const struct stat *info, double mtime)
{
    double now =
        (double)info->st_mtim.tv_sec + 1e-9 * (double)info->st_mtim.tv_nsec;
    return !(now < mtime) && !(now > mtime);
}

void
directories_free(struct lz_engine *engine)
{
    struct lz_node *node;
    while ((node = table_first(&engine->directories)) != NULL) {
        struct lz_directory *directory = (struct lz_directory *)node;
        table_remove(&engine->directories, node);
        Py_XDECREF(directory->odd);
        Py_DECREF(directory->listing);
        Py_DECREF(directory->path);
        free(directory);
    }
}

static struct lz_directory *
add(struct lz_engine *engine, PyObject *path, const char *text,
    Py_ssize_t length)
{
    if (table_count(&engine->directories) >= DIRECTORIES_MAX)
        directories_free(engine);
    struct lz_directory *directory = calloc(1, sizeof(*directory));
    if (directory == NULL ||
        table_add(&engine->directories, directory, text, (size_t)length) < 0) {
        free(directory);
        return NULL;
    }
    directory->path = Py_NewRef(path);
    return directory;
}

static void
forget(struct lz_directory *directory)
{
    Py_CLEAR(directory->odd);
    directory->asked = 0;
    directory->unreadable = false;
}

bool
directory_is_of(struct lz_engine *engine, PyObject *path, double mtime)
{
    struct stat info;
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(path, &length);
    lz_forgive();
    if (text == NULL || text[0] != '/' || stat(text, &info) < 0 ||
        !is_of(&info, mtime))
        return false;
    struct lz_directory *directory = (struct lz_directory *)table_find(
        &engine->directories, text, (size_t)length);
    if (directory != NULL && directory->odd != NULL &&
        memcmp(&directory->changed, &info.st_ctim, sizeof(info.st_ctim)) != 0)
        forget(directory);
    return true;
}

struct lz_directory *
directory_get(struct lz_engine *engine, PyObject *path, PyObject *listing,
              double mtime)
{
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(path, &length);
    if (text == NULL) {
        lz_forgive();
        return NULL;
    }
    struct lz_directory *directory = (struct lz_directory *)table_find(
        &engine->directories, text, (size_t)length);
    if (directory == NULL)
        directory = add(engine, path, text, length);
    if (directory != NULL && directory->listing != listing) {
        Py_XSETREF(directory->listing, Py_NewRef(listing));
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

/* What ENTRY adds to what is known of its DIRECTORY. False: give up. */
static bool
add_entry(struct lz_directory *directory, const struct dirent *entry)
{
    directory->endings |= ending_bit(entry->d_name, strlen(entry->d_name));
    if (entry->d_type == DT_REG || strchr(entry->d_name, '.') == NULL)
        return true;
    PyObject *name = PyUnicode_DecodeFSDefault(entry->d_name);
    bool result = name != NULL && PySet_Add(directory->odd, name) == 0 &&
                  PySet_GET_SIZE(directory->odd) <= ODD_MAX;
    Py_XDECREF(name);
    return result;
}

/* Whether all of STREAM was read, while its time of modification was that of
 * the listing. */
static bool
read_entries(struct lz_directory *directory, DIR *stream)
{
    struct stat info;
    const struct dirent *entry;
    errno = 0;
    while ((entry = readdir(stream)) != NULL) {
        if (!add_entry(directory, entry))
            return false;
        errno = 0;
    }
    if (errno != 0 || fstat(dirfd(stream), &info) < 0)
        return false;
    directory->changed = info.st_ctim;
    return is_of(&info, directory->mtime);
}

static void
read_directory(struct lz_directory *directory)
{
    struct timespec now;
    const char *path = PyUnicode_AsUTF8(directory->path);
    DIR *stream = NULL;
    directory->unreadable = true;
    directory->endings = 0;
    if (clock_gettime(CLOCK_REALTIME, &now) == 0 &&
        (double)now.tv_sec - directory->mtime >= SETTLED_AFTER)
        stream = opendir(path);
    directory->odd = stream == NULL ? NULL : PySet_New(NULL);
    if (directory->odd != NULL)
        directory->unreadable = !read_entries(directory, stream);
    if (directory->unreadable)
        Py_CLEAR(directory->odd);
    lz_forgive();
    if (stream != NULL)
        (void)closedir(stream);
}

bool
directory_may_have(const struct lz_directory *directory, PyObject *suffix)
{
    if (directory == NULL || directory->odd == NULL)
        return true;
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(suffix, &length);
    uint64_t ending = text == NULL ? 0 : ending_bit(text, (size_t)length);
    lz_forgive();
    return ending == 0 || (directory->endings & ending) != 0;
}

bool
directory_has_file(struct lz_directory *directory, PyObject *file)
{
    if (directory == NULL || directory->unreadable)
        return false;
    if (directory->odd == NULL) {
        Py_ssize_t entries = PySet_GET_SIZE(directory->listing);
        if (++directory->asked <= ASKED_MIN + entries / ENTRIES_A_STAT)
            return false;
        read_directory(directory);
    }
    int odd =
        directory->odd == NULL ? 1 : PySet_Contains(directory->odd, file);
    lz_forgive();
    return odd == 0;
}
