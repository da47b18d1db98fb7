/* Lines for a ledger (ledger.h): the bodies of the program's own packages.
 *
 * A module may wait within its package where its body is free, it stands in
 * no cycle of imports, and nothing with effects is imported by it, or by what
 * it imports, on some ways only. What is said rests on the sources of the
 * package alone, each with its hash. Needs the GIL; runs importlib's code.
 */
#include "lazycore/body.h"
#include "lazycore/effects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODULES_MAX = 5000 }; /* of one package */

struct entry {
    PyObject *name; /* borrowed from the list */
    uint64_t hash, bytes;
    bool package, free, wanted, marked;
    unsigned *imports, *maybe; /* indices */
    unsigned count, maybe_count;
};

struct book {
    struct lz_engine *engine;
    const char *top; /* the package */
    size_t size;     /* of its name */
    struct lz_reader *reader;
    PyObject *names; /* list of modules of it, which grows */
    PyObject *index; /* dict: name -> number */
    struct entry *entries;
    unsigned count;
};

static int
add_name(struct book *book, PyObject *name)
{
    int known = PyDict_Contains(book->index, name);
    if (known != 0)
        return known < 0 ? -1 : 0;
    PyObject *number = PyLong_FromSsize_t(PyList_GET_SIZE(book->names));
    int result = number == NULL ||
                         PyDict_SetItem(book->index, name, number) < 0 ||
                         PyList_Append(book->names, name) < 0
                     ? -1
                     : 0;
    Py_XDECREF(number);
    return result;
}

static bool
is_of_package(const struct book *book, PyObject *name)
{
    const char *text = place_text(name);
    return text != NULL && strncmp(text, book->top, book->size) == 0 &&
           (text[book->size] == '.' || text[book->size] == '\0');
}

/* The modules of NAMES that are of the package, by number. -1 with an
 * exception. */
static int
number_all(struct book *book, PyObject *names, unsigned **ret_numbers,
           unsigned *ret_count)
{
    size_t most = names == NULL ? 0 : (size_t)PyList_GET_SIZE(names);
    *ret_numbers = PyMem_Calloc(most + 1, sizeof(**ret_numbers));
    if (*ret_numbers == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < most; i++) {
        PyObject *name = PyList_GET_ITEM(names, (Py_ssize_t)i);
        if (!is_of_package(book, name))
            continue;
        if (add_name(book, name) < 0)
            return -1;
        PyObject *number = PyDict_GetItemWithError(book->index, name);
        if (number == NULL)
            return -1;
        (*ret_numbers)[(*ret_count)++] = (unsigned)PyLong_AsLong(number);
    }
    return 0;
}

/* Whether FILE is where record.c will look for NAME. */
static bool
has_its_place(PyObject *name, const char *file, bool *ret_package)
{
    const char *text = place_text(name);
    size_t length = text == NULL ? 0 : strlen(text);
    size_t whole = strlen(file);
    *ret_package =
        whole > 12 && strcmp(file + whole - 12, "/__init__.py") == 0;
    size_t tail = *ret_package ? 12 : 3;
    if (length == 0 || whole <= length + tail ||
        file[whole - tail - length - 1] != '/')
        return false;
    const char *at = file + whole - tail - length;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '.' ? at[i] != '/' : at[i] != text[i])
            return false;
    }
    return *ret_package || strcmp(file + whole - 3, ".py") == 0;
}

/* What is known of the module that is next. */
static int
read_entry(struct book *book)
{
    struct entry entry = {
        .name = PyList_GET_ITEM(book->names, (Py_ssize_t)book->count)};
    struct lz_source source;
    const struct lz_body *body = body_read(book->reader, entry.name);
    if (body == NULL)
        return -1;
    const char *file = body->file == NULL ? NULL : place_text(body->file);
    int result = 0;
    if (file != NULL && has_its_place(entry.name, file, &entry.package) &&
        source_identify(file, &source)) {
        entry.bytes = (uint64_t)source.size;
        entry.hash = source_hash_file(file);
        entry.free = body->free && !body->for_effect && entry.hash != 0;
    }
    if (number_all(book, body->imports, &entry.imports, &entry.count) < 0 ||
        number_all(book, body->maybe, &entry.maybe, &entry.maybe_count) < 0)
        result = -1;
    book->entries[book->count++] = entry;
    return result;
}

static int
read_entries(struct book *book)
{
    book->entries = PyMem_Calloc(MODULES_MAX, sizeof(*book->entries));
    if (book->entries == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    while (book->count < (unsigned)PyList_GET_SIZE(book->names)) {
        if (book->count == MODULES_MAX)
            return 1; /* nothing is said of it */
        if (read_entry(book) < 0)
            return -1;
    }
    return 0;
}

/* Which may wait */

static bool
is_parent_of(const struct book *book, unsigned parent, unsigned child)
{
    const char *name = place_text(book->entries[parent].name);
    const char *other = place_text(book->entries[child].name);
    return name != NULL && other != NULL && names_is_below(other, name);
}

static void
unmark(struct book *book)
{
    for (unsigned i = 0; i < book->count; i++)
        book->entries[i].marked = false;
}

/* Go to what the module at INDEX imports, and on; packages above a module do
 * not count as imported by it. Whether TARGET was met. QUEUE has room for
 * all. */
static bool
reaches(struct book *book, unsigned index, unsigned target, unsigned *queue)
{
    unsigned head = 0, tail = 0;
    unmark(book);
    queue[tail++] = index;
    while (head < tail) {
        unsigned at = queue[head++];
        struct entry *entry = &book->entries[at];
        for (unsigned i = 0; i < entry->count + entry->maybe_count; i++) {
            unsigned other = i < entry->count ? entry->imports[i]
                                              : entry->maybe[i - entry->count];
            if (is_parent_of(book, other, at) || book->entries[other].marked)
                continue;
            if (other == target)
                return true;
            book->entries[other].marked = true;
            queue[tail++] = other;
        }
    }
    return false;
}

/* Whether the module at INDEX and all that it imports is free. */
static bool
is_clean(struct book *book, unsigned index, unsigned *queue)
{
    unsigned head = 0, tail = 0;
    unmark(book);
    book->entries[index].marked = true;
    queue[tail++] = index;
    while (head < tail) {
        struct entry *entry = &book->entries[queue[head++]];
        if (!entry->free)
            return false;
        for (unsigned i = 0; i < entry->count + entry->maybe_count; i++) {
            unsigned other = i < entry->count ? entry->imports[i]
                                              : entry->maybe[i - entry->count];
            if (!book->entries[other].marked) {
                book->entries[other].marked = true;
                queue[tail++] = other;
            }
        }
    }
    return true;
}

/* Whether what the module at INDEX imports is such that it may wait. */
static bool
imports_allow(struct book *book, unsigned index, unsigned *queue)
{
    struct entry *entry = &book->entries[index];
    for (unsigned i = 0; i < entry->count; i++) {
        if (book->entries[entry->imports[i]].hash == 0)
            return false; /* not read */
    }
    for (unsigned i = 0; i < entry->maybe_count; i++) {
        if (!is_clean(book, entry->maybe[i], queue))
            return false;
    }
    return true;
}

static int
decide(struct book *book)
{
    unsigned *queue = PyMem_Calloc(book->count + 1, sizeof(*queue));
    bool more = true;
    if (queue == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (unsigned i = 0; i < book->count; i++) {
        if (book->entries[i].free && reaches(book, i, i, queue))
            book->entries[i].wanted = true; /* for now: stands in a cycle */
    }
    for (unsigned i = 0; i < book->count; i++) {
        if (book->entries[i].wanted)
            book->entries[i].free = book->entries[i].wanted = false;
    }
    while (more) {
        more = false;
        for (unsigned i = 0; i < book->count; i++) {
            if (book->entries[i].free && !imports_allow(book, i, queue)) {
                book->entries[i].free = false;
                more = true;
            }
        }
    }
    PyMem_Free(queue);
    return 0;
}

/* Writing */

static void
write_entry(const struct book *book, const struct entry *entry, FILE *file)
{
    (void)fprintf(
        file, "module %s %s %s %016llx %llu ", place_text(entry->name),
        entry->free ? "free" : "effects", entry->package ? "package" : "file",
        (unsigned long long)entry->hash, (unsigned long long)entry->bytes);
    for (unsigned i = 0; entry->free && i < entry->count; i++)
        (void)fprintf(file, "%s%s", i > 0 ? "," : "",
                      place_text(book->entries[entry->imports[i]].name));
    (void)fprintf(file, "%s\n", !entry->free || entry->count == 0 ? "-" : "");
}

/* All whose source was read, the free ones among them, and what those import.
 */
static void
write_book(struct book *book, FILE *file)
{
    for (unsigned i = 0; i < book->count; i++) {
        const struct entry *entry = &book->entries[i];
        for (unsigned n = 0; entry->free && n < entry->count; n++)
            book->entries[entry->imports[n]].wanted = true;
    }
    for (unsigned i = 0; i < book->count; i++) {
        if (book->entries[i].wanted || book->entries[i].hash != 0)
            write_entry(book, &book->entries[i], file);
    }
}

static void
book_done(struct book *book)
{
    for (unsigned i = 0; i < book->count; i++) {
        PyMem_Free(book->entries[i].imports);
        PyMem_Free(book->entries[i].maybe);
    }
    PyMem_Free(book->entries);
    body_reader_free(book->reader);
    Py_XDECREF(book->names);
    Py_XDECREF(book->index);
}

/* The package TOP, of which MODULES (sorted, COUNT) names some. */
static void
write_package(struct lz_engine *engine, const char *top,
              const struct lz_module *modules, size_t count, FILE *file)
{
    struct book book = {.engine = engine,
                        .top = top,
                        .size = strlen(top),
                        .reader = body_reader_new(engine, top),
                        .names = PyList_New(0),
                        .index = PyDict_New()};
    int result =
        book.reader == NULL || book.names == NULL || book.index == NULL ? -1
                                                                        : 0;
    for (size_t i = 0; result == 0 && i < count; i++) {
        PyObject *name = PyUnicode_FromString(modules[i].name);
        if (name == NULL ||
            (is_of_package(&book, name) && add_name(&book, name) < 0))
            result = -1;
        Py_XDECREF(name);
    }
    if (result == 0)
        result = read_entries(&book);
    if (result == 0)
        result = decide(&book);
    if (result == 0)
        write_book(&book, file);
    book_done(&book);
    lz_forgive();
}

/* Whether NAME is a package of the program's own with modules, that is not
 * recorded. */
static bool
is_own(struct lz_engine *engine, const char *name)
{
    struct lz_levels *levels = engine->core->levels;
    return strchr(name, '.') == NULL && effects_find(name) < 0 &&
           !levels_is_stdlib(levels, name) && strcmp(name, "__main__") != 0 &&
           levels_get(levels, name, NULL) == LZ_LEVEL_OUTER;
}

void
body_write_ledger(struct lz_engine *engine)
{
    struct lz_query query = {
        .states = 1u << LZ_STATE_PROXY | 1u << LZ_STATE_REAL |
                  1u << LZ_STATE_EAGER | 1u << LZ_STATE_IGNORED};
    struct lz_module *modules = NULL;
    size_t count = 0, total;
    int fd = engine->core->ledger_fd;
    FILE *file = fd <= 0 ? NULL : fdopen(dup(fd), "w");
    if (file == NULL)
        return;
    if (registry_list(engine->core->registry, &query, &modules, &count,
                      &total) == 0) {
        for (size_t i = 0; i < count; i++) {
            if (is_own(engine, modules[i].name))
                write_package(engine, modules[i].name, modules, count, file);
        }
        registry_modules_free(modules, count);
    }
    (void)fclose(file);
}
