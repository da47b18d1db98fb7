/* What a service manager wants to hear, in systemd's way. */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

/* Send STATE ("READY=1") to $NOTIFY_SOCKET; without one, nothing happens.
 * Never blocks. Any thread. */
void notify_manager(const char *state);

#endif
