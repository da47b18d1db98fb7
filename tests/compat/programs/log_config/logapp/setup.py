import logging.config

CONFIG = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "short": {"()": "logapp.formats.Short", "prefix": ">"},
        "plain": {"format": "%(name)s|%(levelname)s|%(message)s"},
    },
    "filters": {
        "noise": {"()": "logapp.filters.NoNoise", "words": ["boring"]}
    },
    "handlers": {
        "out": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": "short",
            "filters": ["noise"],
        },
        "mem": {"class": "logapp.handlers.MemoryList", "formatter": "plain"},
        "buffer": {
            "class": "logging.handlers.MemoryHandler",
            "capacity": 10,
            "target": "mem",
        },
    },
    "root": {"level": "DEBUG", "handlers": ["out", "buffer", "mem"]},
    "loggers": {"logapp.worker": {"level": "INFO"}},
}


def configure():
    logging.config.dictConfig(CONFIG)
