/* A target's main without libFuzzer: each file of the folders in argv once. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "tests/fuzz/targets/target.h"

enum { FILE_BYTES_MAX = 2 * 1024 * 1024 };

static int
replay_file(const char *path)
{
    uint8_t *data = malloc(FILE_BYTES_MAX);
    FILE *file = fopen(path, "re");
    size_t size;

    if (data == NULL || file == NULL) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        free(data);
        return -1;
    }
    size = fread(data, 1, FILE_BYTES_MAX, file);
    (void)fclose(file);
    /* Exactly as long as the input, so that a read past it is seen. */
    uint8_t *exact = malloc(size > 0 ? size : 1);
    if (exact != NULL) {
        memcpy(exact, data, size);
        (void)LLVMFuzzerTestOneInput(exact, size);
    }
    free(exact);
    free(data);
    return exact == NULL ? -1 : 0;
}

static int
replay_folder(const char *folder, unsigned *count)
{
    struct dirent **entries = NULL;
    int found = scandir(folder, &entries, NULL, alphasort);
    int status = found < 0 ? -1 : 0;

    for (int i = 0; i < found; i++) {
        char path[4096];

        (void)snprintf(path, sizeof(path), "%s/%s", folder,
                       entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && status == 0) {
            /* Seen where one of them ends the program. */
            (void)fprintf(stderr, "%s\n", path);
            status = replay_file(path);
            *count += 1;
        }
        free(entries[i]);
    }
    free(entries);
    return status;
}

int
main(int argc, char **argv)
{
    unsigned count = 0;

    for (int i = 1; i < argc; i++) {
        if (replay_folder(argv[i], &count) < 0) {
            return 1;
        }
    }
    if (count == 0) {
        (void)fprintf(stderr, "no input in the folders given\n");
        return 1;
    }
    (void)printf("%u inputs replayed\n", count);
    return 0;
}
