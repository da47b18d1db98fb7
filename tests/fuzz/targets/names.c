/* Files of modules' names: `lazyd --warm` and `lazyctl warm --file`.
 *
 * What is read is what the lines say, each name once; written again it reads
 * the same. What is refused leaves nothing, and the first line that is wrong
 * is named. Input: the file's text.
 */
#include <stdbool.h>
#include <string.h>

#include "daemon/settings.h"
#include "tests/fuzz/targets/target.h"

static const char blanks[] = " \t\r\n\f\v";

/* One line of a file, without its end: a copy of the name in it, empty where
 * it has none. */
static char *
name_in(const char *line, size_t size)
{
    const char *comment = memchr(line, '#', size);
    size_t end = comment != NULL ? (size_t)(comment - line) : size;

    while (end > 0 && line[end - 1] != '\0' &&
           strchr(blanks, line[end - 1]) != NULL) {
        end--;
    }
    while (end > 0 && line[0] != '\0' && strchr(blanks, line[0]) != NULL) {
        line++;
        end--;
    }
    char *name = strndup(line, end);
    target_check(name != NULL);
    return name;
}

static bool
is_among(const struct wire_names *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names->items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* What the SIZE bytes of TEXT say. Names go to *RET; the number of the first
 * line that is wrong, or 0. */
static int
expect(const char *text, size_t size, struct wire_names *ret)
{
    int number = 0;

    while (size > 0) {
        const char *end = memchr(text, '\n', size);
        size_t length = end != NULL ? (size_t)(end - text) : size;
        char *name = name_in(text, length);
        bool known = *name == '\0' || is_among(ret, ret->count, name);
        bool good = memchr(text, '\0', length) == NULL &&
                    (known || wire_name_is_valid(name));

        number++;
        if (good && !known) {
            target_check(wire_names_add(ret, name) == 0);
        }
        free(name);
        if (!good) {
            return number;
        }
        size -= end != NULL ? length + 1 : length;
        text += end != NULL ? length + 1 : length;
    }
    return 0;
}

static void
expect_same(const struct wire_names *read, const struct wire_names *expected)
{
    target_check(read->count == expected->count);
    for (size_t i = 0; i < read->count; i++) {
        const char *name = read->items[i];

        target_check(strcmp(name, expected->items[i]) == 0);
        target_check(strlen(name) <= WIRE_NAME_BYTES);
        target_check(strpbrk(name, " \t\r\n\f\v/\\*?#;") == NULL);
        target_check(name[0] != '.' && name[strlen(name) - 1] != '.');
    }
}

/* As lazyd does at its start. */
static int
read_file(const void *text, size_t size, struct wire_names *ret,
          struct lz_error *error)
{
    const struct options options = {.warm_file = target_file(text, size)};
    struct lz_core core = {0};
    int status = settings_foresight(&options, &core, ret, error);

    target_check((status == 0) == (error->kind == LZ_ERROR_NONE));
    target_check(core.warm_count == ret->count);
    target_check(ret->count == 0 ||
                 core.warm == (const char *const *)ret->items);
    return status;
}

static void
expect_again(const struct wire_names *names)
{
    struct wire_names again = {0};
    struct lz_error error = {0};
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);

    target_check(file != NULL);
    for (size_t i = 0; i < names->count; i++) {
        (void)fprintf(file, "%s\n", names->items[i]);
    }
    target_check(fclose(file) == 0);
    target_check(read_file(text, size, &again, &error) == 0);
    expect_same(&again, names);
    wire_names_done(&again);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_names expected = {0}, names = {0};
    struct lz_error error = {0};
    int wrong = expect((const char *)data, size, &expected);

    if (read_file(data, size, &names, &error) == 0) {
        target_check(wrong == 0);
        expect_same(&names, &expected);
        expect_again(&names);
    } else {
        char line[32];

        (void)snprintf(line, sizeof(line), " line %d: ", wrong);
        target_check(wrong > 0 && strstr(error.text, line) != NULL);
        target_check(names.count == 0 && names.items == NULL);
    }
    lz_error_done(&error);
    wire_names_done(&names);
    wire_names_done(&expected);
    return 0;
}
