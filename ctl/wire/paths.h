/* Where the control socket lies: the one rule both programs follow.
 *
 * The runtime folder is /run/lazyd for root, else $XDG_RUNTIME_DIR/lazyd;
 * there is no third choice. The socket of the instance NAME is NAME.sock in
 * it, or NAME/control.sock where the instance has a folder of its own, as
 * under systemd. Reads the environment and lists folders; makes and checks
 * nothing: that is the daemon's. Any thread that may read the environment.
 */
#ifndef WIRE_PATHS_H
#define WIRE_PATHS_H

#include <stddef.h>

enum {
    WIRE_NAME_MAX = 64,   /* bytes of an instance's name */
    WIRE_SOCKET_MAX = 107 /* bytes of a path that sockaddr_un holds */
};

/* All give 0 or negative errno, and on failure TEXT for a person. */

/* -ENOENT where neither rule gives a folder. *RET_PATH malloc'd. */
int wire_paths_runtime(char **ret_path, char text[512]);
/* Whether NAME may name an instance: letters, digits, '.', '_', '-', not
 * starting with '.' or '-'. -EINVAL. */
int wire_paths_check_name(const char *name, char text[512]);
/* The socket that the instance NAME makes. -ENAMETOOLONG where it would not
 * fit. */
int wire_paths_socket(const char *name, char **ret_path, char text[512]);
/* The sockets there are, of both kinds, sorted, malloc'd; none is 0 too. */
int wire_paths_list(char ***ret_paths, size_t *ret_count, char text[512]);
void wire_paths_list_free(char **paths, size_t count);
/* What lazyctl talks to: SOCKET, else NAME's (NAME.sock before
 * NAME/control.sock), else $LAZYD_SOCKET, else the only one there is. -ENOENT
 * none; -ENOTUNIQ several, and TEXT lists them. */
int wire_paths_find(const char *socket, const char *name, char **ret_path,
                    char text[512]);

#endif
