import logging
from logging import handlers

log = logging.getLogger(__name__)
SYSLOG = handlers.SysLogHandler.LOG_USER


def run(n):
    for i in range(n):
        log.debug("hidden %d", i)
        log.warning("step %d of %d", i, SYSLOG)
    log.info("boring line")
