"""logging.config with handlers, filters and formatters named by dotted
strings of the application.
"""
import logging
import logging.config

import logapp.setup
from logapp import worker

log = logging.getLogger(__name__)


def main():
    logapp.setup.configure()
    log.info("start %s", "main")
    worker.run(3)
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("failed")
    logging.captureWarnings(True)
    import warnings

    warnings.warn("old thing", DeprecationWarning)
    from logapp.handlers import MemoryList

    print(len(MemoryList.records), [r.levelname for r in MemoryList.records])
    print(
        sorted(
            n
            for n in logging.root.manager.loggerDict
            if n.startswith("logapp")
        )
    )
    logging.shutdown()


if __name__ == "__main__":
    main()
    print("done")
