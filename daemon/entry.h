/* A name in a folder that is held open.
 *
 * What a path leads to changes when somebody renames one of the folders that
 * it names. The folder that is held stays the same: whatever is made, looked
 * at or removed by its descriptor is in there and nowhere else. Main thread,
 * then the one that removes it.
 */
#ifndef DAEMON_ENTRY_H
#define DAEMON_ENTRY_H

#include <stdbool.h>
#include <sys/stat.h>

struct entry {
    char *path;       /* as given */
    const char *name; /* its last part; "" where it ends in '/' */
    int folder_fd;    /* O_PATH; -1: none */
};

/* The folder of PATH; NULL on lack of memory. */
char *entry_folder(const char *path);
/* Split PATH; the folder is for the caller to open. 0 or negative errno. */
int entry_init(struct entry *entry, const char *path);
/* Split PATH and hold its folder. 0, or negative errno and nothing held. */
int entry_open(struct entry *entry, const char *path);
/* Whether the path leads to what ST is of. */
bool entry_is_at_path(const struct entry *entry, const struct stat *st);
/* Remove what has that name if it is what ST is of. In a thread that does not
 * have the descriptor, or has lost it, the folder is opened anew. 0, or the
 * negative errno of what keeps it there. */
int entry_remove(const struct entry *entry, const struct stat *st);
/* Accepts what was never opened: all zero but for folder_fd. */
void entry_done(struct entry *entry);

#endif
