/* What a service manager wants to hear, in systemd's way. */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

/* Remember $NOTIFY_SOCKET, which the service may take away or change while
 * others look at it. Main thread, before Python. */
void notify_init(void);
/* Send STATE ("READY=1") there; without one, nothing happens. Never blocks.
 * Any thread, after that. */
void notify_manager(const char *state);

#endif
