/* Command lines, lazyd's and lazyctl's: lists of values above all.
 *
 * A command line that is refused says why; one that is taken can be applied.
 * Input: the words, a line each; the first is the program.
 */
#include <argp.h>
#include <string.h>

#include "daemon/options.h"
#include "daemon/settings.h"
#include "tests/fuzz/targets/lazyctl_words.h"
#include "tests/fuzz/targets/target.h"

enum { WORDS_MAX = 64 };

/* What is well formed may still be no name of a package, or too long: then
 * the error says so. */
static void
apply(struct options *options)
{
    struct lz_core core = {.ignore = ignore_new(), .levels = levels_new()};
    struct lz_error error = {0};

    target_check(core.ignore != NULL && core.levels != NULL);
    options->ignore_file = NULL; /* files.c's */
    options->level_file = NULL;
    int status = settings_apply(options, &core, &error);
    target_check((status == 0) == (error.kind == LZ_ERROR_NONE));
    for (size_t i = 0; status == 0 && i < options->ignore_count; i++) {
        target_check(ignore_contains(core.ignore, options->ignores[i].kind,
                                     options->ignores[i].value));
    }
    lz_error_done(&error);
    ignore_free(core.ignore);
    levels_free(core.levels);
}

/* The linker puts it in the place of setenv(), which keeps every value that
 * ever was. */
int __wrap_setenv(const char *name, const char *value, int replace);

int
__wrap_setenv(const char *name, const char *value, int replace)
{
    (void)replace;
    target_check(name[0] != '\0' && value != NULL);
    return 0;
}

static void
lazyd_words(int argc, char **argv)
{
    struct options options = {0};
    struct lz_error error = {0};
    int status = options_parse(&options, argc, argv, ARGP_SILENT, &error);

    if (status == 0) {
        target_check(error.kind == LZ_ERROR_NONE);
        target_check(options.app != NULL);
        apply(&options);
    } else {
        target_check(error.kind != LZ_ERROR_NONE && error.text[0] != '\0');
    }
    lz_error_done(&error);
    options_done(&options);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *words[WORDS_MAX + 1];
    int count = 0;
    char *text = malloc(size + 1);
    char *save = NULL;

    target_check(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    for (char *word = strtok_r(text, "\n", &save);
         word != NULL && count < WORDS_MAX;
         word = strtok_r(NULL, "\n", &save)) {
        words[count++] = word;
    }
    words[count] = NULL;
    if (count > 0 && strcmp(words[0], "lazyctl") == 0) {
        lazyctl_words(count, words);
    } else if (count > 0) {
        lazyd_words(count, words);
    }
    free(text);
    return 0;
}
