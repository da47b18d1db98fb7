/* A folder of a test's own, made in set-up and removed with all in it. */
#ifndef TESTS_UNIT_DAEMON_FOLDER_H
#define TESTS_UNIT_DAEMON_FOLDER_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char path[64];
    char file[160]; /* of folder_file */
};

static inline int
folder_set_up(void **state)
{
    struct folder *folder = calloc(1, sizeof(*folder));

    *state = folder;
    if (folder == NULL) {
        return -1;
    }
    (void)snprintf(folder->path, sizeof(folder->path), "lazyd-unit-XXXXXX");
    return mkdtemp(folder->path) == NULL ? -1 : 0;
}

static inline const char *
folder_file(struct folder *folder, const char *name)
{
    (void)snprintf(folder->file, sizeof(folder->file), "%s/%s", folder->path,
                   name);
    return folder->file;
}

static inline int
folder_tear_down(void **state)
{
    struct folder *folder = *state;
    DIR *entries = opendir(folder->path);
    const struct dirent *entry;

    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 &&
            strcmp(entry->d_name, "..") != 0) {
            (void)unlinkat(dirfd(entries), entry->d_name, 0);
            (void)unlinkat(dirfd(entries), entry->d_name, AT_REMOVEDIR);
        }
    }
    if (entries != NULL) {
        (void)closedir(entries);
    }
    (void)rmdir(folder->path);
    free(folder);
    return 0;
}

static inline void
folder_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    if (file != NULL) {
        (void)fputs(text, file);
        (void)fclose(file);
    }
}

#endif
